"""`orgboard user`: accounts, one-time links to set passwords, and what an account sees."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from orgboard_dashboard.host.told import (
    HOST,
    Told,
    add_action,
    add_base_url,
    known_or,
    link_lines,
    link_of,
    parser_of,
    run,
    table,
    when,
    why,
)
from orgboard_schema.printing import printable

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from orgboard_dashboard.queries.people.accounts import AccountRow

__all__ = ["user"]


def user(argv: Sequence[str]) -> int:
    """Make accounts, put them to sleep, and tell what they see."""
    parser, actions = parser_of(
        "user",
        "Accounts of the board. Once there is one, whoever looks at the board must sign in.",
    )
    add = add_action(actions, "add", _add, "make an account, and print a link to set its password")
    add.add_argument("name", metavar="NAME")
    add.add_argument("--admin", action="store_true", help="it runs the board: may do everything")
    add.add_argument(
        "--service", action="store_true", help="it is a program's: has tokens and no password"
    )
    add_base_url(add)
    add_action(actions, "list", _list, "list the accounts")
    for name, does, words in (
        ("disable", _disable, "put an account to sleep: nobody can use it, what it wrote stays"),
        ("enable", _enable, "wake an account"),
    ):
        add_action(actions, name, does, words).add_argument("name", metavar="NAME")
    admin = add_action(actions, "admin", _admin, "let an account run the board")
    admin.add_argument("name", metavar="NAME")
    admin.add_argument("--no", action="store_true", help="let it run the board no more")
    reset = add_action(actions, "reset", _reset, "print a link to set a new password")
    reset.add_argument("name", metavar="NAME")
    add_base_url(reset)
    second = add_action(
        actions, "second-factor", _second, "ask an account for no second factor any more"
    )
    second.add_argument("state", choices=("off",), help="its owner alone can put one in force")
    second.add_argument("name", metavar="NAME")
    sees = add_action(actions, "sees", _sees, "tell which projects an account sees, and why")
    sees.add_argument("name", metavar="NAME")
    return run(parser, argv)


def _add(options: argparse.Namespace, conn: Connection) -> Told:
    from orgboard_dashboard.queries.people.accounts import list_accounts, make_account

    kind = "service" if options.service else "person"
    now = time.time()
    make_account(HOST, conn, options.name, now, kind=kind, is_admin=options.admin)
    link = {} if options.service else _link(options, conn)
    is_run = any(row.is_admin and row.disabled_at is None for row in list_accounts(HOST, conn))
    if not is_run:
        sys.stderr.write(
            "orgboard: nobody runs the board yet: `orgboard user admin NAME` lets an account\n"
        )
    lines = (
        link_lines(f"Made {options.name}. To set the password, open", link)
        if link
        else [f"Made {options.name}, which nobody can sign in with."]
    )
    return Told({"name": options.name, "kind": kind, "admin": options.admin, **link}, lines)


def _list(_options: argparse.Namespace, conn: Connection) -> Told:
    from orgboard_dashboard.queries.people.accounts import list_accounts

    rows = list_accounts(HOST, conn)
    head = ("NAME", "KIND", "RUNS THE BOARD", "STATE", "LAST SEEN", "SINCE")
    none = ["No accounts: `orgboard user add NAME --admin` makes the first one."]
    return Told(rows, table(head, [_row(row) for row in rows]) if rows else none)


def _row(row: AccountRow) -> tuple[str, ...]:
    is_waiting = row.kind == "person" and not (row.has_password or row.has_identity)
    state = "asleep" if row.disabled_at is not None else "no password yet" if is_waiting else ""
    seen, since = when(row.used_at), when(row.created_at)
    return (row.name, row.kind, "yes" if row.is_admin else "", state, seen, since)


def _disable(options: argparse.Namespace, conn: Connection) -> Told:
    return _change(options, conn, "is asleep, and its sessions are over", is_disabled=True)


def _enable(options: argparse.Namespace, conn: Connection) -> Told:
    return _change(options, conn, "is awake", is_disabled=False)


def _admin(options: argparse.Namespace, conn: Connection) -> Told:
    words = "runs the board no more" if options.no else "runs the board"
    return _change(options, conn, words, is_admin=not options.no)


def _change(options: argparse.Namespace, conn: Connection, words: str, **change: bool) -> Told:
    from orgboard_dashboard.queries.people.accounts import change_account

    with known_or(_no_account(options.name)):
        change_account(HOST, conn, options.name, time.time(), **change)
    return Told({"name": options.name, **change}, [f"{printable(options.name)} {words}."])


def _reset(options: argparse.Namespace, conn: Connection) -> Told:
    with known_or(_no_account(options.name)):
        link = _link(options, conn)
    words = f"To set a new password for {printable(options.name)}, open"
    return Told({"name": options.name, **link}, link_lines(words, link))


def _link(options: argparse.Namespace, conn: Connection) -> dict[str, object]:
    from orgboard_dashboard.accounts.opaque import new_secret
    from orgboard_dashboard.queries.people.links import RESET_S, reset

    secret = new_secret()
    link = link_of(options, secret, RESET_S)
    reset(HOST, conn, secret, options.name, time.time())
    return link


def _second(options: argparse.Namespace, conn: Connection) -> Told:
    from orgboard_dashboard.queries.people.second_factors import end_for

    with known_or(_no_account(options.name)):
        was = end_for(HOST, conn, options.name, time.time())
    words = "is asked for no second factor any more" if was else "was asked for no second factor"
    told = {"name": options.name, "ended": was}
    return Told(told, [f"{printable(options.name)} {words}."])


def _sees(options: argparse.Namespace, conn: Connection) -> Told:
    from orgboard_dashboard.queries.people.access import what_sees

    with known_or(_no_account(options.name)):
        sights = what_sees(HOST, conn, options.name)
    rows = [(f"{s.team}/{s.project}", s.role, s.visibility, why(s)) for s in sights]
    none = [f"{printable(options.name)} sees no project."]
    return Told(sights, table(("PROJECT", "ROLE", "VISIBILITY", "WHY"), rows) if rows else none)


def _no_account(name: str) -> str:
    return f"there is no account {name}; `orgboard user list` lists them"
