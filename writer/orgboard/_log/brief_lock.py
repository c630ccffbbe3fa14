"""A lock for a few instructions, whose holder may vanish."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Final

__all__ = ["BriefLock"]

PATIENCE_S: Final = 1.0
"""Ten thousand times what a holder needs. Who holds it longer is no more: the interpreter ends
daemon threads wherever they are, and nobody may wait for such a one at exit."""


class BriefLock:
    """A reentrant lock, safe in signal handlers and destructors; what it guards takes microseconds.

    After a second it lets in whoever waits: a count may then be wrong, but nothing hangs.
    """

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        self._lock = threading.RLock()

    def __enter__(self) -> None:
        self._lock.acquire(timeout=PATIENCE_S)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._lock.release()
        except RuntimeError:
            return  # It was not got, and its holder is gone.
