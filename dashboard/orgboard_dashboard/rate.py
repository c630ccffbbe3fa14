"""How often somebody may do a thing: so many times in so many seconds, counted in this process."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from typing import Final

__all__ = ["Rate"]

_MOST_KNOWN: Final = 10_000
"""Who did it last is known; the others did it longest ago."""


class Rate:
    """Counts what each did of late. Of several web processes each counts for itself."""

    def __init__(self, most: int, within_s: float, clock: Callable[[], float]) -> None:
        self._most = most
        self._within_s = within_s
        self._clock = clock
        self._done: OrderedDict[Hashable, deque[float]] = OrderedDict()

    def is_over(self, who: Hashable) -> bool:
        """Tell whether `who` has done it as often as one may, and is to wait."""
        done = self._done.get(who)
        now = self._clock()
        while done and done[0] <= now - self._within_s:
            done.popleft()
        return done is not None and len(done) >= self._most

    def count(self, who: Hashable) -> None:
        """Take down that `who` did it."""
        self._done.setdefault(who, deque(maxlen=self._most)).append(self._clock())
        self._done.move_to_end(who)
        if len(self._done) > _MOST_KNOWN:
            self._done.popitem(last=False)
