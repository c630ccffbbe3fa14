"""ONNX models as the graph that torch's and tensorboardX's writers make of them.

    ModelProto ── graph (7) ──▶ input (11), output (12), node (1)

Read by hand: it needs a handful of fields, and neither the package nor the weights, which are
most of a model and are passed over.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from os import PathLike, fspath
from pathlib import Path
from typing import Any, BinaryIO, Final

from orgboard._graphs.fields import fields, fields_of_file
from orgboard._graphs.graph_def import Node, shape, text, whole_type
from orgboard._graphs.onnx_attributes import describe_attribute

__all__ = ["read_onnx"]

GRAPH: Final = frozenset({7})
NODE, INPUT, OUTPUT = 1, 11, 12

MOST_NODE_BYTES: Final = 64 << 20
"""A constant may be inside of a node, and is then read with it."""

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
    is_model = False
    for _, size in fields_of_file(file, GRAPH, end, MOST_GRAPH_BYTES):
        is_model = True
        # One member may come in two pieces, which then count as one.
        graph_end = file.tell() + size
        for number, length in fields_of_file(file, frozenset(parts), graph_end, MOST_NODE_BYTES):
            message = file.read(length)
            parts[number].append(_operation(message) if number == NODE else _value(message))
    if not is_model:
        raise ValueError("not an ONNX model: it has no graph")
    return [*parts[INPUT], *parts[OUTPUT], *parts[NODE]]


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
