"""A graph as plain values, and those as a GraphDef's bytes.

A node is named by its path: `Net/Conv2d[first]/weight` lies in the boxes `Net` and
`Net/Conv2d[first]`. An edge is an input that bears another node's name.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple, TypeAlias

from orgboard._encoding import protobuf as pb
from orgboard_schema.onnx.attributes import LARGE_BYTES, LARGE_CONSTANT

__all__ = [
    "LARGE_BYTES",
    "LARGE_CONSTANT",
    "Graph",
    "Node",
    "Shape",
    "encode_graph",
    "integer",
    "output_shapes",
    "shape",
    "string",
    "text",
    "whole_type",
]

Shape: TypeAlias = tuple[int, ...]

PRODUCER: Final = 22
"""The GraphDef version that torch's and tensorboardX's writers claim."""


class Node(NamedTuple):
    """An operation, or a value that comes from outside."""

    name: str
    op: str
    inputs: tuple[str, ...] = ()
    attributes: tuple[tuple[str, bytes], ...] = ()
    """Names, and AttrValues as bytes."""


class Graph(NamedTuple):
    """What `add_graph` found."""

    nodes: list[Node]
    device: str = ""
    """Where it ran, for a RunMetadata beside the graph; empty when it did not run."""


def encode_graph(nodes: Iterable[Node]) -> bytes:
    """Encode a GraphDef."""
    body = b"".join(pb.blob(1, _node(node), always=True) for node in nodes)
    return body + pb.blob(4, pb.whole(1, PRODUCER))


def _node(node: Node) -> bytes:
    inputs = b"".join(pb.text(3, name, always=True) for name in node.inputs)
    attributes = b"".join(
        pb.blob(5, pb.text(1, name, always=True) + pb.blob(2, value, always=True))
        for name, value in node.attributes
    )
    return pb.text(1, node.name) + pb.text(2, node.op) + inputs + attributes


def string(value: bytes) -> bytes:
    """Encode an AttrValue that is a string; one that is too large is left out."""
    return pb.blob(2, value if len(value) <= LARGE_BYTES else LARGE_CONSTANT.encode(), always=True)


def text(value: str) -> bytes:
    """Encode an AttrValue that is text."""
    # No encoded character is shorter than a byte: no need to encode what is too long anyway.
    return string(pb.utf8(value if len(value) <= LARGE_BYTES else LARGE_CONSTANT))


def integer(value: int) -> bytes:
    """Encode an AttrValue that is an int64."""
    return pb.whole(3, value, always=True)


def whole_type(value: int) -> bytes:
    """Encode an AttrValue that is a DataType."""
    return pb.whole(6, value, always=True)


def shape(sizes: Iterable[int]) -> bytes:
    """Encode an AttrValue that is a shape. -1 is a size that is not known."""
    return pb.blob(7, _shape(sizes), always=True)


def output_shapes(shapes: Iterable[Iterable[int]]) -> bytes:
    """Encode the AttrValue from which TensorBoard reads the shapes of a node's outputs."""
    return pb.blob(
        1, b"".join(pb.blob(7, _shape(sizes), always=True) for sizes in shapes), always=True
    )


def _shape(sizes: Iterable[int]) -> bytes:
    return b"".join(pb.blob(2, pb.whole(1, size), always=True) for size in sizes)
