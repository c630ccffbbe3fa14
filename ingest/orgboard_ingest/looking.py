"""Read the next batches of some files, side by side where that pays. No SQL.

Decoding releases the GIL in the compiled core, and so does reading: large batches of
different files are read by as many threads as there are cores. Small ones are not worth the
handing over.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Final

from orgboard_ingest.catalog import KnownFile, KnownRun
from orgboard_ingest.roots import Root
from orgboard_ingest.stage import Staged, stage
from orgboard_ingest.tail import Head, Reading, read_on
from orgboard_schema.sql.dictionary import chunked
from orgboard_schema.wire.unpacked import Marks

__all__ = ["Look", "Read", "Reader"]

WORTH_A_THREAD: Final = 256 * 1024
"""Bytes: milliseconds of decoding, against the tenths of one that a thread is asked in."""

MOST_THREADS: Final = 4
"""Each holds a batch in memory; the commits that follow are one thread's."""

REMOTE_THREADS: Final = 8
"""Of a store, where most of the time is waiting for answers."""

AHEAD: Final = 2
"""Batches of each thread that wait to be stored: what bounds memory."""


@dataclass(frozen=True, slots=True)
class Look:
    """A file to read on in."""

    run: KnownRun
    file: KnownFile
    path: str


@dataclass(frozen=True, slots=True)
class Read:
    """What came of it."""

    reading: Reading
    staged: Staged | None
    """None when there is nothing to store."""


@dataclass(frozen=True, slots=True)
class Reader:
    """How to read the files of one logdir at one time."""

    root: Root
    batch_bytes: int
    """About the size of a batch."""
    now: float
    """Files that nobody wrote to for long by then have their damaged ends given up."""
    marks: Marks
    """Where packed files were read."""

    def read(self, looks: Sequence[Look]) -> Generator[Read | Exception, None, None]:
        """Yield what each look brings, in order: a batch, or why the file cannot be read.

        The looks are of different runs, whose facts nobody changes before this ends.
        """
        threads = self._threads(looks)
        if threads < 2:
            yield from map(self._read, looks)
            return
        with ThreadPoolExecutor(threads, "orgboard-read") as pool:
            for some in chunked(looks, AHEAD * threads):
                yield from pool.map(self._read, some)

    def _threads(self, looks: Sequence[Look]) -> int:
        if self.root.remote:
            return min(len(looks), REMOTE_THREADS)
        large = sum(self._unread(look) >= WORTH_A_THREAD for look in looks)
        return min(large, MOST_THREADS, os.cpu_count() or 1)

    def _unread(self, look: Look) -> int:
        try:
            return self.root.size(look.path) - look.file.row.offset
        except OSError:
            return 0

    def _read(self, look: Look) -> Read | Exception:
        try:
            reading = self._reading(look)
            batch = reading.batch
            some = None if batch is None or batch.end == batch.start else stage(batch)
        except Exception as error:  # noqa: BLE001 - one file's defect must not stop the others
            return error
        return Read(reading, some)

    def _reading(self, look: Look) -> Reading:
        file, row = look.file, look.file.row
        read = partial(
            read_on,
            look.path,
            row.offset,
            Head(row.head_sha256, row.head_bytes),
            look.run.remembered or {},
            root=self.root,
            now=self.now,
            marks=self.marks,
        )
        ahead = file.known_end - row.offset
        # While read again: not across the end of what is known, so that no byte counts twice.
        limit = min(self.batch_bytes, ahead) if ahead > 0 else self.batch_bytes
        reading = read(max_bytes=limit)
        if ahead > 0 and reading.batch is not None and reading.batch.end == row.offset:
            reading = read(max_bytes=self.batch_bytes)
        return reading
