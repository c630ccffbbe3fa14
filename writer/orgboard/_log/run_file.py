"""One run's current event file, and the records that are not in it yet.

While the disk refuses, records are kept, and opening is tried again ever more rarely. What then
opens is always a new file: behind a torn record nothing may follow.
"""

from __future__ import annotations

import errno
from contextlib import suppress
from typing import Final

from orgboard._encoding.records import ScalarRecords, file_header
from orgboard._log.account import SMALL_BYTES, WAITING_BYTES, Account
from orgboard._log.disk import (
    OpenFile,
    create_event_file,
    discard,
    open_again,
    standing,
    write_all,
)
from orgboard._log.guard import Guard, describe
from orgboard._log.outside import Outside
from orgboard._version import __version__

__all__ = ["RunFile", "cost"]

FIRST_RETRY_S: Final = 1.0
LAST_RETRY_S: Final = 30.0

REMADE_EVERY_S: Final = 30.0
"""Who deletes a directory again and again shall not fight with us."""

CHUNK_BYTES: Final = 1 << 20
"""Small records are joined up to this for one call; large ones go without a second copy."""

RECORD_BYTES: Final = 48
"""What a kept record takes in memory beside its bytes."""


def cost(record: bytes) -> int:
    """Tell what a kept record takes in memory."""
    return len(record) + RECORD_BYTES


class RunFile:
    """Appends records to an event file, and replaces the file when it fails."""

    __slots__ = (
        "_account",
        "_file",
        "_guard",
        "_has_records",
        "_kept",
        "_outside",
        "_parked",
        "_remade_at",
        "_retry_at",
        "_retry_s",
        "_size",
        "_suffix",
        "_sync_at",
        "_sync_s",
        "_unsynced",
        "_was_deleted",
        "directory",
        "scalars",
        "waiting",
    )

    def __init__(
        self,
        directory: str,
        suffix: str,
        guard: Guard,
        outside: Outside,
        account: Account,
        fsync_secs: float | None = None,
    ) -> None:
        self.directory = directory
        self.waiting: list[bytes] = []
        self.scalars = ScalarRecords()
        self._suffix = suffix
        self._guard = guard
        self._outside = outside
        self._account = account
        self._file: OpenFile | None = None
        self._parked: OpenFile | None = None
        self._size = 0
        self._has_records = False
        self._kept = 0
        self._retry_at = 0.0
        self._retry_s = 0.0
        self._was_deleted = False
        self._remade_at = float("-inf")
        self._sync_s = fsync_secs
        self._sync_at = float("-inf")
        self._unsynced = False

    @property
    def is_open(self) -> bool:
        """Whether there is a file that nothing is known against."""
        return self._file is not None or self._parked is not None

    @property
    def refuses(self) -> bool:
        """Whether writing failed, and was not possible again since."""
        return self._retry_s > 0

    def keep(self, record: bytes) -> None:
        """Take a record for the next write."""
        if self._retry_s:
            self._keep_on_account(self._kept + cost(record))
        self.waiting.append(record)

    def give_way(self) -> int:
        """Let go of the kept records that are large; tell how many those were."""
        small = [record for record in self.waiting if len(record) <= SMALL_BYTES]
        number = len(self.waiting) - len(small)
        if number:
            self.waiting[:] = small
            self._keep_on_account(sum(map(cost, small)))
        return number

    def give_up(self) -> int:
        """Let go of all records that wait; tell how many those were."""
        number = len(self.waiting)
        self.waiting = []
        self._keep_on_account(0)
        return number

    def open(self) -> None:
        """Create the event file and begin it.

        Raises:
            OSError, ValueError, MemoryError: it cannot be made or written.
        """
        now = self._outside.wall()
        file = create_event_file(self._outside, self.directory, self._suffix, now)
        header = file_header(now, f"orgboard {__version__}")
        written, error = write_all(self._outside.append, file.descriptor, header)
        if error is not None:
            discard(self._outside, file)
            raise error
        self._file = file
        self._size = written
        self._has_records = False

    def write(self, *, urgent: bool = False, reopen: bool = False) -> None:
        """Append what waits. `urgent` tries a disk that refused again, without waiting its time.

        With `reopen` a refusing disk is tried even when nothing waits.
        """
        now = self._outside.now()
        wants = self.waiting or (reopen and self.refuses)
        if not (wants or self._sync_is_due(now)) or (self._retry_at > now and not urgent):
            return
        try:
            self._leave_lost_file(now, urgent=urgent)
            if self._file is None and self._parked is not None:
                self._file, self._parked = open_again(self._outside, self._parked), None
            if self._file is None and wants:
                self.open()
                self._remade_at = now if self._was_deleted else self._remade_at
            self._append_waiting()
            if self._sync_is_due(now):
                self._sync(now)
        except (OSError, ValueError, MemoryError) as error:
            self._put_off(error)
        else:
            self._recover()

    def park(self) -> None:
        """Close the file until the next record, so that many runs do not take all descriptors."""
        if self._file is not None and self._sync_s is None:
            parked = self._file
            self.close()
            self._parked = parked

    def close(self) -> None:
        """Close the file, if there is one. Nothing is written."""
        file, self._file, self._parked = self._file, None, None
        # After a failed write, closing may fail for the same reason; and a number that somebody
        # else's file has got is not ours to close.
        with suppress(OSError):
            if file is not None and standing(self._outside, file, self._size).is_ours:
                self._outside.close(file.descriptor)

    def end(self) -> None:
        """Close a file that is complete; with `fsync_secs`, once it is on the disk."""
        if self._file is not None and self._sync_s is not None and self._unsynced:
            with suppress(OSError):
                self._outside.sync(self._file.descriptor)
        self._unsynced = False
        self.close()

    def _append_waiting(self) -> None:
        # Taken away first: a signal's handler may write what it logged before this returns.
        taken, self.waiting = self.waiting, []
        done = 0
        try:
            while done < len(taken):
                done += self._append(taken, done)
        finally:
            if done < len(taken):
                self.waiting[:0] = taken[done:]

    def _append(self, records: list[bytes], start: int) -> int:
        """Append some of the records from `start` on, in one piece; tell how many are whole."""
        if self._file is None:
            raise OSError(errno.EBADF, "the file was closed meanwhile")
        end = _chunk_end(records, start)
        chunk = records[start] if end == start + 1 else b"".join(records[start:end])
        written, error = write_all(self._outside.append, self._file.descriptor, chunk)
        self._size += written
        self._unsynced = True
        if error is None:
            self._has_records = True
            return end - start
        whole = start
        while written >= len(records[whole]):
            written -= len(records[whole])
            whole += 1
        self._has_records |= whole > start
        del records[start:whole]
        raise error

    def _leave_lost_file(self, now: float, *, urgent: bool) -> None:
        """Stop writing to a file that was deleted, or whose descriptor is somebody else's now."""
        if self._file is None:
            return
        now_standing = standing(self._outside, self._file, self._size)
        if not now_standing.is_ours:
            self._file = None
            self._tell("closed", "the event file in {} was closed by another part of the program")
        elif now_standing.is_deleted:
            self.close()
            self._tell("deleted", "the event file in {} was deleted; a new one follows")
            self._was_deleted = True
            if now < self._remade_at + REMADE_EVERY_S and not urgent:
                raise FileNotFoundError(errno.ENOENT, "deleted again")

    def _sync_is_due(self, now: float) -> bool:
        return (
            self._unsynced
            and self._sync_s is not None
            and self._file is not None
            and now - self._sync_at >= self._sync_s
        )

    def _sync(self, now: float) -> None:
        assert self._file is not None  # noqa: S101 (for the type checker; it is due)
        self._sync_at = now
        # Before the call: after a failure nobody knows what is on the disk, and what was given
        # to it is not given again, because most of it may be there.
        self._unsynced = False
        self._outside.sync(self._file.descriptor)

    def _put_off(self, error: Exception) -> None:
        """Leave the file that failed, and try a new one later."""
        file = self._file
        if file is not None and self.refuses and not self._has_records:
            self._file = None
            discard(self._outside, file)
        self.close()
        self._keep_on_account(sum(map(cost, self.waiting)))
        self._retry_s = min(self._retry_s * 2, LAST_RETRY_S) or FIRST_RETRY_S
        self._retry_at = self._outside.now() + self._retry_s
        if isinstance(error, FileNotFoundError) and self._was_deleted:
            self._retry_at = max(self._retry_at, self._remade_at + REMADE_EVERY_S)
        self._guard.tell(
            f"refused {getattr(error, 'errno', None)}",
            f"cannot write to {self.directory} ({describe(error)}); training goes on, "
            f"up to {WAITING_BYTES >> 20} MiB are kept and will be written when it works again",
        )

    def _recover(self) -> None:
        if self.refuses:
            self._retry_s = self._retry_at = 0.0
            self._keep_on_account(0)
            self._guard.tell("recovered", f"writing to {self.directory} works again")

    def _tell(self, subject: str, message: str) -> None:
        self._guard.tell(subject, message.format(self.directory))

    def _keep_on_account(self, kept: int) -> None:
        self._account.kept += kept - self._kept
        self._kept = kept


def _chunk_end(records: list[bytes], start: int) -> int:
    """Tell where the records end that are joined for one call; at least one is."""
    if not start and sum(map(len, records)) <= CHUNK_BYTES:
        return len(records)
    end, size = start + 1, len(records[start])
    while end < len(records) and size + len(records[end]) <= CHUNK_BYTES:
        size += len(records[end])
        end += 1
    return end
