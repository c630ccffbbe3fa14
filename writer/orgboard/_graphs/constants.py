"""GraphDefs without the weights in them: a graph is drawn from structure, and weights are large."""

from __future__ import annotations

from collections.abc import Callable
from struct import pack
from typing import Final, TypeAlias

from orgboard._encoding import protobuf as pb
from orgboard._graphs.graph_def import LARGE_BYTES, LARGE_CONSTANT
from orgboard_schema.onnx.fields import FIXED32, LENGTH, VARINT, Field, fields

__all__ = ["without_large_constants"]

_Rewrite: TypeAlias = Callable[[memoryview], bytes]


def without_large_constants(graph_def: bytes) -> bytes:
    """Replace each attribute of more than `LARGE_BYTES` by "(large constant)".

    What is not a GraphDef comes back as it was: it is the caller's, and readers cope.
    """
    if len(graph_def) <= LARGE_BYTES:
        return graph_def
    try:
        return _graph(memoryview(graph_def))
    except ValueError:
        return graph_def


def _rewriting(parts: dict[int, _Rewrite]) -> _Rewrite:
    """Make what copies a message, with those of its parts rewritten that are large."""

    def rewrite(message: memoryview) -> bytes:
        out = []
        for field in fields(message):
            inner = parts.get(field.number)
            if inner is not None and len(field.blob()) > LARGE_BYTES:
                out.append(pb.blob(field.number, inner(field.blob()), always=True))
            else:
                out.append(_copied(field))
        return b"".join(out)

    return rewrite


def _copied(field: Field) -> bytes:
    if field.wire_type == LENGTH:
        return pb.blob(field.number, bytes(field.blob()), always=True)
    if field.wire_type == VARINT:
        return pb.whole(field.number, field.whole(), always=True)
    form = "<I" if field.wire_type == FIXED32 else "<Q"
    return pb.varint(field.number << 3 | field.wire_type) + pack(form, field.value)


def _left_out(_value: memoryview) -> bytes:
    return _LEFT_OUT


_LEFT_OUT: Final = pb.text(2, LARGE_CONSTANT)

# A GraphDef has nodes (1) and a library (2) of functions (1), which have nodes (3). A node has
# attributes (5), and those have a value (2).
_node: Final = _rewriting({5: _rewriting({2: _left_out})})
_graph: Final = _rewriting({1: _node, 2: _rewriting({1: _rewriting({3: _node})})})
