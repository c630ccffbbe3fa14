"""One-element tensors -> numbers: what a scalar series takes as its value."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import Final

from orgboard_schema.types import Tensor
from orgboard_schema.wire.batch import FLOAT32, FLOAT64
from orgboard_schema.wire.tensors import ELEMENT_BYTES

__all__ = ["to_scalar"]


@dataclass(frozen=True, slots=True)
class _SmallFloat:
    """Layout of a float of at most 8 bits: sign, `exponent` bits, `mantissa` bits."""

    exponent: int
    mantissa: int
    bias: int
    unsigned_zero: bool = False
    """The pattern of -0 is the only NaN, and there is no infinity."""
    infinities: bool = False
    nan: int | None = None
    """Pattern without sign of the only NaN, where neither of the above applies."""


_SMALL_FLOATS: Final[dict[str, _SmallFloat]] = {
    "float8_e5m2": _SmallFloat(5, 2, 15, infinities=True),
    "float8_e4m3fn": _SmallFloat(4, 3, 7, nan=0x7F),
    "float8_e4m3fnuz": _SmallFloat(4, 3, 8, unsigned_zero=True),
    "float8_e4m3b11fnuz": _SmallFloat(4, 3, 11, unsigned_zero=True),
    "float8_e5m2fnuz": _SmallFloat(5, 2, 16, unsigned_zero=True),
    "float4_e2m1fn": _SmallFloat(2, 1, 1),
}

_STRUCTS: Final[dict[str, struct.Struct]] = {
    name: struct.Struct("<" + code)
    for name, code in {
        "float32": "f",
        "float64": "d",
        "float16": "e",
        "bool": "?",
        "int8": "b",
        "uint8": "B",
        "int16": "h",
        "uint16": "H",
        "int32": "i",
        "uint32": "I",
        "int64": "q",
        "uint64": "Q",
        "qint8": "b",
        "quint8": "B",
        "qint16": "h",
        "quint16": "H",
        "qint32": "i",
        "int4": "b",
        "uint4": "B",
        "int2": "b",
        "uint2": "B",
    }.items()
}

_UP_TO_32_BITS: Final = frozenset({"float32", "float16", "bfloat16", *_SMALL_FLOATS})


def to_scalar(tensor: Tensor) -> tuple[float, int] | None:
    """Return the value and its width (FLOAT32 or FLOAT64); None unless it is one real number.

    Floats of up to 32 bits are exact as float32; all else, integers included, goes
    to float64 (exact up to 2^53).
    """
    unit = ELEMENT_BYTES.get(tensor.dtype)
    if not isinstance(tensor.data, bytes) or len(tensor.data) != unit:
        return None
    if (layout := _SMALL_FLOATS.get(tensor.dtype)) is not None:
        return _small_float(tensor.data[0], layout), FLOAT32
    if tensor.dtype == "bfloat16":
        return struct.unpack("<f", b"\0\0" + tensor.data)[0], FLOAT32
    packing = _STRUCTS.get(tensor.dtype)
    if packing is None:
        return None
    value = float(packing.unpack(tensor.data)[0])
    return value, FLOAT32 if tensor.dtype in _UP_TO_32_BITS else FLOAT64


def _small_float(bits: int, layout: _SmallFloat) -> float:
    width = layout.exponent + layout.mantissa
    sign = -1.0 if bits >> width & 1 else 1.0
    magnitude = bits & ((1 << width) - 1)
    exponent = magnitude >> layout.mantissa
    mantissa = magnitude & ((1 << layout.mantissa) - 1)
    if layout.unsigned_zero and sign < 0 and magnitude == 0:
        return math.nan
    if magnitude == layout.nan:
        return math.nan
    if layout.infinities and exponent == (1 << layout.exponent) - 1:
        return math.nan if mantissa else sign * math.inf
    if exponent:
        mantissa += 1 << layout.mantissa
    return sign * math.ldexp(mantissa, max(exponent, 1) - layout.bias - layout.mantissa)
