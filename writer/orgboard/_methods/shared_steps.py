"""One counter a name, shared by a process and all that it forks: no server, no file.

The counters lie in memory that a fork shares. A name finds its counter by its checksum; of far
more names than slots some share one, and then skip steps, which no reader minds.
"""

from __future__ import annotations

import mmap
import threading
from struct import Struct
from typing import Any, Final

import google_crc32c

__all__ = ["SharedSteps"]

SLOTS: Final = 16_384
_SLOT: Final = Struct("<Qq")
"""A number for the name, 0 where the slot is free; the next step."""

MOST_PROBES: Final = 64
"""Slots looked at before a name takes over another's."""

PATIENCE_S: Final = 1.0
"""A process that was killed within a few microseconds may have left the lock held for ever."""


class SharedSteps:
    """Counts 0, 1, 2… for each name, over threads and forked processes."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, SLOTS * _SLOT.size)
        self._lock = _make_lock()

    def next_step(self, name: str) -> int:
        """Give the name's next step, and count it."""
        key = _key(name)
        has_lock = self._lock.acquire(timeout=PATIENCE_S)
        try:
            return self._count(key)
        finally:
            if has_lock:
                self._lock.release()

    def _count(self, key: int) -> int:
        place, step = 0, 0
        for probe in range(MOST_PROBES):
            place = (key + probe) % SLOTS * _SLOT.size
            found, step = _SLOT.unpack_from(self._memory, place)
            if found in (0, key):
                break
        _SLOT.pack_into(self._memory, place, key, step + 1)
        return int(step)


def _make_lock() -> Any:
    """Make a lock that forked processes share; where there is none, one for threads."""
    try:
        import multiprocessing

        return multiprocessing.RLock()
    except (ImportError, OSError):
        return threading.RLock()


def _key(name: str) -> int:
    """Give a number for a name that is not 0, the mark of a free slot."""
    octets = name.encode("utf-8", "replace")
    high = google_crc32c.value(b"\1" + octets)
    return (int(high) << 32 | int(google_crc32c.value(octets))) or 1
