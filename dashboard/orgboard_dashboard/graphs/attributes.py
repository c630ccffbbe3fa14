"""Attributes of a node as short text. A constant is told by its type, shape and size."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from google.protobuf.message import DecodeError

from orgboard_dashboard.graphs.model import Attributes, Shape, elements, spelled
from orgboard_schema.wire.graph_pb2 import AttrValue, NodeDef
from orgboard_schema.wire.tensor_pb2 import DataType, TensorProto, TensorShapeProto

__all__ = ["attributes_of", "human_bytes", "read_attributes", "shape_of", "text_of"]

_MAX_TEXT: Final = 400
_MAX_ATTRIBUTES: Final = 200
_MAX_LISTED: Final = 16

_BYTES_OF: Final = {
    **dict.fromkeys(("bool", "int8", "uint8"), 1),
    **dict.fromkeys(("half", "bfloat16", "int16", "uint16"), 2),
    **dict.fromkeys(("float", "int32", "uint32"), 4),
    **dict.fromkeys(("double", "int64", "uint64", "complex64"), 8),
    "complex128": 16,
}
_NAMES: Final = {"float": "float32", "double": "float64", "half": "float16"}


def read_attributes(packed: bytes | Attributes) -> Attributes:
    """Return the attributes of a node of a graph as text."""
    if not isinstance(packed, bytes):
        return packed
    try:
        return attributes_of(NodeDef.FromString(packed))
    except DecodeError:
        return ()


def attributes_of(node: NodeDef) -> Attributes:
    """Return the attributes of a node by name, each bounded."""
    names = sorted(node.attr)[:_MAX_ATTRIBUTES]
    return tuple((name[:_MAX_TEXT], text_of(node.attr[name])) for name in names)


def text_of(value: AttrValue) -> str:
    """Write one attribute."""
    kind = value.WhichOneof("value")
    if kind is None:
        return "none"
    if kind == "list":
        return _listed(value.list)
    return _written(kind, getattr(value, kind))


def shape_of(shape: TensorShapeProto) -> Shape:
    """Return a shape as sizes."""
    if shape.unknown_rank:
        return None
    return tuple(max(-1, dim.size) for dim in shape.dim)


def human_bytes(size: float) -> str:
    """Write a size: 4.0 MB."""
    if size < 1000:
        return f"{size:.0f} B"
    for unit in ("kB", "MB", "GB"):
        size /= 1000
        if size < 1000:
            return f"{size:.1f} {unit}"
    return f"{size / 1000:.1f} TB"


def _listed(values: AttrValue.ListValue) -> str:
    for field, content in values.ListFields():
        written = (_written(field.name, value) for value in _first(content))
        more = f", … {len(content)} in all" if len(content) > _MAX_LISTED else ""
        return _cut(f"[{', '.join(written)}{more}]")
    return "[]"


def _first(content: Any) -> Iterable[Any]:
    return list(content[:_MAX_LISTED])


def _written(kind: str, value: Any) -> str:
    match kind:
        case "s":
            # A dialect of ours reads some strings as bytes.
            text = value[: 4 * _MAX_TEXT]
            return _cut(text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text))
        case "b":
            return "true" if value else "false"
        case "type":
            return _type_name(value)
        case "shape":
            return spelled(shape_of(value))
        case "tensor":
            return _tensor(value)
        case "func":
            return _cut(str(value.name))
    return _cut(f"{value:.6g}" if isinstance(value, float) else str(value))


def _tensor(tensor: TensorProto) -> str:
    """Tell a constant; its numbers only when they are few."""
    name = _type_name(tensor.dtype)
    sizes = shape_of(tensor.tensor_shape) or ()
    shape = ", ".join(str(size) for size in sizes)
    count = elements(sizes)
    width = _BYTES_OF.get({v: k for k, v in _NAMES.items()}.get(name, name))
    size = human_bytes(count * width) if width else human_bytes(tensor.ByteSize())
    told = f"{name} [{shape}], {size}"
    if count == 1:
        single = next((content[0] for content in _numbers(tensor) if len(content) == 1), None)
        if single is not None:
            return f"{name} {single:.6g}" if isinstance(single, float) else f"{name} {single}"
    return told


def _numbers(tensor: TensorProto) -> Iterable[Any]:
    for field in ("float_val", "double_val", "int_val", "int64_val", "bool_val"):
        yield getattr(tensor, field, ())


def _type_name(number: int) -> str:
    try:
        name = DataType.Name(number)
    except ValueError:
        return f"type {number}"
    plain = name.removeprefix("DT_").lower()
    if plain.endswith("_ref"):
        return f"{_NAMES.get(plain[:-4], plain[:-4])} reference"
    return _NAMES.get(plain, plain)


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}… {len(text)} characters"
