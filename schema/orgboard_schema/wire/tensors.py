"""TensorProto -> Tensor, in every type and every encoding of the format, without numpy.

A tensor says its shape and, apart from it, its elements. Both come from an
untrusted file: what a shape promises is never allocated before the elements
that are really there, or `limit`, allow it.
"""

from __future__ import annotations

import math
import struct
import sys
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from orgboard_schema.types import Tensor
from orgboard_schema.wire.tensor_pb2 import TensorProto
from orgboard_schema.wire.varints import read_varint

__all__ = ["ELEMENT_BYTES", "decode_tensor"]


@dataclass(frozen=True, slots=True)
class _Numeric:
    """How elements of a type are kept: in `field`, as array code `code`, `parts` to an element."""

    name: str
    field: str
    code: str
    parts: int = 1


_STRING: Final = 7
_REFERENCE: Final = 100
"""A type number above it means a reference to the type below; the bytes are the same."""
_MAX_RANK: Final = 254
"""TensorFlow's own bound."""

_NUMERIC: Final[dict[int, _Numeric]] = {
    1: _Numeric("float32", "float_val", "f"),
    2: _Numeric("float64", "double_val", "d"),
    3: _Numeric("int32", "int_val", "i"),
    4: _Numeric("uint8", "int_val", "B"),
    5: _Numeric("int16", "int_val", "h"),
    6: _Numeric("int8", "int_val", "b"),
    8: _Numeric("complex64", "scomplex_val", "f", 2),
    9: _Numeric("int64", "int64_val", "q"),
    10: _Numeric("bool", "bool_val", "B"),
    11: _Numeric("qint8", "int_val", "b"),
    12: _Numeric("quint8", "int_val", "B"),
    13: _Numeric("qint32", "int_val", "i"),
    14: _Numeric("bfloat16", "half_val", "H"),
    15: _Numeric("qint16", "int_val", "h"),
    16: _Numeric("quint16", "int_val", "H"),
    17: _Numeric("uint16", "int_val", "H"),
    18: _Numeric("complex128", "dcomplex_val", "d", 2),
    19: _Numeric("float16", "half_val", "H"),
    22: _Numeric("uint32", "uint32_val", "I"),
    23: _Numeric("uint64", "uint64_val", "Q"),
    24: _Numeric("float8_e5m2", "float8_val", "B"),
    25: _Numeric("float8_e4m3fn", "float8_val", "B"),
    26: _Numeric("float8_e4m3fnuz", "float8_val", "B"),
    27: _Numeric("float8_e4m3b11fnuz", "float8_val", "B"),
    28: _Numeric("float8_e5m2fnuz", "float8_val", "B"),
    29: _Numeric("int4", "int_val", "b"),
    30: _Numeric("uint4", "int_val", "B"),
    31: _Numeric("int2", "int_val", "b"),
    32: _Numeric("uint2", "int_val", "B"),
    33: _Numeric("float4_e2m1fn", "float8_val", "B"),
}

ELEMENT_BYTES: Final[dict[str, int]] = {
    numeric.name: array(numeric.code).itemsize * numeric.parts for numeric in _NUMERIC.values()
}
"""Size of one element of `Tensor.data`, by dtype. Types below a byte take a whole one."""


def decode_tensor(proto: TensorProto, limit: int) -> Tensor | None:
    """Return the tensor, or None for one whose type, shape and elements do not agree.

    `limit` bounds the bytes that elements not in the record may take: a list
    shorter than the shape repeats its last element, so 30 bytes can ask for any
    amount of memory.
    """
    number = proto.dtype - _REFERENCE if proto.dtype > _REFERENCE else proto.dtype
    shape = _shape(proto)
    if shape is None:
        return None
    if number == _STRING:
        strings = _strings(proto, shape, limit)
        return None if strings is None else Tensor("string", _known(shape, strings, 1), strings)
    numeric = _NUMERIC.get(number)
    if numeric is None:
        return None
    data = _numbers(proto, numeric, shape, limit)
    if data is None:
        return None
    return Tensor(numeric.name, _known(shape, data, ELEMENT_BYTES[numeric.name]), data)


def _shape(proto: TensorProto) -> tuple[int, ...] | None:
    """Read the declared shape; () when there is none, None when it cannot be one."""
    dims = proto.tensor_shape.dim
    if len(dims) > _MAX_RANK:
        return None
    shape = tuple(dim.size for dim in dims)
    return None if any(size < 0 for size in shape) else shape


def _known(shape: tuple[int, ...], data: Sequence[object], unit: int) -> tuple[int, ...]:
    """Return the shape, or for a list without one its length."""
    count = len(data) // unit
    return (count,) if not shape and count != 1 else shape


def _numbers(
    proto: TensorProto, numeric: _Numeric, shape: tuple[int, ...], limit: int
) -> bytes | None:
    unit = ELEMENT_BYTES[numeric.name]
    wanted = math.prod(shape)
    data = proto.tensor_content or _listed(proto, numeric)
    if len(data) % unit:
        return None
    there = len(data) // unit
    if there == wanted or (not shape and there > 1):
        return data
    if there > wanted or proto.tensor_content or wanted * unit > limit:
        return None
    last = data[-unit:] or bytes(unit)
    return data + last * (wanted - there)


def _listed(proto: TensorProto, numeric: _Numeric) -> bytes:
    """Return the elements of the type's own list as they would stand in tensor_content."""
    if numeric.field == "float8_val":
        return proto.float8_val
    values = getattr(proto, numeric.field)
    if numeric.field == "half_val":
        return _pack("H", _halves(list(values), numeric.name))
    return _pack(numeric.code, values)


def _pack(code: str, values: Iterable[int] | Iterable[float]) -> bytes:
    try:
        packed: array[int] | array[float] = array(code, values)
    except OverflowError:
        # The list is wider than the type: like TensorFlow, keep the low bits.
        mask = (1 << 8 * array(code).itemsize) - 1
        packed = array(code.upper(), [int(value) & mask for value in values])
    if sys.byteorder == "big":
        packed.byteswap()
    return packed.tobytes()


def _halves(values: list[int], name: str) -> list[int]:
    """Return 16-bit patterns.

    torch's writer puts the 32 bits of a float there instead; one value over 16
    bits gives it away.
    """
    if all(0 <= value <= 0xFFFF for value in values):
        return values
    words = [value & 0xFFFFFFFF for value in values]
    if name == "bfloat16":
        return [word >> 16 for word in words]
    return [_to_half(struct.unpack("<f", struct.pack("<I", word))[0]) for word in words]


def _to_half(value: float) -> int:
    try:
        packed = struct.pack("<e", value)
    except OverflowError:
        packed = struct.pack("<e", math.copysign(math.inf, value))
    return int.from_bytes(packed, "little")


def _strings(proto: TensorProto, shape: tuple[int, ...], limit: int) -> tuple[bytes, ...] | None:
    wanted = math.prod(shape)
    if proto.tensor_content:
        return _string_list(proto.tensor_content, wanted)
    strings = tuple(proto.string_val)
    if len(strings) == wanted or (not shape and len(strings) > 1):
        return strings
    last = strings[-1] if strings else b""
    # A repeated string is one object here, yet a whole one wherever it is stored.
    if len(strings) > wanted or wanted * (len(last) + 8) > limit:
        return None
    return strings + (last,) * (wanted - len(strings))


def _string_list(content: bytes, wanted: int) -> tuple[bytes, ...] | None:
    """Read TensorFlow's string list: all lengths as varints, then all the bytes."""
    if wanted > len(content):
        return None
    lengths: list[int] = []
    position = 0
    for _ in range(wanted):
        step = read_varint(content, position)
        if step is None:
            return None
        length, position = step
        lengths.append(length)
    if position + sum(lengths) != len(content):
        return None
    strings: list[bytes] = []
    for length in lengths:
        strings.append(content[position : position + length])
        position += length
    return tuple(strings)
