"""Nothing that logging meets may stop a training: problems are counted, and told now and then.

They go to the logger "orgboard" and not to `warnings`, because a script that turns warnings
into errors would be stopped by them.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Final

from orgboard._log.brief_lock import BriefLock

__all__ = [
    "BAD_VALUE",
    "DISK",
    "INTERNAL",
    "MEMORY",
    "QUEUE_FULL",
    "TROUBLE_EVERY_S",
    "Guard",
    "describe",
    "kind_of",
    "warn",
]

LOGGER_NAME: Final = "orgboard"

BAD_VALUE: Final = "bad value"
QUEUE_FULL: Final = "queue full"
DISK: Final = "disk"
MEMORY: Final = "out of memory"
INTERNAL: Final = "internal"
"""Why a value is in no file, in the words of `orgboard/dropped` (schema/FORMAT.md)."""

TROUBLE_EVERY_S: Final = 60.0
"""How often a trouble is told again while it lasts."""

SUBJECTS_KEPT: Final = 256
"""A script that makes a new mistake at every step must not fill memory, nor anybody's screen."""

_PACKAGE: Final = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120 (pathlib is 10 ms of import)


def warn(message: str) -> None:
    """Tell the user, on the logger "orgboard"; without any logging set up it goes to stderr."""
    try:
        # Imported here: it is as large as all the rest of the SDK, and mostly never needed.
        import logging

        logger = logging.getLogger(LOGGER_NAME)
        # Without a handler the bare message goes to stderr, and nobody would know whose it is.
        logger.warning("%s", message if logger.hasHandlers() else f"{LOGGER_NAME}: {message}")
    except Exception:  # noqa: BLE001 (the user's handler, or an interpreter that is shutting down)
        return


class Guard:
    """Counts what was dropped; as a context manager, turns an error into a counted drop.

    With `strict` a wrong argument raises TypeError or ValueError to the caller; what the
    environment refuses (disk, memory, a library that is not installed) never does.
    """

    __slots__ = ("_lock", "_now", "_told", "dropped", "reasons", "strict")

    def __init__(self, *, strict: bool, now: Callable[[], float] = time.monotonic) -> None:
        self.strict = strict
        self.dropped = 0
        """Values that were given and are not in a file."""
        self.reasons: dict[str, int] = {}
        """The same number by kind of trouble."""
        self._now = now
        self._told: dict[str, float] = {}
        self._lock = BriefLock()

    def count(self, kind: str, number: int = 1) -> None:
        """Count dropped values under a kind of trouble, and say nothing."""
        with self._lock:
            self.dropped += number
            self.reasons[kind] = self.reasons.get(kind, 0) + number

    def drop(self, subject: str, reason: str, number: int = 1, *, kind: str = BAD_VALUE) -> None:
        """Count dropped values; give the reason once a subject, or once a minute if it may pass."""
        self.count(kind, number)
        if kind == BAD_VALUE:
            self.tell_once(subject, f"{reason}; values were dropped, training goes on")
        else:
            self.tell(subject, f"{reason}; {self.dropped} values were dropped, training goes on")

    def tell_once(self, subject: str, message: str) -> None:
        """Warn, unless this subject was warned about before."""
        self.tell(subject, message, every_s=float("inf"))

    def tell(self, subject: str, message: str, *, every_s: float = TROUBLE_EVERY_S) -> bool:
        """Warn, unless this subject was warned about less than `every_s` ago; tell whether."""
        now = self._now()
        with self._lock:
            told = self._told.get(subject)
            is_due = now - told >= every_s if told is not None else len(self._told) < SUBJECTS_KEPT
            if is_due:
                # Before the warning itself: a logging handler may log here in its turn.
                self._told[subject] = now
        if is_due:
            warn(message)
        return is_due

    def forget_parent(self) -> None:
        """Begin anew in a forked child, where the parent's threads may have left the lock held."""
        self._lock = BriefLock()
        self.dropped = 0
        self.reasons = {}

    def __enter__(self) -> None:
        """Begin work on a value that may be anything."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        """Swallow an Exception, but never an interrupt; if strict, raise a wrong argument."""
        if not isinstance(error, Exception):
            return False
        if self._is_callers(error) and isinstance(error, (TypeError, ValueError)):
            return False
        self.refuse(error)
        return True

    def refuse(self, error: Exception) -> None:
        """Count the value that led to this error; if strict, raise for a wrong argument.

        Raises:
            TypeError, ValueError: strict, and the error is the caller's.
        """
        if self._is_callers(error):
            if isinstance(error, (TypeError, ValueError)):
                raise error
            # What a hostile value raised may not even be printable: only its kind goes on.
            raise ValueError(describe(error)) from error
        where = _call_site(error.__traceback__)
        name = type(error).__name__
        self.drop(f"{where} {name}", f"{where}: {describe(error)}", kind=kind_of(error))

    def _is_callers(self, error: Exception) -> bool:
        return self.strict and kind_of(error) == BAD_VALUE


def kind_of(error: BaseException) -> str:
    """Tell what an error says of a value: that it is wrong, or that the machine has trouble."""
    if isinstance(error, MemoryError):
        return MEMORY
    if isinstance(error, OSError):
        return DISK
    return INTERNAL if isinstance(error, ImportError) else BAD_VALUE


def describe(error: BaseException) -> str:
    """Say what went wrong, in one short line that any stream can print."""
    try:
        words = f"{type(error).__name__}: {error}"[:300]
        return words.encode("utf-8", "backslashreplace").decode().replace("\n", " ")
    except Exception:  # noqa: BLE001 (an exception may carry the caller's hostile object)
        return type(error).__name__


def _call_site(trace: TracebackType | None) -> str:
    """Name the line of the user's script that called, so that each place is told of once."""
    frame: FrameType | None = trace.tb_frame if trace is not None else sys._getframe()
    while frame is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    if frame is None:
        return "log"
    return f"{os.path.basename(frame.f_code.co_filename)}:{frame.f_lineno}"  # noqa: PTH119 (as above)
