"""Records of one tag that differ in time, step and value alone, recognised without parsing.

    ┌────┬───────────┬───────────┬────────┬───────────┬────────┐
    │ 09 │ wall [8]  │ 10 step   │ prefix │ value [4] │ suffix │
    └────┴───────────┴───────────┴────────┴───────────┴────────┘

Protobuf reads by structure, and the value is a field's whole content: whatever
four bytes stand there, everything around them means the same. That a record is
built like this is not assumed of any writer but proved, by changing time, step
and value and asking protobuf what it reads.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from struct import Struct
from typing import Final

from orgboard_schema.wire.varints import encode_varint

__all__ = ["STEP_KEY", "WALL_KEY", "Mould", "Reading", "find_mould", "find_rest"]

Reading = tuple[float, int, float]
"""(wall time, step, value) of a record that is one float32 scalar."""

_WALL: Final = Struct("<Bd")
_FLOAT: Final = Struct("<f")
WALL_KEY: Final = 0x09
STEP_KEY: Final = 0x10
_WALL_END: Final = _WALL.size
_MAX_STEP_BYTES: Final = 9
"""Varints of ten bytes are negative; leaving them out keeps the shifting free of wrapping."""
_SHORTEST: Final = _WALL_END + 1 + _MAX_STEP_BYTES
"""A one-letter tag makes a record of 23 bytes; below this there is no value, or no tag."""
_MAX_PLACES: Final = 8
"""Where else the value's four bytes may stand by chance and be tried."""


@dataclass(frozen=True, slots=True)
class Mould:
    """What all records of one tag share."""

    key: bytes
    """Prefix and suffix."""
    suffix: int
    """Length of the suffix."""


def find_rest(payload: bytes) -> tuple[int, int] | None:
    """Return (step, where the prefix begins) of a record that begins with time and step."""
    if len(payload) < _SHORTEST or payload[0] != WALL_KEY or payload[_WALL_END] != STEP_KEY:
        return None
    step = 0
    for place in range(_MAX_STEP_BYTES):
        byte = payload[_WALL_END + 1 + place]
        step |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return step, _WALL_END + 2 + place
    return None


def find_mould(
    payload: bytes, reading: Reading, read: Callable[[bytes], Reading | None]
) -> Mould | None:
    """Return the mould of a record, or None when it is not built as drawn above.

    `reading` is what protobuf says of this record, `read` asks it about another.
    """
    rest = find_rest(payload)
    if rest is None or rest[0] != reading[1]:
        return None
    start = rest[1]
    try:
        value = _FLOAT.pack(reading[2])
    except OverflowError:
        return None
    at = payload.rfind(value, start)
    for _ in range(_MAX_PLACES):
        if at < 0:
            return None
        prefix, suffix = payload[start:at], payload[at + 4 :]
        if _is_mould(prefix, suffix, reading, read):
            return Mould(prefix + suffix, len(suffix))
        at = payload.rfind(value, start, at + 3)
    return None


def _is_mould(
    prefix: bytes, suffix: bytes, reading: Reading, read: Callable[[bytes], Reading | None]
) -> bool:
    """Prove it: other time, step and value in these places are read as just these."""
    wall = 2.0 if reading[0] == 1.0 else 1.0
    step = 0 if reading[1] == 1 else 1
    for probe in _probes(reading[2]):
        packed = _FLOAT.pack(probe)
        step_field = bytes([STEP_KEY]) + encode_varint(step)
        other = _WALL.pack(WALL_KEY, wall) + step_field + prefix + packed + suffix
        # The probe must stand nowhere else, or the value might be read from there.
        if other.find(packed) == other.rfind(packed) and read(other) == (wall, step, probe):
            return True
    return False


def _probes(value: float) -> tuple[float, ...]:
    """Return float32 numbers other than `value`, whose four bytes are unlike one another."""
    patterns = (b"\x5b\xc7\x2e\x41", b"\x93\x1d\xa8\x3f")
    return tuple(p for (p,) in map(_FLOAT.unpack, patterns) if p != value)
