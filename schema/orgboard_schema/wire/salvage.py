"""Where to go on when the bytes at a record's boundary are no sound record.

Answers are functions of the bytes alone. A record whose header is sound ends
where it says: nothing inside it is ever searched while what follows is sound
too, or an event file inside a text value could pass for records of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from orgboard_schema.wire.frames import (
    FOOTER,
    FOOTER_BYTES,
    HEADER,
    HEADER_BYTES,
    LENGTH,
    OVERHEAD_BYTES,
    masked_crc,
)

__all__ = ["GARBAGE_BYTES", "UNKNOWN", "Finding", "diagnose", "find_header", "has_header"]

GARBAGE_BYTES: Final = 8 * 1024 * 1024
"""So many bytes without one sound header are given up, although the file may still grow."""

SOON_BYTES: Final = 64 * 1024
"""A length that nothing vouches for is believed this far: a live file grows so much in minutes,
and what follows damage must not wait for longer."""

UNKNOWN: Final = 1
"""As `Finding.wanted`: more bytes may help, nobody can tell how many."""

_MOST_CROSSING: Final = 16
"""Headers tried for a record that crosses an end: more are made on purpose, to cost time."""

_ZEROS: Final = bytes(HEADER_BYTES)
_ZERO_RUN: Final = re.compile(rb"\x00{4,}")
_GZIP: Final = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Finding:
    """What to do about the bytes at a boundary. One of `gap`, `payload` or `pending` is set."""

    end: int
    """Where to go on: the boundary itself as long as it is pending."""
    gap: int = 0
    """Bytes from the boundary on that are lost."""
    reason: str = ""
    payload: bytes | None = None
    """The record's payload, where it is sound although its header is not."""
    pending: bool = False
    """More bytes may change the answer."""
    wanted: int = 0
    """How many bytes from the boundary on would settle it; UNKNOWN, or 0 when none would yet."""


def diagnose(data: bytes, start: int, size: int, *, final: bool, limit: int) -> Finding:
    """Judge the bytes at `start`, which are not a whole and sound record.

    `size` is how far the file reaches, in the coordinates of `data`, which may
    hold less. `final`: the file grows no more.
    """
    if len(data) - start < HEADER_BYTES:
        return Finding(start, reason="short tail", pending=True, wanted=HEADER_BYTES)
    if not has_header(data, start):
        return _bad_header(data, start, size, final=final, limit=limit)
    length, _ = HEADER.unpack_from(data, start)
    end = start + OVERHEAD_BYTES + length
    if length > limit:
        if end <= size:
            return Finding(end, gap=end - start, reason="too large")
        if final:
            return _resynchronise(data, start, size, "too large", final=final)
        reason = "declared length beyond the end"
        return Finding(start, reason=reason, pending=True)
    if end > len(data):
        return Finding(start, reason="short tail", pending=True, wanted=end - start)
    return _bad_payload(data, start, end, size, final=final)


def has_header(data: bytes, start: int) -> bool:
    """Tell whether a sound header stands at `start`."""
    if start + HEADER_BYTES > len(data):
        return False
    length, crc = HEADER.unpack_from(data, start)
    return bool(masked_crc(LENGTH.pack(length)) == crc)


def find_header(data: bytes, start: int) -> int | None:
    """Return the first place from `start` on where a sound header stands."""
    return next((at for at in _candidates(data, start) if has_header(data, at)), None)


def _candidates(data: bytes, start: int) -> Iterator[int]:
    """Yield where a header may stand: the upper half of every length below 4 GiB is zero.

    Zero bytes come in runs that can be as long as the file, and a header that is
    all zero is never sound: at most four places a run are left.
    """
    last = len(data) - HEADER_BYTES
    for run in _ZERO_RUN.finditer(data, start):
        first = max(run.start() - 4, run.end() - HEADER_BYTES + 1, start)
        yield from range(first, min(run.end() - 8, last) + 1)


def _bad_header(data: bytes, start: int, size: int, *, final: bool, limit: int) -> Finding:
    if data[start : start + HEADER_BYTES] == _ZEROS:
        return _zero_header(data, start, size)
    if data.startswith(_GZIP, start):
        return _resynchronise(data, start, size, "compressed", final=final)
    for length in _mended_lengths(data, start, limit):
        end = start + OVERHEAD_BYTES + length
        if end > len(data):
            if end <= size or not final:
                # What an unseen end encloses must not be searched: it may be an event file.
                wanted = end - start
                return Finding(start, reason="length crc", pending=True, wanted=wanted)
            continue
        payload = data[start + HEADER_BYTES : end - FOOTER_BYTES]
        if FOOTER.unpack_from(data, end - FOOTER_BYTES) == (masked_crc(payload),):
            return Finding(end, gap=HEADER_BYTES, reason="length crc", payload=payload)
    return _resynchronise(data, start, size, "length crc", final=final)


def _zero_header(data: bytes, start: int, size: int) -> Finding:
    """Zeros are not yet written, as far as one can tell, until something sound follows them."""
    found = find_header(data, start + 1)
    if found is not None:
        return Finding(found, gap=found - start, reason="zero header")
    written = len(data) - start - len(data[start:].lstrip(b"\0"))
    if len(data) - start - written > GARBAGE_BYTES:
        return _give_up(data, start, size, "zero header")
    return Finding(start, reason="zero header", pending=True, wanted=UNKNOWN)


def _mended_lengths(data: bytes, start: int, limit: int) -> list[int]:
    """Return what a damaged header may have said, shortest first; the payload's CRC proves it.

    Searching on instead would lose the record, and might take what it holds for records.
    A checksum that is off by more than one bit proves nothing of the length, so that
    only one that is soon looked up is tried.
    """
    declared, crc = HEADER.unpack_from(data, start)
    lengths = {n for bit in range(64) if masked_crc(LENGTH.pack(n := declared ^ 1 << bit)) == crc}
    near = (masked_crc(LENGTH.pack(declared)) ^ crc).bit_count() == 1
    if near or declared <= SOON_BYTES:
        lengths.add(declared)
    return sorted(length for length in lengths if length <= limit)


def _bad_payload(data: bytes, start: int, end: int, size: int, *, final: bool) -> Finding:
    """Skip just this record where the next begins at its end; else search for the next one."""
    skip = Finding(end, gap=end - start, reason="payload crc")
    if has_header(data, end) or (final and end == size):
        return skip
    following = data[end : end + HEADER_BYTES]
    if len(following) < HEADER_BYTES and len(data) < size:
        wanted = end - start + HEADER_BYTES
        return Finding(start, reason="payload crc", pending=True, wanted=wanted)
    if following == _ZEROS[: len(following)]:
        crossing = _crossing(data, start, end, size)
        if crossing is not None:
            return crossing
        # Nothing is there yet: neither, perhaps, all of the payload.
        if final or find_header(data, end) is not None:
            return skip
        wanted = end - start + HEADER_BYTES
        return Finding(start, reason="payload crc", pending=True, wanted=wanted)
    if len(following) < HEADER_BYTES and not final:
        wanted = end - start + HEADER_BYTES
        return Finding(start, reason="payload crc", pending=True, wanted=wanted)
    return _resynchronise(data, start, size, "payload crc", final=final)


def _crossing(data: bytes, start: int, end: int, size: int) -> Finding | None:
    """Find a sound record that begins before `end` and goes on behind it: no end is there.

    Zeros at `end` may be bytes of such a record. What a payload holds never crosses its end.
    """
    tries = 0
    for at in _candidates(data, start + 1):
        if at >= end or tries == _MOST_CROSSING:
            break
        if not has_header(data, at):
            continue
        behind = at + OVERHEAD_BYTES + HEADER.unpack_from(data, at)[0]
        if not end < behind <= min(size, end + GARBAGE_BYTES):
            continue
        if behind > len(data):
            return Finding(start, reason="payload crc", pending=True, wanted=behind - start)
        tries += 1
        payload = data[at + HEADER_BYTES : behind - FOOTER_BYTES]
        if FOOTER.unpack_from(data, behind - FOOTER_BYTES) == (masked_crc(payload),):
            return Finding(at, gap=at - start, reason="payload crc")
    return None


def _resynchronise(data: bytes, start: int, size: int, reason: str, *, final: bool) -> Finding:
    found = find_header(data, start + 1)
    if found is not None:
        return Finding(found, gap=found - start, reason=reason)
    if len(data) - start > GARBAGE_BYTES or (final and len(data) == size):
        return _give_up(data, start, size, reason, final=final)
    return Finding(start, reason=reason, pending=True, wanted=UNKNOWN)


def _give_up(data: bytes, start: int, size: int, reason: str, *, final: bool = False) -> Finding:
    """Lose all that is there, but for what may be the beginning of a header."""
    whole = final and len(data) == size
    end = len(data) if whole else len(data) - HEADER_BYTES + 1
    return Finding(end, gap=end - start, reason=reason)
