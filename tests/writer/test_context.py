"""The record of where a run took place: once a writer, beside the training, without secrets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from orgboard import SummaryWriter
from orgboard._context import record
from orgboard._context.record import gather
from orgboard._kinds.own import own_record_body
from orgboard_schema.types import Tensor
from orgboard_schema.wire.reader import read_file
from support.logged_runs import event_files, events, has_ended, scalars
from support.waiting import wait_until

WAIT_S = 30.0


def contexts(directory: Path) -> list[dict[str, Any]]:
    """Read the contexts of a run, as the product's reader gives them."""
    found = []
    for path in event_files(directory):
        with path.open("rb") as file:
            points = [point for _, point in read_file(file, 0, {}).points]
        for point in points:
            if point.tag == "orgboard/context":
                assert point.metadata is not None
                assert (point.kind, point.metadata.plugin, point.step) == ("tensor", "orgboard", 0)
                assert isinstance(point.value, Tensor)
                assert isinstance(point.value.data, tuple)
                found.append(json.loads(point.value.data[0]))
    return found


def test_a_run_tells_where_it_took_place_once(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path, context=True) as writer:
        for step in range(3):
            writer.add_scalar("x", 1.0, step)
            writer.flush()
        writer.close()
        writer.add_scalar("x", 1.0, 4)

    (context,) = contexts(tmp_path)
    assert context["pid"] == os.getpid()
    assert context["directory"] == str(Path.cwd())
    assert context["command"][0] == sys.orig_argv[0]
    assert context["python"]["version"] == ".".join(map(str, sys.version_info[:3]))
    assert context["packages"]["pytest"] == pytest.__version__
    assert context["devices"]["cpu"]["count"] == os.cpu_count()
    assert context["host"]
    assert context["system"]


def test_a_writer_without_values_tells_nothing(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path, context=True, purge_step=3):
        pass

    assert contexts(tmp_path) == []


@pytest.mark.parametrize(
    ("variable", "argument", "told"),
    [("0", None, 0), ("off", None, 0), ("1", None, 1), ("1", False, 0), ("0", True, 1)],
)
def test_it_can_be_switched_off_by_argument_or_environment(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    argument: bool | None,
    told: int,
) -> None:
    monkeypatch.setenv("ORGBOARD_CONTEXT", variable)
    with SummaryWriter(tmp_path, context=argument) as writer:
        writer.add_scalar("x", 1.0, 1)

    assert len(contexts(tmp_path)) == told


def test_it_is_told_without_anybody_asking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ORGBOARD_CONTEXT")
    with SummaryWriter(tmp_path) as writer:
        writer.add_scalar("x", 1.0, 1)

    assert len(contexts(tmp_path)) == 1


def test_a_process_that_is_killed_has_told_after_the_flush_interval(tmp_path: Path) -> None:
    script = f"""
        import os, signal, time
        from orgboard import SummaryWriter
        writer = SummaryWriter({str(tmp_path)!r}, flush_secs=0.05, context=True)
        writer.add_scalar("x", 1.0, 1)
        print("logged", flush=True)
        time.sleep(60)
    """
    training = subprocess.Popen([sys.executable, "-c", dedent(script)], stdout=subprocess.PIPE)
    assert training.stdout is not None
    training.stdout.readline()

    wait_until(lambda: contexts(tmp_path), WAIT_S, "the context is in the file")
    training.kill()
    training.wait()
    training.stdout.close()


def test_a_forked_child_does_not_tell_again(tmp_path: Path) -> None:
    writer = SummaryWriter(tmp_path, context=True)
    writer.add_scalar("x", 1.0, 1)
    child = os.fork()
    if child == 0:
        writer.add_scalar("x", 1.0, 2)
        writer.close()
        os._exit(0)
    os.waitpid(child, 0)
    writer.close()

    assert len(event_files(tmp_path)) == 2
    assert len(contexts(tmp_path)) == 1


def test_it_is_never_gathered_on_the_training_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with SummaryWriter(tmp_path, context=True) as writer:
        writer.add_scalar("x", 1.0, 1)

    assert contexts(tmp_path) == []
    assert (len(scalars(tmp_path)), writer.dropped) == (1, 0)


def test_no_value_waits_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = threading.Event()
    began = threading.Event()

    def slow(tag: str) -> bytes:
        began.set()
        known.wait(WAIT_S)
        return own_record_body(tag, "{}")

    monkeypatch.setattr("orgboard._context.record.context_body", slow)
    with SummaryWriter(tmp_path, context=True) as writer:
        writer.add_scalar("x", 1.0, 1)
        writer.flush()
        assert began.wait(WAIT_S)
        writer.add_scalar("x", 1.0, 2)
        writer.flush()
        assert [point.step for point in scalars(tmp_path)] == [1, 2]
        assert contexts(tmp_path) == []
        known.set()

    assert contexts(tmp_path) == [{}]
    assert has_ended(tmp_path)


def test_one_that_never_comes_keeps_no_log_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, told = threading.Event(), threading.Event()

    def endless(tag: str) -> bytes:
        known.wait(WAIT_S)
        told.set()
        return own_record_body(tag, "{}")

    monkeypatch.setattr("orgboard._context.record.context_body", endless)
    monkeypatch.setattr("orgboard._log.queue.BESIDE_PATIENCE_S", 0.01)
    with SummaryWriter(tmp_path, context=True) as writer:
        writer.add_scalar("x", 1.0, 1)
    (beside,) = (each for each in threading.enumerate() if each.name == "orgboard-beside")
    known.set()
    beside.join(WAIT_S)

    assert told.is_set()
    assert len(event_files(tmp_path)) == 1
    assert has_ended(tmp_path)
    assert contexts(tmp_path) == []


def test_it_is_gathered_once_for_all_runs_that_begin_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def count() -> dict[str, int]:
        asked.append(1)
        return {"pid": len(asked)}

    monkeypatch.setattr(record, "gather", count)
    monkeypatch.setattr(record, "_recent", record.Recent())
    writers = [SummaryWriter(tmp_path / str(run), context=True) for run in range(20)]
    for writer in writers:
        writer.add_scalar("x", 1.0, 1)
    for writer in writers:
        writer.close()
    monkeypatch.setattr(record, "RECENT_S", -1.0)
    with SummaryWriter(tmp_path / "later", context=True) as writer:
        writer.add_scalar("x", 1.0, 1)

    assert [contexts(tmp_path / str(run)) for run in range(20)] == [[{"pid": 1}]] * 20
    assert contexts(tmp_path / "later") == [{"pid": 2}]


def test_one_lost_in_a_fork_is_not_waited_for_by_the_child(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(record, "LOST_S", 0.01)
    monkeypatch.setattr(record, "gather", dict)
    recent = record.Recent()

    with recent._lock:
        assert recent.get() == "{}"


def test_a_context_that_fails_costs_no_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_tag: str) -> bytes:
        raise RuntimeError

    monkeypatch.setattr("orgboard._context.record.context_body", fail)
    with SummaryWriter(tmp_path, context=True, strict=True) as writer:
        writer.add_scalar("x", 1.0, 1)

    assert writer.dropped == 0
    assert contexts(tmp_path) == []
    assert len(events(tmp_path)) == 3


def test_a_part_that_fails_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> str:
        raise OSError

    monkeypatch.setattr("orgboard._context.record.os.getcwd", fail)

    assert "directory" not in gather()
    assert "command" in gather()
