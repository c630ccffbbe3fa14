"""How much memory a record's messages would take once parsed, told before parsing it.

Two bytes on the wire can make a message of a hundred in memory, so a record of
4 MiB could take 300. Only what repeats is counted: fields of a fixed number
cannot amplify.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from orgboard_schema.wire.varints import read_varint

__all__ = ["MAX_PARSED_BYTES", "SMALL_RECORD_BYTES", "is_bomb"]

SMALL_RECORD_BYTES: Final = 64 * 1024
"""Below it not even the worst record takes more than some MiB, and looking costs more."""

MAX_PARSED_BYTES: Final = 64 * 1024 * 1024
"""Beyond twice its own size, what a record may take in memory once parsed."""

_PART_BYTES: Final = 128
"""What one parsed message, or one string handed to Python, takes at least."""


@dataclass(frozen=True, slots=True)
class _Message:
    """Fields of a message type that can hold many parts."""

    nested: Mapping[int, _Message] = field(default_factory=dict)
    """Messages."""
    strings: frozenset[int] = frozenset()
    """Repeated bytes."""
    packed: Mapping[int, int] = field(default_factory=dict)
    """Repeated numbers: bytes in memory for each byte on the wire, array and tuple included."""


_SHAPE = _Message(nested={2: _Message()})
_TENSOR = _Message(
    nested={2: _SHAPE},
    strings=frozenset({8, 14, 15}),
    packed={5: 2, 6: 2, 7: 8, 9: 2, 10: 16, 11: 2, 12: 2, 13: 24, 16: 8, 17: 16},
)
# The core takes a record of one histogram in unasked, up to a size that this factor allows
# (`LARGEST_ALONE` in `records.h`): five times 16 MiB is below the bound.
_HISTOGRAM = _Message(packed={6: 5, 7: 5})
_VALUE = _Message(
    nested={
        4: _Message(),
        5: _HISTOGRAM,
        6: _Message(),
        8: _TENSOR,
        9: _Message(nested={1: _Message()}),
    }
)
_SUMMARY = _Message(nested={1: _VALUE})
_EVENT: Final = _Message(
    nested={5: _SUMMARY, 6: _Message(), 7: _Message(), 8: _Message(), 10: _Message()}
)


def is_bomb(payload: bytes) -> bool:
    """Tell whether parsing this record could take far more memory than its own size.

    Stops counting at the bound, so that the answer itself is cheap.
    """
    if len(payload) <= SMALL_RECORD_BYTES:
        return False
    left = MAX_PARSED_BYTES + 2 * len(payload)
    waiting = [(_EVENT, 0, len(payload))]
    while waiting:
        message, position, end = waiting.pop()
        while position < end:
            part = _next_field(payload, position, end)
            if part is None:
                break  # No protobuf from here on: the parser will stop here as well.
            number, wire_type, start, stop = part
            left -= _cost(message, number, stop - start)
            if left < 0:
                return True
            nested = message.nested.get(number) if wire_type == _DELIMITED else None
            if nested is None:
                position = stop
            else:
                waiting.append((message, stop, end))
                message, position, end = nested, start, stop
    return False


_VARINT, _FIXED64, _DELIMITED, _GROUP, _GROUP_END, _FIXED32 = range(6)

_SIZES: Final = {_FIXED64: 8, _FIXED32: 4, _GROUP: 0, _GROUP_END: 0}
"""What a group holds is counted as if it stood beside it: never too little."""


def _cost(message: _Message, number: int, size: int) -> int:
    if number in message.nested or number in message.strings:
        return _PART_BYTES
    if number in message.packed:
        return message.packed[number] * size
    # Unknown fields are kept as they are; known single ones replace one another.
    return size


def _next_field(payload: bytes, position: int, end: int) -> tuple[int, int, int, int] | None:
    """Return (field number, wire type, start of the value, end of it)."""
    tag, start = payload[position], position + 1
    if tag > 0x7F:
        key = read_varint(payload, position)
        if key is None:
            return None
        tag, start = key
    wire_type = tag & 7
    if wire_type in _SIZES:
        stop = start + _SIZES[wire_type]
    elif wire_type in (_VARINT, _DELIMITED) and start < end:
        value, stop = payload[start], start + 1
        if value > 0x7F:
            long = read_varint(payload, start)
            if long is None:
                return None
            value, stop = long
        if wire_type == _DELIMITED:
            start = stop
            stop += value
    else:
        return None
    return None if stop > end else (tag >> 3, wire_type, start, stop)
