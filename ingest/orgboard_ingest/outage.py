"""The database, or a store of logs, away: since when, why, how long to wait for the next try."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from orgboard_ingest.events import say

__all__ = ["FIRST_PAUSE_S", "LONGEST_PAUSE_S", "Outage"]

FIRST_PAUSE_S: Final = 0.2
LONGEST_PAUSE_S: Final = 30.0
"""Between tries; doubles from the first to the longest."""

log = logging.getLogger("orgboard.ingest")


class Outage:
    """What is said once as it begins and once as it ends, however many tries fail between."""

    def __init__(
        self, clock: Callable[[], float], what: str = "database", path: str | None = None
    ) -> None:
        self.pause = 0.0
        """Seconds before the next try; 0 unless the last one failed."""
        self.reason = ""
        """Why the last try failed, while it is away."""
        self._since: float | None = None
        self._clock = clock
        self._what = what
        self._where = {} if path is None else {"path": path}

    def seconds(self) -> float | None:
        """Return for how long it has been away, None while it is there."""
        return None if self._since is None else self._clock() - self._since

    def failed(self, reason: str) -> None:
        """Note that a try failed."""
        self.pause = min(max(FIRST_PAUSE_S, self.pause * 2), LONGEST_PAUSE_S)
        if self._since is None:
            self._since = self._clock()
            self._say(logging.WARNING, "away", reason=reason)
        elif reason != self.reason:
            self._say(logging.WARNING, "still away", reason=reason)
        self.reason = reason

    def over(self) -> None:
        """Note that a try went well, or that there was nothing to try."""
        away = self.seconds()
        self.pause, self.reason, self._since = 0.0, "", None
        if away is not None:
            self._say(logging.INFO, "back", away_s=round(away, 1))

    def _say(self, level: int, how: str, **more: str | float) -> None:
        say(log, level, f"{self._what} {how}", **self._where, **more)
