"""Read the next batches of some files, side by side where that pays. No SQL.

Decoding releases the GIL in the compiled core, and so does reading: large batches of
different files are read by as many threads as there are cores. Small ones are not worth the
handing over.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from orgboard_ingest.catalog import KnownFile, KnownRun
from orgboard_ingest.stage import Staged, stage
from orgboard_ingest.tail import Head, Reading, read_on

__all__ = ["Look", "Read", "read_looks"]

WORTH_A_THREAD: Final = 256 * 1024
"""Bytes: milliseconds of decoding, against the tenths of one that a thread is asked in."""

MOST_THREADS: Final = 4
"""Each holds a batch in memory; the commits that follow are one thread's."""


@dataclass(frozen=True, slots=True)
class Look:
    """A file to read on in."""

    run: KnownRun
    file: KnownFile
    path: Path


@dataclass(frozen=True, slots=True)
class Read:
    """What came of it."""

    reading: Reading
    staged: Staged | None
    """None when there is nothing to store."""


def read_looks(looks: Sequence[Look], batch_bytes: int) -> Iterator[Read | OSError]:
    """Yield what each look brings, in order: a batch of at most about that size, or an error.

    The looks are of different runs, whose facts nobody changes before this ends.
    """
    read = partial(_read, batch_bytes=batch_bytes)
    large = sum(_unread(look) >= WORTH_A_THREAD for look in looks)
    threads = min(large, MOST_THREADS, os.cpu_count() or 1)
    if threads < 2:
        yield from map(read, looks)
        return
    with ThreadPoolExecutor(threads, "orgboard-read") as pool:
        yield from pool.map(read, looks)


def _unread(look: Look) -> int:
    try:
        return look.path.stat().st_size - look.file.row.offset
    except OSError:
        return 0


def _read(look: Look, batch_bytes: int) -> Read | OSError:
    try:
        reading = _reading(look, batch_bytes)
    except OSError as error:
        return error
    batch = reading.batch
    return Read(reading, None if batch is None or batch.end == batch.start else stage(batch))


def _reading(look: Look, batch_bytes: int) -> Reading:
    file, row = look.file, look.file.row
    head = Head(row.head_sha256, row.head_bytes)
    ahead = file.known_end - row.offset
    # While read again: not across the end of what is known, so that no byte counts twice.
    limit = min(batch_bytes, ahead) if ahead > 0 else batch_bytes
    remembered = look.run.remembered or {}
    reading = read_on(look.path, row.offset, head, remembered, max_bytes=limit)
    if ahead > 0 and reading.batch is not None and reading.batch.end == row.offset:
        reading = read_on(look.path, row.offset, head, remembered, max_bytes=batch_bytes)
    return reading
