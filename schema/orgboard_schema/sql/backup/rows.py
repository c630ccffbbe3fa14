"""Rows as PostgreSQL's COPY BINARY: the one encoding that a backup has, on either engine.

    ┌──────────────┬───────────┬───────────────┬───┬─────────────────────────┬───┬────────┐
    │ signature 11 │ flags u32 │ extension u32 │ … │ fields i16 │ … │ length │ … │ -1 i16 │
    │              │ 0         │ 0             │   │            │   │ i32    │   │        │
    └──────────────┴───────────┴───────────────┴───┴─────────────────────────┴───┴────────┘

All big-endian; a length of -1 is NULL. Nothing here knows a database.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, Protocol, TypeAlias

__all__ = [
    "HEADER",
    "Field",
    "Kind",
    "Readable",
    "Row",
    "decode",
    "encode",
    "encode_row",
    "packers",
]

Field: TypeAlias = "int | float | str | bytes | None"
Row: TypeAlias = Sequence[Field]

Kind: TypeAlias = str
"""Of a column: `int`, `float`, `text`, `bytes`; to a narrower column `int2`, `int4`."""

HEADER: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER: Final = b"\xff\xff"
_NULL: Final = b"\xff\xff\xff\xff"

_COUNT: Final = struct.Struct(">h")
_LENGTH: Final = struct.Struct(">i")
_INT2: Final = struct.Struct(">ih")
_INT4: Final = struct.Struct(">ii")
_INT8: Final = struct.Struct(">iq")
_FLOAT8: Final = struct.Struct(">id")


class Readable(Protocol):
    """A stream that gives exactly `size` bytes while it has them."""

    def read(self, size: int, /) -> bytes:
        """Return the next `size` bytes, fewer only at the end."""
        ...


def _bytes(value: bytes) -> bytes:
    return _LENGTH.pack(len(value)) + value


def _text(value: str) -> bytes:
    return _bytes(value.encode("utf-8"))


_PACK: Final[dict[Kind, Callable[..., bytes]]] = {
    "int2": lambda value: _INT2.pack(2, value),
    "int4": lambda value: _INT4.pack(4, value),
    "int": lambda value: _INT8.pack(8, value),
    "float": lambda value: _FLOAT8.pack(8, value),
    "text": _text,
    "bytes": _bytes,
}
_UNPACK: Final[dict[Kind, Callable[[bytes], Field]]] = {
    "int": lambda data: struct.unpack(">q", data)[0],
    "float": lambda data: struct.unpack(">d", data)[0],
    "text": lambda data: data.decode("utf-8"),
    "bytes": lambda data: data,
}


def packers(kinds: Iterable[Kind]) -> list[Callable[..., bytes]]:
    """Return for each column what makes its field, for `encode_row`."""
    return [_PACK[kind] for kind in kinds]


def encode_row(row: Row, columns: Sequence[Callable[..., bytes]]) -> bytes:
    """Return one row's bytes."""
    fields = [
        _NULL if value is None else pack(value) for value, pack in zip(row, columns, strict=True)
    ]
    return _COUNT.pack(len(fields)) + b"".join(fields)


def encode(rows: Iterable[Row], kinds: Sequence[Kind]) -> Iterator[bytes]:
    """Yield the whole stream, row by row."""
    columns = packers(kinds)
    yield HEADER
    for row in rows:
        yield encode_row(row, columns)
    yield TRAILER


def decode(stream: Readable, kinds: Sequence[Kind]) -> Iterator[Row]:
    """Yield the rows of a stream.

    Raises:
        ValueError: It is no such stream, or of other columns.
    """
    columns = [_UNPACK[kind] for kind in kinds]
    if stream.read(len(HEADER)) != HEADER:
        raise ValueError("these are no rows")
    while True:
        (count,) = _COUNT.unpack(_exactly(stream, 2))
        if count == -1:
            return
        if count != len(columns):
            raise ValueError(f"{count} fields in a row of {len(columns)} columns")
        yield [_field(stream, unpack) for unpack in columns]


def _field(stream: Readable, unpack: Callable[[bytes], Field]) -> Field:
    (length,) = _LENGTH.unpack(_exactly(stream, 4))
    if length == -1:
        return None
    if length < 0:
        raise ValueError(f"a field of {length} bytes")
    try:
        return unpack(_exactly(stream, length))
    except struct.error as error:
        raise ValueError(f"a number of {length} bytes") from error


def _exactly(stream: Readable, size: int) -> bytes:
    data = stream.read(size)
    if len(data) != size:
        raise ValueError("the rows end in the middle of one")
    return data
