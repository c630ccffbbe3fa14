"""How Python and the C library hold memory in a process that does nothing but ingest."""

from __future__ import annotations

import ctypes
import gc
from typing import Final

__all__ = ["tune_process"]

COLLECT_AFTER: Final = 50_000
"""New objects, some five megabytes. Python's 700 cost a tenth of all time with 10,000 runs."""

KEPT_BYTES: Final = 64 * 1024 * 1024
"""Freed memory that the next batch gets again. To give it back to the system and have it zeroed
anew takes half of all time in the kernel, and the peak is the same."""

_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3
"""Parameters of glibc's mallopt."""


def tune_process() -> None:
    """Let this process look seldom for cycles, and keep the memory of a batch for the next.

    What ingest makes goes as it came, by counted references; what stays is a catalogue of
    hundreds of thousands of objects, through which the collector would look again and again.
    """
    gc.set_threshold(COLLECT_AFTER, *gc.get_threshold()[1:])
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return  # No glibc: slower in the kernel, that is all.
    mallopt(_MMAP_THRESHOLD, KEPT_BYTES // 2)
    mallopt(_TRIM_THRESHOLD, KEPT_BYTES)
