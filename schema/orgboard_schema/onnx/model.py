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
from typing import Any, BinaryIO, Final, NamedTuple

from orgboard_schema.onnx.attributes import LARGE_BYTES, LARGE_CONSTANT, describe_attribute
from orgboard_schema.onnx.fields import (
    LENGTH,
    fields,
    fields_of_file,
    small_fields_of_file,
    some_fields,
)

__all__ = ["OnnxNode", "TooManyNodes", "read_onnx"]

GRAPH: Final = frozenset({7})
MOST: Final = (1 << 63) - 1
NODE, WEIGHT, INPUT, OUTPUT = 1, 5, 11, 12

MOST_NODE_BYTES: Final = 64 << 20
"""A constant may be inside of a node, and is then read with it."""

MOST_PARTS: Final = 100_000
"""Inputs, outputs and attributes of a node; dimensions of a value."""

MOST_TOLD_BYTES: Final = 4096
"""Fields of a weight that are read: its name and sizes."""

NUMBERS: Final = frozenset({1, 2, 3, 10, 11, 16, 17, 18, 19, 20})
"""Element types of what is learned: floats of all widths, and bytes when they are quantised. The
others are indices, sizes and the like."""

MOST_GRAPH_BYTES: Final = 1 << 40
"""Weights may be inside of a graph, and are not read."""


class TooManyNodes(ValueError):  # noqa: N818  # says what it is, as its siblings do
    """It has more nodes than whoever reads it looks at."""


class OnnxNode(NamedTuple):
    """An operation, a weight, or a value that goes into the graph or comes out of it."""

    name: str
    op: str
    """"Variable" of what goes in and comes out, "initializer" of a weight."""
    inputs: tuple[str, ...] = ()
    told: str | None = None
    """Of an operation: its attributes, printed."""
    elements: int = 0
    """Of a variable: the number of its element type, of ONNX's."""
    sizes: tuple[int, ...] = ()
    """Of a variable or a weight; -1 or 0 is one that is not known."""
    parameters: int | None = None
    """Of a weight, that may be a variable, too, in old models."""


def read_onnx(model: Any, most_nodes: int | None = None) -> list[OnnxNode]:
    """Read the graph of a model: its path, its bytes, or a ModelProto.

    Raises:
        OSError, ValueError: it cannot be read, is no ONNX model, or has more than `most_nodes`.
        TypeError: it is none of these.
    """
    if callable(getattr(model, "SerializeToString", None)):
        model = model.SerializeToString()
    if isinstance(model, (bytes, bytearray, memoryview)):
        return _read(io.BytesIO(model), most_nodes)
    if not isinstance(model, (str, PathLike)):
        raise TypeError(f"an ONNX model is a path, bytes or a ModelProto, not a {type(model)}")
    with Path(fspath(model)).open("rb") as file:
        return _read(file, most_nodes)


def _read(file: BinaryIO, most_nodes: int | None) -> list[OnnxNode]:
    end = file.seek(0, io.SEEK_END)
    file.seek(0)
    parts: dict[int, list[OnnxNode]] = {INPUT: [], OUTPUT: [], NODE: []}
    weights: dict[str, OnnxNode] = {}
    is_model, count = False, 0
    # What is not looked at, as the shapes of values between, is as many as there are nodes.
    most_fields = None if most_nodes is None else 4 * most_nodes
    for _, size in fields_of_file(file, GRAPH, end, MOST_GRAPH_BYTES):
        is_model = True
        # One member may come in two pieces, which then count as one.
        graph_end = file.tell() + size
        wanted = frozenset((*parts, WEIGHT))
        for number, length in fields_of_file(
            file, wanted, graph_end, MOST_GRAPH_BYTES, most_fields
        ):
            count += 1
            if most_nodes is not None and count > most_nodes:
                raise TooManyNodes(f"it has more than {most_nodes} nodes")
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
        node._replace(parameters=weights.pop(node.name, node).parameters) for node in parts[INPUT]
    ]
    return [*inputs, *parts[OUTPUT], *parts[NODE], *weights.values()]


def _weight(file: BinaryIO, end: int) -> dict[str, OnnxNode]:
    """Read what a weight (TensorProto) is called, and its sizes; of one that cannot be read,
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
    return {name: OnnxNode(name, "initializer", sizes=tuple(sizes), parameters=min(count, MOST))}


def _packed(numbers: memoryview) -> list[int]:
    # Each as a field of its own: a key in front makes a message of it.
    sizes, begun = [], 0
    for at, byte in enumerate(numbers):
        if byte < 0x80:
            sizes += [field.whole() for field in fields(b"\x08" + bytes(numbers[begun : at + 1]))]
            begun = at + 1
    return sizes


def _value(message: bytes) -> OnnxNode:
    """Read an input or output of the graph (ValueInfoProto)."""
    name, elements, sizes = "", 0, []
    for field in some_fields(message, MOST_PARTS):
        if field.number == 1:
            name = field.text()
        elif field.number == 2:
            for tensor in _within(field.blob(), 1):
                for part in some_fields(tensor, MOST_PARTS):
                    if part.number == 1:
                        elements = part.whole()
                    elif part.number == 2:
                        sizes = [_size(dimension) for dimension in _within(part.blob(), 1)]
    return OnnxNode(name, "Variable", elements=elements, sizes=tuple(sizes))


def _size(dimension: memoryview) -> int:
    """Read a dimension; one with a name and no number is 0, as with the other writers."""
    return next((field.whole() for field in some_fields(dimension, 9) if field.number == 1), 0)


def _operation(message: bytes) -> OnnxNode:
    """Read a NodeProto. It is called as its first output is, so that inputs find it."""
    inputs, outputs = [], []
    attributes: list[str] = []
    name = kind = ""
    left = LARGE_BYTES
    for field in some_fields(message, MOST_PARTS):
        match field.number:
            case 1:
                inputs.append(field.text())
            case 2:
                outputs.append(field.text())
            case 3:
                name = field.text()
            case 4:
                kind = field.text()
            case 5 if left >= 0:
                printed = describe_attribute(field.blob())
                left = -1 if printed is None else left - len(printed)
                attributes.append(printed or "")
    shown = next(iter(outputs), name)
    told = ", ".join(attributes) if left >= 0 else LARGE_CONSTANT
    return OnnxNode(shown, kind, tuple(inputs), told)


def _within(message: memoryview, number: int) -> Iterator[memoryview]:
    return (field.blob() for field in some_fields(message, MOST_PARTS) if field.number == number)
