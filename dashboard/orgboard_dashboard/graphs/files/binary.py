"""GraphDef, MetaGraphDef and SavedModel as binary messages, without the numbers of constants."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from google.protobuf.message import DecodeError

from orgboard_dashboard.graphs.files.kinds import FileKind
from orgboard_dashboard.graphs.files.refused import MAX_NODES, NotAGraph, too_many
from orgboard_dashboard.graphs.thinned import fields, put, thinned
from orgboard_schema.wire.graph_pb2 import FunctionDef, NodeDef

__all__ = ["kind_of", "thinned_graph", "thinned_meta_graph", "thinned_saved_model"]

_KEPT_BYTES: Final = 4096
"""A node of more is thinned; a smaller one is what it is."""
_MOST_INPUTS: Final = 5 * MAX_NODES
_MOST_FIELDS: Final = MAX_NODES + 10_000
"""Of one message: walked in a fifth of a second."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A field that has a length, and where it stands in the file."""

    number: int
    at: int
    body: memoryview


def kind_of(data: memoryview) -> FileKind:
    """Tell which message bytes are.

    Raises:
        NotAGraph: they are none.
    """
    numbers = {(number, wire) for number, wire, *_ in _walk(data, 0)}
    if (1, 0) in numbers or {(7, 2), (8, 2)} <= numbers:
        # Both of them number themselves first; ONNX has its graph at 7.
        if (7, 2) in numbers:
            return "onnx"
        if (8, 2) in numbers:
            raise NotAGraph("it is an ONNX model without a graph")
        return "saved_model"
    if (1, 2) not in numbers and (2, 2) not in numbers:
        raise NotAGraph("it has no node")
    return "meta_graph" if _is_meta_graph(data, numbers) else "graph_def"


def _is_meta_graph(data: memoryview, numbers: set[tuple[int, int]]) -> bool:
    """Tell a MetaGraphDef, whose second field is a graph, from a GraphDef, whose is a library."""
    if (3, 2) in numbers:
        return True
    second = next((part.body for part in _parts(data, 0) if part.number == 2), None)
    if second is None:
        return False
    try:
        inner = next((body for n, wire, _, body, _ in fields(second) if (n, wire) == (1, 2)), None)
        # A node has its operation at 2, where a function of a library has nothing.
        return inner is not None and any(n == 2 for n, *_ in fields(second, inner))
    except ValueError:
        return False


def thinned_graph(data: memoryview, at: int = 0) -> bytes:
    """Return a GraphDef without what nobody is shown. `at` is where it stands in the file.

    Raises:
        NotAGraph: it is none, or a broken or too large one.
    """
    kept, counted = bytearray(), _Counted()
    for part in _parts(data, at):
        if part.number == 1:
            put(kept, 1, counted.node(part))
        elif part.number == 2:
            put(kept, 2, b"".join(_functions(part, counted)))
        elif part.number == 4 and len(part.body) <= _KEPT_BYTES:
            put(kept, 4, part.body)
    if not counted.named:
        raise NotAGraph("no node in it has a name and an operation")
    return bytes(kept)


def thinned_meta_graph(data: memoryview, at: int = 0) -> bytes:
    """Return the GraphDef within a MetaGraphDef.

    Raises:
        NotAGraph: it has none, or a broken or too large one.
    """
    graph = next((part for part in _parts(data, at) if part.number == 2), None)
    if graph is None:
        raise NotAGraph("it is a MetaGraphDef without a graph")
    return thinned_graph(graph.body, graph.at)


def thinned_saved_model(data: memoryview) -> bytes:
    """Return the first GraphDef within a SavedModel: the others are the same for other uses.

    Raises:
        NotAGraph: it has none, or a broken or too large one.
    """
    meta = next((part for part in _parts(data, 0) if part.number == 2), None)
    if meta is None:
        raise NotAGraph("it is a SavedModel without a graph")
    return thinned_meta_graph(meta.body, meta.at)


@dataclass(slots=True)
class _Counted:
    """The nodes that were looked at."""

    nodes: int = 0
    named: int = 0
    inputs: int = 0

    def node(self, part: _Part) -> bytes:
        """Return a node without its large fields."""
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise too_many()
        try:
            small = len(part.body) <= _KEPT_BYTES
            body = bytes(part.body) if small else thinned(part.body)
            node = NodeDef.FromString(body)
        except (DecodeError, ValueError) as error:
            where = f"its node {self.nodes}, {len(part.body)} bytes from byte {part.at} on"
            raise NotAGraph(f"{where}, cannot be read") from error
        self.named += bool(node.name and node.op)
        self.inputs += len(node.input)
        if self.inputs > _MOST_INPUTS:
            raise too_many("edges")
        return body


def _functions(library: _Part, counted: _Counted) -> Iterator[bytes]:
    """Give the functions of a library, each as a field of it."""
    for function in _parts(library.body, library.at):
        if function.number != 1:
            continue
        kept = bytearray()
        for part in _parts(function.body, function.at):
            if part.number == 3:
                put(kept, 3, counted.node(part))
            elif part.number in (1, 4):
                put(kept, part.number, part.body)
        shell = bytearray()
        put(shell, 1, _checked(bytes(kept), function.at))
        yield bytes(shell)


def _checked(function: bytes, at: int) -> bytes:
    try:
        FunctionDef.FromString(function)
    except (DecodeError, ValueError) as error:
        raise NotAGraph(f"a function from byte {at} on cannot be read") from error
    return function


def _parts(data: memoryview, at: int) -> Iterator[_Part]:
    for number, wire, _, body, end in _walk(data, at):
        if wire == 2:
            yield _Part(number, at + body, data[body:end])


def _walk(data: memoryview, at: int) -> Iterator[tuple[int, int, int, int, int]]:
    """Walk the fields of a message that begins there in the file."""
    end = count = 0
    try:
        for field in fields(data):
            end = field[-1]
            count += 1
            if count > _MOST_FIELDS:
                raise too_many("parts")
            yield field
    except ValueError as error:
        where = f"from byte {at + end} on it cannot be read"
        raise NotAGraph(f"{where}. It may have been cut off, or be of another kind") from error
