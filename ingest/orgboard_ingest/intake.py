"""Bring the files of one logdir into SQL, one batch at a time.

    read_on ─▶ stage ─▶ plan ─▶ commit              points and offset, one transaction
       │                  └─ disagrees ─▶ shadow    other attempts: the run is read anew
       └─ replaced ─▶ shadow, next generation       another file took the name

A run is read anew in its shadow (`orgboard_schema.sql.shadow`), which takes the run's place
once it has read as far as the files go.

What is known of a run is a cache (`catalog`). Every transaction checks the run's revision
first, so a rival's commit is noticed before it could be contradicted; then the run is
looked up again and the batch read anew.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, TypeVar

from sqlalchemy import Engine

from orgboard_ingest.attempts import later
from orgboard_ingest.catalog import (
    KnownFile,
    KnownRun,
    load_described,
)
from orgboard_ingest.commit import Stored, note_look, remember, store
from orgboard_ingest.ending import ending_with
from orgboard_ingest.logdir import Logdir
from orgboard_ingest.looking import Look, Read, Reader
from orgboard_ingest.plan import Plan, facts_missing, plan_alone, plan_batch
from orgboard_ingest.rereading import (
    Changed,
    awaited,
    is_read,
    read_facts,
)
from orgboard_ingest.roots import Away, Root
from orgboard_ingest.stage import Staged
from orgboard_ingest.tail import Reading
from orgboard_ingest.transactions import read_once, write_once
from orgboard_schema.errors import DatabaseUnreachable, OffsetMoved
from orgboard_schema.sql.registry import FileRow
from orgboard_schema.sql.runs import RunState
from orgboard_schema.wire.batch import Batch

__all__ = ["BATCHES_AT_ONCE", "Advance", "Intake"]

BATCHES_AT_ONCE: Final = 2
"""Large batches that are read side by side before they are stored: what bounds memory."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Advance:
    """What one step brought."""

    bytes: int = 0
    points: int = 0
    again: bool = False
    """Whether the file has, or may have, more to give at once."""
    reread: bool = False
    """Whether all files of the run have to be read again."""
    gaps: int = 0
    """Damaged places found on the way."""


class Intake(Logdir):
    """Read one logdir's files into SQL."""

    def __init__(
        self,
        engine: Engine,
        root: Root,
        logdir_id: int,
        *,
        batch_bytes: int,
        idle_s: float = 0.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(engine, root, logdir_id, clock=clock)
        self._batch_bytes = batch_bytes
        self._idle_s = idle_s

    def advance(self, run_name: str, name: str) -> Advance:
        """Read and store the next batch of one file.

        Raises:
            OSError: The file cannot be read.
            DatabaseUnreachable: The database is away.
        """
        (advance,) = self.advance_all([(run_name, name)])
        if isinstance(advance, Exception):
            raise advance
        return advance

    def advance_all(self, files: Sequence[tuple[str, str]]) -> list[Advance | Exception]:
        """Read and store the next batch of each of some files of different runs.

        All that they bring is one transaction, because a transaction costs more than a file
        of a few hundred points. What one of them cannot be read or stored for stands in its
        place, and does not touch the others.

        Raises:
            DatabaseUnreachable: The database is away.
        """
        found = [self._attempt(partial(self._look, *file)) for file in files]
        looks = [each for each in found if isinstance(each, Look)]
        answers: list[Advance | Exception] = []
        waiting: list[Advance | Exception | Stored] = []
        octets = 0
        reader = Reader(self.root, self._batch_bytes, self.clock(), self.marks)
        with closing(reader.read(looks)) as readings:
            for each in found:
                if not isinstance(each, Look):
                    waiting.append(each)
                    continue
                prepared = self._attempt(partial(self._prepare, each, next(readings)))
                waiting.append(prepared)
                octets += _octets(prepared)
                # How much comes out of a packed file nobody knows before: is there room for one?
                if octets > (BATCHES_AT_ONCE - 1) * self._batch_bytes:
                    answers += self._stored_or_not(waiting)
                    waiting, octets = [], 0
        return answers + self._stored_or_not(waiting)

    def _attempt(self, step: Callable[[], _T]) -> _T | Exception:
        """Do this for one file and return what came of it, or why it went wrong."""
        try:
            return step()
        except DatabaseUnreachable:
            raise
        except Exception as error:  # noqa: BLE001 - one file's defect must not stop the others
            return error

    def _stored_or_not(
        self, some: Sequence[Advance | Exception | Stored]
    ) -> list[Advance | Exception]:
        """Store what is to be stored of these, and give each its answer."""
        answers = iter(self._store([each for each in some if isinstance(each, Stored)]))
        return [next(answers) if isinstance(each, Stored) else each for each in some]

    def _look(self, run_name: str, name: str) -> Look | Advance:
        """Find a file and what must be known of its run; an answer where there is one already."""
        path = self.place(run_name, name)
        before = self.runs.get(run_name)
        run = self._known(run_name, name, path)
        if before is not None and run is not before:
            return Advance(again=True, reread=True)  # A rival set it back.
        file = run.files.get(name)
        if run.deleted:
            return Advance()
        if file is None:
            # Its run was replaced at that very moment.
            return Advance(again=True)
        if run.replaces is not None and not awaited(run, file):
            # Not further before the others: the run changes places first.
            return self._swapped(run, Advance())
        self._describe(run)
        return Look(run, file, path)

    def _describe(self, run: KnownRun) -> None:
        """Look up what was said of the run's tags and attempts, where that is not known."""
        if run.remembered is not None and run.cuts is not None:
            return
        if run.revision == 0:
            # Nothing was ever stored of it.
            run.remembered, run.cuts = {}, {}
            return
        described = partial(load_described, run_id=run.run_id)
        run.remembered, run.cuts = read_once(self.engine, described)

    def _prepare(self, look: Look, read: Read | Exception) -> Stored | Advance:
        """Place what was read of a file; an answer where there is nothing to store."""
        run, file = look.run, look.file
        if isinstance(read, Exception):
            gone = isinstance(read, OSError) and not isinstance(read, Away)
            if gone and awaited(run, file):
                self.give_up(run)
            raise read
        reading, staged = read.reading, read.staged
        if reading.batch is None:
            return self._replace(run, file, reading)
        if reading.batch.end == reading.batch.start or staged is None:
            self._note_look(file, reading, reading.batch.pending, "")
            return self._swapped(run, Advance())
        ends = self._is_final(run, file, reading)
        plan = self._plan(run, file, reading.batch, staged, final=ends)
        if not plan.agrees:
            # With what this batch said, or the next reading would go wrong in the same place.
            file.facts, file.known_end = plan.facts, max(file.known_end, reading.batch.end)
            missing = self.read_anew(run)
            if missing is None:
                return Advance(again=True, reread=True)
            plan = plan_alone(run, file, staged)
        if reading.batch.gaps:
            self.young_gaps.add((run.name, file.row.name))
        ending = ending_with(
            run.finished,
            run.end_wall,
            later(run.last_event, reading.batch.last_wall),
            reading.batch,
        )
        return Stored(run, file, reading, reading.batch, staged, plan, ending, ends)

    def _is_final(self, run: KnownRun, file: KnownFile, reading: Reading) -> bool:
        """Tell whether nothing more is expected of a run once this much of a file is stored."""
        if reading.has_more:
            return False
        if self.clock() - reading.mtime_ns / 1e9 < self._idle_s:
            return False
        # A file that was never looked at has no time yet.
        return all(
            other.row.mtime_ns and is_read(other.row)
            for other in run.files.values()
            if other is not file
        )

    def _known(self, run_name: str, name: str, path: str) -> KnownRun:
        run = self.runs.get(run_name)
        if run is None or not (run.deleted or name in run.files):
            # What is not there makes no run.
            self.root.size(path)
            self.register([(run_name, name)])
        return self.runs[run_name]

    def _plan(
        self, run: KnownRun, file: KnownFile, batch: Batch, staged: Staged, *, final: bool
    ) -> Plan:
        if batch.start < file.known_end < batch.end:
            file.forget()
        try:
            for known in facts_missing(run, file, staged):
                read_facts(self.root, run, known, self._batch_bytes, self.marks)
        except Away:
            # Nothing is known of the file: without it, points would get other attempts.
            raise
        except (OSError, Changed):
            return plan_alone(run, file, staged)
        return plan_batch(run, file, batch, staged, final=final)

    def _store(self, some: Sequence[Stored]) -> list[Advance | Exception]:
        """Store batches together; one by one when together they are refused."""
        if not some:
            return []
        try:
            rows = write_once(self.engine, lambda conn: store(conn, some, now=self.clock()))
        except DatabaseUnreachable:
            raise
        except Exception as error:  # noqa: BLE001 - whose fault it was is found by storing each alone
            if len(some) > 1:
                return [answer for new in some for answer in self._store([new])]
            if not isinstance(error, OffsetMoved):
                return [error]
            return [Advance(again=True, reread=self.was_set_back(some[0].run))]
        return [
            self._attempt(partial(self._stored, new, *row))
            for new, row in zip(some, rows, strict=True)
        ]

    def _stored(self, new: Stored, row: FileRow, state: RunState) -> Advance:
        """Take over into memory what was stored."""
        run, batch, ending = new.run, new.batch, new.ending
        remember(new)
        new.file.row, run.revision = row, state.revision
        run.settled = new.final
        run.attempts = max(run.attempts, new.plan.attempts[-1] + 1)
        run.finished = ending.reason if ending is not None else None
        run.end_wall = ending.wall if ending is not None else None
        run.last_event = later(run.last_event, batch.last_wall)
        points = len(batch.scalars) + len(batch.points)
        more = new.reading.has_more
        done = self._swapped(
            run, Advance(batch.end - batch.start, points, again=more, gaps=len(batch.gaps))
        )
        if new.final:
            run.forget()
        return done

    def _swapped(self, run: KnownRun, done: Advance) -> Advance:
        """Let a shadow take its run's place if it can; then there is more to read of all files."""
        return replace(done, again=True, reread=True) if self.finish(run) else done

    def _replace(self, run: KnownRun, file: KnownFile, reading: Reading) -> Advance:
        if reading.size == 0:
            # Whoever writes it anew has not begun. Nothing is shown less for that.
            if awaited(run, file):
                self.give_up(run)
            else:
                self.note_error(file, f"{reading.replaced}; what was read of it stays")
            return Advance()
        missing = self.read_anew(run, {file.row.name: reading.size})
        if missing is None:
            return Advance(again=True, reread=True)
        # Reading the run again would lose what only the database still has.
        self.note_error(file, f"{reading.replaced}; other files of the run are gone ({missing})")
        return Advance()

    def _note_look(
        self, file: KnownFile, reading: Reading, pending: str | None, error: str
    ) -> None:
        row = file.row
        seen = replace(
            row, size=reading.size, mtime_ns=reading.mtime_ns, pending=pending, error=error
        )
        if seen != row:
            write_once(self.engine, lambda conn: note_look(conn, seen))
            file.row = seen


def _octets(prepared: Advance | Exception | Stored) -> int:
    return prepared.batch.end - prepared.batch.start if isinstance(prepared, Stored) else 0
