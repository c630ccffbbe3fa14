"""One event file: open it safely, know it again, read on from an offset. No SQL.

A file is known by its first bytes. Only bytes before the offset take part, because
those were read and settled; what comes after may still be zeros that a network file
system fills in later.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from orgboard_schema.types import Metadata
from orgboard_schema.wire.batch import Batch
from orgboard_schema.wire.reader import read_file

__all__ = ["HEAD_BYTES", "NO_HEAD", "Head", "Reading", "head_of", "open_event_file", "read_on"]

HEAD_BYTES: Final = 4096
"""Enough to hold several records of any writer, one page to read."""


@dataclass(frozen=True, slots=True)
class Head:
    """A file's first bytes, by hash."""

    sha256: bytes
    size: int
    """How many bytes were hashed."""


NO_HEAD: Final = Head(hashlib.sha256(b"").digest(), 0)
"""Fits any file: nothing of it has been read."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one look into a file brought."""

    batch: Batch | None
    """None when it is another file than the one that was read before."""
    head: Head
    """Of the bytes that are settled now."""
    size: int
    mtime_ns: int
    replaced: str | None = None
    """Why it is another file."""


def read_on(
    path: Path,
    offset: int,
    head: Head,
    remembered: Mapping[str, Metadata],
    *,
    max_bytes: int,
) -> Reading:
    """Read at most about `max_bytes` from `offset`, if the file is still the one with `head`.

    Raises:
        OSError: It cannot be opened or read, or is no regular file.
    """
    with open_event_file(path) as file:
        status = os.fstat(file.fileno())
        if status.st_size < offset:
            reason = f"shrank to {status.st_size} bytes, {offset} were read"
            return Reading(None, head, status.st_size, status.st_mtime_ns, reason)
        if head.size and head_of(file, head.size) != head:
            reason = f"the first {head.size} bytes changed"
            return Reading(None, head, status.st_size, status.st_mtime_ns, reason)
        batch = read_file(file, offset, remembered, max_bytes=max_bytes)
        settled = min(batch.end, HEAD_BYTES)
        if settled > head.size:
            head = head_of(file, settled)
        # It may have grown since it was opened.
        size = max(status.st_size, batch.end)
        return Reading(batch, head, size, status.st_mtime_ns)


def open_event_file(path: Path) -> BinaryIO:
    """Open a regular file for reading, and nothing else: a pipe would block for ever.

    Raises:
        OSError: It cannot be opened, or is no regular file.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, "not a regular file", str(path))
        return os.fdopen(descriptor, "rb", buffering=0)
    except BaseException:
        os.close(descriptor)
        raise


def head_of(file: BinaryIO, size: int) -> Head:
    """Return the hash of the first `size` bytes, of fewer when the file is shorter."""
    start = os.pread(file.fileno(), size, 0)
    return Head(hashlib.sha256(start).digest(), len(start))
