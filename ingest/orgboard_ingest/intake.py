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
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import Connection, Engine

from orgboard_ingest import moves
from orgboard_ingest.catalog import (
    KnownFile,
    KnownRun,
    is_worth_packing,
    load_described,
    load_run,
    load_runs,
)
from orgboard_ingest.commit import Stored, note_error, note_look, read_anew, store
from orgboard_ingest.ending import ending_with
from orgboard_ingest.plan import Plan, facts_missing, plan_alone, plan_batch
from orgboard_ingest.regaps import YoungGaps, files_with_young_gaps
from orgboard_ingest.register import RUNS_AT_ONCE, register
from orgboard_ingest.rereading import (
    Changed,
    awaited,
    carry_facts,
    first_unreadable,
    is_read,
    read_facts,
)
from orgboard_ingest.stage import Staged, stage
from orgboard_ingest.tail import Head, Reading, read_on
from orgboard_ingest.transactions import read_once, write_once
from orgboard_schema.errors import OffsetMoved
from orgboard_schema.sql.compact import compact
from orgboard_schema.sql.shadow import give_up_shadow, swap
from orgboard_schema.wire.batch import Batch

__all__ = ["Advance", "Intake"]


@dataclass(frozen=True, slots=True)
class Advance:
    """What one step brought."""

    bytes: int = 0
    points: int = 0
    again: bool = False
    """Whether the file has, or may have, more to give at once."""
    reread: bool = False
    """Whether all files of the run have to be read again."""


class Intake:
    """Read one logdir's files into SQL."""

    def __init__(
        self,
        engine: Engine,
        root: Path,
        logdir_id: int,
        *,
        batch_bytes: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.root = root
        self.logdir_id = logdir_id
        self.runs: dict[str, KnownRun] = {}
        self.gone: set[str] = set()
        """Runs of which the last scan found no file."""
        self.engine = engine
        self._batch_bytes = batch_bytes
        self.clock = clock
        self.young_gaps = YoungGaps(clock)

    def load(self) -> None:
        """Look up all runs and files anew; what was known of them is dropped."""

        def work(conn: Connection) -> tuple[dict[str, KnownRun], set[tuple[int, str]]]:
            runs = load_runs(conn, self.logdir_id)
            damaged = [run.run_id for run in runs.values() if run.gaps]
            return runs, files_with_young_gaps(conn, damaged, now=self.clock())

        self.runs, young = read_once(self.engine, work)
        names = {run.run_id: run.name for run in self.runs.values()}
        for run_id, name in sorted(young):
            self.young_gaps.add((names[run_id], name), at_once=True)

    def is_settled(self, run: str, name: str, size: int, mtime_ns: int) -> bool:
        """Tell whether a file of this size and time has been read as far as it goes."""
        if run in self.runs and self.runs[run].deleted:
            return True
        known = self.runs[run].files.get(name) if run in self.runs else None
        if known is None:
            return False
        row = known.row
        return is_read(row) and (row.size, row.mtime_ns) == (size, mtime_ns)

    def advance(self, run_name: str, name: str) -> Advance:
        """Read and store the next batch of one file.

        Raises:
            OSError: The file cannot be read.
            DatabaseUnreachable: The database is away.
        """
        path = self.path(run_name, name)
        run = self._known(run_name, name, path)
        if run.deleted:
            return Advance()
        file = run.files.get(name)
        if file is None:
            # Its run was replaced at that very moment.
            return Advance(again=True)
        if run.replaces is not None and not awaited(run, file):
            # Not further before the others: the run changes places first.
            return self._swapped(run, Advance())
        if run.remembered is None or run.cuts is None:
            run.remembered, run.cuts = read_once(
                self.engine, lambda conn: load_described(conn, run.run_id)
            )
        try:
            reading = self._read(run, file, path)
        except OSError:
            if awaited(run, file):
                self.give_up(run)
            raise
        if reading.batch is None:
            return self._replace(run, file, reading)
        if reading.batch.end == reading.batch.start:
            self._note_look(file, reading, reading.batch.pending, "")
            return self._swapped(run, Advance())
        staged = stage(reading.batch)
        plan = self._plan(run, file, reading.batch, staged)
        if not plan.agrees:
            # With what this batch said, or the next reading would go wrong in the same place.
            file.facts, file.known_end = plan.facts, max(file.known_end, reading.batch.end)
            missing = self.read_anew(run)
            if missing is None:
                return Advance(again=True, reread=True)
            plan = plan_alone(run, file, staged)
        if reading.batch.gaps:
            self.young_gaps.add((run_name, name))
        ending = ending_with(
            run.finished,
            run.end_wall,
            _later(run.last_event, reading.batch.last_wall),
            reading.batch,
        )
        return self._store(Stored(run, file, reading, reading.batch, staged, plan, ending))

    def note_unreadable(self, run_name: str, name: str, reason: str) -> None:
        """Store why a file cannot be read at the moment."""
        known = self.runs[run_name].files.get(name) if run_name in self.runs else None
        if known is not None and known.row.error != reason:
            write_once(self.engine, lambda conn: note_error(conn, known.row, reason))
            known.row = replace(known.row, error=reason)

    def unsettled(self) -> list[str]:
        """Return the runs that were changed since they were last settled."""
        return [name for name, run in self.runs.items() if not run.settled]

    def settle(self, run_name: str) -> None:
        """Pack a run that grows no more for now, and forget what can be looked up again."""
        run = self.runs[run_name]
        if read_once(self.engine, lambda conn: is_worth_packing(conn, run.run_id)):
            moved = write_once(
                self.engine,
                lambda conn: compact(conn, run.run_id, final=True, now=self.clock()),
            )
            run.revision += 1 if moved else 0
        run.settled = True
        run.forget()

    def path(self, run_name: str, name: str) -> Path:
        """Return where a run's file lies."""
        return self.root / run_name / name

    def register(self, found: Iterable[tuple[str, str]]) -> None:
        """Make runs and files known, given as (run, name), those that are not yet."""
        wanted: dict[str, list[str]] = {}
        for run_name, name in found:
            run = self.runs.get(run_name)
            if run is None or not (run.deleted or name in run.files):
                wanted.setdefault(run_name, []).append(name)
        names = sorted(wanted)
        for at in range(0, len(names), RUNS_AT_ONCE):
            some = {name: wanted[name] for name in names[at : at + RUNS_AT_ONCE]}
            self._register(some)

    def _register(self, wanted: Mapping[str, Sequence[str]]) -> None:
        new = {name: files for name, files in wanted.items() if name not in self.runs}
        gone = [self.runs[old] for old in sorted(self.gone) if old in self.runs]
        moved = moves.find_old_names(self.root, gone, new)

        def work(conn: Connection) -> list[KnownRun]:
            for name, old in moved.items():
                moves.rename(conn, self.runs[old].shown_id, name, self.logdir_id)
            return register(conn, self.logdir_id, wanted, now=self.clock())

        for fresh in write_once(self.engine, work):
            if fresh.gaps:
                # It may have come from elsewhere.
                for name in fresh.files:
                    self.young_gaps.add((fresh.name, name))
            known = self.runs.get(fresh.name)
            if known is None or known.run_id != fresh.run_id:
                self.runs[fresh.name] = fresh
                continue
            for name, file in fresh.files.items():
                known.files.setdefault(name, file)
        for old in moved.values():
            self.runs.pop(old, None)

    def _known(self, run_name: str, name: str, path: Path) -> KnownRun:
        run = self.runs.get(run_name)
        if run is None or not (run.deleted or name in run.files):
            # What is not there makes no run.
            path.stat()
            self.register([(run_name, name)])
        return self.runs[run_name]

    def _read(self, run: KnownRun, file: KnownFile, path: Path) -> Reading:
        row = file.row
        head = Head(row.head_sha256, row.head_bytes)
        ahead = file.known_end - row.offset
        # While read again: not across the end of what is known, so that no byte counts twice.
        limit = min(self._batch_bytes, ahead) if ahead > 0 else self._batch_bytes
        remembered = run.remembered or {}
        reading = read_on(path, row.offset, head, remembered, max_bytes=limit)
        if ahead > 0 and reading.batch is not None and reading.batch.end == row.offset:
            reading = read_on(path, row.offset, head, remembered, max_bytes=self._batch_bytes)
        return reading

    def _plan(self, run: KnownRun, file: KnownFile, batch: Batch, staged: Staged) -> Plan:
        if batch.start < file.known_end < batch.end:
            file.forget()
        try:
            for known in facts_missing(run, file, staged):
                read_facts(self.path(run.name, known.row.name), run, known, self._batch_bytes)
        except (OSError, Changed):
            return plan_alone(run, file, staged)
        return plan_batch(run, file, batch, staged)

    def _store(self, new: Stored) -> Advance:
        run, batch, ending = new.run, new.batch, new.ending
        try:
            row, revision = write_once(self.engine, lambda conn: store(conn, new, now=self.clock()))
        except OffsetMoved:
            self.look_again(run)
            return Advance(again=True)
        _remember(new)
        new.file.row, run.revision = row, revision
        run.settled = False
        run.attempts = max(run.attempts, new.plan.attempts[-1] + 1)
        run.finished = ending.reason if ending is not None else None
        run.end_wall = ending.wall if ending is not None else None
        run.last_event = _later(run.last_event, batch.last_wall)
        points = len(batch.scalars.tag) + len(batch.points)
        more = batch.pending is None and batch.end < new.reading.size
        return self._swapped(run, Advance(batch.end - batch.start, points, again=more))

    def _swapped(self, run: KnownRun, done: Advance) -> Advance:
        """Let a shadow take its run's place if it can; then there is more to read of all files."""
        return replace(done, again=True, reread=True) if self.finish(run) else done

    def _replace(self, run: KnownRun, file: KnownFile, reading: Reading) -> Advance:
        if reading.size == 0:
            # Whoever writes it anew has not begun. Nothing is shown less for that.
            if awaited(run, file):
                self.give_up(run)
            else:
                self._note_error(file, f"{reading.replaced}; what was read of it stays")
            return Advance()
        missing = self.read_anew(run, {file.row.name: reading.size})
        if missing is None:
            return Advance(again=True, reread=True)
        # Reading the run again would lose what only the database still has.
        self._note_error(file, f"{reading.replaced}; other files of the run are gone ({missing})")
        return Advance()

    def read_anew(
        self, run: KnownRun, replaced: Mapping[str, int] | None = None, *, changed: str = ""
    ) -> str | None:
        """Begin to read all of a run anew; return a file that is needed and gone, if any.

        `replaced`: files whose name another file took, with its size. `changed`: a file that
        says something else than when it was read. A shadow that cannot be read on is given
        up, and the run is as it was.
        """
        missing = first_unreadable(self.root, run, lambda _, file: file.row.offset > 0)
        if missing is not None:
            if run.replaces is None:
                return missing
            self.give_up(run)
            return None
        # A rival that came first changes nothing: what SQL says now is looked up either way.
        with suppress(OffsetMoved):
            write_once(self.engine, lambda conn: read_anew(conn, run, replaced, now=self.clock()))
        fresh = self.look_again(run)
        if fresh is not None:
            carry_facts(run, fresh, but={changed, *(replaced or {})})
        return None

    def finish(self, run: KnownRun) -> bool:
        """Let a run's shadow take its place, if it has read far enough; tell whether it did."""
        if run.replaces is None or any(awaited(run, file) for file in run.files.values()):
            return False
        swapped = write_once(self.engine, lambda conn: swap(conn, run.run_id, now=self.clock()))
        self.look_again(run)
        return swapped

    def give_up(self, run: KnownRun) -> None:
        """Discard a run's shadow: some file cannot be read anew, so the run stays as it is."""
        write_once(self.engine, lambda conn: give_up_shadow(conn, run.run_id))
        self.look_again(run)

    def look_again(self, run: KnownRun) -> KnownRun | None:
        """Take over what SQL says now; keep the facts of files that stand where they stood."""
        fresh = read_once(self.engine, lambda conn: load_run(conn, run.uid))
        self.runs.pop(run.name, None)
        if fresh is None:
            return None
        for name, file in fresh.files.items():
            old = run.files.get(name)
            if old is not None and _place(old) == _place(file) and old.facts is not None:
                file.facts, file.known_end = old.facts, old.known_end
                file.section, file.stored = old.section, old.stored
        self.runs[fresh.name] = fresh
        return fresh

    def _note_error(self, file: KnownFile, error: str) -> None:
        if file.row.error != error:
            write_once(self.engine, lambda conn: note_error(conn, file.row, error))
            file.row = replace(file.row, error=error)

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


def _place(file: KnownFile) -> tuple[int, int]:
    return file.row.generation, file.row.offset


def _remember(new: Stored) -> None:
    """Take over into memory what was just stored."""
    run, file, plan = new.run, new.file, new.plan
    for section in {piece.section for piece in new.staged.pieces}:
        file.stored[file.section + section] = plan.attempts[section]
    if plan.facts is not None:
        file.facts = plan.facts
        file.known_end = max(file.known_end, new.batch.end)
        file.section += len(new.staged.starts)
    else:
        file.forget()
    if run.prefix is not None and file.row.name < run.prefix[0]:
        run.prefix = None
    if plan.opened is not None:
        run.opened = plan.opened
    if plan.cuts:
        run.cuts = {**(run.cuts or {}), **plan.cuts}
    if new.staged.metadata and run.remembered is not None:
        for (tag, _), value in new.staged.metadata.items():
            run.remembered.setdefault(tag, value)


def _later(one: float | None, other: float | None) -> float | None:
    if one is None or other is None:
        return one if other is None else other
    return max(one, other)
