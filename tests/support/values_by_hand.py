"""Records written octet by octet, as no protobuf library would write them."""

from __future__ import annotations

__all__ = ["delimited", "record"]


def delimited(number: int, octets: bytes) -> bytes:
    """Give a field of bytes."""
    return bytes([number << 3 | 2]) + _varint(len(octets)) + octets


def record(*values: bytes) -> bytes:
    """Give the payload of an event with these values."""
    return b"\x10\x07" + delimited(5, b"".join(delimited(1, value) for value in values))


def _varint(number: int) -> bytes:
    octets = bytearray()
    while number > 0x7F:
        octets.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*octets, number])
