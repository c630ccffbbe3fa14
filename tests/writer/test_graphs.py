"""Graphs as bytes: what is written is a GraphDef, without weights, and never an exception."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgboard import SummaryWriter
from orgboard._graphs.constants import without_large_constants
from orgboard._graphs.graph_def import (
    LARGE_BYTES,
    Node,
    encode_graph,
    integer,
    output_shapes,
    shape,
    string,
    text,
    whole_type,
)
from orgboard._graphs.recognise import keras_body
from orgboard_schema.types import Media
from orgboard_schema.wire.event_pb2 import Event
from orgboard_schema.wire.graph_pb2 import (
    AttrValue,
    FunctionDef,
    FunctionDefLibrary,
    GraphDef,
    NodeDef,
    VersionDef,
)
from orgboard_schema.wire.reader import read_file
from orgboard_schema.wire.tensor_pb2 import DataType, TensorProto, TensorShapeProto
from support.logged_runs import event_files

names = st.text(st.characters(codec="utf-8"), max_size=20)
sizes = st.lists(st.integers(-1, 1 << 40), max_size=4)
int64 = st.integers(-(1 << 63), (1 << 63) - 1)


def shape_proto(sizes: list[int]) -> TensorShapeProto:
    return TensorShapeProto(dim=[TensorShapeProto.Dim(size=size) for size in sizes])


attributes = st.one_of(
    st.binary(max_size=20).map(lambda value: (string(value), AttrValue(s=value))),
    names.map(lambda value: (text(value), AttrValue(s=value.encode()))),
    int64.map(lambda value: (integer(value), AttrValue(i=value))),
    st.sampled_from(DataType.items()).map(
        lambda item: (whole_type(item[1]), AttrValue(type=item[0]))
    ),
    sizes.map(lambda value: (shape(value), AttrValue(shape=shape_proto(value)))),
    st.lists(sizes, max_size=3).map(
        lambda value: (
            output_shapes(value),
            AttrValue(list=AttrValue.ListValue(shape=map(shape_proto, value))),
        )
    ),
)
nodes = st.tuples(
    names, names, st.lists(names, max_size=3), st.dictionaries(names, attributes, max_size=3)
)


@given(st.lists(nodes, max_size=5))
def test_a_graph_is_what_protobuf_reads_as_the_same_graph(
    made: list[tuple[str, str, list[str], dict[str, tuple[bytes, AttrValue]]]],
) -> None:
    ours = [
        Node(name, op, tuple(inputs), tuple((key, ours) for key, (ours, _) in attributes.items()))
        for name, op, inputs, attributes in made
    ]
    expected = GraphDef(
        node=[
            NodeDef(
                name=name,
                op=op,
                input=inputs,
                attr={key: theirs for key, (_, theirs) in attributes.items()},
            )
            for name, op, inputs, attributes in made
        ],
        versions=VersionDef(producer=22),
    )

    encoded = encode_graph(ours)

    assert GraphDef.FromString(encoded) == expected
    assert len(encoded) == expected.ByteSize()


def test_a_string_that_is_too_large_is_left_out() -> None:
    whole, cut = b"a" * LARGE_BYTES, b"a" * (LARGE_BYTES + 1)

    assert AttrValue.FromString(string(whole)).s == whole
    assert AttrValue.FromString(string(cut)).s == b"(large constant)"
    assert AttrValue.FromString(text("é" * LARGE_BYTES)).s == b"(large constant)"


def constant(size: int) -> NodeDef:
    tensor = TensorProto(dtype="DT_FLOAT", tensor_content=bytes(size))
    attributes = {
        "value": AttrValue(tensor=tensor),
        "dtype": AttrValue(type="DT_FLOAT"),
        "f": AttrValue(f=0.5),
    }
    return NodeDef(name="weights", op="Const", input=["x", "^y"], device="/cpu:0", attr=attributes)


def test_weights_are_left_out_of_a_graph_and_of_its_functions_and_nothing_else() -> None:
    function = FunctionDef(node_def=[constant(100_000), constant(3)], ret={"y": "weights:0"})
    graph = GraphDef(
        node=[constant(200_000), constant(7)],
        library=FunctionDefLibrary(function=[function]),
        versions=VersionDef(producer=5, bad_consumers=[1, 2]),
    )

    small = GraphDef.FromString(without_large_constants(graph.SerializeToString()))

    for node in (graph.node[0], graph.library.function[0].node_def[0]):
        node.attr["value"].s = b"(large constant)"
    assert small == graph


@given(st.binary(max_size=200), st.integers(0, 200))
def test_bytes_that_are_no_graph_are_the_callers_and_stay_as_they_are(
    bad: bytes, where: int
) -> None:
    whole = GraphDef(node=[constant(70_000)]).SerializeToString()
    damaged = whole[:where] + bad + whole[where + len(bad) :]

    result = without_large_constants(damaged)

    assert result == damaged or len(result) < len(damaged)


def graphs_of(directory: Path) -> list[tuple[str, bytes]]:
    with event_files(directory)[0].open("rb") as file:
        batch = read_file(file, 0, {})
    assert batch.gaps == ()
    found = []
    for _, point in batch.points:
        if point.kind == "graph":
            assert isinstance(point.value, Media)
            found += [(point.tag, blob.data) for blob in point.value.blobs]
    return found


def test_a_graph_def_and_its_bytes_are_written_as_they_are(tmp_path: Path) -> None:
    graph = GraphDef(node=[NodeDef(name="a", op="b")])

    with SummaryWriter(tmp_path) as writer:
        writer.add_graph(graph)
        writer.add_graph(graph.SerializeToString())
        writer.add_graph(bytearray(graph.SerializeToString()))

    assert graphs_of(tmp_path) == [("__run_graph__", graph.SerializeToString())] * 3
    assert writer.dropped == 0


def test_a_graph_of_a_hundred_thousand_nodes_is_written(tmp_path: Path) -> None:
    chain = [
        NodeDef(name=f"layer/{number}", op="Add", input=[f"layer/{number - 1}"])
        for number in range(100_000)
    ]

    with SummaryWriter(tmp_path) as writer:
        writer.add_graph(GraphDef(node=chain))

    ((_, data),) = graphs_of(tmp_path)
    assert len(GraphDef.FromString(data).node) == 100_000


class FakeGraph:
    """What has a graph as TensorFlow's functions have one, but TensorFlow is not there."""

    graph = property(lambda self: 1 / 0)


class Hostile:
    """Claims everything, keeps nothing."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"no {name}")


# Made in the test: pytest itself asks a parameter for its name.
@pytest.mark.parametrize(
    "make", [lambda: None, lambda: 3, lambda: "text", object, FakeGraph, Hostile, lambda: Hostile]
)
def test_what_is_no_model_is_dropped_and_raises_only_when_strict(
    make: Callable[[], Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    model = make()
    with SummaryWriter(tmp_path / "a") as writer:
        writer.add_graph(model)
        writer.add_graph(model, [object()])
    assert writer.dropped == 2
    assert graphs_of(tmp_path / "a") == []
    assert len([each for each in caplog.records if each.name == "orgboard"]) >= 1

    with (
        SummaryWriter(tmp_path / "b", strict=True) as writer,
        pytest.raises(Exception, match=r"is not logged|no |division"),
    ):
        writer.add_graph(model)


class KerasLike:
    """A model as Keras' are, by its module's name and what it can do."""

    layers: tuple[()] = ()

    def to_json(self) -> str:
        return '{"class_name": "Sequential", "note": "é"}'


KerasLike.__module__ = "keras.src.models.sequential"


def test_a_keras_model_is_written_as_it_describes_itself(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path) as writer:
        writer.add_graph(KerasLike())

    assert graphs_of(tmp_path) == [("keras", KerasLike().to_json().encode())]
    (value,) = Event.FromString(keras_body("keras", "{}")).summary.value
    assert value.metadata.plugin_data.plugin_name == b"graph_keras_model"
    assert value.metadata.plugin_data.content == b"1"
    assert (value.tensor.dtype, list(value.tensor.string_val)) == (7, [b"{}"])


def test_a_writer_that_writes_nothing_looks_at_no_model(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path, write_to_disk=False, strict=True) as writer:
        writer.add_graph(Hostile())
        writer.add_onnx_graph(tmp_path / "missing.onnx")
        writer.add_openvino_graph(tmp_path / "missing.xml")

    assert writer.dropped == 0
