"""ONNX and OpenVINO models, read by hand: what is in them, and what hostile ones cannot do."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgboard import SummaryWriter
from orgboard._encoding import protobuf as pb
from orgboard._graphs.graph_def import Node, encode_graph
from orgboard._graphs.onnx import read_onnx
from orgboard._graphs.openvino import read_openvino
from orgboard_schema.onnx.attributes import describe_attribute
from orgboard_schema.onnx.fields import fields
from orgboard_schema.wire.graph_pb2 import GraphDef
from orgboard_schema.wire.tensor_pb2 import TensorProto


def value(name: str, element: int, *sizes: int | str) -> bytes:
    """Encode a ValueInfoProto; a size that is a string is a name."""
    dimensions = b"".join(
        pb.blob(1, pb.text(2, size) if isinstance(size, str) else pb.whole(1, size), always=True)
        for size in sizes
    )
    tensor = pb.whole(1, element) + pb.blob(2, dimensions, always=True)
    return pb.text(1, name) + pb.blob(2, pb.blob(1, tensor))


def operation(kind: str, inputs: list[str], outputs: list[str], *attributes: bytes) -> bytes:
    return (
        b"".join(pb.text(1, name, always=True) for name in inputs)
        + b"".join(pb.text(2, name) for name in outputs)
        + pb.text(3, f"name of {kind}")
        + pb.text(4, kind)
        + b"".join(pb.blob(5, attribute) for attribute in attributes)
    )


def model(*graph: bytes) -> bytes:
    return pb.whole(1, 9) + pb.text(2, "test") + pb.blob(7, b"".join(graph), always=True)


AXIS = pb.text(1, "axis") + pb.whole(3, -1) + pb.whole(20, 2)
WEIGHTS = pb.blob(5, bytes(100_000))
"""They cannot be read."""


def weight(name: str, kind: int, *sizes: int, packed: bool = False) -> bytes:
    numbers = b"".join(map(pb.varint, sizes))
    apart = b"".join(pb.whole(1, size, always=True) for size in sizes)
    dims = pb.blob(1, numbers) if packed else apart
    raw = pb.blob(9, bytes(100_000))
    return pb.blob(5, dims + pb.whole(2, kind) + pb.text(8, name) + raw)


SMALL = model(
    pb.blob(1, operation("Gemm", ["x", "", "w"], ["y", "z"], AXIS)),
    WEIGHTS,
    pb.blob(1, operation("Sink", ["y"], [])),
    pb.blob(12, value("y", 1, 2, 4)),
    pb.blob(11, value("x", 16, "batch", 3)),
)


def protos(nodes: list[Node]) -> dict[str, Any]:
    return {node.name: node for node in GraphDef.FromString(encode_graph(nodes)).node}


def test_an_onnx_model_is_read_without_its_weights(tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    file.write_bytes(SMALL)

    nodes = read_onnx(file)

    assert nodes == read_onnx(SMALL) == read_onnx(bytearray(SMALL)) == read_onnx(str(file))
    assert [(node.name, node.op, node.inputs) for node in nodes] == [
        ("x", "Variable", ()),
        ("y", "Variable", ()),
        ("y", "Gemm", ("x", "", "w")),
        ("name of Sink", "Sink", ("y",)),
    ]
    assert encode_graph(nodes).count(bytes(100)) == 0
    shown = protos(nodes)
    assert shown["x"].attr["dtype"].type == 16
    assert [dimension.size for dimension in shown["x"].attr["shape"].shape.dim] == [0, 3]
    assert shown["y"].attr["parameters"].s == b"axis = -1 = 2"


@pytest.mark.parametrize("packed", [False, True])
def test_weights_of_an_onnx_model_have_shapes_and_are_counted_without_being_read(
    packed: bool,
) -> None:
    weights = [weight("w", 1, 200, 300, packed=packed), weight("at", 7, 5), weight("x", 1, 4)]
    single = pb.blob(5, pb.whole(4, 1) * 100_000 + pb.text(8, "late"))
    given = model(*weights, single, pb.blob(11, value("x", 1, 4)))

    nodes = read_onnx(given)

    assert [(node.name, node.op) for node in nodes] == [
        ("x", "Variable"),
        ("w", "initializer"),
        ("at", "initializer"),
    ]
    shown = protos(nodes)
    assert {name: node.attr["parameters"].i for name, node in shown.items()} == {
        "x": 4,
        "w": 60_000,
        "at": 0,
    }
    assert [dim.size for dim in shown["w"].attr["_output_shapes"].list.shape[0].dim] == [200, 300]


@given(st.lists(st.integers(-(1 << 63), (1 << 63) - 1), max_size=5))
def test_integers_are_read_packed_and_unpacked_alike(numbers: list[int]) -> None:
    single = pb.text(1, "n") + b"".join(pb.whole(8, each, always=True) for each in numbers)
    packed = pb.text(1, "n") + pb.blob(8, b"".join(map(pb.varint, numbers)))

    expected = f"n = {numbers}" if numbers else "n"
    assert describe_attribute(memoryview(single)) == expected
    assert describe_attribute(memoryview(packed)) == expected


@given(st.binary(max_size=60))
def test_a_message_is_read_field_by_field_or_refused(message: bytes) -> None:
    try:
        found = list(fields(message))
    except ValueError:
        return
    assert all(field.number >= 0 for field in found)


def test_the_fields_are_those_that_protobuf_wrote() -> None:
    message = TensorProto(
        dtype="DT_INT32",
        version_number=-1,
        tensor_content=b"abc",
        double_val=[0.5],
        float_val=[1.5],
    ).SerializeToString()

    found = {field.number: field for field in fields(message)}

    assert found[1].whole() == 3
    assert found[3].whole() == -1
    assert found[4].text() == "abc"
    assert (found[5].wire_type, found[6].wire_type) == (2, 2)
    with pytest.raises(ValueError, match="not a number"):
        found[4].whole()
    with pytest.raises(ValueError, match="not of bytes"):
        found[1].blob()


@given(st.integers(0, 150), st.binary(max_size=8), st.booleans())
def test_a_damaged_onnx_model_is_read_or_refused_and_nothing_else(
    where: int, bad: bytes, cut: bool
) -> None:
    # The weights lie between what is read; damage before them may make a length of anything.
    damaged = SMALL[:where] + bad + (b"" if cut else SMALL[where + len(bad) :])

    try:
        nodes = read_onnx(damaged)
    except ValueError:
        return
    encode_graph(nodes)


WHY = r"no graph|beyond its message|no end|wire type|has \d+ bytes"


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"\x3a",
        b"\x3a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        b"\xff" * 30,
        b"\x3b\x3c",
        b"no model at all",
        pb.blob(7, pb.varint(1 << 3 | 2) + pb.varint(1 << 40)),
    ],
)
def test_what_is_no_onnx_model_is_dropped_and_raises_only_when_strict(
    bad: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with SummaryWriter(tmp_path / "a") as writer:
        writer.add_onnx_graph(bad)
        writer.add_onnx_graph(tmp_path / "missing.onnx")
        writer.add_onnx_graph(3)
        writer.add_onnx_graph()
    assert writer.dropped == 4
    assert len(caplog.records) >= 1

    with SummaryWriter(tmp_path / "b", strict=True) as writer, pytest.raises(ValueError, match=WHY):
        writer.add_onnx_graph(bad)


OPENVINO = """<?xml version="1.0"?>
<net>
  <layers>
    <layer id="0" name="x"><data shape="1"/></layer>
    <layer id="1" name="net/y"><layers><layer id="0" name="inner"/></layers></layer>
    <layer id="2" name="a &amp; b"/>
  </layers>
  <edges><edge from-layer="0" to-layer="1"/><edge from-layer="1" to-layer="2"/></edges>
</net>
"""


def test_an_openvino_model_has_a_node_for_each_edge(tmp_path: Path) -> None:
    file = tmp_path / "model.xml"
    file.write_text(OPENVINO)

    nodes = read_openvino(str(file))

    assert [(node.name, node.op, node.inputs) for node in nodes] == [
        ("net/y", "op", ("x",)),
        ("a & b", "op", ("net/y",)),
    ]


LETTERS = "abcdefghijklmnopqrstuvwxyz"
LAUGHS = (
    '<!DOCTYPE net [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {y} "{f"&{x};" * 10}">' for x, y in pairwise(LETTERS))
    + "]><net><layers>&z;</layers></net>"
)
OUTSIDE = '<!DOCTYPE net [<!ENTITY z SYSTEM "file:///etc/hostname">]><net>&z;</net>'
DANGLING = '<net><layers/><edges><edge from-layer="0" to-layer="1"/></edges></net>'
NAMELESS = '<net><layers><layer id="0"/></layers></net>'


@pytest.mark.parametrize("xml", [LAUGHS, OUTSIDE, DANGLING, NAMELESS, "", "<net>", "not xml"])
def test_a_hostile_openvino_file_is_refused_and_dropped(xml: str, tmp_path: Path) -> None:
    file = tmp_path / "model.xml"
    file.write_text(xml)

    with pytest.raises(ValueError, match="OpenVINO"):
        read_openvino(file)
    with SummaryWriter(tmp_path / "run") as writer:
        writer.add_openvino_graph(file)
        writer.add_openvino_graph(tmp_path / "missing.xml")
    assert writer.dropped == 2
