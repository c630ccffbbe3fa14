"""Base-128 varints, for the few places that look at protobuf bytes without parsing them."""

from __future__ import annotations

from typing import Final

__all__ = ["encode_varint", "read_varint"]

_MAX_BYTES: Final = 10
"""A 64-bit value takes no more; a longer one is no protobuf."""


def read_varint(data: bytes, position: int) -> tuple[int, int] | None:
    """Return the unsigned value at `position` and the position after it, or None."""
    value = 0
    for count, byte in enumerate(data[position : position + _MAX_BYTES]):
        value |= (byte & 0x7F) << (7 * count)
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, position + count + 1
    return None


def encode_varint(value: int) -> bytes:
    """Encode an unsigned value, or a negative one as its 64-bit two's complement."""
    rest = value & 0xFFFFFFFFFFFFFFFF
    encoded = bytearray()
    while rest > 0x7F:
        encoded.append(rest & 0x7F | 0x80)
        rest >>= 7
    encoded.append(rest)
    return bytes(encoded)
