"""How far a long command is: a bar on a terminal, silence elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, TextIO, TypeAlias

__all__ = ["Bar", "Tell", "bar", "quiet"]

Tell: TypeAlias = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and of how much."""

REDRAW_EVERY_S: Final = 0.1
"""Smooth to the eye, nothing beside the work."""

BAR_CELLS: Final = 24


def quiet(_what: str, _done: int, _of: int) -> None:
    """Tell nobody."""


def bar(what: str, done: int, of: int) -> str:
    """Return one line that says how far it is."""
    share = min(done / of, 1.0) if of else 1.0
    full = round(share * BAR_CELLS)
    return f"[{'#' * full}{'.' * (BAR_CELLS - full)}] {share:4.0%}  {what}"


class Bar:
    """Draw the bar over itself, on a terminal only."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._drawn = float("-inf")
        self._width = 0
        self._is_quiet = not stream.isatty()

    def show(self, what: str, done: int, of: int) -> None:
        """Draw, unless it was drawn a moment ago."""
        now = self._clock()
        if self._is_quiet or now - self._drawn < REDRAW_EVERY_S:
            return
        line = bar(what, done, of)
        self._stream.write("\r" + line.ljust(self._width))
        self._stream.flush()
        self._drawn, self._width = now, len(line)

    def clear(self) -> None:
        """Take the bar away, so that what follows starts on an empty line."""
        if self._width:
            self._stream.write("\r" + " " * self._width + "\r")
            self._stream.flush()
            self._width = 0
