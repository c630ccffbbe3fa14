"""How far apart pages are told of news, so that what they then ask never piles up.

Who is told asks for what it shows of it. Fifty pages told at once ask at once, and the last of
them waits for the answers to all the others. So they are told one after the other, and so far
apart that this process answers questions for a share of the time only:

    told ─▶ asks ─▶ answered ┄┄┄┄▶ the next is told ─▶ asks ─▶ answered ┄┄┄┄▶ …

What one telling causes is measured, and nothing is assumed of it: a slow database, a busy
machine and a page of many curves all make the pauses longer. Nothing here knows HTTP or SQL.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

__all__ = ["LONGEST_S", "MOST_EACH_S", "SHARE", "Pace", "Work"]

SHARE: Final = 0.5
"""Of the time, at most, that followers keep a process answering. The rest is for who does
something, and it is what makes answers quick: at half, few questions meet another one."""

LONGEST_S: Final = 5.0
"""All pages are told within this, whatever it costs."""

MOST_EACH_S: Final = 0.5
"""No more than this is taken for what one page asked: what else was asked in a quiet hour, in
which one page was told once, was not for that."""

_PERIOD_S: Final = 1.0
"""What a telling costs is measured over so long, or longer."""
_NEWEST: Final = 0.5
"""The weight of the last period."""


class Work:
    """How long this process has been answering questions. Belongs to the event loop."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._under_way = 0
        self._since = 0.0
        self._spent_s = 0.0

    @contextmanager
    def question(self) -> Iterator[None]:
        """Count the time of the block; that of questions side by side counts once."""
        if not self._under_way:
            self._since = self._clock()
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._spent_s += self._clock() - self._since

    def spent_s(self) -> float:
        """Return the seconds so far in which a question was under way."""
        return self._spent_s + (self._clock() - self._since if self._under_way else 0.0)


class Pace:
    """Tells how long to pause after a page was told. Belongs to the event loop."""

    def __init__(self, work: Work, clock: Callable[[], float]) -> None:
        self._work = work
        self._clock = clock
        self._each_s = 0.0
        self._told = 0
        self._began = clock()
        self._before_s = work.spent_s()

    def told(self) -> None:
        """Count a page that was told."""
        self._told += 1
        now = self._clock()
        if now - self._began < _PERIOD_S:
            return
        spent_s = self._work.spent_s()
        each_s = min(MOST_EACH_S, (spent_s - self._before_s) / self._told)
        self._each_s += _NEWEST * (each_s - self._each_s)
        self._told, self._began, self._before_s = 0, now, spent_s

    def pause_s(self, pages: int) -> float:
        """Return the seconds until the next one of so many is told."""
        return min(self._each_s / SHARE, LONGEST_S / max(1, pages))
