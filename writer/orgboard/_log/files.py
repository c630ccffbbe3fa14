"""The background thread's half: values become records, and records go into each run's file.

    items ──encode──▶ records of a run ──append──▶ its event file

One run's trouble is not another's: a sub-run whose directory cannot be made keeps, and in the
end drops, its own records only. All of this runs on one thread at a time.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, Final, TypeAlias

from orgboard._encoding.records import STOP, Encode, record, session_body
from orgboard._kinds.own import DROPPED_TAG, own_record_body
from orgboard._log.guard import Guard, describe
from orgboard._log.run_file import KEPT_BYTES_OTHERS, Outside, RunFile

__all__ = ["MAIN", "Item", "RunFiles", "finish_run"]

Item: TypeAlias = tuple[str, Encode | None, str, Any, int, float, int]
"""Which run (a path below the log directory), how to encode (None: a float32 scalar), tag,
value, step, wall time, bytes on the queue's account. A plain tuple, because making one is most
of what `add_scalar` costs."""

MAIN: Final = ""
"""The run of the log directory itself."""


def finish_run(_tag: str, _value: object) -> bytes:
    """Stand in an item for "this sub-run is complete": record its end, close its file."""
    return session_body(STOP)


class RunFiles:
    """The event files under one log directory: of its own run and of the sub-runs below it."""

    def __init__(self, log_dir: str, suffix: str, guard: Guard, outside: Outside) -> None:
        self._log_dir = log_dir
        self._suffix = suffix
        self._guard = guard
        self._outside = outside
        self._runs: dict[str, RunFile] = {}
        self._reported = 0

    def open_main(self) -> None:
        """Create the log directory's own event file, now.

        Raises:
            OSError, ValueError: it cannot be made or written.
        """
        self._run(MAIN).open()

    def encode(self, items: Iterable[Item]) -> None:
        """Turn items into records. One that cannot be encoded is dropped and counted."""
        where, run = MAIN, self._run(MAIN)
        for item_where, encode, tag, value, step, wall_time, _ in items:
            if item_where != where:
                where, run = item_where, self._run(item_where)
            try:
                if encode is None:
                    run.keep(run.scalars.encode(tag, value, step, wall_time))
                elif (body := encode(tag, value)) is not None:
                    run.keep(record(body, step, wall_time), KEPT_BYTES_OTHERS)
            except Exception as error:  # noqa: BLE001 (a caller's value must not end the thread)
                self._guard.drop(type(error).__name__, f"{tag!r}: {describe(error)}")
            if encode is finish_run:
                self._end(self._runs.pop(where))
                where, run = MAIN, self._run(MAIN)

    def write(self, *, urgent: bool = False) -> None:
        """Append what waits to every run's file. `urgent` tries a disk that refused at once."""
        self._report_dropped()
        for run in self._runs.values():
            run.write(urgent=urgent)

    def finish(self) -> None:
        """Record the end of every run and close all files. What a disk still refuses is dropped."""
        self.write(urgent=True)
        for run in self._runs.values():
            if run.is_open:
                run.keep(record(session_body(STOP), 0, self._outside.wall()))
            self._end(run)
        self._runs.clear()

    def forget_parent(self) -> None:
        """Let go of what a forked child inherited, without writing: the parent will."""
        for run in self._runs.values():
            run.close()
        self._runs.clear()
        self._reported = 0

    def _run(self, where: str) -> RunFile:
        run = self._runs.get(where)
        if run is None:
            directory = os.path.join(self._log_dir, where) if where else self._log_dir  # noqa: PTH118 (pathlib is 10 ms of import)
            run = RunFile(directory, self._suffix, self._guard, self._outside)
            self._runs[where] = run
        return run

    def _end(self, run: RunFile) -> None:
        run.write(urgent=True)
        if run.waiting:
            reason = f"{run.directory} could not be written when it was closed"
            self._guard.drop(reason, reason, len(run.waiting))
        run.close()

    def _report_dropped(self) -> None:
        dropped = self._guard.dropped
        main = self._run(MAIN)
        if dropped == self._reported or not main.is_open:
            return
        # The count is the step too: it only grows, so no reader takes it for a restart.
        body = own_record_body(DROPPED_TAG, f'{{"dropped": {dropped}}}')
        main.keep(record(body, dropped, self._outside.wall()))
        self._reported = dropped
