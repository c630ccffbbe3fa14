"""Bring the files of one logdir into SQL, one batch at a time.

    read_on ─▶ stage ─▶ plan ─▶ commit            points and offset, one transaction
       │                  └─ None ─▶ reset        other attempts: the run is read again
       └─ replaced ─▶ reset, next generation      another file took the name

What is known of a run is a cache (`catalog`). Every transaction checks the run's
revision first, so a rival's commit is noticed before it could be contradicted; then the
run is looked up again and the batch read anew.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import cast

from sqlalchemy import Connection, Engine

from orgboard_ingest import moves
from orgboard_ingest.attempts import NOTHING, FileFacts, joined, observed
from orgboard_ingest.catalog import (
    KnownFile,
    KnownRun,
    is_worth_packing,
    load_described,
    load_run,
    load_runs,
)
from orgboard_ingest.commit import Stored, note_error, note_look, reset, store
from orgboard_ingest.ending import Ending, Reason, latest_ending, said_to_end
from orgboard_ingest.plan import Plan, facts_missing, plan_alone, plan_batch
from orgboard_ingest.register import RUNS_AT_ONCE, ensure_files
from orgboard_ingest.stage import Staged, stage
from orgboard_ingest.tail import Head, Reading, is_settled, read_on
from orgboard_ingest.transactions import read_once, write_once
from orgboard_schema.errors import OffsetMoved
from orgboard_schema.sql.compact import compact
from orgboard_schema.sql.registry import FileRow, ensure_run
from orgboard_schema.wire.batch import UNWRITTEN, Batch
from orgboard_schema.wire.unpacked import Marks

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
        self._engine = engine
        self._batch_bytes = batch_bytes
        self._clock = clock
        self._marks = Marks()

    def load(self) -> None:
        """Look up all runs and files anew; what was known of them is dropped."""
        self.runs = read_once(self._engine, lambda conn: load_runs(conn, self.logdir_id))

    def is_settled(self, run: str, name: str, size: int, mtime_ns: int) -> bool:
        """Tell whether a file of this size and time has been read as far as it goes."""
        known = self.runs[run].files.get(name) if run in self.runs else None
        if known is None:
            return False
        row = known.row
        # A run that is being read again has its sizes already, but not its offsets.
        ended = row.pending is not None or (row.offset == row.size and not row.encoding)
        if row.pending not in (None, *UNWRITTEN) and is_settled(mtime_ns, self._clock()):
            return False  # Damage at its end is not waited for any longer.
        return ended and (row.size, row.mtime_ns) == (size, mtime_ns)

    def advance(self, run_name: str, name: str) -> Advance:
        """Read and store the next batch of one file.

        Raises:
            OSError: The file cannot be read.
            DatabaseUnreachable: The database is away.
        """
        path = self.path(run_name, name)
        run, file = self._known(run_name, name, path)
        if run.remembered is None or run.cuts is None:
            run.remembered, run.cuts = read_once(
                self._engine, lambda conn: load_described(conn, run.run_id)
            )
        reading = self._read(run, file, path)
        if reading.batch is None:
            return self._replace(run, file, reading)
        if reading.batch.end == reading.batch.start:
            self._note_look(file, reading, reading.batch.pending, "")
            return Advance()
        staged = stage(reading.batch)
        plan = self._plan(run, file, reading.batch, staged)
        if not plan.agrees:
            # With what this batch said, or the next reading would go wrong in the same place.
            file.facts, file.known_end = plan.facts, max(file.known_end, reading.batch.end)
            return self._reset(run, None)
        ending = _ending(run, reading.batch)
        return self._store(Stored(run, file, reading, reading.batch, staged, plan, ending))

    def note_unreadable(self, run_name: str, name: str, reason: str) -> None:
        """Store why a file cannot be read at the moment."""
        known = self.runs[run_name].files.get(name) if run_name in self.runs else None
        if known is not None and known.row.error != reason:
            write_once(self._engine, lambda conn: note_error(conn, known.row, reason))
            known.row = replace(known.row, error=reason)

    def unsettled(self) -> list[str]:
        """Return the runs that were changed since they were last settled."""
        return [name for name, run in self.runs.items() if not run.settled]

    def settle(self, run_name: str) -> None:
        """Pack a run that grows no more for now, and forget what can be looked up again."""
        run = self.runs[run_name]
        if read_once(self._engine, lambda conn: is_worth_packing(conn, run.run_id)):
            moved = write_once(
                self._engine,
                lambda conn: compact(conn, run.run_id, final=True, now=self._clock()),
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
            if run_name not in self.runs or name not in self.runs[run_name].files:
                wanted.setdefault(run_name, []).append(name)
        names = sorted(wanted)
        for at in range(0, len(names), RUNS_AT_ONCE):
            some = {name: wanted[name] for name in names[at : at + RUNS_AT_ONCE]}
            self._register(some)

    def _register(self, wanted: Mapping[str, Sequence[str]]) -> None:
        moved: dict[str, str] = {}
        for name in wanted:
            old = self._old_name(name) if name not in self.runs else None
            # Of two copies of a run that is gone, one is that run and the other a new one.
            if old is not None and old not in moved.values():
                moved[name] = old

        def work(conn: Connection) -> list[tuple[KnownRun, list[FileRow]]]:
            made: list[tuple[KnownRun, list[FileRow]]] = []
            for name, files in wanted.items():
                old = moved.get(name)
                if old is not None:
                    moves.rename(conn, self.runs[old].run_id, name, self.logdir_id)
                run_id = ensure_run(conn, self.logdir_id, name, now=self._clock()).run_id
                rows = ensure_files(conn, run_id, files)
                made.append((load_run(conn, run_id), rows))
            return made

        made = write_once(self._engine, work)
        for fresh, rows in made:
            run = self.runs.setdefault(fresh.name, fresh)
            for row in rows:
                run.files.setdefault(row.name, KnownFile.at(row))
        for old in moved.values():
            self.runs.pop(old, None)

    def _old_name(self, name: str) -> str | None:
        gone = (self.runs[old] for old in sorted(self.gone) if old in self.runs)
        return moves.find_old_name(self.root, gone, name)

    def _known(self, run_name: str, name: str, path: Path) -> tuple[KnownRun, KnownFile]:
        if run_name not in self.runs or name not in self.runs[run_name].files:
            # What is not there makes no run.
            path.stat()
            self.register([(run_name, name)])
        run = self.runs[run_name]
        return run, run.files[name]

    def _read(self, run: KnownRun, file: KnownFile, path: Path) -> Reading:
        row = file.row
        head = Head(row.head_sha256, row.head_bytes)
        ahead = file.known_end - row.offset
        # While read again: not across the end of what is known, so that no byte counts twice.
        limit = min(self._batch_bytes, ahead) if ahead > 0 else self._batch_bytes
        remembered = run.remembered or {}
        look = partial(
            read_on,
            path,
            row.offset,
            head,
            remembered,
            root=self.root,
            now=self._clock(),
            marks=self._marks,
        )
        reading = look(max_bytes=limit)
        if ahead > 0 and reading.batch is not None and reading.batch.end == row.offset:
            reading = look(max_bytes=self._batch_bytes)
        return reading

    def _plan(self, run: KnownRun, file: KnownFile, batch: Batch, staged: Staged) -> Plan:
        if batch.start < file.known_end < batch.end:
            file.forget()
        try:
            for known in facts_missing(run, file, staged):
                self._read_facts(run, known)
        except (OSError, _Changed):
            return plan_alone(run, file, staged)
        return plan_batch(run, file, batch, staged)

    def _read_facts(self, run: KnownRun, file: KnownFile) -> None:
        """Read the stored part of a file again, only to know what attempts depend on."""
        path = self.path(run.name, file.row.name)
        head = Head(file.row.head_sha256, file.row.head_bytes)
        facts, offset = NOTHING, 0
        while offset < file.row.offset:
            limit = min(self._batch_bytes, file.row.offset - offset)
            batch = read_on(
                path,
                offset,
                head,
                run.remembered or {},
                max_bytes=limit,
                root=self.root,
                now=math.inf,  # What is stored was judged: no end of it is waited for.
                marks=self._marks,
            ).batch
            if batch is None:
                raise _Changed
            if batch.end == offset:
                # Damage that only bytes behind the stored offset could explain.
                break
            facts = joined(facts, observed(stage(batch), batch.first_wall, batch.last_wall))
            offset = batch.end
        file.facts, file.known_end = facts, file.row.offset
        file.section = len(facts.sections) - 1
        file.stored = _stored_sections(facts, file.row)

    def _store(self, new: Stored) -> Advance:
        run, batch, ending = new.run, new.batch, new.ending
        try:
            row, revision = write_once(
                self._engine, lambda conn: store(conn, new, now=self._clock())
            )
        except OffsetMoved:
            self._look_again(run)
            return Advance(again=True)
        _remember(new)
        new.file.row, run.revision = row, revision
        run.settled = False
        run.attempts = max(run.attempts, new.plan.attempts[-1] + 1)
        run.finished = ending.reason if ending is not None else None
        run.end_wall = ending.wall if ending is not None else None
        run.last_event = _later(run.last_event, batch.last_wall)
        points = len(batch.scalars.tag) + len(batch.points)
        return Advance(batch.end - batch.start, points, again=new.reading.has_more)

    def _replace(self, run: KnownRun, file: KnownFile, reading: Reading) -> Advance:
        if any(not self.path(run.name, other).exists() for other in run.files):
            # Reading the run again would lose what only the database still has.
            reason = f"{reading.replaced}; other files of the run are gone"
            self._note_look(file, reading, file.row.pending, reason)
            return Advance()
        return self._reset(run, file)

    def _reset(self, run: KnownRun, replaced: KnownFile | None) -> Advance:
        row = replaced.row if replaced is not None else None
        # A rival that came first changes nothing: what SQL says now is looked up either way.
        with suppress(OffsetMoved):
            write_once(self._engine, lambda conn: reset(conn, run, row, now=self._clock()))
        facts = {
            name: (file.facts, file.known_end)
            for name, file in run.files.items()
            if file.facts is not None and file is not replaced
        }
        self._look_again(run)
        for name, (known, end) in facts.items():
            file = self.runs[run.name].files[name]
            # Known beyond the offset now: the next reading places every point right at once.
            if file.row.offset == 0 and known is not None:
                file.facts, file.known_end = known, end
        return Advance(again=True, reread=True)

    def _look_again(self, run: KnownRun) -> None:
        """Take over what SQL says now; keep the facts of files that stand where they stood."""
        fresh = read_once(self._engine, lambda conn: load_run(conn, run.run_id))
        for name, file in fresh.files.items():
            old = run.files.get(name)
            if old is not None and _place(old) == _place(file) and old.facts is not None:
                file.facts, file.known_end = old.facts, old.known_end
                file.section, file.stored = old.section, old.stored
        self.runs.pop(run.name, None)
        self.runs[fresh.name] = fresh

    def _note_look(
        self, file: KnownFile, reading: Reading, pending: str | None, error: str
    ) -> None:
        row = file.row
        seen = replace(
            row,
            size=reading.size,
            mtime_ns=reading.mtime_ns,
            pending=pending,
            error=error,
            encoding=reading.encoding if reading.batch is not None else row.encoding,
        )
        if seen != row:
            write_once(self._engine, lambda conn: note_look(conn, seen))
            file.row = seen


class _Changed(Exception):  # noqa: N818 - says what was found
    """A file is not what it was when its points were stored."""


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
    if plan.cuts:
        run.cuts = {**(run.cuts or {}), **plan.cuts}
    if new.staged.metadata and run.remembered is not None:
        for (tag, _), value in new.staged.metadata.items():
            run.remembered.setdefault(tag, value)


def _stored_sections(facts: FileFacts, row: FileRow) -> dict[int, int]:
    """Return the attempts of the first and the last section that has stored points."""
    used = [number for number, section in enumerate(facts.sections) if section.spans]
    if not used:
        return {}
    # Each START after points began an attempt.
    empty = len(facts.sections) - 1 - used[-1]
    return {used[-1]: row.last_attempt - empty, used[0]: row.first_attempt}


def _ending(run: KnownRun, batch: Batch) -> Ending | None:
    """Return why the run counts as finished with this batch."""
    newest = _later(run.last_event, batch.last_wall)
    before = None
    if run.finished is not None and run.end_wall is not None:
        before = Ending(cast(Reason, run.finished), run.end_wall)
    said = said_to_end(batch)
    if before is not None and said is not None:
        said = latest_ending(before, said)
    if said is not None and said.holds(newest):
        return said
    return before if before is not None and before.holds(newest) else None


def _later(one: float | None, other: float | None) -> float | None:
    if one is None or other is None:
        return one if other is None else other
    return max(one, other)
