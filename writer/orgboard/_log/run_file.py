"""One run's current event file, and the records that are not in it yet.

While the disk refuses, records are kept up to a bound, and opening is tried again ever more
rarely. What then opens is always a new file: behind a torn record nothing may follow.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from typing import Final, NamedTuple, TypeAlias

from orgboard._encoding.records import ScalarRecords, file_header
from orgboard._log.disk import Append, create_event_file, write_all
from orgboard._log.guard import Guard, describe, warn
from orgboard._version import __version__

__all__ = ["KEPT_BYTES", "KEPT_BYTES_OTHERS", "Clock", "Outside", "RunFile"]

KEPT_BYTES: Final = 64 << 20
"""Records kept while a disk refuses: over a million scalars. Beyond it new ones are dropped."""

KEPT_BYTES_OTHERS: Final = 48 << 20
"""Pictures and the like give way first, so that curves go on."""

FIRST_RETRY_S: Final = 1.0
LAST_RETRY_S: Final = 30.0

LOOK_EVERY_S: Final = 5.0
"""How often to see whether somebody deleted the file: appending to it would still succeed."""

Clock: TypeAlias = Callable[[], float]


class Outside(NamedTuple):
    """What of the world a run's file depends on."""

    wall: Clock
    now: Clock
    """Monotonic: a clock that is set back must not stop the flushing."""
    append: Append


class RunFile:
    """Appends records to an event file, and replaces the file when it fails."""

    __slots__ = (
        "_descriptor",
        "_guard",
        "_look_at",
        "_outside",
        "_refused_bytes",
        "_retry_at",
        "_retry_s",
        "_suffix",
        "directory",
        "scalars",
        "waiting",
    )

    def __init__(self, directory: str, suffix: str, guard: Guard, outside: Outside) -> None:
        self.directory = directory
        self.waiting: list[bytes] = []
        self.scalars = ScalarRecords()
        self._suffix = suffix
        self._guard = guard
        self._outside = outside
        self._descriptor: int | None = None
        self._refused_bytes = 0
        self._retry_at = 0.0
        self._retry_s = 0.0
        self._look_at = 0.0

    @property
    def is_open(self) -> bool:
        """Whether there is a file that nothing is known against."""
        return self._descriptor is not None

    def keep(self, record: bytes, bound: int = KEPT_BYTES) -> None:
        """Take a record for the next write, unless more than `bound` bytes wait already."""
        if self._retry_s:
            self._refused_bytes += len(record)
            if self._refused_bytes > bound:
                self._refused_bytes -= len(record)
                self._guard.drop(f"full {self.directory}", f"{self.directory} cannot be written")
                return
        self.waiting.append(record)

    def open(self) -> None:
        """Create the event file and begin it.

        Raises:
            OSError, ValueError: it cannot be made or written.
        """
        now = self._outside.wall()
        descriptor = create_event_file(self.directory, self._suffix, now)
        header = file_header(now, f"orgboard {__version__}")
        error = write_all(self._outside.append, descriptor, header).error
        if error is not None:
            os.close(descriptor)
            raise error
        self._descriptor = descriptor

    def write(self, *, urgent: bool = False) -> None:
        """Append what waits. `urgent` tries a disk that refused again, without waiting its time."""
        if self._descriptor is not None:
            self._leave_deleted_file()
        if not self.waiting or (self._retry_at > self._outside.now() and not urgent):
            return
        try:
            if self._descriptor is None:
                self.open()
            self._append_waiting()
        except (OSError, ValueError) as error:
            self._put_off(error)
        else:
            self._recover()

    def close(self) -> None:
        """Close the file, if there is one. Nothing is written."""
        if self._descriptor is not None:
            # After a failed write, closing may fail for the same reason.
            with suppress(OSError):
                os.close(self._descriptor)
            self._descriptor = None

    def _append_waiting(self) -> None:
        assert self._descriptor is not None  # noqa: S101 (for the type checker; `write` opened it)
        # Taken away first: a signal's handler may write what it logged before this returns.
        taken, self.waiting = self.waiting, []
        written, error = write_all(self._outside.append, self._descriptor, b"".join(taken))
        if error is None:
            return
        whole = 0
        while written >= len(taken[whole]):
            written -= len(taken[whole])
            whole += 1
        self.waiting[:0] = taken[whole:]
        self.close()
        raise error

    def _leave_deleted_file(self) -> None:
        now = self._outside.now()
        if now < self._look_at or self._descriptor is None:
            return
        self._look_at = now + LOOK_EVERY_S
        with suppress(OSError):
            if os.fstat(self._descriptor).st_nlink == 0:
                self._guard.tell_once(
                    f"deleted {self.directory}",
                    f"the event file in {self.directory} was deleted; a new one follows",
                )
                self.close()

    def _put_off(self, error: Exception) -> None:
        if not self._retry_s:
            warn(
                f"cannot write to {self.directory} ({describe(error)}); training goes on, "
                f"up to {KEPT_BYTES >> 20} MiB are kept and will be written when it works again"
            )
        self._refused_bytes = sum(map(len, self.waiting))
        self._retry_s = min(self._retry_s * 2, LAST_RETRY_S) or FIRST_RETRY_S
        self._retry_at = self._outside.now() + self._retry_s

    def _recover(self) -> None:
        if self._retry_s:
            warn(f"writing to {self.directory} works again")
            self._retry_s = self._retry_at = 0.0
