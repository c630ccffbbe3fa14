"""Nothing that logging meets may stop a training: problems are counted, and told once.

They go to the logger "orgboard" and not to `warnings`, because a script that turns warnings
into errors would be stopped by them.
"""

from __future__ import annotations

import threading
from types import TracebackType

__all__ = ["Guard", "describe", "warn"]

LOGGER_NAME = "orgboard"


def warn(message: str) -> None:
    """Tell the user, on the logger "orgboard"; without any logging set up it goes to stderr."""
    try:
        # Imported here: it is as large as all the rest of the SDK, and mostly never needed.
        import logging
    except ImportError:
        return  # the interpreter is shutting down
    logging.getLogger(LOGGER_NAME).warning(message)


class Guard:
    """Counts what was dropped; as a context manager, turns an error into a counted drop.

    With `strict` an error goes through to the caller.
    """

    __slots__ = ("_lock", "_told", "dropped", "strict")

    def __init__(self, *, strict: bool) -> None:
        self.strict = strict
        self.dropped = 0
        """Values that were given and are not in a file."""
        self._told: set[str] = set()
        self._lock = threading.RLock()

    def drop(self, subject: str, reason: str, number: int = 1) -> None:
        """Count dropped values; give the reason once a subject."""
        with self._lock:
            self.dropped += number
        self.tell_once(subject, f"{reason}; values were dropped, training goes on")

    def tell_once(self, subject: str, message: str) -> None:
        """Warn, unless this subject was warned about before."""
        with self._lock:
            is_new = subject not in self._told
            self._told.add(subject)
        if is_new:
            warn(message)

    def forget_parent(self) -> None:
        """Begin anew in a forked child, where the parent's threads may have left the lock held."""
        self._lock = threading.RLock()
        self.dropped = 0

    def __enter__(self) -> None:
        """Begin work on a value that may be anything."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        """Swallow an Exception, but never an interrupt, unless strict."""
        if self.strict or not isinstance(error, Exception):
            return False
        self.drop(type(error).__name__, describe(error))
        return True


def describe(error: BaseException) -> str:
    """Say what went wrong, in one short line."""
    try:
        return f"{type(error).__name__}: {error}"[:300]
    except Exception:  # noqa: BLE001 (an exception may carry the caller's hostile object)
        return type(error).__name__
