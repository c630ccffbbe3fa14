"""Projects, and how alive they are."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, case, func, select

from orgboard_dashboard.queries.fields import LIVE_WITHIN_S
from orgboard_dashboard.queries.visible import visible_projects, visible_runs
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.sql import tables, text

__all__ = ["ProjectRow", "list_projects"]


@dataclass(frozen=True, slots=True)
class ProjectRow:
    """A project as the first page lists it."""

    team: str
    project: str
    runs: int
    """Without those that were put aside."""
    archived: int
    live: int
    last_event: float | None


def list_projects(viewer: Viewer, conn: Connection, now: float) -> tuple[ProjectRow, ...]:
    """Return the projects that `viewer` may see, by team and name. `now` is epoch seconds."""
    run, project, team = tables.run.c, tables.project.c, tables.team.c
    is_live = run.finished.is_(None) & (run.last_write > now - LIVE_WITHIN_S)
    counted = (
        select(
            run.project_id,
            func.count().label("runs"),
            func.count(run.archived_at).label("archived"),
            func.sum(case((is_live & run.archived_at.is_(None), 1), else_=0)).label("live"),
            func.max(run.last_event).label("last_event"),
        )
        .where(visible_runs(viewer))
        .group_by(run.project_id)
        .subquery()
    )
    rows = conn.execute(
        select(
            *(team.name, project.name, counted.c.runs),
            *(counted.c.archived, counted.c.live, counted.c.last_event),
        )
        .select_from(tables.project)
        .join(tables.team)
        .outerjoin(counted, counted.c.project_id == project.project_id)
        .where(visible_projects(viewer))
    )
    listed = [
        ProjectRow(
            text.from_sql(of),
            text.from_sql(name),
            (runs or 0) - (archived or 0),
            archived or 0,
            int(live or 0),
            last,
        )
        for of, name, runs, archived, live, last in rows
    ]
    return tuple(sorted(listed, key=lambda row: (row.team, row.project)))
