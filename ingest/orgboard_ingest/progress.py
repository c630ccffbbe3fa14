"""How far `ingest --once` is: a bar on a terminal, silence elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TextIO

__all__ = ["Done", "Progress", "bar"]

REDRAW_EVERY_S: Final = 0.1
"""Smooth to the eye, nothing beside the reading."""

BAR_CELLS: Final = 24


@dataclass(frozen=True, slots=True)
class Done:
    """What has been read, of how much."""

    bytes: int
    all_bytes: int
    files: int
    all_files: int
    points: int


def bar(done: Done, seconds: float) -> str:
    """Return one line that says how far it is and how fast it goes."""
    share = min(done.bytes / done.all_bytes, 1.0) if done.all_bytes else 1.0
    full = round(share * BAR_CELLS)
    rate = done.points / seconds if seconds > 0 else 0.0
    return (
        f"[{'#' * full}{'.' * (BAR_CELLS - full)}] {share:4.0%}"
        f"  {done.bytes / 1e6:,.1f} of {done.all_bytes / 1e6:,.1f} MB"
        f"  {done.files:,} of {done.all_files:,} files  {rate:,.0f} points/s"
    )


class Progress:
    """Draw the bar over itself, on a terminal only."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._began = clock()
        self._drawn = float("-inf")
        self._width = 0
        self._quiet = not stream.isatty()

    def show(self, done: Done) -> None:
        """Draw, unless it was drawn a moment ago."""
        now = self._clock()
        if self._quiet or now - self._drawn < REDRAW_EVERY_S:
            return
        line = bar(done, now - self._began)
        self._stream.write("\r" + line.ljust(self._width))
        self._stream.flush()
        self._drawn, self._width = now, len(line)

    def clear(self) -> None:
        """Wipe the bar, so that other lines can be printed."""
        if self._width:
            self._stream.write("\r" + " " * self._width + "\r")
            self._stream.flush()
            self._width = 0
