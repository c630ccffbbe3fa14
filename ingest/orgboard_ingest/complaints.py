"""Say what goes wrong once, and again after a minute if it still does."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

from orgboard_ingest.events import printable, say

__all__ = ["Complaints", "printable"]

REPEAT_AFTER_S: Final = 60.0
"""How long a complaint is not repeated."""

MOST_LINES: Final = 100
"""In that time, of all complaints: a broken disk has a hundred thousand files."""


class Complaints:
    """A log that says each thing about each place at most once a minute, and never floods."""

    def __init__(self, log: logging.Logger, clock: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._clock = clock
        self._said: dict[tuple[str, str, str], float] = {}
        self._withheld = 0
        self._withheld_since = 0.0

    def say(self, place: str, what: str, event: str = "cannot be read") -> None:
        """Log `what` about the file or folder `place`, unless that was done a moment ago."""
        now = self._clock()
        self._tell_withheld(now)
        about = (event, place, what)
        if about in self._said and now - self._said[about] < REPEAT_AFTER_S:
            return
        if len(self._said) >= MOST_LINES:
            over = now - REPEAT_AFTER_S
            self._said = {key: when for key, when in self._said.items() if when > over}
        if len(self._said) >= MOST_LINES:
            self._withheld_since = self._withheld_since if self._withheld else now
            self._withheld += 1
            return
        self._said[about] = now
        say(self._log, logging.WARNING, event, path=place, reason=what)

    def _tell_withheld(self, now: float) -> None:
        if self._withheld and now - self._withheld_since >= REPEAT_AFTER_S:
            say(self._log, logging.WARNING, "more complaints", withheld=self._withheld)
            self._withheld = 0
