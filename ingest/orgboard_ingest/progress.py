"""How far `ingest --once` is, and how fast it goes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TextIO

from orgboard_schema.progress import Bar

__all__ = ["Done", "Progress"]


@dataclass(frozen=True, slots=True)
class Done:
    """What has been read, of how much."""

    bytes: int
    all_bytes: int
    files: int
    all_files: int
    points: int


def _told(done: Done, seconds: float) -> str:
    """Return in words how far it is and how fast it goes."""
    rate = done.points / seconds if seconds > 0 else 0.0
    return (
        f"{done.bytes / 1e6:,.1f} of {done.all_bytes / 1e6:,.1f} MB"
        f"  {done.files:,} of {done.all_files:,} files  {rate:,.0f} points/s"
    )


class Progress:
    """The bar of what is being read, on a terminal only."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._bar = Bar(stream, clock)
        self._clock = clock
        self._began = clock()

    def show(self, done: Done) -> None:
        """Draw, unless it was drawn a moment ago."""
        self._bar.show(_told(done, self._clock() - self._began), done.bytes, done.all_bytes)

    def clear(self) -> None:
        """Wipe the bar, so that other lines can be printed."""
        self._bar.clear()
