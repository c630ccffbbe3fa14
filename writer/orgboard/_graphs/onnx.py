"""ONNX models as the graph that torch's and tensorboardX's writers make of them.

    ModelProto ── graph (7) ──▶ input (11), output (12), node (1), initializer (5)

Read by hand: it needs a handful of fields, and neither the package nor the numbers of the weights,
which are most of a model and are passed over. The other writers leave weights out; here each is a
node that says its shape, and how many parameters it is.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from math import prod
from os import PathLike, fspath
from pathlib import Path
from typing import Any, BinaryIO, Final

from orgboard._graphs.fields import LENGTH, fields, fields_of_file, small_fields_of_file
from orgboard._graphs.graph_def import Node, integer, output_shapes, shape, text, whole_type
from orgboard._graphs.onnx_attributes import describe_attribute

__all__ = ["read_onnx"]

GRAPH: Final = frozenset({7})
MOST: Final = (1 << 63) - 1
NODE, WEIGHT, INPUT, OUTPUT = 1, 5, 11, 12

MOST_NODE_BYTES: Final = 64 << 20
"""A constant may be inside of a node, and is then read with it."""

MOST_TOLD_BYTES: Final = 4096
"""Fields of a weight that are read: its name and sizes."""

NUMBERS: Final = frozenset({1, 2, 3, 10, 11, 16, 17, 18, 19, 20})
"""Element types of what is learned: floats of all widths, and bytes when they are quantised. The
others are indices, sizes and the like."""

MOST_GRAPH_BYTES: Final = 1 << 40
"""Weights may be inside of a graph, and are not read."""


def read_onnx(model: Any) -> list[Node]:
    """Read the graph of a model: its path, its bytes, or a ModelProto.

    Raises:
        OSError, ValueError: it cannot be read, or is no ONNX model.
        TypeError: it is none of these.
    """
    if callable(getattr(model, "SerializeToString", None)):
        model = model.SerializeToString()
    if isinstance(model, (bytes, bytearray, memoryview)):
        return _read(io.BytesIO(model))
    if not isinstance(model, (str, PathLike)):
        raise TypeError(f"an ONNX model is a path, bytes or a ModelProto, not a {type(model)}")
    with Path(fspath(model)).open("rb") as file:
        return _read(file)


def _read(file: BinaryIO) -> list[Node]:
    end = file.seek(0, io.SEEK_END)
    file.seek(0)
    parts: dict[int, list[Node]] = {INPUT: [], OUTPUT: [], NODE: []}
    weights: dict[str, tuple[tuple[str, bytes], ...]] = {}
    is_model = False
    for _, size in fields_of_file(file, GRAPH, end, MOST_GRAPH_BYTES):
        is_model = True
        # One member may come in two pieces, which then count as one.
        graph_end = file.tell() + size
        wanted = frozenset((*parts, WEIGHT))
        for number, length in fields_of_file(file, wanted, graph_end, MOST_GRAPH_BYTES):
            if number == WEIGHT:
                weights |= _weight(file, file.tell() + length)
                continue
            if length > MOST_NODE_BYTES:
                raise ValueError(f"field {number} has {length} bytes")
            message = file.read(length)
            parts[number].append(_operation(message) if number == NODE else _value(message))
    if not is_model:
        raise ValueError("not an ONNX model: it has no graph")
    # Old models list weights among their inputs, too.
    inputs = [
        node._replace(attributes=node.attributes + weights.pop(node.name, ())[-1:])
        for node in parts[INPUT]
    ]
    held = [Node(name, "initializer", (), told) for name, told in weights.items()]
    return [*inputs, *parts[OUTPUT], *parts[NODE], *held]


def _weight(file: BinaryIO, end: int) -> dict[str, tuple[tuple[str, bytes], ...]]:
    """Read what a weight (TensorProto) is called, and its attributes; of one that cannot be read,
    nothing."""
    name, elements, sizes = "", 0, []
    try:
        for field in fields(small_fields_of_file(file, end, MOST_TOLD_BYTES)):
            if field.number == 1:
                sizes += _packed(field.blob()) if field.wire_type == LENGTH else [field.whole()]
            elif field.number == 2:
                elements = field.whole()
            elif field.number == 8:
                name = field.text()
    except ValueError:
        return {}
    if not name:
        return {}
    count = prod(max(0, size) for size in sizes) if elements in NUMBERS else 0
    told = ("_output_shapes", output_shapes([sizes])), ("parameters", integer(min(count, MOST)))
    return {name: told}


def _packed(numbers: memoryview) -> list[int]:
    # Each as a field of its own: a key in front makes a message of it.
    sizes, begun = [], 0
    for at, byte in enumerate(numbers):
        if byte < 0x80:
            sizes += [field.whole() for field in fields(b"\x08" + bytes(numbers[begun : at + 1]))]
            begun = at + 1
    return sizes


def _value(message: bytes) -> Node:
    """Read an input or output of the graph (ValueInfoProto)."""
    name, elements, sizes = "", 0, []
    for field in fields(message):
        if field.number == 1:
            name = field.text()
        elif field.number == 2:
            for tensor in _within(field.blob(), 1):
                for part in fields(tensor):
                    if part.number == 1:
                        elements = part.whole()
                    elif part.number == 2:
                        sizes = [_size(dimension) for dimension in _within(part.blob(), 1)]
    # The numbers of ONNX's element types, which TensorBoard takes for TensorFlow's.
    return Node(name, "Variable", (), (("dtype", whole_type(elements)), ("shape", shape(sizes))))


def _size(dimension: memoryview) -> int:
    """Read a dimension; one with a name and no number is 0, as with the other writers."""
    return next((field.whole() for field in fields(dimension) if field.number == 1), 0)


def _operation(message: bytes) -> Node:
    """Read a NodeProto. It is called as its first output is, so that inputs find it."""
    inputs, outputs, attributes = [], [], []
    name = kind = ""
    for field in fields(message):
        match field.number:
            case 1:
                inputs.append(field.text())
            case 2:
                outputs.append(field.text())
            case 3:
                name = field.text()
            case 4:
                kind = field.text()
            case 5:
                attributes.append(describe_attribute(field.blob()))
    shown = next(iter(outputs), name)
    return Node(shown, kind, tuple(inputs), (("parameters", text(", ".join(attributes))),))


def _within(message: memoryview, number: int) -> Iterator[memoryview]:
    return (field.blob() for field in fields(message) if field.number == number)
