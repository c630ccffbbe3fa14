"""Paths that may have changed, on their way from whoever saw it to the loop."""

from __future__ import annotations

import threading

__all__ = ["Hints"]


class Hints:
    """Paths that may have changed, handed from the watching threads to the loop."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._paths: set[str] = set()
        self._rescan = False
        self._woken = False

    def add(self, path: str) -> None:
        """Say that the event file at `path` may have grown."""
        with self._changed:
            self._paths.add(path)
            self._changed.notify()

    def add_rescan(self) -> None:
        """Say that directories came or moved."""
        with self._changed:
            self._rescan = True
            self._changed.notify()

    def wake(self) -> None:
        """End the current or next `wait` at once. Safe in a signal handler."""
        # The condition's lock is re-entrant: the handler's own thread may hold it.
        with self._changed:
            self._woken = True
            self._changed.notify()

    def wait(self, timeout_s: float) -> None:
        """Return when there is a hint, after `timeout_s` at the latest."""
        with self._changed:
            if not (self._paths or self._rescan or self._woken):
                self._changed.wait(timeout_s)
            self._woken = False

    def take(self) -> tuple[set[str], bool]:
        """Return the paths hinted at since the last call, and whether to rescan."""
        with self._changed:
            paths, self._paths = self._paths, set()
            rescan, self._rescan = self._rescan, False
            return paths, rescan
