"""One event file: open it safely, know it again, read on from an offset. No SQL.

A file is known by its first bytes. Only bytes before the offset take part, because
those were read and settled; what comes after may still be zeros that a network file
system fills in later.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Final, cast

from orgboard_ingest.roots import Folder, Root
from orgboard_schema.types import Metadata
from orgboard_schema.wire.batch import UNWRITTEN, Batch
from orgboard_schema.wire.reader import read_file
from orgboard_schema.wire.unpacked import (
    BROKEN,
    PACKED_END,
    Encoding,
    Marks,
    Unpacked,
    encoding_of,
)

__all__ = ["HEAD_BYTES", "NO_HEAD", "Head", "Reading", "head_of", "is_settled", "read_on"]

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


SETTLED_AFTER_S: Final = 3600.0
"""A file that nobody wrote to for so long grows no more, as far as damage at its end goes."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one look into a file brought."""

    batch: Batch | None
    """None when it is another file than the one that was read before."""
    head: Head
    """Of the bytes that are settled now."""
    size: int
    """As the directory shows it, packed or not."""
    mtime_ns: int
    replaced: str | None = None
    """Why it is another file."""
    encoding: Encoding = ""

    @property
    def has_more(self) -> bool:
        """Tell whether there may be more to read at once."""
        batch = self.batch
        if batch is None or batch.pending is not None:
            return False
        return bool(self.encoding) or batch.end < self.size


def is_settled(mtime_ns: int, now: float) -> bool:
    """Tell whether damage at the end of a file last written to then may be given up."""
    return now - mtime_ns / 1e9 > SETTLED_AFTER_S


def read_on(
    path: Path | str,
    offset: int,
    head: Head,
    remembered: Mapping[str, Metadata],
    *,
    max_bytes: int,
    root: Root | None = None,
    now: float | None = None,
    marks: Marks | None = None,
) -> Reading:
    """Read at most about `max_bytes` from `offset`, if the file is still the one with `head`.

    `root` is the logdir; without it, the file's own folder is. `now`: a file long untouched
    by then has its damaged end given up; None leaves it pending. `marks` remembers where
    packed files were read.

    Raises:
        OSError: It cannot be opened or read, or is no regular file.
    """
    root = Folder(Path(path).parent) if root is None else root
    with root.open(str(path)) as file:
        status_size, mtime_ns, key = root.status(file)
        final = now is not None and is_settled(mtime_ns, now)
        encoding = encoding_of(file)
        looked = Reading(None, head, status_size, mtime_ns, encoding=encoding)
        known = marks.of(key) if marks is not None else ()
        view = Unpacked(file, encoding, known, settled=final) if encoding else file
        if head.size and _hash(view, head.size) != head:
            return replace(looked, replaced=f"the first {head.size} bytes changed")
        batch = read_file(
            cast(BinaryIO, view), offset, remembered, max_bytes=max_bytes, final=final
        )
        if not root.is_still(file):
            raise OSError(errno.ESTALE, "was replaced while it was read")
        reaches = view.seek(0, os.SEEK_END)
        if isinstance(view, Unpacked):
            batch = _as_packed(batch, view)
            if marks is not None:
                marks.keep(key, view, batch.end)
            shrank = view.shrank
        else:
            shrank = reaches < offset
        if shrank:
            return replace(looked, replaced=f"shrank to {reaches} bytes, {offset} were read")
        settled = min(batch.end, HEAD_BYTES)
        if settled > head.size:
            head = _hash(view, settled)
        # It may have grown since it was opened.
        size = status_size if encoding else max(status_size, batch.end)
        return replace(looked, batch=batch, head=head, size=size)


def _as_packed(batch: Batch, view: Unpacked) -> Batch:
    """Say of gaps that the compression is damaged, and of the end that it is one."""
    gaps = tuple(
        replace(gap, reason=BROKEN) if view.has_filler(gap.offset, gap.length) else gap
        for gap in batch.gaps
    )
    pending = batch.pending
    if batch.end >= view.seek(0, os.SEEK_END) or pending in UNWRITTEN:
        pending = BROKEN if view.broken else pending or PACKED_END
    return replace(batch, gaps=gaps, pending=pending)


def head_of(file: BinaryIO, size: int) -> Head:
    """Return the hash of the first `size` bytes, unpacked; of fewer when there are fewer."""
    encoding = encoding_of(file)
    return _hash(Unpacked(file, encoding) if encoding else file, size)


def _hash(view: BinaryIO | Unpacked, size: int) -> Head:
    view.seek(0)
    start = view.read(size)
    return Head(hashlib.sha256(start).digest(), len(start))
