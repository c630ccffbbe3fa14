"""`orgboard project`: projects, how widely they are seen, and by whom."""

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
    known_or,
    parser_of,
    role_of,
    run,
    table,
    why,
)
from orgboard_schema.printing import printable

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["project"]

_PLACE = "TEAM/PROJECT"
_VISIBILITY = "private, team or organisation"


def project(argv: Sequence[str]) -> int:
    """Make projects, and say who sees them."""
    parser, actions = parser_of(
        "project",
        "Projects, and who sees them: private ones whom they were granted to, a team's its"
        " members too, an organisation's every account.",
    )
    add = add_action(actions, "add", _add, "make a project without runs")
    add.add_argument("place", metavar=_PLACE)
    add.add_argument("--visibility", default="team", help=f"{_VISIBILITY} (default: team)")
    add_action(actions, "list", _list, "list the projects")
    seen = add_action(actions, "visibility", _visibility, "say how widely a project is seen")
    seen.add_argument("place", metavar=_PLACE)
    seen.add_argument("visibility", metavar="VISIBILITY", help=_VISIBILITY)
    grant = add_action(
        actions, "grant", _grant, "give an account a role in a project, or (none) take it back"
    )
    grant.add_argument("place", metavar=_PLACE)
    grant.add_argument("name", metavar="NAME")
    grant.add_argument("role", metavar="ROLE", help="viewer, editor, admin or none")
    who = add_action(actions, "who", _who, "tell who sees a project, in which role, and why")
    who.add_argument("place", metavar=_PLACE)
    assign = add_action(
        actions,
        "assign",
        _assign,
        "give a directory, and all below it, to a project: what is there and what comes",
    )
    assign.add_argument("directory", metavar="DIR", help="as ingest reads it: resolved, absolute")
    assign.add_argument("place", metavar=_PLACE, help="or none: take the rule away")
    assign.add_argument("--trial", action="store_true", help="only tell what would move")
    add_action(actions, "directories", _directories, "list the directories that are read")
    add_action(actions, "rules", _rules, "list which directories were assigned")
    return run(parser, argv)


def _add(options: argparse.Namespace, conn: Connection) -> Told:
    from orgboard_dashboard.queries.people.members import make_project

    team, name = _parted(options.place)
    with known_or(f"there is no team {team}; `orgboard team add` makes one"):
        make_project(HOST, conn, team, name, options.visibility, time.time())
    words = f"Made {team}/{name}. `orgboard ingest LOGDIR --project {team}/{name}` fills it."
    return Told({"team": team, "project": name, "visibility": options.visibility}, [words])


def _list(_options: argparse.Namespace, conn: Connection) -> Told:
    from orgboard_dashboard.queries.people.members import list_places

    rows = list_places(HOST, conn)
    cells = [(f"{r.team}/{r.project}", r.visibility, str(r.grants), str(r.runs)) for r in rows]
    none = ["No projects: the first `orgboard ingest` makes one, and so does `project add`."]
    return Told(rows, table((_PLACE, "VISIBILITY", "GRANTS", "RUNS"), cells) if rows else none)


def _visibility(options: argparse.Namespace, conn: Connection) -> Told:
    from orgboard_dashboard.queries.people.members import set_visibility

    team, name = _parted(options.place)
    with known_or(_no_project(options.place)):
        set_visibility(HOST, conn, team, name, options.visibility, time.time())
    words = {
        "private": "whom it was granted to",
        "team": "its team, and by whom it was granted to",
        "organisation": "everybody who has an account",
    }[options.visibility]
    said = f"{printable(options.place)} is seen by {words}."
    return Told({"team": team, "project": name, "visibility": options.visibility}, [said])


def _grant(options: argparse.Namespace, conn: Connection) -> Told:
    from orgboard_dashboard.queries.people.accounts import find_account
    from orgboard_dashboard.queries.people.members import set_grant

    role = role_of(options.role)
    team, name = _parted(options.place)
    with known_or(f"there is no account {options.name}; `orgboard user list` lists them"):
        find_account(HOST, conn, options.name)
    with known_or(_no_project(options.place)):
        set_grant(HOST, conn, team, name, options.name, role, time.time())
    word = "" if role is None else role.word
    words = f"is granted as {word}" if word else "is granted no more"
    said = f"{printable(options.place)} {words} to {printable(options.name)}."
    return Told({"team": team, "project": name, "name": options.name, "role": word}, [said])


def _who(options: argparse.Namespace, conn: Connection) -> Told:
    from orgboard_dashboard.queries.people.access import who_sees

    team, name = _parted(options.place)
    with known_or(_no_project(options.place)):
        sights = who_sees(HOST, conn, team, name)
    cells = [(s.account, s.kind, s.role, why(s)) for s in sights]
    none = [f"No account sees {printable(options.place)}."]
    return Told(sights, table(("NAME", "KIND", "ROLE", "WHY"), cells) if cells else none)


def _assign(options: argparse.Namespace, conn: Connection) -> Told:
    from orgboard_dashboard.queries.people.logdirs import drop_rule, set_rule

    path, shown = options.directory, printable(options.directory)
    if options.place == "none":
        with known_or(f"{path} is not assigned; `orgboard project rules` lists what is"):
            drop_rule(HOST, conn, path, time.time())
        return Told({"directory": path}, [f"{shown} is assigned no more; its runs stay there."])
    team, name = _parted(options.place)
    with known_or(_no_project(options.place)):
        moved = set_rule(HOST, conn, path, team, name, time.time(), is_trial=options.trial)
    does = ("Would move", "would belong") if options.trial else ("Moved", "belongs")
    words = f"{shown}, and what is below it, {does[1]} to {printable(options.place)}."
    runs = f"{does[0]} {moved.runs} runs of {len(moved.logdirs)} directories."
    return Told(moved, [words, runs] if moved.logdirs else [words])


def _directories(_options: argparse.Namespace, conn: Connection) -> Told:
    from orgboard_dashboard.queries.people.logdirs import list_logdirs

    rows = list_logdirs(HOST, conn)
    cells = [(r.path, r.project, r.visibility, str(r.runs)) for r in rows]
    none = ["No directory was read yet: `orgboard ingest DIR` reads one."]
    return Told(rows, table(("DIRECTORY", _PLACE, "VISIBILITY", "RUNS"), cells) if rows else none)


def _rules(_options: argparse.Namespace, conn: Connection) -> Told:
    from orgboard_dashboard.queries.people.logdirs import list_rules

    rows = list_rules(HOST, conn)
    cells = [(row.path, row.project) for row in rows]
    none = ["No directory was assigned: `orgboard project assign` does."]
    return Told(rows, table(("DIRECTORY", _PLACE), cells) if rows else none)


def _parted(place: str) -> tuple[str, str]:
    """Read TEAM/PROJECT; a bare name is of the team `default`, as everywhere."""
    team, slash, name = place.partition("/")
    if slash and not (team and name):
        raise UsageError(f"a project is written TEAM/PROJECT; not {place}")
    return (team, name) if slash else ("default", team)


def _no_project(place: str) -> str:
    return f"there is no project {place}; `orgboard project list` lists them"
