"""The database away: since when, why, and how long to wait before the next try."""

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

    def __init__(self, clock: Callable[[], float]) -> None:
        self.pause = 0.0
        """Seconds before the next try; 0 unless the last one failed."""
        self.reason = ""
        """Why the last try failed, while the database is away."""
        self._since: float | None = None
        self._clock = clock

    def seconds(self) -> float | None:
        """Return for how long the database has been away, None while it is there."""
        return None if self._since is None else self._clock() - self._since

    def failed(self, reason: str) -> None:
        """Note that a try failed."""
        self.pause = min(max(FIRST_PAUSE_S, self.pause * 2), LONGEST_PAUSE_S)
        if self._since is None:
            self._since = self._clock()
            say(log, logging.WARNING, "database away", reason=reason)
        elif reason != self.reason:
            say(log, logging.WARNING, "database still away", reason=reason)
        self.reason = reason

    def over(self) -> None:
        """Note that the database took something, or that there was nothing for it to take."""
        away = self.seconds()
        self.pause, self.reason, self._since = 0.0, "", None
        if away is not None:
            say(log, logging.INFO, "database back", away_s=round(away, 1))
