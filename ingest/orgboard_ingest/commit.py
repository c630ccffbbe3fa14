"""The transactions that change a run: points with their offset, a new reading, a note on a file.

    append (compare-and-set of the offset, points, heads) ─▶ was the revision the known one?

The offset keeps any two readers from storing the same bytes. The revision keeps a reader
from numbering attempts by what a rival has changed since: it must have gone up by ours
alone, else the transaction is rolled back and the run looked up again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import Connection, bindparam, select, update

from orgboard_ingest.attempts import Cut
from orgboard_ingest.catalog import KnownFile, KnownRun
from orgboard_ingest.ending import Ending, hparams_json
from orgboard_ingest.origin import told_origin
from orgboard_ingest.plan import Plan
from orgboard_ingest.stage import Piece, PointSeries, Staged
from orgboard_ingest.tail import NO_HEAD, Reading
from orgboard_schema.blocks import ScalarSeries
from orgboard_schema.errors import OffsetMoved
from orgboard_schema.sql import tables
from orgboard_schema.sql.append import append_all
from orgboard_schema.sql.flush import (
    FileCommit,
    Finished,
    Flush,
    NewChunk,
    NewGap,
    NewScalars,
    NewValues,
    Restart,
)
from orgboard_schema.sql.registry import FileRow, files, replace_file
from orgboard_schema.sql.reset import reset_run
from orgboard_schema.sql.runs import RunState
from orgboard_schema.sql.shadow import begin_shadow
from orgboard_schema.sql.standing import SHADOW, SHOWN
from orgboard_schema.sql.text import to_sql
from orgboard_schema.wire.batch import Batch
from orgboard_schema.wire.versions import parse_version

__all__ = ["Stored", "note_error", "note_look", "read_anew", "remember", "store"]

# Built once: to build a statement costs more than to run it.
_FIND_REVISION: Final = select(tables.run.c.revision, tables.run.c.standing).where(
    tables.run.c.run_id == bindparam("run")
)


@dataclass(frozen=True, slots=True)
class Stored:
    """One batch and where it belongs."""

    run: KnownRun
    file: KnownFile
    reading: Reading
    batch: Batch
    staged: Staged
    plan: Plan
    ending: Ending | None
    """Why the run counts as finished with this batch; None: it goes on."""
    final: bool
    """Whether nothing more is expected of the run for now."""


def store(
    conn: Connection, some: Sequence[Stored], *, now: float
) -> list[tuple[FileRow, RunState]]:
    """Store batches of different runs; return each file's row and how each run stands after it.

    Raises:
        OffsetMoved: A rival changed one of the runs first. Nothing is stored.
    """
    flushes = [_flush(new, now) for new in some]
    states = append_all(conn, flushes)
    return [
        (_row_after(new, flush.file), states[flush.run_id])
        for new, flush in zip(some, flushes, strict=True)
    ]


def read_anew(
    conn: Connection, run: KnownRun, replaced: Mapping[str, int] | None = None, *, now: float
) -> None:
    """Set all files of a run to their beginning, to be read again; people see it as it was.

    A shown run gets a shadow, which is read from now on; a shadow begins again, because
    nobody sees it. `replaced`: files (by name) whose name another file took, with its
    size: their next generation begins.

    Raises:
        OffsetMoved: A rival changed the run first. Nothing is changed.
    """
    gone = {run.files[name].row.file_id: size for name, size in (replaced or {}).items()}
    if run.replaces is None:
        begin_shadow(conn, run.run_id, revision=run.revision, replaced=gone)
        return
    reset_run(conn, run.run_id, now=now)
    if _revision(conn, run.run_id) != run.revision + 1:
        raise OffsetMoved(f"a rival changed run {run.run_id} first")
    for row in files(conn, [run.run_id]):
        if row.file_id in gone:
            replace_file(
                conn,
                row,
                head_sha256=NO_HEAD.sha256,
                head_bytes=NO_HEAD.size,
                new_generation=True,
                size=gone[row.file_id],
            )


def note_look(conn: Connection, row: FileRow) -> None:
    """Store that a file was looked at and gave nothing new, unless a rival read on in it."""
    columns = tables.source_file.c
    conn.execute(
        update(tables.source_file)
        .where(columns.file_id == row.file_id, columns.generation == row.generation)
        .where(columns.offset == row.offset)
        .values(
            size=row.size,
            mtime_ns=row.mtime_ns,
            pending=row.pending,
            error=to_sql(row.error),
        )
    )


def note_error(conn: Connection, row: FileRow, reason: str) -> None:
    """Store why a file cannot be read; "" when it can."""
    conn.execute(
        update(tables.source_file)
        .where(tables.source_file.c.file_id == row.file_id)
        .values(error=to_sql(reason))
    )


def _revision(conn: Connection, run_id: int) -> int | None:
    """Return the revision of a run that takes points: not of one that somebody deleted."""
    row = conn.execute(_FIND_REVISION, {"run": run_id}).one_or_none()
    return None if row is None or row.standing not in (SHOWN, SHADOW) else int(row.revision)


def _flush(new: Stored, now: float) -> Flush:
    batch, plan, scalars = new.batch, new.plan, new.staged.scalars
    return Flush(
        run_id=new.run.run_id,
        file=_file_commit(new),
        now=now,
        revision=new.run.revision,
        final=new.final,
        scalars=NewScalars(scalars, plan.attempts) if scalars.tags else None,
        chunks=tuple(_chunk(piece, plan.attempts[piece.section]) for piece in new.staged.others),
        metadata=new.staged.metadata,
        restarts=tuple(_restart(cut, step) for cut, step in plan.cuts.items()),
        gaps=tuple(NewGap(gap.offset, gap.length, gap.reason) for gap in batch.gaps),
        finished=_finished(new),
        opened=plan.opened if plan.opened != new.run.opened else None,
        hparams=hparams_json(batch),
        origin=told_origin(new.staged.others),
    )


def _restart(cut: Cut, step: int) -> Restart:
    attempt, series = cut
    tag, kind = series if series is not None else (None, None)
    return Restart(attempt, tag, kind, step)


def _file_commit(new: Stored) -> FileCommit:
    row, reading, batch, plan = new.file.row, new.reading, new.batch, new.plan
    sections = new.staged.sections
    has_points = bool(new.file.stored) or bool(sections)
    first = plan.attempts[sections[0]] if sections and not new.file.stored else None
    if row.offset and new.file.facts is None:
        # Nobody needed to know the file's sections; its first points are stored long since.
        first = None
    return FileCommit(
        file_id=row.file_id,
        generation=row.generation,
        old_offset=row.offset,
        new_offset=batch.end,
        size=reading.size,
        mtime_ns=reading.mtime_ns,
        records=batch.records,
        first_wall=batch.first_wall,
        last_wall=batch.last_wall,
        pending=batch.pending,
        first_attempt=first if has_points else plan.attempts[-1],
        last_attempt=plan.attempts[-1],
        source_writer=batch.source_writer,
        head_sha256=reading.head.sha256 if reading.head.size != row.head_bytes else None,
        head_bytes=reading.head.size,
        file_version=parse_version(batch.file_version),
        encoding=reading.encoding,
    )


def _row_after(new: Stored, commit: FileCommit) -> FileRow:
    """Return the row as the flush leaves it, without asking for it."""
    row, batch = new.file.row, new.batch
    walls = [wall for wall in (row.last_wall, batch.last_wall) if wall is not None]
    first = commit.first_attempt
    return replace(
        row,
        size=commit.size,
        mtime_ns=commit.mtime_ns,
        offset=commit.new_offset,
        pending=commit.pending,
        records=row.records + commit.records,
        first_wall=row.first_wall if row.first_wall is not None else commit.first_wall,
        last_wall=max(walls, default=None),
        first_attempt=first if first is not None else row.first_attempt,
        last_attempt=new.plan.attempts[-1],
        head_sha256=new.reading.head.sha256,
        head_bytes=new.reading.head.size,
        encoding=new.reading.encoding,
        error="",
    )


def _finished(new: Stored) -> Finished | None:
    if new.ending is not None:
        return new.ending.reason
    return "running" if new.run.finished else None


def _chunk(piece: Piece, attempt: int) -> NewChunk:
    series: ScalarSeries | NewValues
    if isinstance(piece.series, PointSeries):
        series = NewValues(piece.series.step, piece.series.wall, piece.series.values)
    else:
        series = piece.series
    return NewChunk(attempt, piece.tag, piece.kind, series)


def remember(new: Stored) -> None:
    """Take over into memory what was just stored."""
    run, file, plan = new.run, new.file, new.plan
    for section in new.staged.sections:
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
