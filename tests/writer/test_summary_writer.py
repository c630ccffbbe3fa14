"""`SummaryWriter` as a training script uses it."""

from __future__ import annotations

import json
import logging
import math
import pickle
import threading
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import orgboard
from orgboard import SummaryWriter
from orgboard_schema.wire.event_pb2 import SessionLog
from orgboard_schema.wire.graph_pb2 import GraphDef, NodeDef
from orgboard_schema.wire.hparams_pb2 import HParamsPluginData
from support.logged_runs import Logged, event_files, events, scalars, summaries

TICK_S = 0.02
"""A flush interval for tests that wait for one."""


def test_what_was_logged_is_in_the_file_after_flush(tmp_path: Path) -> None:
    writer = SummaryWriter(tmp_path)

    writer.add_scalar("loss", 0.5, 3, walltime=12.25)
    writer.add_scalar("loss", 0.25, 4)
    writer.flush()

    assert scalars(tmp_path) == [Logged("loss", 3, 0.5), Logged("loss", 4, 0.25)]
    assert events(tmp_path)[1].wall_time == 12.25
    assert abs(events(tmp_path)[2].wall_time - time.time()) < 60
    writer.close()


def test_values_of_every_type_of_number_are_the_same_scalar(tmp_path: Path) -> None:
    numbers = [1, 1.0, True, np.float32(1), np.float16(1), np.int64(1), np.array([1.0])]
    with SummaryWriter(tmp_path) as writer:
        for number in numbers:
            writer.add_scalar("x", number, np.int64(7))

    assert scalars(tmp_path) == [Logged("x", 7, 1.0)] * len(numbers)


def test_nan_and_infinities_are_data(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path) as writer:
        for value in (math.nan, math.inf, -math.inf, 1e300):
            writer.add_scalar("x", value, 0)

    values = [point.value for point in scalars(tmp_path)]
    assert math.isnan(values[0])
    assert values[1:] == [math.inf, -math.inf, math.inf]


@given(st.integers(-(1 << 63), (1 << 63) - 1))
def test_a_step_is_any_int64(tmp_path_factory: pytest.TempPathFactory, step: int) -> None:
    directory = tmp_path_factory.mktemp("run")
    with SummaryWriter(directory) as writer:
        writer.add_scalar("x", 1.0, step)

    assert scalars(directory) == [Logged("x", step, 1.0)]


def test_double_precision_is_kept(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path) as writer:
        writer.add_scalar("x", 0.1, 1, double_precision=True)
        writer.add_scalar("y", 0.5, 1, new_style=True)

    (_, double), (_, single) = summaries(tmp_path)
    assert list(double.tensor.double_val) == [0.1]
    assert list(single.tensor.float_val) == [0.5]
    assert single.metadata.plugin_data.plugin_name == b"scalars"


def test_tensorboardx_describes_a_tag_in_fifth_and_sixth_place(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path) as writer:
        writer.add_scalar("x", 0.1, 1, None, "X", "*x*")
        writer.add_scalar("y", 0.1, 1, None, "", "only this")

    (_, first), (_, second) = summaries(tmp_path)
    assert (first.metadata.display_name, first.metadata.summary_description) == (b"X", b"*x*")
    assert second.metadata.summary_description == b"only this"
    assert first.HasField("simple_value")
    assert second.HasField("simple_value")


def test_no_step_is_step_0(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path) as writer:
        writer.add_scalar("x", 1.0)

    assert scalars(tmp_path) == [Logged("x", 0, 1.0)]


def test_scalars_of_one_tag_go_to_a_sub_run_each(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path) as writer:
        writer.add_scalars("loss/all", {"train": 1.0, "test": np.float32(2)}, 5)

    assert scalars(tmp_path / "loss_all_train") == [Logged("loss/all", 5, 1.0)]
    assert scalars(tmp_path / "loss_all_test") == [Logged("loss/all", 5, 2.0)]
    assert scalars(tmp_path) == []


def test_an_array_changed_after_the_call_is_logged_as_it_was(tmp_path: Path) -> None:
    values, pixels, step = np.ones(5), np.full((1, 2, 2), 200, np.uint8), np.array(3)
    with SummaryWriter(tmp_path, flush_secs=3600) as writer:
        writer.add_histogram("h", values, step)
        writer.add_image("i", pixels, step)
        values[:], pixels[:], step[...] = 7, 0, 9

    (event, histogram), (_, image) = summaries(tmp_path)
    assert event.step == 3
    assert (histogram.histo.min, histogram.histo.max) == (1.0, 1.0)
    assert _pixels(image.image.encoded_image_string).max() == 200


def test_a_text_stands_where_the_text_plugin_looks(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path) as writer:
        writer.add_text("note", "# héllo", 2)

    ((event, value),) = summaries(tmp_path)
    assert (event.step, value.tag) == (2, b"note/text_summary")
    assert value.metadata.plugin_data.plugin_name == b"text"
    assert list(value.tensor.string_val) == ["# héllo".encode()]


def test_a_graph_is_taken_as_message_and_as_bytes(tmp_path: Path) -> None:
    graph = GraphDef(node=[NodeDef(name="x", op="Placeholder")])
    with SummaryWriter(tmp_path) as writer:
        writer.add_graph(graph)
        writer.add_graph(graph.SerializeToString())

    graphs = [event.graph_def for event in events(tmp_path) if event.HasField("graph_def")]
    assert [GraphDef.FromString(each) for each in graphs] == [graph, graph]


def test_a_model_that_cannot_be_drawn_is_told_and_no_error(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with SummaryWriter(tmp_path) as writer:
        for _ in range(2):
            # One line of a script, which is told of once.
            writer.add_graph(object())
        assert writer.dropped == 2

    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "GraphDef" in caplog.text


def test_hyperparameters_go_to_a_sub_run_with_their_metrics(tmp_path: Path) -> None:
    settings = {"lr": 0.1, "layers": [3, 4], "bn": True, "opt": "adam", "none": None}
    settings |= {"depth": np.int64(3), "amp": np.bool_(False)}
    with SummaryWriter(tmp_path) as writer:
        writer.add_hparams(
            settings, {"acc": 0.5, "gone": None}, {"lr": [0.1, 0.2]}, "trial", global_step=4
        )

    contents = {
        value.tag: HParamsPluginData.FromString(value.metadata.plugin_data.content)
        for _, value in summaries(tmp_path / "trial")
        if value.tag.startswith(b"_hparams_")
    }
    chosen = contents[b"_hparams_/session_start_info"].session_start_info.hparams
    infos = contents[b"_hparams_/experiment"].experiment.hparam_infos
    assert {
        name: getattr(value, str(value.WhichOneof("kind"))) for name, value in chosen.items()
    } == {
        "lr": 0.1,
        "layers": "[3, 4]",
        "bn": True,
        "opt": "adam",
        "depth": 3.0,
        "amp": False,
    }
    assert chosen["bn"].WhichOneof("kind") == chosen["amp"].WhichOneof("kind") == "bool_value"
    assert [value.number_value for value in infos[0].domain_discrete.values] == [0.1, 0.2]
    assert b"_hparams_/session_end_info" in contents
    assert scalars(tmp_path / "trial") == [Logged("acc", 4, 0.5)]


def test_tensorboardx_names_the_sub_run_with_its_third_parameter(tmp_path: Path) -> None:
    with SummaryWriter(logdir=str(tmp_path)) as writer:
        writer.add_hparams({"lr": 1}, {"acc": 1.0}, "trial")
        writer.add_hparams({"lr": 2}, {"acc": 2.0}, name="other")

    assert scalars(tmp_path / "trial") == [Logged("acc", 0, 1.0)]
    assert scalars(tmp_path / "other") == [Logged("acc", 0, 2.0)]


def test_purge_step_marks_a_restart(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path, purge_step=17) as writer:
        writer.add_scalar("x", 1.0, 18)

    version, again, start, point, stop = events(tmp_path)
    assert version.file_version == again.file_version == b"brain.Event:2"
    assert (again.step, start.step, point.step) == (17, 17, 18)
    assert start.session_log.status == SessionLog.START
    assert stop.session_log.status == SessionLog.STOP


def test_close_records_the_end_once_and_the_next_value_opens_a_new_file(tmp_path: Path) -> None:
    writer = SummaryWriter(tmp_path)
    writer.add_scalar("x", 1.0, 1)
    writer.close()
    writer.close()
    writer.add_scalar("x", 2.0, 2)
    writer.close()

    assert len(event_files(tmp_path)) == 2
    assert scalars(tmp_path) == [Logged("x", 1, 1.0), Logged("x", 2, 2.0)]
    ends = [e for e in events(tmp_path) if e.session_log.status == SessionLog.STOP]
    assert len(ends) == 2


def test_the_default_directory_is_named_by_time_host_and_comment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    with SummaryWriter(comment="_lr1", filename_suffix=".x") as writer:
        assert writer.log_dir == writer.logdir == writer.get_logdir()

    (run,) = (tmp_path / "runs").iterdir()
    assert run.name.endswith("_lr1")
    assert event_files(run)[0].name.endswith(".x")


def test_two_writers_in_one_directory_have_a_file_each(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path) as one, SummaryWriter(tmp_path) as two:
        one.add_scalar("x", 1.0, 1)
        two.add_scalar("x", 2.0, 2)

    assert len(event_files(tmp_path)) == 2
    assert sorted(scalars(tmp_path)) == [Logged("x", 1, 1.0), Logged("x", 2, 2.0)]


def test_a_copy_of_a_writer_has_a_file_of_its_own(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path) as writer:
        with pickle.loads(pickle.dumps(writer)) as copy:
            copy.add_scalar("x", 1.0, 1)
        writer.add_scalar("x", 2.0, 2)

    assert len(event_files(tmp_path)) == 2
    assert scalars(tmp_path) == [Logged("x", 2, 2.0), Logged("x", 1, 1.0)]


def test_write_to_disk_false_leaves_no_trace(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path / "run", write_to_disk=False) as writer:
        writer.add_scalar("x", 1.0, 1)
        writer.add_hparams({"lr": 1}, {"acc": 1.0})

    assert list(tmp_path.iterdir()) == []


def test_points_of_one_thread_keep_their_order(tmp_path: Path) -> None:
    def log(writer: SummaryWriter, tag: str) -> None:
        for step in range(3000):
            writer.add_scalar(tag, float(step), step)

    with SummaryWriter(tmp_path, max_queue=50) as writer:
        threads = [threading.Thread(target=log, args=(writer, f"t{n}")) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    points = scalars(tmp_path)
    assert writer.dropped == 0
    for n in range(8):
        steps = [point.step for point in points if point.tag == f"t{n}"]
        assert steps == list(range(3000))


def test_a_loop_that_only_logs_loses_nothing(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path) as writer:
        for step in range(300_000):
            writer.add_scalar("x", 1.0, step)

    assert writer.dropped == 0
    assert [point.step for point in scalars(tmp_path)] == list(range(300_000))


def test_a_later_file_of_one_process_sorts_behind(tmp_path: Path) -> None:
    in_order: list[Path] = []
    for step in range(3):
        with SummaryWriter(tmp_path) as writer:
            writer.add_scalar("x", 1.0, step)
        in_order += [path for path in tmp_path.iterdir() if path not in in_order]

    assert event_files(tmp_path) == in_order
    assert [point.step for point in scalars(tmp_path)] == [0, 1, 2]


HOSTILE: list[tuple[str, tuple[Any, ...]]] = [
    ("add_scalar", ("x", "half", 1)),
    ("add_scalar", ("x", None, 1)),
    ("add_scalar", ("x", [1.0, 2.0], 1)),
    ("add_scalar", ("x", 10**400, 1)),
    ("add_scalar", (None, 1.0, 1)),
    ("add_scalar", ("x", 1.0, "two")),
    ("add_scalar", ("x", 1.0, 1, "noon")),
    ("add_scalars", ("x", 5, 1)),
    ("add_scalars", ("x", {"a": None}, 1)),
    ("add_histogram", ("h", [], 1)),
    ("add_histogram", ("h", ["a"], 1)),
    ("add_histogram", ("h", [1.0], 1, "no such rule")),
    ("add_image", ("i", np.zeros((2, 2, 2, 2, 2)), 1)),
    ("add_image", ("i", np.zeros((9, 2, 2)), 1)),
    ("add_hparams", (3, {})),
    ("add_graph", (3,)),
]


@pytest.mark.parametrize(("method", "arguments"), HOSTILE)
def test_a_wrong_argument_is_dropped_and_counted(
    tmp_path: Path, method: str, arguments: tuple[Any, ...]
) -> None:
    with SummaryWriter(tmp_path) as writer:
        getattr(writer, method)(*arguments)
        writer.flush()
        dropped = writer.dropped
        writer.add_scalar("after", 1.0, 1)

    assert dropped == 1
    assert scalars(tmp_path) == [Logged("after", 1, 1.0)]


@pytest.mark.parametrize(("method", "arguments"), HOSTILE)
def test_a_wrong_argument_raises_when_strict(
    tmp_path: Path, method: str, arguments: tuple[Any, ...]
) -> None:
    with (
        SummaryWriter(tmp_path, strict=True) as writer,
        pytest.raises((TypeError, ValueError, AttributeError, OverflowError)),
    ):
        getattr(writer, method)(*arguments)


def test_a_step_beyond_int64_is_dropped_and_the_count_is_logged(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path) as writer:
        writer.add_scalar("x", 1.0, 1 << 63)
        writer.add_scalar("x", 1.0, 1)

    ((_, point), (_, told)) = summaries(tmp_path)
    assert point.tag == b"x"
    assert told.metadata.plugin_data.plugin_name == b"orgboard"
    assert json.loads(told.tensor.string_val[0]) == {"dropped": 1, "reasons": {"bad value": 1}}


def test_an_unusable_directory_is_told_when_the_writer_is_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(OSError, match="file"):
        SummaryWriter(tmp_path / "file")
    with pytest.raises(ValueError, match="s3://bucket"):
        SummaryWriter("s3://bucket/run")


def _pixels(png: bytes) -> Any:
    import io

    from PIL import Image

    with Image.open(io.BytesIO(png)) as image:
        return np.asarray(image)


def test_the_version_is_that_of_the_distribution() -> None:
    assert orgboard.__version__ == version("orgboard")


def test_a_text_that_is_a_number_is_taken_as_torch_takes_it(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path) as writer:
        writer.add_scalar("x", "3.5", 1)

    assert scalars(tmp_path) == [Logged("x", 1, 3.5)]


@pytest.mark.parametrize(
    ("method", "arguments", "what"),
    [
        ("add_scalars", ("loss", [1, 2]), "tag_scalar_dict"),
        ("log", ("loss",), "what is logged"),
        ("add_custom_scalars", ([1],), "a layout"),
        ("add_hparams", ([1], {}), "hyperparameters"),
    ],
)
def test_what_is_no_dict_is_called_by_its_name(
    tmp_path: Path, method: str, arguments: tuple[Any, ...], what: str
) -> None:
    with (
        SummaryWriter(tmp_path, strict=True) as writer,
        pytest.raises(TypeError, match=f"{what} must be a dict, got (list|str)"),
    ):
        getattr(writer, method)(*arguments)


def test_a_directory_may_be_of_bytes_or_below_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with SummaryWriter("~/a") as home, SummaryWriter(bytes(tmp_path / "b")) as plain:
        assert home.get_logdir() == str(tmp_path / "a")
        assert plain.get_logdir() == str(tmp_path / "b")

    assert len(event_files(tmp_path / "a")) == len(event_files(tmp_path / "b")) == 1
