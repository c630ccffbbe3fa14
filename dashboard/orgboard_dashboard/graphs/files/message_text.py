"""How the fields of a graph's messages are written as text, and as bytes."""

from __future__ import annotations

import codecs
import re
import struct
from typing import Any, Final, NamedTuple, TypeAlias

from google.protobuf.descriptor import FieldDescriptor

from orgboard_dashboard.graphs.thinned import encoded, put
from orgboard_schema.wire.graph_pb2 import GraphDef, MetaGraphDef
from orgboard_schema.wire.tensor_pb2 import DataType

__all__ = ["FORMS", "Form", "Kind", "encoded_value", "unescaped"]


class Form(NamedTuple):
    """A field: its number, how its values are written, and the message that they are."""

    number: int
    way: str
    inside: Kind | None
    is_repeated: bool


Kind: TypeAlias = "dict[bytes, Form]"
"""The fields of a message by name."""

_WAYS: Final = {
    FieldDescriptor.TYPE_STRING: "text",
    FieldDescriptor.TYPE_BYTES: "bytes",
    FieldDescriptor.TYPE_FLOAT: "float",
    FieldDescriptor.TYPE_DOUBLE: "double",
    FieldDescriptor.TYPE_MESSAGE: "message",
    FieldDescriptor.TYPE_ENUM: "enum",
    FieldDescriptor.TYPE_BOOL: "bool",
}
"""All others are whole numbers."""

_ONE: Final = frozenset({b"true", b"True", b"t", b"1"})
_NONE: Final = frozenset({b"false", b"False", b"f", b"0"})
_TYPES: Final = {name.encode(): number for name, number in DataType.items()}

_ESCAPE: Final = re.compile(
    rb"\\(?:([0-7]{1,3})|[xX]([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL
)
_USUAL: Final = re.compile(
    rb"(?:[^\\]++|\\(?:[0-3][0-7]{2}|[nrtabfv\"'\\]|x[0-9a-fA-F]{2}))*+", re.DOTALL
)
"""Escapes that Python knows, too, as all writers write them: twenty times quicker."""
_PLAIN: Final = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"a": b"\a", b"b": b"\b", b"v": b"\v"}


def _kinds() -> dict[str, Kind]:
    found: dict[str, Kind] = {}
    graph, meta = _kind(GraphDef.DESCRIPTOR, found), _kind(MetaGraphDef.DESCRIPTOR, found)
    saved: Kind = {
        b"saved_model_schema_version": Form(1, "whole", None, is_repeated=False),
        b"meta_graphs": Form(2, "message", meta, is_repeated=True),
    }
    tensor = found["orgboard.wire.v1.TensorProto"]
    return {"graph_def": graph, "meta_graph": meta, "saved_model": saved, "tensor": tensor}


def _kind(message: Any, found: dict[str, Kind]) -> Kind:
    """Return the fields of a message; messages may be within themselves."""
    if message.full_name in found:
        return found[message.full_name]
    kind = found[message.full_name] = {}
    for name, field in message.fields_by_name.items():
        inside = None if field.message_type is None else _kind(field.message_type, found)
        way = _WAYS.get(field.type, "whole")
        kind[name.encode()] = Form(field.number, way, inside, _is_repeated(field))
    return kind


def _is_repeated(field: Any) -> bool:
    # Older releases of protobuf call it a label.
    told = getattr(field, "is_repeated", None)
    return bool(field.label == FieldDescriptor.LABEL_REPEATED if told is None else told)


FORMS: Final = _kinds()
"""The fields of the messages that a file may be, and of a constant."""


def encoded_value(form: Form, value: bytes) -> bytes:
    """Write a value that stands in a text as a field.

    Raises:
        ValueError: it is none of the field's.
    """
    if form.way in ("text", "bytes"):
        out = bytearray()
        told = value.decode("utf-8", "replace").encode() if form.way == "text" else value
        put(out, form.number, told)
        return bytes(out)
    if form.way in ("float", "double"):
        wide = form.way == "double"
        return encoded(form.number << 3 | (1 if wide else 5)) + _packed(_number(value), wide=wide)
    return encoded(form.number << 3) + encoded(_whole(form.way, value) & 0xFFFFFFFFFFFFFFFF)


def _whole(way: str, value: bytes) -> int:
    if way == "bool" and (value in _ONE or value in _NONE):
        return int(value in _ONE)
    if way == "enum" and value in _TYPES:
        return _TYPES[value]
    if way == "enum" and not value.lstrip(b"-").isdigit():
        # A type that came later than this program.
        return 0
    text = value.replace(b" ", b"").decode("ascii", "replace")
    digits = text.lstrip("+-")
    # As in C: 010 is eight.
    is_octal = len(digits) > 1 and digits[0] == "0" and digits.isdecimal()
    number = int(text, 8) if is_octal else int(text, 0)
    if not -(1 << 63) <= number < 1 << 64:
        raise ValueError("more than 64 bits")
    return number


def _number(value: bytes) -> float:
    text = value.replace(b" ", b"").decode("ascii", "replace").lower()
    if text.lstrip("+-").startswith("0x"):
        return float(int(text, 16) % (1 << 64))
    return float(text if "inf" in text else text.rstrip("f"))


def _packed(value: float, *, wide: bool) -> bytes:
    try:
        return struct.pack("<d" if wide else "<f", value)
    except OverflowError:
        return struct.pack("<f", float("inf") if value > 0 else float("-inf"))


def unescaped(text: bytes) -> bytes:
    """Return what a text between quotes stands for."""
    if b"\\" not in text:
        return text
    if _USUAL.fullmatch(text):
        return codecs.escape_decode(text)[0]
    return _ESCAPE.sub(_meant, text)


def _meant(found: re.Match[bytes]) -> bytes:
    octal, pair, short, long, plain = found.groups()
    if octal is not None:
        return bytes([int(octal, 8) & 0xFF])
    if pair is not None:
        return bytes([int(pair, 16)])
    if plain is not None:
        return _PLAIN.get(plain, plain)
    code = int(short or long or b"0", 16)
    return chr(code).encode("utf-8", "replace") if code < 0x110000 else b"?"
