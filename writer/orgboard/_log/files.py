"""The background thread's half: values become records, and records go into each run's file.

    items ──encode──▶ records of a run ──append──▶ its event file

One run's trouble is not another's: a sub-run whose directory cannot be made keeps, and in the
end drops, its own records only. All of this runs on one thread at a time.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Final, TypeAlias

from orgboard._encoding.records import STOP, Encode, record, session_body
from orgboard._kinds.own import DROPPED_TAG, own_record_body
from orgboard._log.account import SMALL_BYTES, Account
from orgboard._log.guard import DISK, QUEUE_FULL, Guard, describe, kind_of
from orgboard._log.outside import Outside
from orgboard._log.run_file import RunFile, cost

__all__ = ["MAIN", "Item", "RunFiles", "finish_run"]

Item: TypeAlias = tuple[str, Encode | None, str, Any, int, float, int]
"""Which run (a path below the log directory), how to encode (None: a float32 scalar), tag,
value, step, wall time, bytes on the queue's account. A plain tuple, because making one is most
of what `add_scalar` costs."""

OPEN_FILES: Final = 64
"""With more runs than this, a sub-run's file is open only while it is written to: the training
needs descriptors too."""

MAIN: Final = ""
"""The run of the log directory itself."""


def finish_run(_tag: str, _value: object) -> bytes:
    """Stand in an item for "this sub-run is complete": record its end, close its file."""
    return session_body(STOP)


class RunFiles:
    """The event files under one log directory: of its own run and of the sub-runs below it."""

    def __init__(
        self,
        log_dir: str,
        suffix: str,
        guard: Guard,
        outside: Outside,
        *,
        fsync_secs: float | None = None,
    ) -> None:
        self._log_dir = log_dir
        with suppress(OSError, ValueError):
            # A script may change its directory before the next file is made.
            self._log_dir = os.path.abspath(log_dir)  # noqa: PTH100 (pathlib is 10 ms of import)
        self._suffix = suffix
        self._guard = guard
        self._outside = outside
        self._fsync_secs = fsync_secs
        self._runs: dict[str, RunFile] = {}
        self._reported = 0
        self.account = Account()

    @property
    def is_refused(self) -> bool:
        """Whether a disk refuses the records of some run."""
        return self.account.kept > 0

    @property
    def is_open(self) -> bool:
        """Whether a run is not ended yet."""
        return bool(self._runs)

    @property
    def owes_report(self) -> bool:
        """Whether values were dropped since the last time that this was logged."""
        return self._guard.dropped != self._reported and MAIN in self._runs

    def open_main(self) -> None:
        """Create the log directory's own event file, now.

        Raises:
            OSError, ValueError: it cannot be made or written.
        """
        self._run(MAIN).open()

    def encode(self, items: Iterable[Item], unforeseen: type[BaseException] = Exception) -> None:
        """Turn items into records. One that cannot be encoded is dropped and counted.

        `unforeseen` is what may not go through; on a thread of our own, that is everything.
        """
        where, run = MAIN, self._run(MAIN)
        refuses, add = run.refuses, run.waiting.append
        for item_where, encode, tag, value, step, wall_time, _ in items:
            try:
                if item_where != where:
                    where, run = item_where, self._run(item_where)
                    refuses, add = run.refuses, run.waiting.append
                if encode is None:
                    new = run.scalars.encode(tag, value, step, wall_time)
                elif (body := encode(tag, value)) is not None:
                    new = record(body, step, wall_time)
                else:
                    continue
                if refuses:
                    self._keep(run, new)
                else:
                    add(new)
            except unforeseen as error:
                self._refuse(encode, tag, error)
            if encode is finish_run:
                self._end(self._runs.pop(where))
                where, run = MAIN, self._run(MAIN)
                refuses, add = run.refuses, run.waiting.append

    def write(self, *, urgent: bool = False) -> None:
        """Append what waits to every run's file. `urgent` tries a disk that refused at once."""
        parks = len(self._runs) > OPEN_FILES
        for where, run in self._runs.items():
            run.write(urgent=urgent)
            if parks and where:
                run.park()
        if self._guard.dropped != self._reported:
            self._report_dropped(urgent=urgent)

    def finish(self) -> None:
        """Record the end of every run and close all files. What a disk still refuses is dropped."""
        main = self._runs.pop(MAIN, None)
        for run in self._runs.values():
            self._stop(run)
        self._runs.clear()
        if main is not None:
            self._runs[MAIN] = main
            self.write(urgent=True)
            self._stop(self._runs.pop(MAIN))

    def forget_parent(self) -> None:
        """Let go of what a forked child inherited, without writing: the parent will."""
        for run in self._runs.values():
            run.close()
        self._runs.clear()
        self._reported = 0
        self.account = Account()

    def _run(self, where: str) -> RunFile:
        run = self._runs.get(where)
        if run is None:
            directory = os.path.join(self._log_dir, where) if where else self._log_dir  # noqa: PTH118 (pathlib is 10 ms of import)
            run = RunFile(
                directory, self._suffix, self._guard, self._outside, self.account, self._fsync_secs
            )
            self._runs[where] = run
        return run

    def _keep(self, run: RunFile, new: bytes) -> None:
        """Keep a record that a disk refuses, if need be instead of larger ones."""
        if not self.account.may_keep(cost(new)) and len(new) <= SMALL_BYTES:
            gone = sum(each.give_way() for each in self._runs.values())
            if gone:
                self._guard.count(QUEUE_FULL, gone)
        if self.account.may_keep(cost(new)):
            run.keep(new)
        else:
            reason = f"{run.directory} cannot be written and no more is kept"
            self._guard.drop("full", reason, kind=QUEUE_FULL)

    def _refuse(self, encode: Encode | None, tag: str, error: BaseException) -> None:
        kind = kind_of(error)
        subject = f"{getattr(encode, '__name__', 'scalar')} {type(error).__name__}"
        self._guard.drop(subject, f"{tag!a:.100}: {describe(error)}", kind=kind)

    def _stop(self, run: RunFile) -> None:
        """Record the end of a run, and close its file."""
        run.write(urgent=True)
        if not run.waiting and run.is_open:
            run.waiting.append(record(session_body(STOP), 0, self._outside.wall()))
            run.write(urgent=True)
            # A disk that takes no more leaves a run without its end; that is no value.
            run.give_up()
        self._end(run)

    def _end(self, run: RunFile) -> None:
        """Close the file of a run whose end is recorded."""
        run.write(urgent=True)
        if run.waiting:
            reason = f"{run.directory} could not be written when it was closed"
            self._guard.drop("closed", reason, run.give_up(), kind=DISK)
        run.end()

    def _report_dropped(self, *, urgent: bool) -> None:
        """Log how many values were dropped and why, unless main's file takes nothing now."""
        main = self._run(MAIN)
        main.write(urgent=urgent, reopen=True)
        if main.waiting or not main.is_open:
            return
        dropped, reasons = self._guard.dropped, dict(self._guard.reasons)
        import json

        told = json.dumps({"dropped": dropped, "reasons": reasons})
        body = own_record_body(DROPPED_TAG, told)
        main.waiting.append(record(body, 0, self._outside.wall()))
        main.write(urgent=True)
        if main.waiting:
            main.give_up()
        else:
            self._reported = dropped
