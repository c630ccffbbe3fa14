"""What a group of the provider's is here: rules, and what they do at each sign-in.

    group ─▶ a role in a team, or running the board

What a group gave goes with the group, at the next sign-in. What somebody gave by hand stays, and
only who gives by hand takes it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, delete, func, insert, select, update

from orgboard_dashboard.queries.errors import BadQuery, Conflict, Forbidden
from orgboard_dashboard.queries.people.accounts import (
    end_all_sessions,
    is_run,
    require_admin,
)
from orgboard_dashboard.queries.people.audit import DONE, REFUSED, Actor, actor_of, note_down
from orgboard_dashboard.queries.people.members import find_team
from orgboard_dashboard.queries.people.open_links import drop_unbacked
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.sql import tables
from orgboard_schema.sql.roles import Role
from orgboard_schema.sql.text import from_sql, to_sql
from orgboard_schema.sql.upsert import insert_new

__all__ = ["GroupRule", "apply_rules", "list_rules", "set_rule"]

_MOST_GROUP_CHARS: Final = 300
_MOST_RULES: Final = 2000
"""All are looked at, at each sign-in."""

_rule, _team = tables.group_rule.c, tables.team.c
_member, _account = tables.team_member.c, tables.account.c


@dataclass(frozen=True, slots=True)
class GroupRule:
    """What who is in a group is."""

    group: str
    team: str
    """ "": it runs the board."""
    role: str


def list_rules(viewer: Viewer, conn: Connection) -> tuple[GroupRule, ...]:
    """Return the rules, by group and team.

    Raises:
        NotFound: `viewer` does not run the installation.
    """
    require_admin(viewer)
    rows = conn.execute(
        select(_rule.group_name, _team.name, _rule.role)
        .select_from(tables.group_rule)
        .outerjoin(tables.team, _team.team_id == _rule.team_id)
        .order_by(_rule.group_name, _team.name)
    )
    return tuple(
        GroupRule(from_sql(group), from_sql(team or ""), Role(role).word)
        for group, team, role in rows
    )


def set_rule(
    viewer: Viewer, conn: Connection, group: str, team: str, role: Role | None, now: float
) -> None:
    """Say what who is in a group is in a team ("": that it runs the board); None: nothing.

    With the last rule of a team, or on running the board, goes at once what groups gave there.

    Raises:
        NotFound: `viewer` does not run the installation, or there is no such team.
        Forbidden: `viewer` may change nothing.
        BadQuery: this cannot be a group.
        Conflict: nobody who can sign in would run the board any more, or there are too many.
    """
    require_admin(viewer)
    if not viewer.can_edit:
        raise Forbidden
    if not 0 < len(group) <= _MOST_GROUP_CHARS or not group.isprintable():
        raise BadQuery(f"A group has a name of 1 to {_MOST_GROUP_CHARS} characters, on one line.")
    team_id = find_team(viewer, conn, team) if team else None
    # NULL is not like NULL to a unique constraint: so it is looked for, and one at a time.
    here = (_rule.group_name == to_sql(group)) & _of_team(team_id)
    conn.execute(select(_rule.rule_id).where(_of_team(team_id)).with_for_update())
    before: int | None = conn.scalar(select(_rule.role).where(here))
    given = None if role is None else int(Role.ADMIN if team_id is None else role)
    if before == given:
        return
    if given is None:
        conn.execute(delete(tables.group_rule).where(here))
        _end_with_the_last(conn, team_id, viewer.via)
    elif before is None:
        _insert(conn, viewer, group, team_id, given, now)
    else:
        conn.execute(update(tables.group_rule).where(here).values(role=given))
    drop_unbacked(conn)
    was, will = ({"role": Role(r).word if r else ""} for r in (before, given))
    subject = f"{group} in {team}" if team else f"{group} runs the board"
    note_down(conn, actor_of(viewer), "group.set", subject, now, before=was, after=will)


def apply_rules(
    conn: Connection, actor: Actor, account_id: int, groups: Collection[str], now: float
) -> None:
    """Give an account what its groups give, and take what they gave and do not any more."""
    rows = conn.execute(select(_rule.group_name, _rule.team_id, _rule.role)).all()
    if not rows and not _has_of_groups(conn, account_id):
        return
    teams: dict[int, tuple[int, str]] = {}
    admin = ""
    for stored, team_id, role in rows:
        group = from_sql(stored)
        if group not in groups:
            continue
        if team_id is None:
            admin = admin or group
        elif role > teams.get(team_id, (0, ""))[0]:
            teams[team_id] = role, group
    _apply_teams(conn, actor, account_id, teams, now)
    _apply_admin(conn, actor, account_id, admin, now)
    drop_unbacked(conn)


def _apply_teams(
    conn: Connection,
    actor: Actor,
    account_id: int,
    given: dict[int, tuple[int, str]],
    now: float,
) -> None:
    mine = _member.account_id == account_id
    rows = conn.execute(select(_member.team_id, _member.role, _member.by_group).where(mine)).all()
    had = {row.team_id: row for row in rows}
    names = _team_names(conn, {*given, *had})
    for team_id, (role, group) in sorted(given.items()):
        here = mine & (_member.team_id == team_id)
        row = had.get(team_id)
        if row is None:
            new: dict[str, object] = {"team_id": team_id, "account_id": account_id}
            new |= {"role": role, "since": now, "by_group": 1}
            insert_new(conn, tables.team_member, [new])
        elif row.by_group and row.role != role:
            conn.execute(update(tables.team_member).where(here).values(role=role))
        else:
            continue
        before = None if row is None else row.role
        _note(conn, actor, f"{names[team_id]}: {actor.name}", before, role, group, now)
    for team_id, row in sorted(had.items()):
        if row.by_group and team_id not in given:
            conn.execute(delete(tables.team_member).where(mine & (_member.team_id == team_id)))
            _note(conn, actor, f"{names[team_id]}: {actor.name}", row.role, None, "", now)


def _apply_admin(conn: Connection, actor: Actor, account_id: int, group: str, now: float) -> None:
    here = _account.account_id == account_id
    row = conn.execute(select(_account.is_admin, _account.admin_by_group).where(here)).one()
    is_given = bool(group) and not row.is_admin
    is_taken = not group and bool(row.admin_by_group)
    if not is_given and not is_taken:
        return
    # Who runs the board alone goes on, and the log tells that no group says so any more.
    is_kept = is_taken and not _others_run_it(conn, [account_id])
    if not is_kept:
        values = {"is_admin": int(is_given), "admin_by_group": int(is_given)}
        conn.execute(update(tables.account).where(here).values(values))
        # Whoever stole a session before may not what it may from now on.
        end_all_sessions(conn, account_id)
    before, after = {"admin": is_taken}, {"admin": is_given, "by_group": group}
    outcome = REFUSED if is_kept else DONE
    note_down(
        *(conn, actor, "account.set", actor.name, now), before=before, after=after, outcome=outcome
    )


def _end_with_the_last(conn: Connection, team_id: int | None, via: str) -> None:
    """Take what groups gave in a place that no rule is on any more; the session `via` stays."""
    if conn.scalar(select(func.count()).select_from(tables.group_rule).where(_of_team(team_id))):
        return
    if team_id is not None:
        theirs = (_member.team_id == team_id) & (_member.by_group == 1)
        conn.execute(delete(tables.team_member).where(theirs))
        return
    by_group = conn.scalars(select(_account.account_id).where(_account.admin_by_group == 1)).all()
    if by_group and not _others_run_it(conn, by_group):
        raise Conflict("Somebody must run the board: make an account an admin by hand first.")
    values = {"is_admin": 0, "admin_by_group": 0}
    conn.execute(update(tables.account).where(_account.admin_by_group == 1).values(values))
    for account_id in by_group:
        end_all_sessions(conn, account_id, but=via)


def _others_run_it(conn: Connection, account_ids: Collection[int]) -> bool:
    """Tell whether somebody else runs the board and can sign in; of two who stop, one waits."""
    conn.execute(select(_account.account_id).where(_account.is_admin == 1).with_for_update())
    return is_run(conn, but=account_ids)


def _has_of_groups(conn: Connection, account_id: int) -> bool:
    in_teams = select(_member.team_id).where(
        _member.account_id == account_id, _member.by_group == 1
    )
    runs = select(_account.account_id).where(
        _account.account_id == account_id, _account.admin_by_group == 1
    )
    return conn.scalar(in_teams) is not None or conn.scalar(runs) is not None


def _insert(
    conn: Connection, viewer: Viewer, group: str, team_id: int | None, role: int, now: float
) -> None:
    if (conn.scalar(select(func.count()).select_from(tables.group_rule)) or 0) >= _MOST_RULES:
        raise Conflict(f"There are {_MOST_RULES} rules on groups already.")
    row: dict[str, object] = {"group_name": to_sql(group), "team_id": team_id, "role": role}
    row |= {"made_by": viewer.account_id, "created_at": now}
    conn.execute(insert(tables.group_rule), row)


def _of_team(team_id: int | None) -> Any:
    return _rule.team_id.is_(None) if team_id is None else _rule.team_id == team_id


def _team_names(conn: Connection, team_ids: Collection[int]) -> dict[int, str]:
    rows = conn.execute(select(_team.team_id, _team.name).where(_team.team_id.in_(team_ids)))
    return {team_id: from_sql(name) for team_id, name in rows}


def _note(
    conn: Connection,
    actor: Actor,
    subject: str,
    before: int | None,
    after: int | None,
    group: str,
    now: float,
) -> None:
    was, will = ({"role": Role(r).word if r else "", "by_group": group} for r in (before, after))
    note_down(conn, actor, "member.set", subject, now, before=was, after=will)
