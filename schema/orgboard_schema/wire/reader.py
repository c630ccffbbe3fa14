"""The one reader of event files: tails a file that may still grow, and never raises for bad bytes.

    offset ──▶ read a window ──▶ record by record ──▶ Batch(start, end, …) ──▶ offset = end
                                      │
                                      └─ not sound: salvage says skip, go on, or wait

What a record means is `gathering`'s business, where to go on after damage is
`salvage`'s. Nothing here remembers anything: the caller keeps the offset and
what the batches said about tags.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import BinaryIO, Final

import google_crc32c

from orgboard_schema.core.library import load_core
from orgboard_schema.types import Metadata
from orgboard_schema.wire.batch import Batch, Gap, ScalarColumns, SessionMark
from orgboard_schema.wire.compiled import OTHER, CompiledScalars
from orgboard_schema.wire.frames import (
    FOOTER,
    FOOTER_BYTES,
    HEADER,
    HEADER_BYTES,
    MASK_DELTA,
    MAX_RECORD_BYTES,
    OVERHEAD_BYTES,
)
from orgboard_schema.wire.gathering import MAX_GATHERED_BYTES, Gathering
from orgboard_schema.wire.large import LARGE_BYTES, judge_large
from orgboard_schema.wire.salvage import GARBAGE_BYTES, Finding, diagnose, has_header
from orgboard_schema.wire.unpacked import Unpacked

__all__ = [
    "WINDOW_BYTES",
    "Batch",
    "Gap",
    "ScalarColumns",
    "SessionMark",
    "read",
    "read_file",
]

WINDOW_BYTES: Final = 8 * 1024 * 1024
"""Some 150 000 scalars: enough that what each batch costs once does not count."""

MOST_DAMAGES: Final = 1000
"""Damaged places in one batch: each may cost the checksums of some MiB, and a file that is
made of nothing else must not keep others waiting."""

_MAX_WINDOW_BYTES: Final = MAX_RECORD_BYTES + GARBAGE_BYTES
"""Whatever is wrong can be judged within the largest record and what is given up as garbage."""


def read(
    data: bytes | memoryview,
    offset: int,
    remembered: Mapping[str, Metadata],
    *,
    final: bool = False,
    limit: int = MAX_RECORD_BYTES,
) -> Batch:
    """Read the records of `data`, whose first byte stands at `offset` of its file.

    `remembered` tells what earlier batches said about tags. `final`: the file
    grows no more, so damage without anything sound after it is a gap and not
    pending. `limit` is the largest payload taken. Stops early where the records
    unfold to very much; read on from `end`.
    """
    octets = bytes(data)
    return _read(octets, offset, remembered, len(octets), final=final, limit=limit).batch


def read_file(
    file: BinaryIO,
    offset: int,
    remembered: Mapping[str, Metadata],
    *,
    max_bytes: int = WINDOW_BYTES,
    final: bool = False,
) -> Batch:
    """Read on from `offset`, at most `max_bytes` unless one record is larger.

    `final`: damage that nothing sound follows is a gap and not pending; a record that
    is not whole yet, and zeros, stay pending even so. Call again from `end` until it
    equals `start`. Raises only what the file does.
    """
    window = max_bytes
    while True:
        file.seek(offset)
        data = file.read(window)
        size = max(file.seek(0, os.SEEK_END), offset + len(data))
        reading = _read(
            data, offset, remembered, size - offset, final=final, limit=MAX_RECORD_BYTES
        )
        batch, wanted = reading.batch, reading.wanted
        if wanted and batch.pending == "zero header":
            written = _first_written(file, offset + len(data))
            if written is None:
                return batch
            if written - offset > GARBAGE_BYTES:
                return _lose(batch, Gap(offset, written - HEADER_BYTES + 1 - offset, "zero header"))
            wanted = written - offset + GARBAGE_BYTES
        if wanted > LARGE_BYTES and batch.pending == "short tail" and offset + wanted <= size:
            lost = judge_large(file, offset, wanted, final=final)
            if lost is not None:
                return _lose(batch, lost) if lost.length else replace(batch, pending=lost.reason)
        if not wanted or len(data) < window or window == _MAX_WINDOW_BYTES:
            return batch
        window = min(wanted if wanted > window else 2 * window, _MAX_WINDOW_BYTES)


def _first_written(file: BinaryIO, offset: int) -> int | None:
    """Return where the first byte that is not zero stands from `offset` on."""
    if isinstance(file, Unpacked):
        # Zeros that were packed were written, and may be a thousand times what packs them.
        return offset
    file.seek(offset)
    while chunk := file.read(WINDOW_BYTES):
        written = chunk.lstrip(b"\0")
        if written:
            return offset + len(chunk) - len(written)
        offset += len(chunk)
    return None


def _lose(batch: Batch, gap: Gap) -> Batch:
    """Turn pending bytes, more than are ever taken into memory, into a gap."""
    return replace(batch, gaps=(*batch.gaps, gap), end=gap.offset + gap.length, pending=None)


@dataclass(frozen=True, slots=True)
class _Reading:
    batch: Batch
    wanted: int
    """0, or the window with which to try again, because the file holds more than this one."""


def _read(
    data: bytes,
    offset: int,
    remembered: Mapping[str, Metadata],
    size: int,
    *,
    final: bool,
    limit: int,
) -> _Reading:
    core = load_core()
    compiled = CompiledScalars(core) if core is not None else None
    gathering = Gathering(remembered, compiled)
    gaps: list[Gap] = []
    position = records = found_damaged = wanted = 0
    pending: str | None = None
    while gathering.gathered <= MAX_GATHERED_BYTES:
        if compiled is None:
            position, count = _read_sound(data, position, offset, gathering, gaps, limit)
        else:
            position, count = _scan(data, position, offset, gathering, compiled, gaps, limit)
        records += count
        if position >= len(data) or gathering.gathered > MAX_GATHERED_BYTES:
            break
        if position and size > len(data):
            break  # A window that begins here sees more of what follows.
        found = diagnose(data, position, size, final=final, limit=limit)
        if found.pending:
            pending = _reason(found, offset + position, data)
            wanted = found.wanted if size > len(data) else 0
            break
        gaps.append(Gap(offset + position, found.gap, _reason(found, offset + position, data)))
        if found.payload is not None:
            records += 1
            _take(found.payload, offset + position, gathering, gaps)
        position = found.end
        found_damaged += 1
        if found_damaged == MOST_DAMAGES:
            break
    batch = _freeze(gathering, gaps, records, data, offset, offset + position, pending)
    return _Reading(batch, wanted)


def _read_sound(
    data: bytes, position: int, offset: int, gathering: Gathering, gaps: list[Gap], limit: int
) -> tuple[int, int]:
    """Take in whole sound records until there is none; return where that is, and their number."""
    # The loop that all the time goes to: names are bound, and checksums masked, in place.
    crc32c = google_crc32c.value
    header, footer = HEADER.unpack_from, FOOTER.unpack_from
    add = gathering.add
    last = len(data) - OVERHEAD_BYTES
    sound_lengths: dict[int, int] = {}
    count = 0
    while position <= last:
        length, length_crc = header(data, position)
        if sound_lengths.get(length) != length_crc:
            if length > limit or not has_header(data, position):
                break
            sound_lengths[length] = length_crc
        start = position + HEADER_BYTES
        end = start + length
        if end > last + HEADER_BYTES:
            break
        payload = data[start:end]
        crc = crc32c(payload)
        if ((crc >> 15 | crc << 17) + MASK_DELTA) & 0xFFFFFFFF != footer(data, end)[0]:
            break
        reason = add(payload)
        count += 1
        if reason is not None:
            gaps.append(Gap(offset + position, OVERHEAD_BYTES + length, reason))
        position = end + FOOTER_BYTES
        if gathering.gathered > MAX_GATHERED_BYTES:
            break
    return position, count


def _scan(
    data: bytes,
    position: int,
    offset: int,
    gathering: Gathering,
    compiled: CompiledScalars,
    gaps: list[Gap],
    limit: int,
) -> tuple[int, int]:
    """Do as `_read_sound` by the compiled core, which leaves to us what is no plain value."""
    count = 0
    while True:
        why, position, taken, payload = compiled.scan(data, position, limit, gathering.room)
        count += taken
        if gathering.first_wall is None:
            gathering.first_wall = compiled.first_wall
        gathering.file_version = gathering.file_version or compiled.file_version
        if why != OTHER:
            return position, count
        reason = gathering.add(payload)
        count += 1
        length = OVERHEAD_BYTES + len(payload)
        if reason is not None:
            gaps.append(Gap(offset + position, length, reason))
        position += length
        if gathering.gathered > MAX_GATHERED_BYTES:
            return position, count


def _take(payload: bytes, at: int, gathering: Gathering, gaps: list[Gap]) -> None:
    """Take in a payload whose header was mended."""
    reason = gathering.add(payload)
    if reason is not None:
        gaps.append(Gap(at + HEADER_BYTES, len(payload) + FOOTER_BYTES, reason))


def _reason(found: Finding, at: int, data: bytes) -> str:
    """Say of a file without one sound record what it is not."""
    nothing = found.payload is None and (found.pending or found.end > len(data) - HEADER_BYTES)
    hopeless = at == 0 and nothing
    return "not an event file" if hopeless and found.reason == "length crc" else found.reason


def _freeze(
    gathering: Gathering,
    gaps: list[Gap],
    records: int,
    data: bytes,
    start: int,
    end: int,
    pending: str | None,
) -> Batch:
    return Batch(
        scalars=gathering.columns(),
        points=gathering.points(data),
        sessions=tuple(gathering.sessions),
        gaps=tuple(gaps),
        records=records,
        first_wall=gathering.first_wall,
        last_wall=gathering.last_wall(),
        start=start,
        end=end,
        pending=pending,
        file_version=gathering.file_version,
        source_writer=gathering.source_writer,
    )
