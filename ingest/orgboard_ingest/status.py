"""How `ingest` fares, in a few lines of the terminal that are redrawn in place.

    ● /data/logs   watching
      1,234 runs · 5,678 files · 12,345 points/s · 3.4 MB waiting, 0.3 s behind

`rows` says what the lines are; `Screen` draws them over themselves, and the log's lines
above them. Nothing is switched in the terminal, so that nothing has to be put back.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import unicodedata
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, TextIO, TypeAlias

from orgboard_ingest.events import printable
from orgboard_ingest.figures import Snapshot

if TYPE_CHECKING:
    from orgboard_schema.sql.health import LogdirHealth

__all__ = ["Screen", "ScreenHandler", "is_terminal", "rows"]

REDRAW_EVERY_S: Final = 0.5
"""A number that changes more often cannot be read."""

MOST_LOGDIRS: Final = 6
"""Shown one by one; more are added up."""

FALLBACK_SIZE: Final = (80, 24)

Part: TypeAlias = tuple[str, str]
"""Text and its style."""

Row: TypeAlias = list[Part]

_STYLES: Final = {"": "", "good": "32", "warn": "33", "bad": "31", "faint": "2", "strong": "1"}


def is_terminal(stream: TextIO, environment: Mapping[str, str]) -> bool:
    """Tell whether lines can be redrawn there."""
    return stream.isatty() and environment.get("TERM", "dumb") != "dumb"


def rows(snapshot: Snapshot, *, plain: bool) -> list[Row]:
    """Return the lines of the status; `plain` where the terminal knows ASCII only."""
    shown = list(zip(snapshot.logdirs, snapshot.rivals, strict=True))
    lines: list[Row] = []
    for logdir, rivals in shown[:MOST_LOGDIRS]:
        lines += _logdir(logdir, rivals, plain=plain)
    if len(shown) > MOST_LOGDIRS:
        lines.append([(f"  and {len(shown) - MOST_LOGDIRS} more logdirs", "faint")])
    if snapshot.away_s is not None:
        mark = "!" if plain else "●"
        said = f"database away for {_duration(snapshot.away_s)}: {printable(snapshot.away_reason)}"
        lines.append([(f"{mark} ", "bad"), (said, "bad")])
    return lines


def _logdir(logdir: LogdirHealth, rivals: int, *, plain: bool) -> list[Row]:
    works = [ingest.work for ingest in logdir.ingests]
    why = next((work.watch_reason for work in works if work.watch_reason), None)
    head: Row = [
        ("* " if plain else "● ", "warn" if why else "good"),
        (printable(logdir.path), "strong"),
        (f"  polling, {printable(why)}" if why else "  watching", "faint"),
    ]
    if rivals:
        head.append((f"  shared with {rivals} other process{'es' * (rivals > 1)}", "faint"))
    pending, lag = sum(work.pending_bytes for work in works), max(work.lag_s for work in works)
    counts = [
        f"{sum(work.runs for work in works):,} runs",
        f"{sum(work.files for work in works):,} files",
        f"{sum(work.points_per_s for work in works):,.0f} points/s",
        f"{_size(pending)} waiting, {_duration(lag)} behind" if pending else "up to date",
    ]
    between = " | " if plain else " · "
    body: Row = [("  " + between.join(counts), "")]
    unreadable = sum(work.unreadable_files for work in works)
    for count, what in ((logdir.gaps, "damaged places"), (unreadable, "unreadable files")):
        if count:
            body += [(between, ""), (f"{count:,} {what}", "warn")]
    return [head, body]


def _size(count: int) -> str:
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:,.1f} {unit}"
    return f"{count} B"


def _duration(seconds: float) -> str:
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h"


class Screen:
    """The status on a terminal."""

    def __init__(
        self,
        stream: TextIO,
        environment: Mapping[str, str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream = stream
        self._clock = clock
        self._color = not environment.get("NO_COLOR")
        self._plain = not _takes(stream, "●·")
        self._drawn = float("-inf")
        self._rows: list[Row] = []
        self._height = 0
        # Lines of other processes come in a thread of their own.
        self._drawing = threading.RLock()

    def show(self, snapshot: Snapshot) -> None:
        """Draw, unless it was drawn a moment ago."""
        now = self._clock()
        if now - self._drawn < REDRAW_EVERY_S:
            return
        with self._drawing:
            self._drawn = now
            self._rows = rows(snapshot, plain=self._plain)
            self._stream.write(self._home() + self._body())
            self._stream.flush()

    def above(self, line: str) -> None:
        """Print a line that stays, above the status."""
        text = line if not self._plain else line.encode("ascii", "backslashreplace").decode()
        with self._drawing:
            home = self._home()
            self._stream.write(f"{home}{text}\x1b[K\n{self._body()}")
            self._stream.flush()

    def clear(self) -> None:
        """Wipe the status, so that the terminal is as it would be without."""
        with self._drawing:
            if self._height:
                self._stream.write(f"{self._home()}\x1b[J")
                self._stream.flush()
            self._rows, self._height = [], 0

    def _home(self) -> str:
        up = f"\x1b[{self._height - 1}A" if self._height > 1 else ""
        return f"\r{up}" if self._height else ""

    def _body(self) -> str:
        width, height = _size_of(self._stream)
        # A line that fills the last cell would wrap, and one more line than fits would scroll.
        lines = [self._line(row, width - 1) for row in self._rows[: max(height - 1, 1)]]
        self._height = len(lines)
        # What was there is written over and not wiped first: nothing flickers.
        return "\n".join(f"{line}\x1b[K" for line in lines) + "\x1b[J"

    def _line(self, row: Row, cells: int) -> str:
        line = ""
        for text, style in row:
            part = _cut(text, cells)
            cells -= sum(map(_cells, part))
            code = _STYLES[style] if self._color else ""
            line += f"\x1b[{code}m{part}\x1b[0m" if code and part else part
        return line


class ScreenHandler(logging.Handler):
    """Log above the status."""

    def __init__(self, screen: Screen) -> None:
        super().__init__()
        self._screen = screen

    def emit(self, record: logging.LogRecord) -> None:
        """Print the record's line."""
        try:
            self._screen.above(self.format(record))
        except (OSError, ValueError):  # the terminal is gone; that is no reason to stop
            self.handleError(record)


def _takes(stream: TextIO, text: str) -> bool:
    try:
        text.encode(stream.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def _size_of(stream: TextIO) -> tuple[int, int]:
    try:
        size = os.get_terminal_size(stream.fileno())
    except OSError:
        return FALLBACK_SIZE
    # A terminal that does not know its size says 0.
    return size.columns or FALLBACK_SIZE[0], size.lines or FALLBACK_SIZE[1]


def _cut(text: str, cells: int) -> str:
    for at, char in enumerate(text):
        cells -= _cells(char)
        if cells < 0:
            return text[:at]
    return text


def _cells(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
