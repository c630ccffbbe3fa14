"""Everything about one run but its points: files, gaps, series, restarts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import Connection, select

from orgboard_dashboard.queries.edits import Note, find_note
from orgboard_dashboard.queries.records import Records, non_finite_counts, read_records
from orgboard_dashboard.queries.remarks import RemarkRow, list_remarks
from orgboard_dashboard.queries.runs import RunRow, rows_of
from orgboard_dashboard.queries.thinned import Thinned, marks_of, thinned
from orgboard_dashboard.queries.visible import find_run
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.blocks.heads import SeriesHead, decode_heads, head_rows
from orgboard_schema.sql import tables
from orgboard_schema.sql.dictionary import tag_names
from orgboard_schema.sql.health import file_health
from orgboard_schema.sql.text import from_sql

__all__ = ["FileRow", "GapRow", "RestartRow", "RunOverview", "SeriesRow", "overview"]

_MAX_ROWS: Final = 5000
"""Rows of each list of one answer."""


@dataclass(frozen=True, slots=True)
class FileRow:
    """An event file, and how far it is stored."""

    name: str
    size: int
    offset: int
    pending: str | None
    pending_bytes: int | None
    """Seen and not stored; None where only unpacking could tell."""
    lag_s: float
    """For at most how long they wait."""
    gaps: int
    gap_bytes: int
    read_at: float | None
    records: int
    first_wall: float | None
    last_wall: float | None
    source_writer: str | None
    error: str


@dataclass(frozen=True, slots=True)
class GapRow:
    """Bytes that could not be read, and why."""

    file: str
    offset: int
    length: int
    reason: str
    found_at: float


@dataclass(frozen=True, slots=True)
class SeriesRow:
    """One series: how much there is, and where it stands. Visible points only."""

    tag: int
    name: str
    kind: str
    n: int
    superseded: int
    first_step: int
    last_step: int
    last_value: float
    min_value: float
    max_value: float
    non_finite: int
    """Stored values that are NaN or infinite, superseded ones too; 0 for other kinds."""
    thinned: Thinned | None
    """None: every point that was logged is stored."""


@dataclass(frozen=True, slots=True)
class RestartRow:
    """From which step on an attempt replaced what earlier ones had logged."""

    attempt: int
    tag: int | None
    """None: in every series."""
    step: int


@dataclass(frozen=True, slots=True)
class RunOverview:
    """A run's own page."""

    team: str
    project: str
    logdir: str
    run: RunRow
    finished: str | None
    """Why it counts as finished: "stop", "hparams", "failed"."""
    files: tuple[FileRow, ...]
    gaps: tuple[GapRow, ...]
    series: tuple[SeriesRow, ...]
    restarts: tuple[RestartRow, ...]
    note: Note
    records: Records
    """What the SDK said of it."""
    annotations: tuple[RemarkRow, ...]
    """What people said of its moments, and of its project's."""


def overview(viewer: Viewer, conn: Connection, uid: str, now: float) -> RunOverview:
    """Return what is known of a run.

    Raises:
        NotFound: there is no such run, or `viewer` may not see it.
    """
    run_id = find_run(viewer, conn, uid)
    team, project, logdir, finished = conn.execute(
        select(
            *(tables.team.c.name, tables.project.c.name),
            *(tables.logdir.c.path, tables.run.c.finished),
        )
        .select_from(tables.run)
        .join(tables.project, tables.project.c.project_id == tables.run.c.project_id)
        .join(tables.team, tables.team.c.team_id == tables.project.c.team_id)
        .join(tables.logdir, tables.logdir.c.logdir_id == tables.run.c.logdir_id)
        .where(tables.run.c.run_id == run_id)
    ).one()
    heads = _heads(conn, run_id)
    names = tag_names(conn, {head.tag_id for head in heads})
    row = rows_of(viewer, conn, [run_id], now)[run_id]
    place = from_sql(team), from_sql(project)
    note, is_guest = find_note(conn, row.uid), viewer.kind == "share"
    return RunOverview(
        team=place[0],
        project=place[1],
        logdir="" if is_guest else from_sql(logdir),
        run=row,
        finished=finished,
        files=_files(conn, run_id),
        gaps=_gaps(conn, run_id),
        series=_series(conn, run_id, heads, names),
        restarts=_restarts(conn, run_id),
        # Who was given a link sees what it says; not what it said, who says it, or where it is.
        note=replace(note, earlier=0, author="") if is_guest else note,
        records=read_records(conn, run_id, heads, names),
        annotations=list_remarks(viewer, conn, *place, (row.uid,)),
    )


def _files(conn: Connection, run_id: int) -> tuple[FileRow, ...]:
    file = tables.source_file.c
    writers = select(file.file_id, file.source_writer).where(file.run_id == run_id)
    made_by = {file_id: writer for file_id, writer in conn.execute(writers) if writer is not None}
    return tuple(
        FileRow(
            name=each.name,
            size=each.size,
            offset=each.offset,
            pending=each.pending,
            pending_bytes=each.pending_bytes,
            lag_s=each.lag_s,
            gaps=each.gaps,
            gap_bytes=each.gap_bytes,
            read_at=each.read_at,
            records=each.records,
            first_wall=each.first_wall,
            last_wall=each.last_wall,
            source_writer=from_sql(made_by[each.file_id]) if each.file_id in made_by else None,
            error=each.error,
        )
        for each in file_health(conn, run_id)[:_MAX_ROWS]
    )


def _gaps(conn: Connection, run_id: int) -> tuple[GapRow, ...]:
    gap, file = tables.gap.c, tables.source_file.c
    rows = conn.execute(
        select(file.name, gap.offset, gap.length, gap.reason, gap.found_at)
        .join(tables.source_file, file.file_id == gap.file_id)
        .where(gap.run_id == run_id)
        .order_by(file.name, gap.generation, gap.offset)
        .limit(_MAX_ROWS)
    )
    return tuple(GapRow(from_sql(name), *rest) for name, *rest in rows)


def _heads(conn: Connection, run_id: int) -> list[SeriesHead]:
    head = tables.run_head.c
    payload = conn.execute(select(head.payload).where(head.run_id == run_id)).scalar()
    return head_rows(decode_heads(payload)[:_MAX_ROWS]) if payload else []


def _series(
    conn: Connection, run_id: int, heads: list[SeriesHead], names: Mapping[int, str]
) -> tuple[SeriesRow, ...]:
    non_finite, marks = non_finite_counts(conn, run_id, heads), marks_of(conn, run_id)
    rows = (
        SeriesRow(
            tag=row.tag_id,
            name=names.get(row.tag_id, ""),
            kind=row.kind,
            n=row.n,
            superseded=row.n_all - row.n,
            first_step=row.first_step,
            last_step=row.last_step,
            last_value=row.last_value,
            min_value=row.min_value,
            max_value=row.max_value,
            non_finite=non_finite.get(row.tag_id, 0) if row.kind == "scalar" else 0,
            thinned=thinned(row, marks),
        )
        for row in heads
    )
    return tuple(sorted(rows, key=lambda row: (row.name, row.kind)))


def _restarts(conn: Connection, run_id: int) -> tuple[RestartRow, ...]:
    restart = tables.restart.c
    rows = conn.execute(
        select(restart.attempt, restart.tag_id, restart.step)
        .where(restart.run_id == run_id)
        .order_by(restart.attempt, restart.tag_id, restart.kind)
        .limit(_MAX_ROWS)
    )
    return tuple(RestartRow(attempt, tag_id or None, step) for attempt, tag_id, step in rows)
