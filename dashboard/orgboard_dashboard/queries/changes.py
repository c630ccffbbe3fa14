"""What changed in a project since a moment ago: what live readers ask again and again."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from orgboard_dashboard.queries.visible import ProjectRef, runs_of
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.sql import tables

__all__ = ["ChangedRun", "changed_runs"]


@dataclass(frozen=True, slots=True)
class ChangedRun:
    """The counters of a run that a commit may have changed."""

    uid: str
    revision: int
    touched_ms: int
    points: int
    last_step: int | None
    last_event: float | None
    last_write: float | None
    finished: str | None
    gaps: int
    attempts: int
    edits: int
    tag_set_id: int | None
    """The same as long as no series comes to it."""


def changed_runs(
    viewer: Viewer, conn: Connection, project: ProjectRef, after_ms: int
) -> tuple[ChangedRun, ...]:
    """Return the visible runs that were committed to after `after_ms`, oldest commit first."""
    run = tables.run.c
    wanted = [run[name] for name in ChangedRun.__dataclass_fields__]
    rows = conn.execute(
        select(*wanted)
        .where(runs_of(viewer, project), run.touched_ms > after_ms)
        .order_by(run.touched_ms)
    )
    return tuple(ChangedRun(*row) for row in rows)
