"""Which file to read next: runs in turn, a run's files by name, failed ones later."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from heapq import heappop, heappush
from typing import Final, TypeAlias

__all__ = ["FileKey", "Waiting"]

RunKey: TypeAlias = tuple[int, str]
"""Which logdir, and the run's name."""

FileKey: TypeAlias = tuple[int, str, str]
"""Which logdir, the run's and the file's name."""

FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 300.0
"""A file that cannot be read is tried again after pauses that double up to this."""


@dataclass(slots=True)
class _Names:
    """The waiting files of one run; the first of those that are due costs no look at all."""

    waiting: set[str] = field(default_factory=set)
    _due: list[str] = field(default_factory=list)
    _later: list[tuple[float, str]] = field(default_factory=list)
    _queued: set[str] = field(default_factory=set)
    """Those in `_due` or `_later`, which lag behind `waiting`."""

    def add(self, name: str) -> None:
        self.waiting.add(name)
        if name not in self._queued:
            self._queued.add(name)
            heappush(self._due, name)

    def first(self, now: float, not_before: Callable[[str], float]) -> str | None:
        """Return the first name that is due; None when none is."""
        while self._later and self._later[0][0] <= now:
            heappush(self._due, heappop(self._later)[1])
        while self._due:
            name = self._due[0]
            if name not in self.waiting:
                self._queued.discard(heappop(self._due))
            elif (due := not_before(name)) > now:
                heappush(self._later, (due, heappop(self._due)))
            else:
                return name
        return None


@dataclass(slots=True)
class Waiting:
    """Files that have something to give, or may have.

    One batch of one file, then the next run's turn: a run of gigabytes does not keep
    a small one waiting, and of one run no later file overtakes an earlier one.
    """

    clock: Callable[[], float]
    _runs: dict[RunKey, _Names] = field(default_factory=dict)
    _turns: deque[RunKey] = field(default_factory=deque)
    _not_before: dict[FileKey, float] = field(default_factory=dict)
    _pauses: dict[FileKey, float] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self._runs)

    def __contains__(self, run: RunKey) -> bool:
        return run in self._runs

    def __len__(self) -> int:
        return sum(len(names.waiting) for names in self._runs.values())

    def add(self, key: FileKey) -> None:
        """Let a file wait for its turn, if it does not already."""
        run = key[:2]
        if run not in self._runs:
            self._runs[run] = _Names()
            self._turns.append(run)
        self._runs[run].add(key[2])

    def discard(self, key: FileKey) -> None:
        """Let a file wait no longer."""
        run = key[:2]
        names = self._runs.get(run)
        if names is not None:
            names.waiting.discard(key[2])
            if not names.waiting:
                del self._runs[run]

    def keep(self, number: int, wanted: Callable[[str], bool]) -> None:
        """Let only these runs of a logdir wait on."""
        for run in [run for run in self._runs if run[0] == number and not wanted(run[1])]:
            del self._runs[run]

    def turns(self) -> Iterator[FileKey]:
        """Yield a file of each run that has one due now, each run once."""
        now = self.clock()
        seen: set[RunKey] = set()
        for _ in range(len(self._turns)):
            run = self._turns.popleft()
            # One that was done with and came again stands there twice.
            if run not in self._runs or run in seen:
                continue
            seen.add(run)
            self._turns.append(run)
            name = self._runs[run].first(now, partial(self._when, run))
            if name is not None:
                yield (*run, name)

    def _when(self, run: RunKey, name: str) -> float:
        return self._not_before.get((*run, name), 0.0)

    def next_due(self) -> float | None:
        """Return when the first waiting file is due; None when none waits."""
        return min(
            (self._when(run, name) for run, names in self._runs.items() for name in names.waiting),
            default=None,
        )

    def rest(self, key: FileKey, seconds: float) -> None:
        """Keep a file from its next turn for a while."""
        self._pauses.pop(key, None)
        self._not_before[key] = self.clock() + seconds

    def fail(self, key: FileKey) -> None:
        """Keep a file that could not be read from its turn, longer each time."""
        pause = min(self._pauses.get(key, FIRST_PAUSE_S / 2) * 2, LONGEST_PAUSE_S)
        self._pauses[key] = pause
        jitter = random.uniform(0.8, 1.2)  # noqa: S311 - spreads the tries, hides nothing
        self._not_before[key] = self.clock() + pause * jitter

    def pause_of(self, key: FileKey) -> float:
        """Return how long a file that could not be read pauses at present, in seconds."""
        return self._pauses.get(key, 0.0)

    def is_failing(self, key: FileKey) -> bool:
        """Tell whether the file could not be read at its last turn."""
        return key in self._pauses

    def forget_idle(self) -> None:
        """Drop the times of files that wait no longer and whose pause is over."""
        now = self.clock()
        over = [key for key, until in self._not_before.items() if until <= now]
        for key in over:
            names = self._runs.get(key[:2])
            if (names is None or key[2] not in names.waiting) and key not in self._pauses:
                del self._not_before[key]
