"""Reading protobuf by hand: the fields of a message, one after the other. Knows no message.

The bytes may be anybody's. A field never reaches beyond its message; what cannot be read raises
ValueError; large fields are passed over without being read.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from struct import unpack
from typing import BinaryIO, Final, NamedTuple, TypeAlias

__all__ = [
    "FIXED32",
    "FIXED64",
    "LENGTH",
    "VARINT",
    "Field",
    "fields",
    "fields_of_file",
    "small_fields_of_file",
    "some_fields",
]

VARINT: Final = 0
FIXED64: Final = 1
LENGTH: Final = 2
FIXED32: Final = 5
"""Wire types. Groups (3, 4) are in none of the formats that are read here."""

MOST_FIELDS: Final = 1000

Payload: TypeAlias = "int | memoryview"


class Field(NamedTuple):
    """A field's number, its wire type, and its value: bytes, or the bits of a number."""

    number: int
    wire_type: int
    value: Payload

    def blob(self) -> memoryview:
        """Give the bytes of a string or a message.

        Raises:
            ValueError: it is a number.
        """
        if isinstance(self.value, int):
            raise ValueError(f"field {self.number} is not of bytes")  # noqa: TRY004 (bad bytes)
        return self.value

    def text(self) -> str:
        """Give a string."""
        return str(self.blob(), "utf-8", "replace")

    def whole(self) -> int:
        """Give an int64.

        Raises:
            ValueError: it is bytes.
        """
        if not isinstance(self.value, int):
            raise ValueError(f"field {self.number} is not a number")  # noqa: TRY004 (bad bytes)
        return self.value - (1 << 64) if self.value >> 63 else self.value


def fields(message: bytes | memoryview) -> Iterator[Field]:
    """Read the fields of a message, in their order.

    Raises:
        ValueError: the bytes are no message.
    """
    view = memoryview(message)
    at = 0
    while at < len(view):
        key, at = _varint(view, at)
        kind = key & 7
        if kind == VARINT:
            value, at = _varint(view, at)
            yield Field(key >> 3, kind, value)
            continue
        if kind == LENGTH:
            size, at = _varint(view, at)
        elif kind in (FIXED32, FIXED64):
            size = 4 if kind == FIXED32 else 8
        else:
            raise ValueError(f"wire type {kind}")
        if size > len(view) - at:
            raise ValueError("a field ends beyond its message")
        payload = view[at : at + size]
        at += size
        if kind == LENGTH:
            yield Field(key >> 3, kind, payload)
        else:
            yield Field(key >> 3, kind, unpack("<I" if size == 4 else "<Q", payload)[0])


def some_fields(message: bytes | memoryview, most: int) -> Iterator[Field]:
    """Read the fields of a message that has at most so many.

    Raises:
        ValueError: the bytes are no message, or there are more.
    """
    for count, field in enumerate(fields(message), 1):
        if count > most:
            raise ValueError(f"more than {most} fields")
        yield field


def fields_of_file(
    file: BinaryIO,
    wanted: frozenset[int],
    end: int,
    most_bytes: int,
    most_fields: int | None = None,
) -> Iterator[tuple[int, int]]:
    """Find the wanted fields that are bytes, as (number, length); the file then stands there.

    Whatever is read of one, the next is looked for behind it. `end` is where the message ends.

    Raises:
        ValueError: the bytes are no message, a wanted field has more than `most_bytes`, or there
            are more than `most_fields`, wanted or not.
    """
    for count, (number, kind, body, behind) in enumerate(_walked(file, end), 1):
        if most_fields is not None and count > most_fields:
            raise ValueError(f"more than {most_fields} fields")
        if kind == LENGTH and number in wanted:
            if behind - body > most_bytes:
                raise ValueError(f"field {number} has {behind - body} bytes")
            file.seek(body)
            yield number, behind - body


def small_fields_of_file(file: BinaryIO, end: int, most_bytes: int) -> bytes:
    """Read a message that ends at `end` without its fields of more than `most_bytes`, and without
    what comes after a thousand fields: numbers that stand one to a field.

    Raises:
        ValueError: the bytes are no message.
    """
    kept = []
    begun = file.tell()
    for _, _, body, behind in islice(_walked(file, end), MOST_FIELDS):
        if behind - body <= most_bytes:
            file.seek(begun)
            kept.append(file.read(behind - begun))
        begun = behind
    return b"".join(kept)


def _walked(file: BinaryIO, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Walk fields: number, wire type, where the body begins, and what is behind it."""
    while (at := file.tell()) < end:
        head = memoryview(file.read(20))
        key, used = _varint(head, 0)
        kind = key & 7
        if kind == LENGTH:
            size, used = _varint(head, used)
        elif kind == VARINT:
            _, used = _varint(head, used)
            size = 0
        elif kind in (FIXED32, FIXED64):
            size = 4 if kind == FIXED32 else 8
        else:
            raise ValueError(f"wire type {kind}")
        behind = at + used + size
        if behind > end:
            raise ValueError("a field ends beyond its message")
        yield key >> 3, kind, at + used, behind
        file.seek(behind)


def _varint(view: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(view):
            break
        byte = view[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, at
    raise ValueError("a number has no end")
