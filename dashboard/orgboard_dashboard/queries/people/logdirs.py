"""Which directories go to which projects: rules that who runs the board makes, and what they do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from sqlalchemy import Connection, delete, func, select

from orgboard_dashboard.queries.errors import BadQuery, Conflict, NotFound
from orgboard_dashboard.queries.people.accounts import require_admin
from orgboard_dashboard.queries.people.audit import actor_of, note_down
from orgboard_dashboard.queries.visible import find_project
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.errors import OrgboardError
from orgboard_schema.remote import is_url, normalised
from orgboard_schema.sql import tables
from orgboard_schema.sql.logdirs import LogdirTaken, governed, move_logdir
from orgboard_schema.sql.roles import Role
from orgboard_schema.sql.standing import SHOWN
from orgboard_schema.sql.text import from_sql, sha256, to_sql
from orgboard_schema.sql.upsert import insert_new

__all__ = ["LogdirRow", "Moved", "RuleRow", "drop_rule", "list_logdirs", "list_rules", "set_rule"]

_rule, _logdir, _project = tables.logdir_rule.c, tables.logdir.c, tables.project.c


@dataclass(frozen=True, slots=True)
class LogdirRow:
    """A directory that is read, and where its runs are."""

    path: str
    project: str
    """TEAM/PROJECT."""
    visibility: str
    runs: int
    seen_at: float | None
    watch: str


@dataclass(frozen=True, slots=True)
class RuleRow:
    """A rule: what is at `path` and below it belongs to `project`."""

    path: str
    project: str
    created_at: float


@dataclass(frozen=True, slots=True)
class Moved:
    """What a rule does now: logdirs that it moves, from which projects, and their runs."""

    logdirs: tuple[str, ...]
    projects: tuple[str, ...]
    runs: int


def list_logdirs(viewer: Viewer, conn: Connection) -> tuple[LogdirRow, ...]:
    """Return every directory that was read, by path.

    Raises:
        NotFound: `viewer` does not run the installation.
    """
    require_admin(viewer)
    runs = (
        select(func.count())
        .where(tables.run.c.logdir_id == _logdir.logdir_id, tables.run.c.standing == SHOWN)
        .scalar_subquery()
    )
    team = tables.team.c
    rows = conn.execute(
        select(_logdir.path, team.name, _project.name, _project.visibility, runs)
        .add_columns(_logdir.seen_at, _logdir.watch)
        .select_from(tables.logdir)
        .join(tables.project)
        .join(tables.team)
        .order_by(_logdir.path, _logdir.logdir_id)
    )
    return tuple(
        LogdirRow(from_sql(path), _written(of, name), seen, n, seen_at, watch or "")
        for path, of, name, seen, n, seen_at, watch in rows
    )


def list_rules(viewer: Viewer, conn: Connection) -> tuple[RuleRow, ...]:
    """Return the rules, by path.

    Raises:
        NotFound: `viewer` does not run the installation.
    """
    require_admin(viewer)
    rows = conn.execute(
        select(_rule.path, tables.team.c.name, _project.name, _rule.created_at)
        .select_from(tables.logdir_rule)
        .join(tables.project)
        .join(tables.team)
        .order_by(_rule.path)
    )
    return tuple(RuleRow(from_sql(path), _written(of, name), at) for path, of, name, at in rows)


def set_rule(
    viewer: Viewer,
    conn: Connection,
    path: str,
    team: str,
    project: str,
    now: float,
    *,
    is_trial: bool = False,
) -> Moved:
    """Give a directory and all below it to a project, from now on and what is there already.

    A trial only tells what would move.

    Raises:
        NotFound: there is no such project, or `viewer` does not run the installation.
        BadQuery: `path` is no absolute directory, and no URL, as ingest resolves them.
        Conflict: the project has runs of one of the directories already.
    """
    require_admin(viewer)
    _check_path(path)
    found = find_project(viewer, conn, team, project, Role.ADMIN)
    moving = [one for one in governed(conn, path) if one.project_id != found.project_id]
    moved = _moved(conn, [one.logdir_id for one in moving])
    if is_trial:
        return moved
    key = sha256(path)
    row: dict[str, object] = {"path": to_sql(path), "path_sha256": key, "created_at": now}
    row |= {"project_id": found.project_id, "made_by": viewer.account_id}
    conn.execute(delete(tables.logdir_rule).where(_rule.path_sha256 == key))
    insert_new(conn, tables.logdir_rule, [row])
    for one in moving:
        try:
            move_logdir(conn, one.logdir_id, found.project_id, now)
        except LogdirTaken as error:
            raise Conflict(f"{error}: nothing was moved.") from error
    after = {"project": _written(team, project), "moved": list(moved.logdirs), "runs": moved.runs}
    before = {"projects": list(moved.projects)}
    note_down(conn, actor_of(viewer), "logdir.rule", path, now, before=before, after=after)
    return moved


def drop_rule(viewer: Viewer, conn: Connection, path: str, now: float) -> None:
    """Take a rule away; what is where it is stays there.

    Raises:
        NotFound: there is no such rule, or `viewer` does not run the installation.
    """
    require_admin(viewer)
    here = _rule.path_sha256 == sha256(path)
    if conn.execute(delete(tables.logdir_rule).where(here)).rowcount != 1:
        raise NotFound
    note_down(conn, actor_of(viewer), "logdir.rule", path, now, after={"project": ""})


def _moved(conn: Connection, logdir_ids: list[int]) -> Moved:
    rows = conn.execute(
        select(_logdir.path, tables.team.c.name, _project.name)
        .select_from(tables.logdir)
        .join(tables.project)
        .join(tables.team)
        .where(_logdir.logdir_id.in_(logdir_ids))
        .order_by(_logdir.path)
    ).all()
    run = tables.run.c
    # What was moved by itself stays.
    its_own = (run.logdir_id == _logdir.logdir_id) & (run.project_id == _logdir.project_id)
    runs = conn.execute(
        select(func.count())
        .select_from(tables.run)
        .join(tables.logdir, its_own)
        .where(run.logdir_id.in_(logdir_ids), run.standing == SHOWN)
    ).scalar_one()
    projects = sorted({_written(of, name) for _, of, name in rows})
    return Moved(tuple(from_sql(path) for path, _, _ in rows), tuple(projects), runs)


def _check_path(path: str) -> None:
    if is_url(path):
        try:
            known = normalised(path)
        except OrgboardError as error:
            raise BadQuery(f"{error}.") from error
        if known != path:
            raise BadQuery(f"Name it as ingest does: {known}.")
        return
    pure = PurePosixPath(path)
    if not pure.is_absolute() or str(pure) != path or ".." in pure.parts or "\0" in path:
        raise BadQuery("Name a directory from / on, without links, `..` and a slash at its end.")


def _written(team: str, project: str) -> str:
    return f"{from_sql(team)}/{from_sql(project)}"
