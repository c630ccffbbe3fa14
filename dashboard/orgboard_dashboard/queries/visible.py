"""What a viewer may see, as conditions in SQL. Every query on runs begins here.

A permission is part of the statement and never an `if` after it: a row that may not be
seen is not read.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import ColumnElement, Connection, Select, bindparam, select, true

from orgboard_dashboard.queries.errors import NotFound
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.sql import tables, text
from orgboard_schema.sql.standing import SHOWN

__all__ = [
    "ProjectRef",
    "find_project",
    "find_run",
    "find_runs",
    "visible_projects",
    "visible_runs",
]


@dataclass(frozen=True, slots=True)
class ProjectRef:
    """A project that the viewer may see."""

    project_id: int
    team: str
    project: str


def visible_runs(viewer: Viewer, standing: int = SHOWN) -> ColumnElement[bool]:
    """Return the condition on `tables.run` that holds for what `viewer` may see.

    `standing` asks for others than the shown ones: of `orgboard_schema.sql.standing`.
    """
    stands = tables.run.c.standing == standing
    if viewer.logdirs is None:
        return stands
    hashes = [text.sha256(path) for path in viewer.logdirs]
    shown = select(tables.logdir.c.logdir_id).where(tables.logdir.c.path_sha256.in_(hashes))
    return stands & tables.run.c.logdir_id.in_(shown)


def visible_projects(viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition on `tables.project`; one whose runs are yet to come is visible too."""
    if viewer.logdirs is None:
        return true()
    hashes = [text.sha256(path) for path in viewer.logdirs]
    shown = select(tables.logdir.c.project_id).where(tables.logdir.c.path_sha256.in_(hashes))
    return tables.project.c.project_id.in_(shown)


def find_project(viewer: Viewer, conn: Connection, team: str, project: str) -> ProjectRef:
    """Return the project of that name.

    Raises:
        NotFound: there is none that `viewer` may see.
    """
    named = {"team": text.to_sql(team), "project": text.to_sql(project)}
    found = conn.execute(_find_project(viewer), named).scalar()
    if found is None:
        raise NotFound
    return ProjectRef(found, team, project)


# Built once for each viewer: to build a statement costs more than to run it.
@lru_cache(maxsize=64)
def _find_project(viewer: Viewer) -> Select[int]:
    return (
        select(tables.project.c.project_id)
        .join(tables.team)
        .where(
            tables.team.c.name == bindparam("team"),
            tables.project.c.name == bindparam("project"),
            visible_projects(viewer),
        )
    )


def find_runs(
    viewer: Viewer, conn: Connection, project: ProjectRef, uids: tuple[str, ...]
) -> dict[str, int]:
    """Return the run ids of those `uids` that are in the project and visible."""
    if not uids:
        return {}
    rows = conn.execute(
        select(tables.run.c.uid, tables.run.c.run_id).where(
            tables.run.c.project_id == project.project_id,
            tables.run.c.uid.in_(uids),
            visible_runs(viewer),
        )
    )
    return {row.uid: row.run_id for row in rows}


def find_run(viewer: Viewer, conn: Connection, uid: str) -> int:
    """Return the id of one run.

    Raises:
        NotFound: there is none that `viewer` may see.
    """
    found = conn.execute(
        select(tables.run.c.run_id).where(
            tables.run.c.uid == text.to_sql(uid), visible_runs(viewer)
        )
    ).scalar()
    if found is None:
        raise NotFound
    return int(found)
