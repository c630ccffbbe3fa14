"""`orgboard token`: what programs ask by, made for an account, listed and revoked."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from orgboard_dashboard.host.told import (
    HOST,
    Told,
    add_action,
    known_or,
    parser_of,
    run,
    table,
    when,
)
from orgboard_schema.printing import printable

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["token"]


def token(argv: Sequence[str]) -> int:
    """Make tokens, and take them back."""
    parser, actions = parser_of(
        "token",
        "Tokens, by which programs ask /api/v1 in the name of an account: never for more than it"
        " may itself. For a program of its own: `orgboard user add NAME --service`.",
    )
    add = add_action(actions, "add", _add, "make a token, which is printed only now")
    add.add_argument("owner", metavar="NAME", help="the account in whose name it asks")
    add.add_argument("--name", required=True, help="what it is for, as lists show it")
    add.add_argument("--write", action="store_true", help="may change runs, too (default: reads)")
    add.add_argument("--days", type=int, default=90, help="until it ends (90; at most 366)")
    add.add_argument(
        "--for", dest="place", default="", metavar="TEAM[/PROJECT]", help="holds only there"
    )
    add_action(actions, "list", _list, "list the tokens that let in")
    revoke = add_action(actions, "revoke", _revoke, "let a token in no more")
    revoke.add_argument("id", metavar="ID", help="as `orgboard token list` tells it")
    return run(parser, argv)


def _add(options: argparse.Namespace, conn: Connection) -> Told:
    from orgboard_dashboard.accounts.opaque import new_token
    from orgboard_dashboard.queries.people.accounts import find_account
    from orgboard_dashboard.queries.people.tokens import NewToken, make_token, new_token_id

    with known_or(f"there is no account {options.owner}; `orgboard user list` lists them"):
        find_account(HOST, conn, options.owner)
    team, _, project = options.place.partition("/")
    scope = "write" if options.write else "read"
    new = NewToken(options.name, scope, options.days, team, project, options.owner)
    token_id = new_token_id()
    secret = new_token(token_id)
    with known_or(f"there is no {options.place}; `orgboard project list` lists what there is"):
        made = make_token(HOST, conn, token_id, secret, new, time.time())
    until = when(made.expires_at)
    words = f"A token of {printable(made.owner)} to {made.scope}, until {until}, shown only now:"
    value = {"id": made.id, "token": secret, "expires_at": made.expires_at}
    return Told(value, [words, "", f"  {secret}", ""])


def _list(_options: argparse.Namespace, conn: Connection) -> Told:
    from orgboard_dashboard.queries.people.tokens import list_tokens

    rows = list_tokens(HOST, conn, time.time(), everybodys=True)
    cells = [
        (
            *(row.id, row.owner, row.name, row.scope, row.place or "wherever it may"),
            *(when(row.expires_at), when(row.used_at) if row.used_at else "never"),
        )
        for row in rows
    ]
    heads = ("ID", "ACCOUNT", "NAME", "TO", "FOR", "ENDS", "USED")
    return Told(
        rows, table(heads, cells) if rows else ["No tokens: `orgboard token add` makes one."]
    )


def _revoke(options: argparse.Namespace, conn: Connection) -> Told:
    from orgboard_dashboard.queries.people.tokens import revoke_token

    with known_or(f"there is no token {options.id}; `orgboard token list` lists them"):
        revoke_token(HOST, conn, options.id, time.time())
    return Told({"id": options.id}, [f"The token {printable(options.id)} lets in no more."])
