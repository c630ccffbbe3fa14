"""Scripts that make their own protobuf messages, or look for torch's inner writers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from google.protobuf import struct_pb2

from orgboard import FileWriter, SummaryWriter
from orgboard_schema.wire.event_pb2 import Event, SessionLog
from orgboard_schema.wire.graph_pb2 import GraphDef, NodeDef
from orgboard_schema.wire.summary_pb2 import Summary
from support.logged_runs import Logged, event_files, events, scalars

SUMMARY = Summary(value=[Summary.Value(tag=b"x", simple_value=0.5)])


def test_a_summary_is_written_as_it_is_at_its_step(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path) as writer:
        writer.file_writer.add_summary(SUMMARY, 3, 2.5)
        writer._get_file_writer().add_summary(SUMMARY.SerializeToString(), 4)
        writer.add_scalar("y", 1.0, 5)

    assert scalars(tmp_path) == [Logged("x", 3, 0.5), Logged("x", 4, 0.5), Logged("y", 5, 1.0)]
    assert events(tmp_path)[1].wall_time == 2.5


def test_an_event_keeps_its_own_step_unless_one_is_given(tmp_path: Path) -> None:
    event = Event(wall_time=1.0, step=7, summary=SUMMARY)
    with FileWriter(tmp_path) as writer:
        writer.add_event(event)
        writer.add_event(event, 8, 2.5)
        writer.add_event(event.SerializeToString(), 9, 3.5)
        with writer.use_metadata(global_step=10):
            writer.add_event(event)

    assert (event.step, event.wall_time) == (7, 1.0)
    assert [point.step for point in scalars(tmp_path)] == [7, 8, 9, 10]
    assert [event.wall_time for event in events(tmp_path)[2:4]] == [2.5, 3.5]


def test_an_event_may_be_used_again_at_once(tmp_path: Path) -> None:
    event = Event(step=1, summary=SUMMARY)
    with FileWriter(str(tmp_path)) as writer:
        writer.add_event(event)
        event.summary.value[0].simple_value = 9.0

    assert scalars(tmp_path) == [Logged("x", 1, 0.5)]


def test_a_session_that_a_script_begins_is_in_the_file(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path) as writer:
        start = Event(step=17, session_log=SessionLog(status=SessionLog.START))
        writer.file_writer.add_event(start)

    assert events(tmp_path)[1].session_log.status == SessionLog.START
    assert events(tmp_path)[1].step == 17


def test_a_graph_brings_its_run_metadata(tmp_path: Path) -> None:
    graph, metadata = GraphDef(node=[NodeDef(name="x")]), Event(step=3)
    with FileWriter(logdir=tmp_path) as writer:
        writer.add_graph((graph, metadata))
        writer.add_onnx_graph(graph)

    _, first, second, third, _ = events(tmp_path)
    assert GraphDef.FromString(first.graph_def) == GraphDef.FromString(third.graph_def) == graph
    assert second.tagged_run_metadata.tag == b"step1"
    assert second.tagged_run_metadata.run_metadata == metadata.SerializeToString()


def test_the_writers_that_scripts_look_for_are_there(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path) as writer:
        assert writer.file_writer.get_logdir() == str(tmp_path)
        assert list(writer.all_writers) == [str(tmp_path)]
        writer.add_scalar("x", 1.0, 1)
        for each in writer.all_writers.values():
            each.flush()
        assert scalars(tmp_path) == [Logged("x", 1, 1.0)]
        writer.file_writer.close()
        writer.file_writer.reopen()
        writer.add_scalar("x", 2.0, 2)

    assert len(event_files(tmp_path)) == 2
    assert scalars(tmp_path) == [Logged("x", 1, 1.0), Logged("x", 2, 2.0)]


@pytest.mark.parametrize("message", [None, 5, "text", b"\xff\xff", object(), [b""]])
@pytest.mark.parametrize("method", ["add_event", "add_summary"])
def test_what_is_no_message_is_dropped_and_counted(
    tmp_path: Path, method: str, message: Any
) -> None:
    with FileWriter(tmp_path) as writer:
        getattr(writer, method)(message)
        writer.flush()
        assert writer.dropped == 1


@pytest.mark.parametrize("method", ["add_event", "add_summary"])
def test_what_is_no_message_raises_when_strict(tmp_path: Path, method: str) -> None:
    with FileWriter(tmp_path, strict=True) as writer:
        for message in (5, b"\xff\xff"):
            with pytest.raises((TypeError, ValueError)):
                getattr(writer, method)(message)


def test_a_message_of_another_package_is_told_by_its_bytes(tmp_path: Path) -> None:
    # A ListValue with nothing in it is, byte for byte, a Summary with nothing in it.
    with FileWriter(tmp_path) as writer:
        writer.add_summary(struct_pb2.ListValue(), 3)
        assert writer.dropped == 0

    assert [event.step for event in events(tmp_path)][1] == 3
