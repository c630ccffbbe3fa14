"""Say what goes wrong once, and again after a minute if it still does."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

__all__ = ["Complaints", "printable"]

REPEAT_AFTER_S: Final = 60.0
"""A thousand unreadable files are a thousand lines a minute, not a second."""

MOST_REMEMBERED: Final = 10_000


class Complaints:
    """A log that says each thing about each place at most once a minute."""

    def __init__(self, log: logging.Logger, clock: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._clock = clock
        self._said: dict[tuple[str, str], float] = {}

    def say(self, place: str, what: str) -> None:
        """Log `what` about `place`, unless that was done within the last minute."""
        now = self._clock()
        if now - self._said.get((place, what), float("-inf")) < REPEAT_AFTER_S:
            return
        if len(self._said) >= MOST_REMEMBERED:
            self._said.clear()
        self._said[(place, what)] = now
        self._log.warning("%s: %s", printable(place), what)


def printable(place: str) -> str:
    """Return a path that any terminal or log file takes, on one line.

    Who makes a directory chooses its name: one that recolours a terminal, or turns the
    order of what is read, shows as what it is.
    """
    return "".join(char if char.isprintable() else _escaped(char) for char in place)


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode()
