"""`orgboard team`: teams, who is in them and as what, invitations."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from orgboard_dashboard.host.told import (
    HOST,
    Told,
    UsageError,
    add_action,
    add_base_url,
    known_or,
    link_lines,
    link_of,
    parser_of,
    role_of,
    run,
    table,
    when,
)
from orgboard_schema.printing import printable

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["team"]


def team(argv: Sequence[str]) -> int:
    """Make teams, and say who is in them."""
    parser, actions = parser_of("team", "Teams of the board: a project belongs to one.")
    add_action(actions, "add", _add, "make a team").add_argument("team", metavar="TEAM")
    add_action(actions, "list", _list, "list the teams")
    members = add_action(actions, "members", _members, "list who is in a team, and as what")
    members.add_argument("team", metavar="TEAM")
    put = add_action(
        actions, "set", _set, "make an account a member of a team in a role, or (none) no member"
    )
    put.add_argument("team", metavar="TEAM")
    put.add_argument("name", metavar="NAME")
    put.add_argument("role", metavar="ROLE", help="viewer, editor, admin or none")
    invite = add_action(
        actions, "invite", _invite, "print a link that makes an account, a member of the team"
    )
    invite.add_argument("team", metavar="TEAM")
    invite.add_argument(
        "role", metavar="ROLE", nargs="?", default="viewer", help="viewer (default), editor, admin"
    )
    add_base_url(invite)
    groups = add_action(
        actions,
        "groups",
        _groups,
        "list what groups of the organisation's provider are here; or, with GROUP, TEAM and ROLE,"
        " say it (none: nothing any more)",
    )
    groups.add_argument("group", metavar="GROUP", nargs="?", help="as the provider writes it")
    groups.add_argument("team", metavar="TEAM", nargs="?")
    groups.add_argument("role", metavar="ROLE", nargs="?", help="viewer, editor, admin or none")
    groups.add_argument(
        "--admin", action="store_true", help="who is in GROUP runs the board, in place of a TEAM"
    )
    groups.add_argument("--no", action="store_true", help="with --admin: does not any more")
    return run(parser, argv)


def _add(options: argparse.Namespace, conn: Connection) -> Told:
    from orgboard_dashboard.queries.people.members import make_team

    make_team(HOST, conn, options.team, time.time())
    words = f"Made the team {options.team}. `orgboard team invite {options.team}` invites people."
    return Told({"team": options.team}, [words])


def _list(_options: argparse.Namespace, conn: Connection) -> Told:
    from orgboard_dashboard.queries.people.members import list_teams

    rows = list_teams(HOST, conn)
    named = [{"team": r.name, "members": r.members, "projects": r.projects} for r in rows]
    cells = [(row.name, str(row.members), str(row.projects)) for row in rows]
    none = ["No teams: `orgboard team add TEAM` makes one."]
    return Told(named, table(("TEAM", "MEMBERS", "PROJECTS"), cells) if rows else none)


def _members(options: argparse.Namespace, conn: Connection) -> Told:
    from orgboard_dashboard.queries.people.members import list_members

    with known_or(_no_team(options.team)):
        rows = list_members(HOST, conn, options.team)
    cells = [(r.name, r.role, "asleep" if r.is_disabled else "", when(r.since)) for r in rows]
    none = [f"Nobody is in {printable(options.team)}: `orgboard team set` puts somebody in."]
    return Told(rows, table(("NAME", "ROLE", "STATE", "SINCE"), cells) if rows else none)


def _set(options: argparse.Namespace, conn: Connection) -> Told:
    from orgboard_dashboard.queries.people.accounts import find_account
    from orgboard_dashboard.queries.people.members import set_member

    role = role_of(options.role)
    with known_or(f"there is no account {options.name}; `orgboard user list` lists them"):
        find_account(HOST, conn, options.name)
    with known_or(_no_team(options.team)):
        set_member(HOST, conn, options.team, options.name, role, time.time())
    word = "" if role is None else role.word
    words = f"is {word} of" if word else "is not in"
    said = f"{printable(options.name)} {words} the team {printable(options.team)}."
    return Told({"team": options.team, "name": options.name, "role": word}, [said])


def _invite(options: argparse.Namespace, conn: Connection) -> Told:
    from orgboard_dashboard.accounts.opaque import new_secret
    from orgboard_dashboard.queries.people.links import INVITATION_S, invite

    role = role_of(options.role)
    if role is None:
        raise UsageError("an invitation is as viewer, editor or admin")
    secret = new_secret()
    link = link_of(options, secret, INVITATION_S)
    with known_or(_no_team(options.team)):
        invite(HOST, conn, secret, time.time(), options.team, role)
    words = f"To make an account, {role.word} of the team {printable(options.team)}, open"
    return Told({"team": options.team, "role": role.word, **link}, link_lines(words, link))


def _groups(options: argparse.Namespace, conn: Connection) -> Told:
    from orgboard_dashboard.queries.people.group_rules import list_rules, set_rule
    from orgboard_schema.sql.roles import Role

    if options.group is None:
        rules = list_rules(HOST, conn)
        cells = [(one.group, one.team or "runs the board", one.role) for one in rules]
        none = ["No group is anything here: `orgboard team groups GROUP TEAM ROLE` makes it."]
        return Told(rules, table(("GROUP", "TEAM", "ROLE"), cells) if rules else none)
    if options.admin == bool(options.team and options.role) or (options.no and not options.admin):
        raise UsageError("give GROUP TEAM ROLE, or GROUP --admin; `--no` takes the latter back")
    if options.admin:
        role, team = (None if options.no else Role.ADMIN), ""
    else:
        role, team = role_of(options.role), options.team
    with known_or(_no_team(team)):
        set_rule(HOST, conn, options.group, team, role, time.time())
    word = "" if role is None else role.word
    what = (
        f"{word or 'nothing'} in the team {team}"
        if team
        else f"runs the board{' no more' * (not word)}"
    )
    said = f"Who is in {options.group}: {what}, from the next sign-in on."
    return Told({"group": options.group, "team": team, "role": word}, [printable(said)])


def _no_team(name: str) -> str:
    return f"there is no team {name}; `orgboard team list` lists them"
