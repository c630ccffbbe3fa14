"""A file of a store, read by ranges: only what is asked for, and a little ahead of small steps.

An object is never appended to but replaced whole. Each range may so come from another
object than the one before. What ties them together are the first bytes, by which an event
file is known: read once more behind the others, they are the same or the name was taken.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

__all__ = ["AHEAD_BYTES", "FIRST_BYTES", "WHOLE_BYTES", "Fetch", "Ranged"]

FIRST_BYTES: Final = 4096
"""What an event file is known by (`tail.HEAD_BYTES`), and told from a packed one."""

WHOLE_BYTES: Final = 64 * 1024
"""A file of so few bytes is fetched by one request: a second takes longer than they do."""

AHEAD_BYTES: Final = 1 << 20
"""Who reads in steps smaller than that, as of packed files, is given the next from memory."""


@dataclass(frozen=True, slots=True)
class Fetch:
    """The requests that one file is read by."""

    range: Callable[[int, int], bytes]
    """From here to there; fewer bytes where the file ends before."""
    size: Callable[[], int]
    """As it is now."""


class Ranged(io.RawIOBase):
    """Show a file of a store as one that can be read from anywhere."""

    def __init__(self, name: str, size: int, written_ns: int, fetch: Fetch) -> None:
        super().__init__()
        self.size = size
        """As far as it is known to reach."""
        self.written_ns = written_ns
        self._name = name
        self._fetch = fetch
        self._position = 0
        self._first: bytes | None = None
        self._mixed = False
        """Whether something was fetched after the first bytes were."""
        self._sized = False
        self._at = 0
        self._ahead = b""

    @property
    def key(self) -> object:
        """Return what stands for this file, and for what it grows to."""
        return self._name, hashlib.sha256(self._start()).digest()

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def seekable(self) -> bool:
        """Say that any place can be reached."""
        return True

    def tell(self) -> int:
        """Return where the next byte to be read stands."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Go to a place; the end is the one known so far."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size}[whence]
        self._position = base + offset
        return self._position

    def read(self, size: int = -1, /) -> bytes:
        """Return `size` bytes, fewer only where the file ends for now.

        Raises:
            OSError: They cannot be had.
        """
        if size < 0:
            raise io.UnsupportedOperation("a remote file is never read without a bound")
        data = self._read(self._position, size) if size else b""
        self._position += len(data)
        return data

    def is_still(self) -> bool:
        """Tell whether all that was fetched belongs to the file with the first bytes."""
        if self._first is None or not self._mixed:
            return True
        again = self._fetch.range(0, FIRST_BYTES)
        self._mixed = False
        return again.startswith(self._first[:FIRST_BYTES])

    def _read(self, start: int, size: int) -> bytes:
        end = start + size
        first = self._start() if end <= FIRST_BYTES or self.size <= WHOLE_BYTES else b""
        if end <= len(first):
            return first[start:end]
        if len(first) == self.size and len(first) not in (FIRST_BYTES, WHOLE_BYTES):
            return first[start:]  # It ended before as much as was asked for.
        known = self._at + len(self._ahead)
        if self._at <= start < known and (end <= known or known == self.size):
            return self._ahead[start - self._at : end - self._at]
        data = self._get(start, max(size, AHEAD_BYTES))
        self._at, self._ahead = (start, data) if size < AHEAD_BYTES else (0, b"")
        return data[:size]

    def _start(self) -> bytes:
        """Return the first bytes; all there are of a small file."""
        if self._first is None:
            self._first = self._get(0, WHOLE_BYTES if self.size <= WHOLE_BYTES else FIRST_BYTES)
            self._mixed = False
        return self._first

    def _get(self, start: int, size: int) -> bytes:
        """Fetch a range, and learn from it how far the file reaches."""
        if start >= self.size:
            if not self._sized:
                self._sized, self.size = True, self._fetch.size()
            if start >= self.size:
                return b""
        data = self._fetch.range(start, start + size)
        if not data:
            self.size = self._fetch.size()
            return b""
        if start or self._first is None or not data.startswith(self._first):
            self._mixed = True
        reached = start + len(data)
        self.size = max(self.size, reached) if len(data) >= size else reached
        return data
