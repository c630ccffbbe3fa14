"""How ingest fares, as SQL tells it: of logdirs, of runs, of a run's files.

    logdir_health   who reads it, how much waits, since when, how fast it goes
    run_health      the same of runs, from their files
    file_health     how far each file is stored, and what is missing of it

Frozen values and few statements, however many runs. What is seconds is by the database's
clock, except what a log or a file says of itself; that may lie in the future, and is
marked when it does.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, case, func, select

from orgboard_schema.sql import clock, tables
from orgboard_schema.sql.leases import Work
from orgboard_schema.sql.standing import SHOWN
from orgboard_schema.sql.text import from_sql

__all__ = [
    "FUTURE_S",
    "FileHealth",
    "IngestHealth",
    "LogdirHealth",
    "RunHealth",
    "file_health",
    "logdir_health",
    "run_health",
]

FUTURE_S: Final = 300.0
"""A wall time this far ahead of the database's clock is a wrong clock, not a slow network."""

RUNS_AT_ONCE: Final = 1000
"""In one statement: SQLite takes at most 32 766 parameters."""


@dataclass(frozen=True, slots=True)
class IngestHealth:
    """A process that reads a logdir, or did within the last hour."""

    owner: str
    host: str
    pid: int
    since: float
    until: float
    alive: bool
    """Whether its lease has not run out."""
    work: Work


@dataclass(frozen=True, slots=True)
class LogdirHealth:
    """A logdir and who reads it."""

    logdir_id: int
    project: str
    """ "team/project"."""
    path: str
    seen_at: float | None
    """When an ingest last looked at it, by that one's clock; None: never."""
    runs: int
    """Those shown on the board."""
    files: int
    gaps: int
    ingests: tuple[IngestHealth, ...]

    @property
    def alive(self) -> tuple[IngestHealth, ...]:
        """Return the processes that read it now."""
        return tuple(ingest for ingest in self.ingests if ingest.alive)


@dataclass(frozen=True, slots=True)
class FileHealth:
    """How far a file is stored."""

    file_id: int
    name: str
    size: int
    """When last seen; of a compressed file, its own."""
    offset: int
    """Stored; of a compressed file, bytes of what it unpacks to."""
    pending_bytes: int | None
    """Seen and not stored; None where only unpacking could tell."""
    pending: str | None
    """Why they wait, when they wait for more to come."""
    lag_s: float
    """For at most how long; 0 when nothing waits."""
    error: str
    """"" or why the file cannot be read."""
    records: int
    gaps: int
    gap_bytes: int
    first_wall: float | None
    last_wall: float | None
    in_future: bool
    """Whether it holds a wall time that no clock shows yet."""
    read_at: float | None
    """When bytes of it were last stored."""


@dataclass(frozen=True, slots=True)
class RunHealth:
    """How complete a run is."""

    run_id: int
    files: int
    unreadable_files: int
    pending_bytes: int
    lag_s: float
    gaps: int
    gap_bytes: int
    last_wall: float | None
    in_future: bool
    read_at: float | None


def logdir_health(
    conn: Connection, logdir_ids: Collection[int] | None = None
) -> list[LogdirHealth]:
    """Return every logdir, or those asked for, by project and path."""
    logdir, project, team, run = (
        tables.logdir.c,
        tables.project.c,
        tables.team.c,
        tables.run.c,
    )
    counts = (
        select(
            run.logdir_id,
            func.count().label("runs"),
            func.sum(run.files).label("files"),
            func.sum(run.gaps).label("gaps"),
        )
        .where(run.standing == SHOWN)
        .group_by(run.logdir_id)
        .subquery()
    )
    query = (
        select(
            logdir.logdir_id,
            team.name.label("team"),
            project.name.label("project"),
            logdir.path,
            logdir.seen_at,
            counts.c.runs,
            counts.c.files,
            counts.c.gaps,
        )
        .join_from(tables.logdir, tables.project, logdir.project_id == project.project_id)
        .join(tables.team, project.team_id == team.team_id)
        .outerjoin(counts, counts.c.logdir_id == logdir.logdir_id)
        .order_by(team.name, project.name, logdir.path)
    )
    if logdir_ids is not None:
        query = query.where(logdir.logdir_id.in_(sorted(logdir_ids)))
    ingests = _ingests(conn, logdir_ids)
    return [
        LogdirHealth(
            logdir_id=row.logdir_id,
            project=f"{from_sql(row.team)}/{from_sql(row.project)}",
            path=from_sql(row.path),
            seen_at=row.seen_at,
            runs=row.runs or 0,
            files=int(row.files or 0),
            gaps=int(row.gaps or 0),
            ingests=tuple(ingests.get(row.logdir_id, ())),
        )
        for row in conn.execute(query)
    ]


def _ingests(conn: Connection, logdir_ids: Collection[int] | None) -> dict[int, list[IngestHealth]]:
    columns = tables.lease.c
    query = select(tables.lease, (columns.until > clock.clock).label("alive")).order_by(
        columns.logdir_id, columns.since, columns.owner
    )
    if logdir_ids is not None:
        query = query.where(columns.logdir_id.in_(sorted(logdir_ids)))
    found: dict[int, list[IngestHealth]] = {}
    for row in conn.execute(query):
        found.setdefault(row.logdir_id, []).append(_ingest(row))
    return found


def _ingest(row: Row[Any]) -> IngestHealth:
    work = Work(
        watch=row.watch,
        watch_reason=None if row.watch_reason is None else from_sql(row.watch_reason),
        runs=row.runs,
        files=row.files,
        unreadable_files=row.unreadable_files,
        pending_bytes=row.pending_bytes,
        lag_s=row.lag_s,
        points=row.points,
        bytes=row.bytes,
        points_per_s=row.points_per_s,
        bytes_per_s=row.bytes_per_s,
    )
    return IngestHealth(
        owner=row.owner,
        host=from_sql(row.host),
        pid=row.pid,
        since=row.since,
        until=row.until,
        alive=bool(row.alive),
        work=work,
    )


def run_health(conn: Connection, run_ids: Collection[int]) -> dict[int, RunHealth]:
    """Return the runs that exist, by id."""
    found: dict[int, RunHealth] = {}
    wanted = sorted(set(run_ids))
    now = clock.now(conn)
    for at in range(0, len(wanted), RUNS_AT_ONCE):
        some = wanted[at : at + RUNS_AT_ONCE]
        lengths = _gap_lengths(conn, some)
        for row in conn.execute(_runs(some)):
            found[row.run_id] = _run(row, lengths, now)
    return found


def _runs(run_ids: Collection[int]) -> Any:
    file, run = tables.source_file.c, tables.run.c
    waiting = file.offset < file.size
    plain = file.encoding == ""
    bytes_waiting = case((waiting & plain, file.size - file.offset), else_=0)
    since = case((waiting & plain, func.coalesce(file.read_at, run.created_at)), else_=None)
    return (
        select(
            run.run_id,
            run.gaps,
            func.count(file.file_id).label("files"),
            func.sum(case((file.error != "", 1), else_=0)).label("unreadable"),
            func.sum(bytes_waiting).label("pending_bytes"),
            func.min(since).label("since"),
            func.max(file.last_wall).label("last_wall"),
            func.max(file.first_wall).label("latest_first_wall"),
            func.max(file.read_at).label("read_at"),
        )
        .join_from(tables.run, tables.source_file, file.run_id == run.run_id, isouter=True)
        .where(run.run_id.in_(run_ids))
        .group_by(run.run_id, run.gaps)
    )


def _run(row: Row[Any], gap_bytes: Mapping[int, int], now: float) -> RunHealth:
    return RunHealth(
        run_id=row.run_id,
        files=row.files,
        unreadable_files=int(row.unreadable or 0),
        pending_bytes=int(row.pending_bytes or 0),
        lag_s=0.0 if row.since is None else max(now - row.since, 0.0),
        gaps=row.gaps,
        gap_bytes=gap_bytes.get(row.run_id, 0),
        last_wall=row.last_wall,
        in_future=_is_future(now, row.last_wall, row.latest_first_wall),
        read_at=row.read_at,
    )


def _gap_lengths(conn: Connection, run_ids: Collection[int]) -> dict[int, int]:
    columns, file = tables.gap.c, tables.source_file.c
    # Of the generation that is stored: an earlier file of the name had gaps of its own.
    query = (
        select(columns.run_id, func.sum(columns.length))
        .join_from(tables.gap, tables.source_file, columns.file_id == file.file_id)
        .where(columns.run_id.in_(run_ids), columns.generation == file.generation)
        .group_by(columns.run_id)
    )
    return {run_id: int(length) for run_id, length in conn.execute(query)}


def file_health(conn: Connection, run_id: int) -> list[FileHealth]:
    """Return the files of a run, by name."""
    file, run, gap = tables.source_file.c, tables.run.c, tables.gap.c
    gaps = (
        select(
            gap.file_id,
            gap.generation,
            func.count().label("gaps"),
            func.sum(gap.length).label("gap_bytes"),
        )
        .where(gap.run_id == run_id)
        .group_by(gap.file_id, gap.generation)
        .subquery()
    )
    query = (
        select(tables.source_file, run.created_at, gaps.c.gaps, gaps.c.gap_bytes)
        .join_from(tables.source_file, tables.run, file.run_id == run.run_id)
        .outerjoin(gaps, (gaps.c.file_id == file.file_id) & (gaps.c.generation == file.generation))
        .where(file.run_id == run_id)
        .order_by(file.name)
    )
    now = clock.now(conn)
    return [_file(row, now) for row in conn.execute(query)]


def _file(row: Row[Any], now: float) -> FileHealth:
    pending = None if row.encoding else max(row.size - row.offset, 0)
    since = row.created_at if row.read_at is None else row.read_at
    return FileHealth(
        file_id=row.file_id,
        name=from_sql(row.name),
        size=row.size,
        offset=row.offset,
        pending_bytes=pending,
        pending=row.pending,
        lag_s=max(now - since, 0.0) if pending else 0.0,
        error=from_sql(row.error),
        records=row.records,
        gaps=row.gaps or 0,
        gap_bytes=int(row.gap_bytes or 0),
        first_wall=row.first_wall,
        last_wall=row.last_wall,
        in_future=_is_future(now, row.first_wall, row.last_wall),
        read_at=row.read_at,
    )


def _is_future(now: float, *walls: float | None) -> bool:
    return any(wall is not None and wall > now + FUTURE_S for wall in walls)
