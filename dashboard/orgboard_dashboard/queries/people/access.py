"""Who sees what, and why: asked of a project, or of an account; and what a change would do to it.

The roles come from the conditions that every query has (`queries.visible`), and nowhere else:
what is told here is what holds. The ways to a role are only its reasons.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import ColumnElement, Connection, Select, and_, literal, select, true

from orgboard_dashboard.queries.errors import NotFound
from orgboard_dashboard.queries.people.accounts import account_id_of
from orgboard_dashboard.queries.people.logdirs import Moved, set_rule
from orgboard_dashboard.queries.people.members import (
    require_person,
    set_grant,
    set_visibility,
)
from orgboard_dashboard.queries.visible import find_project, role_of, visible_projects
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.sql import tables
from orgboard_schema.sql.roles import ORGANISATION, PRIVATE, Role
from orgboard_schema.sql.text import from_sql, to_sql

__all__ = [
    "Foreseen",
    "Sight",
    "Turn",
    "Way",
    "foresee_assignment",
    "foresee_grant",
    "foresee_move",
    "foresee_visibility",
    "own_access",
    "visibility_of",
    "what_sees",
    "who_sees",
]

_account, _project, _team = tables.account.c, tables.project.c, tables.team.c
# Under other names than in the conditions of `visible`, which look into the same tables.
_granted, _in_team = tables.project_grant.alias("granted"), tables.team_member.alias("in_team")


@dataclass(frozen=True, slots=True)
class Way:
    """One reason why an account has a role; the highest of several counts."""

    by: Literal["board", "grant", "team", "organisation"]
    role: str


@dataclass(frozen=True, slots=True)
class Sight:
    """That an account sees a project, and what it may do there."""

    account: str
    kind: str
    team: str
    project: str
    visibility: str
    role: str
    ways: tuple[Way, ...]


@dataclass(frozen=True, slots=True)
class Turn:
    """What becomes of an account's role in a project; "" is none."""

    account: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Foreseen:
    """Who would gain sight of a project by a change, who lose it, who see it in another role."""

    gain: tuple[Turn, ...]
    lose: tuple[Turn, ...]
    differ: tuple[Turn, ...]


def who_sees(viewer: Viewer, conn: Connection, team: str, project: str) -> tuple[Sight, ...]:
    """Return who sees a project, by name.

    Raises:
        NotFound: there is no such project, or `viewer` may not see it.
        Forbidden: `viewer` does not run it.
    """
    found = find_project(viewer, conn, team, project, Role.ADMIN)
    require_person(viewer)
    return _seen(conn, _project.project_id == found.project_id)


def what_sees(viewer: Viewer, conn: Connection, name: str) -> tuple[Sight, ...]:
    """Return what an account sees, by team and project.

    Raises:
        NotFound: there is no such account, or `viewer` does not run the installation.
    """
    account_id = account_id_of(conn, name) if viewer.runs_board else None
    if account_id is None:
        raise NotFound
    return _seen(conn, (_account.account_id == account_id) & visible_projects(viewer))


def own_access(viewer: Viewer, conn: Connection) -> tuple[Sight, ...]:
    """Return what the viewer's own account sees; nothing to who is none."""
    if viewer.kind != "account" or viewer.account_id is None:
        return ()
    return _seen(conn, (_account.account_id == viewer.account_id) & visible_projects(viewer))


def visibility_of(viewer: Viewer, conn: Connection, team: str, project: str) -> str:
    """Return how widely a project is seen.

    Raises:
        NotFound: there is no such project, or `viewer` may not see it.
        Forbidden: `viewer` does not run it.
    """
    found = find_project(viewer, conn, team, project, Role.ADMIN)
    require_person(viewer)
    here = _project.project_id == found.project_id
    return str(conn.execute(select(_project.visibility).where(here)).scalar_one())


def foresee_visibility(
    viewer: Viewer, conn: Connection, team: str, project: str, visibility: str, now: float
) -> Foreseen:
    """Return what `set_visibility` would do. In a transaction that writes, and leaves nothing.

    Raises as `set_visibility` does.
    """
    return _foresee(
        viewer,
        conn,
        team,
        project,
        lambda: set_visibility(viewer, conn, team, project, visibility, now),
    )


def foresee_grant(
    viewer: Viewer,
    conn: Connection,
    team: str,
    project: str,
    name: str,
    role: Role | None,
    now: float,
) -> Foreseen:
    """Return what `set_grant` would do. In a transaction that writes, and leaves nothing.

    Raises as `set_grant` does.
    """
    return _foresee(
        viewer,
        conn,
        team,
        project,
        lambda: set_grant(viewer, conn, team, project, name, role, now),
    )


def foresee_assignment(
    viewer: Viewer, conn: Connection, path: str, team: str, project: str, now: float
) -> tuple[Moved, Foreseen]:
    """Return what `set_rule` would move, and who would gain or lose sight of any of those runs.

    Raises as `set_rule` does.
    """
    moved = set_rule(viewer, conn, path, team, project, now, is_trial=True)
    after = _roles_in(conn, team, project)
    turns: set[Turn] = set()
    for place in moved.projects:
        of, _, name = place.partition("/")
        turns.update(_turns(_roles_in(conn, of, name), after))
    return moved, _foreseen(sorted(turns, key=lambda turn: (turn.account, turn.before)))


def foresee_move(conn: Connection, at: tuple[str, str], to: tuple[str, str]) -> Foreseen:
    """Return who would gain or lose sight of runs that go from one project to another.

    The caller sees to it that who asks may know who sees both.
    """
    return _foreseen(_turns(_roles_in(conn, *at), _roles_in(conn, *to)))


def _roles_in(conn: Connection, team: str, project: str) -> dict[str, str]:
    here = (_team.name == to_sql(team)) & (_project.name == to_sql(project))
    return {sight.account: sight.role for sight in _seen(conn, here)}


def _foresee(
    viewer: Viewer, conn: Connection, team: str, project: str, change: Callable[[], None]
) -> Foreseen:
    """Do it, look, and take it back: the rules that will hold are the ones that tell."""
    found = find_project(viewer, conn, team, project, Role.ADMIN)
    here = _project.project_id == found.project_id
    before = {sight.account: sight.role for sight in _seen(conn, here)}
    with conn.begin_nested() as tried:
        change()
        after = {sight.account: sight.role for sight in _seen(conn, here)}
        tried.rollback()
    return _foreseen(_turns(before, after))


def _turns(before: Mapping[str, str], after: Mapping[str, str]) -> list[Turn]:
    return [
        Turn(name, before.get(name, ""), after.get(name, ""))
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]


def _foreseen(turns: Sequence[Turn]) -> Foreseen:
    return Foreseen(
        gain=tuple(turn for turn in turns if not turn.before),
        lose=tuple(turn for turn in turns if not turn.after),
        differ=tuple(turn for turn in turns if turn.before and turn.after),
    )


def _seen(conn: Connection, here: ColumnElement[bool]) -> tuple[Sight, ...]:
    return tuple(
        Sight(
            account=from_sql(row.account),
            kind=row.kind,
            team=from_sql(row.team),
            project=from_sql(row.project),
            visibility=row.visibility,
            role=Role(row.role).word,
            ways=_ways(bool(row.is_admin), row.granted, row.in_team, row.visibility),
        )
        for row in conn.execute(_sights(here))
    )


def _sights(
    here: ColumnElement[bool],
) -> Select[str, str, int, str, str, str, int | None, int | None, int]:
    """Return the statement of who sees what; who is asleep sees nothing."""
    role = role_of(_account.account_id, _account.is_admin)
    mine = _account.account_id
    return (
        select(
            *(_account.name.label("account"), _account.kind, _account.is_admin),
            *(_team.name.label("team"), _project.name.label("project"), _project.visibility),
            *(_granted.c.role.label("granted"), _in_team.c.role.label("in_team")),
            role.label("role"),
        )
        .select_from(tables.account)
        .join(tables.project, true())
        .join(tables.team, _team.team_id == _project.team_id)
        .outerjoin(
            _granted,
            and_(_granted.c.project_id == _project.project_id, _granted.c.account_id == mine),
        )
        .outerjoin(
            _in_team,
            and_(_in_team.c.team_id == _project.team_id, _in_team.c.account_id == mine),
        )
        .where(here, _account.disabled_at.is_(None), role > literal(0))
        .order_by(_account.name_key, _team.name, _project.name)
    )


def _ways(
    is_admin: bool, granted: int | None, in_team: int | None, visibility: str
) -> tuple[Way, ...]:
    ways: list[Way] = []
    if is_admin:
        ways.append(Way("board", Role.ADMIN.word))
    if granted is not None:
        ways.append(Way("grant", Role(granted).word))
    if in_team is not None and visibility != PRIVATE:
        ways.append(Way("team", Role(in_team).word))
    if visibility == ORGANISATION:
        ways.append(Way("organisation", Role.VIEWER.word))
    return tuple(ways)
