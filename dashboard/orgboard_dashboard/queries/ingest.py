"""How ingest fares, for who runs the board: who reads what, how far behind, and what is damaged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Select, func, select

from orgboard_dashboard.queries.people.accounts import require_admin
from orgboard_dashboard.queries.visible import visible_runs
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.sql import clock, tables
from orgboard_schema.sql.health import LogdirHealth, logdir_health
from orgboard_schema.sql.text import from_sql

__all__ = ["MOST_FILES", "IngestOverview", "LostBytes", "TroubledFile", "ingest_overview"]

MOST_FILES: Final = 200
"""Files of one answer; who has more to mend mends those first."""

_run, _file, _gap = tables.run.c, tables.source_file.c, tables.gap.c
_logdir, _project, _team = tables.logdir.c, tables.project.c, tables.team.c


@dataclass(frozen=True, slots=True)
class LostBytes:
    """What could not be read for one reason, in the files as they are now."""

    reason: str
    places: int
    bytes: int
    runs: int


@dataclass(frozen=True, slots=True)
class TroubledFile:
    """A file that cannot be read at the moment."""

    project: str
    """TEAM/PROJECT."""
    uid: str
    run: str
    path: str
    error: str
    read_at: float | None
    """When bytes of it were last stored."""


@dataclass(frozen=True, slots=True)
class IngestOverview:
    """All of it, as one snapshot tells."""

    now: float
    """By the database's clock, as all times here."""
    logdirs: tuple[LogdirHealth, ...]
    lost: tuple[LostBytes, ...]
    files: tuple[TroubledFile, ...]
    is_all: bool


def ingest_overview(viewer: Viewer, conn: Connection) -> IngestOverview:
    """Return how ingest fares.

    Raises:
        NotFound: `viewer` does not run the installation.
    """
    require_admin(viewer)
    shown = visible_runs(viewer)
    lost = conn.execute(
        select(
            _gap.reason,
            func.count().label("places"),
            func.sum(_gap.length).label("octets"),
            func.count(_gap.run_id.distinct()).label("runs"),
        )
        .join_from(tables.gap, tables.source_file, _gap.file_id == _file.file_id)
        .join(tables.run, _run.run_id == _gap.run_id)
        # Of the generation that is stored: an earlier file of the name had gaps of its own.
        .where(shown, _gap.generation == _file.generation)
        .group_by(_gap.reason)
        .order_by(func.sum(_gap.length).desc(), _gap.reason)
    ).all()
    files = [_troubled(row) for row in conn.execute(_files().where(shown))]
    return IngestOverview(
        now=clock.now(conn),
        logdirs=tuple(logdir_health(conn)),
        lost=tuple(
            LostBytes(from_sql(row.reason), row.places, int(row.octets), row.runs) for row in lost
        ),
        files=tuple(files[:MOST_FILES]),
        is_all=len(files) <= MOST_FILES,
    )


def _files() -> Select[*tuple[Any, ...]]:
    return (
        select(
            *(_team.name.label("team"), _project.name.label("project"), _run.uid),
            *(_run.name.label("run"), _run.display_name, _logdir.path.label("logdir")),
            *(_file.name, _file.error, _file.read_at),
        )
        .join_from(tables.source_file, tables.run, _run.run_id == _file.run_id)
        .join(tables.logdir, _logdir.logdir_id == _run.logdir_id)
        .join(tables.project, _project.project_id == _run.project_id)
        .join(tables.team, _team.team_id == _project.team_id)
        .where(_file.error != "")
        .order_by(_team.name, _project.name, _run.name, _file.name)
        .limit(MOST_FILES + 1)
    )


def _troubled(row: Any) -> TroubledFile:
    run, logdir = from_sql(row.run), from_sql(row.logdir)
    folder = logdir if run == "." else f"{logdir}/{run}"
    return TroubledFile(
        project=f"{from_sql(row.team)}/{from_sql(row.project)}",
        uid=row.uid,
        run=from_sql(row.display_name or row.run),
        path=f"{folder}/{from_sql(row.name)}",
        error=from_sql(row.error),
        read_at=row.read_at,
    )
