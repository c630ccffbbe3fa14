"""`orgboard db web-role`: let the web pages have a role of their own in PostgreSQL."""

from __future__ import annotations

import argparse
from typing import TextIO

from orgboard_schema.commands.arguments import Actions, add_action, open_database

__all__ = ["add_parser", "run"]


def add_parser(actions: Actions) -> argparse.ArgumentParser:
    """Declare the action."""
    parser = add_action(
        actions,
        "web-role",
        "give a PostgreSQL role what the web pages need, and no more: it sees only what who asks"
        " may see",
        more="Run it as the owner of the tables, and again after each upgrade.",
        example="orgboard db web-role board_web --db postgresql://owner@host/board",
        statuses="0 done, 2 wrong usage or set-up, 78 the database is newer than this program",
    )
    parser.add_argument("role", metavar="ROLE", help="a role that may log in, of nothing else")
    return parser


def run(options: argparse.Namespace, out: TextIO) -> int:
    """Grant, and say so."""
    from orgboard_schema.errors import RoleUnfit
    from orgboard_schema.sql.engine import begin_write
    from orgboard_schema.sql.migrate import check_version
    from orgboard_schema.sql.web_role import grant_web

    engine = open_database(options.db, create=False)
    try:
        check_version(engine)
        if engine.dialect.name != "postgresql":
            raise RoleUnfit("SQLite has no roles: who can read the file can read all of it")
        with begin_write(engine) as conn:
            grant_web(conn, options.role)
    finally:
        engine.dispose()
    print(f"{options.role} may serve the web pages; give `orgboard web` its URL", file=out)
    return 0
