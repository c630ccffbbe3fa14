"""Teams and projects, and who may do what in them.

Who runs the installation makes teams. Admins of a team say who is in it and make its projects;
admins of a project say who else may see it, and how widely it is seen.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import (
    ColumnElement,
    Connection,
    Subquery,
    Table,
    delete,
    false,
    func,
    insert,
    select,
    true,
    update,
)
from sqlalchemy.exc import IntegrityError

from orgboard_dashboard.accounts.names import place_problem
from orgboard_dashboard.queries.errors import BadQuery, Conflict, Forbidden, NotFound
from orgboard_dashboard.queries.people.accounts import account_id_of
from orgboard_dashboard.queries.people.audit import actor_of, note_down
from orgboard_dashboard.queries.people.open_links import drop_unbacked
from orgboard_dashboard.queries.visible import find_project, visible_projects, visible_runs
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.sql import tables
from orgboard_schema.sql.roles import VISIBILITIES, Role, Visibility
from orgboard_schema.sql.text import from_sql, to_sql
from orgboard_schema.sql.upsert import insert_or_replace

__all__ = [
    "MemberRow",
    "PlaceRow",
    "TeamRow",
    "find_team",
    "list_grants",
    "list_members",
    "list_places",
    "list_teams",
    "make_project",
    "make_team",
    "put_member",
    "require_person",
    "set_grant",
    "set_member",
    "set_visibility",
    "visible_teams",
]

_team, _member, _account = tables.team.c, tables.team_member.c, tables.account.c
_project, _grant = tables.project.c, tables.project_grant.c


@dataclass(frozen=True, slots=True)
class TeamRow:
    """A team, and what the viewer is in it."""

    name: str
    role: str
    """ "" for who is no member and runs the installation."""
    members: int
    projects: int


@dataclass(frozen=True, slots=True)
class MemberRow:
    """Somebody's role in a place."""

    name: str
    role: str
    since: float
    is_disabled: bool


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """A project, as who runs it has it in a list."""

    team: str
    project: str
    visibility: str
    grants: int
    runs: int


def visible_teams(viewer: Viewer, least: Role = Role.VIEWER) -> ColumnElement[bool]:
    """Return the condition on `tables.team` that holds for those `viewer` is in, as `least`."""
    if least > Role.VIEWER and not viewer.can_edit:
        return false()
    if viewer.runs_board:
        return true()
    if viewer.kind != "account" or viewer.account_id is None:
        return false()
    mine = select(_member.team_id).where(
        _member.account_id == viewer.account_id, _member.role >= int(least)
    )
    return _team.team_id.in_(mine)


def find_team(viewer: Viewer, conn: Connection, name: str, least: Role = Role.VIEWER) -> int:
    """Return the id of a team in which `viewer` has at least the role `least`.

    Raises:
        NotFound: there is none that `viewer` is in.
        Forbidden: `viewer` is in it, and may do less.
    """
    here = _team.name == to_sql(name)
    found: int | None = conn.scalar(select(_team.team_id).where(here, visible_teams(viewer)))
    if found is None:
        raise NotFound
    if conn.scalar(select(_team.team_id).where(here, visible_teams(viewer, least))) is None:
        raise Forbidden("Only admins of the team may do this.")
    return found


def list_teams(viewer: Viewer, conn: Connection) -> tuple[TeamRow, ...]:
    """Return the teams that `viewer` is in, all of them to who runs the installation, by name."""
    role = (
        select(_member.role)
        .where(_member.team_id == _team.team_id, _member.account_id == viewer.account_id)
        .scalar_subquery()
    )
    members, projects = (
        select(func.count()).where(table.c.team_id == _team.team_id).scalar_subquery()
        for table in (tables.team_member, tables.project)
    )
    rows = conn.execute(
        select(_team.name, role, members, projects)
        .where(visible_teams(viewer))
        .order_by(_team.name)
    )
    return tuple(
        TeamRow(from_sql(name), Role(had).word if had else "", of_it, its)
        for name, had, of_it, its in rows
    )


def list_members(viewer: Viewer, conn: Connection, team: str) -> tuple[MemberRow, ...]:
    """Return who is in a team, by name.

    Raises:
        NotFound: there is none that `viewer` is in.
    """
    team_id = find_team(viewer, conn, team)
    return _listed(conn, tables.team_member, _member.team_id == team_id)


def list_places(viewer: Viewer, conn: Connection) -> tuple[PlaceRow, ...]:
    """Return the projects that `viewer` runs, by team and name; none to a program."""
    if viewer.kind == "token":
        return ()
    granted, run = _counted(tables.project_grant), tables.run.c
    logged = (
        select(run.project_id, func.count().label("n"))
        .where(visible_runs(viewer))
        .group_by(run.project_id)
        .subquery()
    )
    rows = conn.execute(
        select(_team.name, _project.name, _project.visibility, granted.c.n, logged.c.n)
        .select_from(tables.project)
        .join(tables.team)
        .outerjoin(granted, granted.c.project_id == _project.project_id)
        .outerjoin(logged, logged.c.project_id == _project.project_id)
        .where(visible_projects(viewer, Role.ADMIN))
        .order_by(_team.name, _project.name)
    )
    return tuple(
        PlaceRow(from_sql(team), from_sql(name), visibility, grants or 0, runs or 0)
        for team, name, visibility, grants, runs in rows
    )


def list_grants(viewer: Viewer, conn: Connection, team: str, project: str) -> tuple[MemberRow, ...]:
    """Return to whom a project was granted, one by one.

    Raises:
        NotFound: there is no such project, or `viewer` may not see it.
        Forbidden: `viewer` does not run it.
    """
    found = find_project(viewer, conn, team, project, Role.ADMIN)
    require_person(viewer)
    return _listed(conn, tables.project_grant, _grant.project_id == found.project_id)


def make_team(viewer: Viewer, conn: Connection, name: str, now: float) -> None:
    """Make a team with nobody in it.

    Raises:
        Forbidden: `viewer` does not run the installation.
        BadQuery: this cannot be a name.
        Conflict: there is one already.
    """
    if not viewer.runs_board or not viewer.can_edit:
        raise Forbidden("Only admins of the board make teams.")
    problem = place_problem(name)
    if problem:
        raise BadQuery(problem)
    if conn.scalar(select(_team.team_id).where(_team.name == to_sql(name))) is not None:
        raise Conflict("There is a team of this name already.")
    conn.execute(insert(tables.team), {"name": to_sql(name), "created_at": now})
    note_down(conn, actor_of(viewer), "team.made", name, now)


def make_project(
    viewer: Viewer, conn: Connection, team: str, name: str, visibility: str, now: float
) -> None:
    """Make a project without runs.

    Raises:
        NotFound: there is no such team, or `viewer` is not in it.
        Forbidden: `viewer` does not run the team.
        BadQuery: this cannot be a name, or there is no such visibility.
        Conflict: the team has one of that name already.
    """
    team_id = find_team(viewer, conn, team, Role.ADMIN)
    problem = place_problem(name, "A project")
    if problem:
        raise BadQuery(problem)
    row = {"team_id": team_id, "name": to_sql(name), "created_at": now}
    # One of that name may be there and not for this viewer to see; nor may the new one be.
    insertion = insert(tables.project).values(row | {"visibility": _checked(visibility)}).inline()
    try:
        conn.execute(insertion)
    except IntegrityError as error:
        raise Conflict("The team has a project of this name already.") from error
    after = {"visibility": visibility}
    note_down(conn, actor_of(viewer), "project.made", f"{team}/{name}", now, after=after)


def set_member(
    viewer: Viewer, conn: Connection, team: str, name: str, role: Role | None, now: float
) -> None:
    """Make an account a member of a team in that role, or (None) no member any more.

    Raises:
        NotFound: there is no such team or account, or `viewer` is not in the team.
        Forbidden: `viewer` does not run the team.
    """
    team_id = find_team(viewer, conn, team, Role.ADMIN)
    account_id = _somebody(conn, name)
    here = (_member.team_id == team_id) & (_member.account_id == account_id)
    row = conn.execute(select(_member.role, _member.by_group).where(here)).one_or_none()
    before = None if row is None else row.role
    if role is None:
        conn.execute(delete(tables.team_member).where(here))
    else:
        put_member(conn, team_id, account_id, role, now)
    drop_unbacked(conn)
    subject = f"{team}: {name}"
    if role is not None and row is not None and row.by_group and before == role:
        # As what it was; but it stays now when the group is gone.
        was, will = ({"role": role.word, "by_group": of} for of in (True, False))
        note_down(conn, actor_of(viewer), "member.set", subject, now, before=was, after=will)
    _note_role(conn, viewer, "member.set", subject, before, role, now)


def set_grant(
    viewer: Viewer,
    conn: Connection,
    team: str,
    project: str,
    name: str,
    role: Role | None,
    now: float,
) -> None:
    """Give an account a role in a project, whatever its team; None takes it back.

    Raises:
        NotFound: there is no such project or account, or `viewer` may not see the project.
        Forbidden: `viewer` does not run the project.
    """
    found = find_project(viewer, conn, team, project, Role.ADMIN)
    require_person(viewer)
    account_id = _somebody(conn, name)
    here = (_grant.project_id == found.project_id) & (_grant.account_id == account_id)
    before = conn.scalar(select(_grant.role).where(here))
    if role is None:
        conn.execute(delete(tables.project_grant).where(here))
    else:
        row: dict[str, object] = {"project_id": found.project_id, "account_id": account_id}
        row |= {"role": int(role), "since": now}
        insert_or_replace(conn, tables.project_grant, [row], replace=["role"])
    _note_role(conn, viewer, "grant.set", f"{team}/{project}: {name}", before, role, now)


def set_visibility(
    viewer: Viewer, conn: Connection, team: str, project: str, visibility: str, now: float
) -> None:
    """Say how widely a project is seen.

    Raises:
        NotFound: there is no such project, or `viewer` may not see it.
        Forbidden: `viewer` does not run the project.
        BadQuery: there is no such visibility.
    """
    found = find_project(viewer, conn, team, project, Role.ADMIN)
    require_person(viewer)
    here = _project.project_id == found.project_id
    before = conn.scalar(select(_project.visibility).where(here))
    wanted = _checked(visibility)
    if wanted == before:
        return
    conn.execute(update(tables.project).where(here).values(visibility=wanted))
    note_down(
        conn,
        actor_of(viewer),
        "visibility.set",
        f"{team}/{project}",
        now,
        before={"visibility": before},
        after={"visibility": wanted},
    )


def put_member(conn: Connection, team_id: int, account_id: int, role: Role, now: float) -> None:
    """Make an account a member of a team. The caller sees to it that it may be."""
    row: dict[str, object] = {"team_id": team_id, "account_id": account_id}
    # Whatever a group gave: now it is given by hand, and stays.
    row |= {"role": int(role), "since": now, "by_group": 0}
    insert_or_replace(conn, tables.team_member, [row], replace=["role", "by_group"])


def _counted(table: Table) -> Subquery:
    """Return how many rows each project has in a table, as `n`."""
    column = table.c.project_id
    return select(column, func.count().label("n")).group_by(column).subquery()


def _listed(conn: Connection, table: Table, here: ColumnElement[bool]) -> tuple[MemberRow, ...]:
    rows = conn.execute(
        select(_account.name, _account.disabled_at, table.c.role, table.c.since)
        .join(table, table.c.account_id == _account.account_id)
        .where(here)
        .order_by(_account.name_key)
    )
    return tuple(
        MemberRow(from_sql(name), Role(role).word, since, disabled_at is not None)
        for name, disabled_at, role, since in rows
    )


def _somebody(conn: Connection, name: str) -> int:
    found = account_id_of(conn, name)
    if found is None:
        raise NotFound
    return found


def require_person(viewer: Viewer) -> None:
    """Keep from programs who sees what: what a token gives is runs.

    Raises:
        Forbidden: `viewer` came by a token.
    """
    if viewer.kind == "token":
        raise Forbidden("A token neither tells nor says who may see what.")


def _checked(visibility: str) -> Visibility:
    for known in VISIBILITIES:
        if known == visibility:
            return known
    raise BadQuery(f"A project is seen by one of: {', '.join(VISIBILITIES)}.")


def _note_role(
    conn: Connection,
    viewer: Viewer,
    action: str,
    subject: str,
    before: int | None,
    after: Role | None,
    now: float,
) -> None:
    if before == after:
        return
    was = Role(before).word if before else ""
    now_is = after.word if after else ""
    note_down(
        conn, actor_of(viewer), action, subject, now, before={"role": was}, after={"role": now_is}
    )
