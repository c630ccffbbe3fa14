"""What an ingest knows of its work on a logdir: how much waits, since when, how fast it goes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Final, TypeAlias

from orgboard_schema.sql.leases import Work

if TYPE_CHECKING:
    from orgboard_schema.sql.health import LogdirHealth

__all__ = ["Backlog", "Figures", "Rate", "Snapshot"]

Place: TypeAlias = tuple[str, str]
"""A run's and a file's name."""

RATE_OVER_S: Final = 60
"""Long enough to be steady with batches of megabytes, short enough to show a standstill."""


@dataclass(slots=True)
class _Unread:
    since: float
    """When bytes up to `size` were first seen."""
    size: int
    later: tuple[float, int] | None
    """The first look that saw more, and how much."""
    newest: int
    offset: int


@dataclass(slots=True)
class Backlog:
    """Files with bytes that were seen and are not stored."""

    _files: dict[Place, _Unread] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._files)

    def seen(self, place: Place, size: int, offset: int, now: float) -> None:
        """Note that a file of this size is stored as far as `offset`."""
        known = self._files.get(place)
        if known is None:
            self._files[place] = _Unread(now, size, None, size, offset)
            return
        known.newest = max(known.newest, size)
        if known.later is None and size > known.size:
            known.later = (now, size)

    def read(self, place: Place, size: int, offset: int, now: float) -> None:
        """Note that a file was stored as far as `offset`, and has more to give."""
        known = self._files.get(place)
        if known is not None:
            known.offset = offset
            while offset >= known.size and known.later is not None:
                (known.since, known.size), known.later = known.later, None
            if offset >= known.size:
                del self._files[place]
        self.seen(place, size, offset, now)

    def done(self, place: Place) -> None:
        """Note that a file has nothing more to give for now."""
        self._files.pop(place, None)

    def keep(self, wanted: Callable[[str], bool]) -> None:
        """Forget the files of all other runs."""
        self._files = {place: file for place, file in self._files.items() if wanted(place[0])}

    def pending_bytes(self) -> int:
        """Return how many bytes wait."""
        return sum(max(file.newest - file.offset, 0) for file in self._files.values())

    def lag_s(self, now: float) -> float:
        """Return how long the oldest of them have waited."""
        return now - min((file.since for file in self._files.values()), default=now)

    def waiting_since(self, before: float, most: int) -> list[tuple[Place, int]]:
        """Return at most `most` files that have waited since `before`, with their sizes."""
        late = ((place, file.newest) for place, file in self._files.items() if file.since < before)
        return list(islice(late, most))


class Rate:
    """How much came in the last minute."""

    def __init__(self, began: float) -> None:
        self._began = began
        self._seconds: deque[tuple[int, int]] = deque()

    def add(self, count: int, now: float) -> None:
        """Count what came now."""
        second = int(now)
        if self._seconds and self._seconds[-1][0] == second:
            count += self._seconds.pop()[1]
        self._seconds.append((second, count))
        self._forget(now)

    def per_s(self, now: float) -> float:
        """Return the average of a second."""
        self._forget(now)
        seconds = min(max(now - self._began, 1.0), float(RATE_OVER_S))
        return sum(count for _, count in self._seconds) / seconds

    def _forget(self, now: float) -> None:
        while self._seconds and self._seconds[0][0] <= now - RATE_OVER_S:
            self._seconds.popleft()


class Figures:
    """The counts of one logdir since the process began."""

    def __init__(self, now: float) -> None:
        self.backlog = Backlog()
        self.points = self.bytes = 0
        self.unreadable: set[Place] = set()
        """Files that could not be read at their last turn."""
        self._points = Rate(now)
        self._bytes = Rate(now)

    def count(self, points: int, size: int, now: float) -> None:
        """Count what a transaction stored."""
        self.points += points
        self.bytes += size
        self._points.add(points, now)
        self._bytes.add(size, now)

    def work(self, *, polling: str, runs: int, files: int, now: float) -> Work:
        """Return all of it; `polling` is why files are polled, "" when changes are heard of."""
        return Work(
            watch="polling" if polling else "watching",
            watch_reason=polling or None,
            runs=runs,
            files=files,
            unreadable_files=len(self.unreadable),
            pending_bytes=self.backlog.pending_bytes(),
            lag_s=self.backlog.lag_s(now),
            points=self.points,
            bytes=self.bytes,
            points_per_s=self._points.per_s(now),
            bytes_per_s=self._bytes.per_s(now),
        )


@dataclass(frozen=True, slots=True)
class Snapshot:
    """How an ingest fares, for whoever looks on."""

    logdirs: tuple[LogdirHealth, ...] = ()
    """Of its own processes only."""
    rivals: tuple[int, ...] = ()
    """How many other processes read each of these logdirs."""
    away_s: float | None = None
    """For how long the database has been away; None while it answers."""
    away_reason: str = ""
