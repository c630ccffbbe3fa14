"""`log`: a dictionary of values in one call, and `annotate`: a remark on the run."""

from __future__ import annotations

import json
import math
import struct
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from orgboard import SummaryWriter
from orgboard._kinds.logged import Logged as Entries
from orgboard._kinds.logged import logged_body, packed_body
from orgboard_schema.types import Point, Tensor
from orgboard_schema.wire.event_pb2 import Event
from orgboard_schema.wire.reader import read_file
from orgboard_schema.wire.summary_pb2 import Summary, SummaryMetadata
from orgboard_schema.wire.tensor_pb2 import TensorProto, TensorShapeProto
from support.logged_runs import Logged, event_files, events, scalars, summaries

names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40)
singles = st.floats(width=32)


def test_a_value_of_a_class_that_cannot_be_hashed_costs_only_itself(tmp_path: Path) -> None:
    class Unhashable(type):
        def __hash__(cls) -> int:
            raise RuntimeError("not even this")

    class Value(metaclass=Unhashable):
        pass

    with SummaryWriter(tmp_path) as writer:
        writer.log({"first": 0.5}, 0)
        writer.log({"loss": 0.5, "odd": Value()}, 1)
        assert writer.dropped == 1

    assert scalars(tmp_path) == [Logged("first", 0, 0.5), Logged("loss", 1, 0.5)]


def test_a_call_is_one_event_with_a_scalar_for_each_number(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path) as writer:
        for step in range(2):
            writer.log({"loss": 0.5, "epoch": step, "best": True}, step, walltime=7.25)

    logged = [event for event in events(tmp_path) if event.summary.value]
    assert [(event.step, event.wall_time) for event in logged] == [(0, 7.25), (1, 7.25)]
    assert [[(v.tag, v.simple_value) for v in event.summary.value] for event in logged] == [
        [(b"loss", 0.5), (b"epoch", step), (b"best", 1.0)] for step in range(2)
    ]


@pytest.mark.parametrize("extra", [{}, {"later": None}])
def test_dictionaries_inside_are_flattened(tmp_path: Path, extra: dict[str, Any]) -> None:
    with SummaryWriter(tmp_path) as writer:
        writer.log({"a": 1.0, "eval": {"acc": 2.0, "class": {0: 3.0}}, **extra}, 5)

    assert scalars(tmp_path) == [
        Logged("a", 5, 1.0),
        Logged("eval/acc", 5, 2.0),
        Logged("eval/class/0", 5, 3.0),
    ]


def test_a_step_that_is_not_given_is_counted_from_the_last(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path) as writer:
        writer.log({"x": 0.0})
        writer.log({"x": 1.0})
        writer.log({"x": 2.0}, 10)
        writer.log({"x": 3.0})
        writer.log({"x": 4.0, "note": "the long way"}, np.int64(20))
        writer.log({"x": 5.0, "note": "and counted"})

    assert [point.step for point in scalars(tmp_path)] == [0, 1, 10, 11, 20, 21]


def test_counted_steps_of_many_threads_come_once_each(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path) as writer:

        def log_some() -> None:
            for _ in range(500):
                writer.log({"x": 1.0})

        threads = [threading.Thread(target=log_some) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert sorted(point.step for point in scalars(tmp_path)) == list(range(4000))


def test_each_value_becomes_the_kind_that_its_type_says(tmp_path: Path) -> None:
    values = {
        "one": np.array([[2.0]]),
        "text": "# héllo",
        "many": np.arange(12.0).reshape(3, 4),
        "list": [1, 2, 3],
        "picture": Image.new("RGB", (4, 3)),
        "grey": Image.new("L", (4, 3)),
        "unknown": None,
    }
    with SummaryWriter(tmp_path) as writer:
        writer.log(values, 3)
        assert writer.dropped == 0

    found = {value.tag.decode(): (event.step, value) for event, value in summaries(tmp_path)}
    assert {step for step, _ in found.values()} == {3}
    kinds = {tag: value.WhichOneof("value") for tag, (_, value) in found.items()}
    assert kinds == {
        "one": "simple_value",
        "text/text_summary": "tensor",
        "many": "histo",
        "list": "histo",
        "picture": "image",
        "grey": "image",
    }
    assert found["many"][1].histo.num == 12
    image = found["picture"][1].image
    assert (image.width, image.height) == (4, 3)


def test_an_array_changed_after_the_call_is_logged_as_it_was(tmp_path: Path) -> None:
    one, many, values = np.array([1.0]), np.ones(5), {"plain": 1.0}
    with SummaryWriter(tmp_path, flush_secs=3600) as writer:
        writer.log(values, 0)
        writer.log(values, 1)
        writer.log({"one": one, "many": many}, 2)
        values["plain"], one[0], many[:] = 9.0, 9.0, 9.0

    assert [point.value for point in scalars(tmp_path)] == [1.0, 1.0, 1.0]
    assert [value.histo.max for _, value in summaries(tmp_path) if value.HasField("histo")] == [1.0]


CANNOT_BE_LOGGED: list[Any] = [object(), 10**400, 1j, b"bytes", ["a"], {}.keys(), [], np.zeros(0)]


@pytest.mark.parametrize("value", CANNOT_BE_LOGGED)
def test_what_cannot_be_logged_is_counted_and_the_rest_goes_through(
    tmp_path: Path, value: object
) -> None:
    with SummaryWriter(tmp_path) as writer:
        writer.log({"before": 1.0, "wrong": value, "after": 2.0}, 3)
        writer.flush()
        dropped = writer.dropped

    assert dropped == 1
    assert scalars(tmp_path) == [Logged("before", 3, 1.0), Logged("after", 3, 2.0)]


@pytest.mark.parametrize("value", CANNOT_BE_LOGGED)
def test_what_cannot_be_logged_raises_when_strict(tmp_path: Path, value: object) -> None:
    with (
        SummaryWriter(tmp_path, strict=True) as writer,
        pytest.raises((TypeError, ValueError, OverflowError)),
    ):
        writer.log({"before": 1.0, "wrong": value}, 3)


class Unnameable:
    """A key without a name."""

    def __str__(self) -> str:
        raise RuntimeError("no name")


def test_a_key_without_a_name_costs_only_its_own_value(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path) as writer:
        values: dict[Any, Any] = {
            "a": 1.0,
            Unnameable(): 2.0,
            3: 4.0,
            "b": {Unnameable(): 5.0, "c": 6.0},
        }
        writer.log(values, 1)
        assert writer.dropped == 2

    assert scalars(tmp_path) == [Logged("a", 1, 1.0), Logged("3", 1, 4.0), Logged("b/c", 1, 6.0)]


@pytest.mark.parametrize("values", [None, 5, [("a", 1.0)], "text"])
def test_what_is_no_dictionary_is_counted(tmp_path: Path, values: Any) -> None:
    with SummaryWriter(tmp_path) as writer:
        writer.log({"x": 1.0}, 0)
        writer.log(values, 1)
        assert writer.dropped == 1

    assert scalars(tmp_path) == [Logged("x", 0, 1.0)]


def test_a_dictionary_within_itself_comes_to_an_end(tmp_path: Path) -> None:
    values: dict[str, Any] = {"x": 1.0}
    values["again"] = values
    with SummaryWriter(tmp_path) as writer:
        writer.log(values, 0)
        assert writer.dropped > 0


@given(st.dictionaries(names, singles, min_size=1, max_size=64))
def test_numbers_packed_at_once_are_the_bytes_that_protobuf_writes(
    values: dict[str, float],
) -> None:
    expected = Summary(
        value=[Summary.Value(tag=tag.encode(), simple_value=v) for tag, v in values.items()]
    )
    packed = struct.pack(f"<{len(values)}f", *values.values())

    body = packed_body("", (tuple(values), packed))

    assert body == Event(summary=expected).SerializeToString()


@given(
    st.dictionaries(names, singles), st.dictionaries(names, st.text(st.characters(codec="utf-8")))
)
def test_numbers_and_texts_are_the_bytes_that_protobuf_writes(
    numbers: dict[str, float], texts: dict[str, str]
) -> None:
    about = SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name=b"text"))
    shape = TensorShapeProto(dim=[TensorShapeProto.Dim(size=1)])
    expected = [Summary.Value(tag=tag.encode(), simple_value=v) for tag, v in numbers.items()]
    expected += [
        Summary.Value(
            tag=f"{tag}/text_summary".encode(),
            metadata=about,
            tensor=TensorProto(
                dtype="DT_STRING", tensor_shape=shape, string_val=[content.encode()]
            ),
        )
        for tag, content in texts.items()
    ]

    body = logged_body("", Entries(list(numbers.items()), list(texts.items())))

    if expected:
        assert body == Event(summary=Summary(value=expected)).SerializeToString()


def test_what_float32_cannot_hold_becomes_infinite_on_either_way(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path) as writer:
        for extra in ({}, {}, {"note": "the long way"}):
            writer.log({"large": 1e300, "nan": math.nan, "low": -1e300, **extra}, 1)

    found = [point.value for point in scalars(tmp_path)]
    assert found[::3] == [math.inf] * 3
    assert found[2::3] == [-math.inf] * 3


def test_more_values_than_the_short_way_takes_are_logged_too(tmp_path: Path) -> None:
    values = {f"metric_{number}": float(number) for number in range(500)}
    with SummaryWriter(tmp_path) as writer:
        writer.log(values, 0)
        writer.log(values, 1)

    assert scalars(tmp_path) == [Logged(tag, s, v) for s in (0, 1) for tag, v in values.items()]


def test_a_remark_is_a_record_of_ours_that_the_reader_takes(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path) as writer:
        writer.annotate("rate halved", 7, walltime=2.5)
        writer.annotate('"quotes" and a lone \ud800')

    with event_files(tmp_path)[0].open("rb") as file:
        batch = read_file(file, 0, {})
    (_, first), (_, second) = batch.points
    assert (first.tag, first.kind, first.step, first.wall_time) == (
        "orgboard/annotation",
        "tensor",
        7,
        2.5,
    )
    assert first.metadata is not None
    assert first.metadata.plugin == "orgboard"
    assert _told(first) == {"text": "rate halved"}
    assert _told(second) == {"text": '"quotes" and a lone \ud800', "step": None}
    assert batch.gaps == ()


def _told(point: Point) -> Any:
    assert isinstance(point.value, Tensor)
    assert isinstance(point.value.data, tuple)
    return json.loads(point.value.data[0])


def test_a_step_and_a_time_can_be_given_to_all_values_inside(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path) as writer:
        with writer.use_metadata(global_step=10, walltime=5.5) as same:
            assert same is writer
            writer.add_scalar("x", 1.0)
            writer.add_scalar("x", 2.0, 3, walltime=6.5)
            writer.log({"x": 3.0})
            with writer.use_metadata(global_step=11):
                writer.add_text("note", "hello")
        writer.add_scalar("x", 4.0)

    found = [(event.step, event.wall_time) for event, _ in summaries(tmp_path)]
    assert found[:4] == [(10, 5.5), (3, 6.5), (10, 5.5), (11, 5.5)]
    assert found[4][0] == 0
    assert found[4][1] > 1e9
