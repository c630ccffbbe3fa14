"""Everything about one run but its points: files, gaps, series, restarts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, select

from orgboard_dashboard.queries.runs import RunRow, rows_of
from orgboard_dashboard.queries.visible import find_run
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.blocks.heads import decode_heads, head_rows
from orgboard_schema.sql import tables
from orgboard_schema.sql.dictionary import tag_names
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
    files: tuple[FileRow, ...]
    gaps: tuple[GapRow, ...]
    series: tuple[SeriesRow, ...]
    restarts: tuple[RestartRow, ...]


def overview(viewer: Viewer, conn: Connection, uid: str, now: float) -> RunOverview:
    """Return what is known of a run.

    Raises:
        NotFound: there is no such run, or `viewer` may not see it.
    """
    run_id = find_run(viewer, conn, uid)
    team, project, logdir = conn.execute(
        select(tables.team.c.name, tables.project.c.name, tables.logdir.c.path)
        .select_from(tables.run)
        .join(tables.project, tables.project.c.project_id == tables.run.c.project_id)
        .join(tables.team, tables.team.c.team_id == tables.project.c.team_id)
        .join(tables.logdir, tables.logdir.c.logdir_id == tables.run.c.logdir_id)
        .where(tables.run.c.run_id == run_id)
    ).one()
    return RunOverview(
        team=from_sql(team),
        project=from_sql(project),
        logdir=from_sql(logdir),
        run=rows_of(viewer, conn, [run_id], now)[run_id],
        files=_files(conn, run_id),
        gaps=_gaps(conn, run_id),
        series=_series(conn, run_id),
        restarts=_restarts(conn, run_id),
    )


def _files(conn: Connection, run_id: int) -> tuple[FileRow, ...]:
    file = tables.source_file.c
    rows = conn.execute(
        select(tables.source_file).where(file.run_id == run_id).order_by(file.name).limit(_MAX_ROWS)
    )
    return tuple(
        FileRow(
            name=from_sql(row.name),
            size=row.size,
            offset=row.offset,
            pending=row.pending,
            records=row.records,
            first_wall=row.first_wall,
            last_wall=row.last_wall,
            source_writer=row.source_writer,
            error=row.error,
        )
        for row in rows
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


def _series(conn: Connection, run_id: int) -> tuple[SeriesRow, ...]:
    head = tables.run_head.c
    payload = conn.execute(select(head.payload).where(head.run_id == run_id)).scalar()
    heads = head_rows(decode_heads(payload)[:_MAX_ROWS]) if payload else []
    names = tag_names(conn, {row.tag_id for row in heads})
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
