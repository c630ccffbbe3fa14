"""`orgboard db …`: the database itself, by hand."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, TextIO

from orgboard_schema.commands_rebuild import add_rebuild, rebuild
from orgboard_schema.commands_space import add_compact, add_delete, compact, delete
from orgboard_schema.errors import OrgboardError
from orgboard_schema.settings import default_url

if TYPE_CHECKING:
    from sqlalchemy import Engine

__all__ = ["db"]

DAMAGED = 3
"""Exit status: something stored is not what was written."""

_DATABASE_HELP = (
    "the database: a path (SQLite) or postgresql://user@host/name"
    " (default: $ORGBOARD_DB, else a file of your own; here %(default)s)"
)


def db(argv: Sequence[str]) -> int:
    """Look after the database: upgrade, check, compact and rebuild it, delete runs."""
    parser = argparse.ArgumentParser(prog="orgboard db", description=db.__doc__)
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, told, declare, run in _ACTIONS:
        action = actions.add_parser(name, help=told, description=f"{told.capitalize()}.")
        default = default_url(os.environ)
        action.add_argument("--db", metavar="URL", default=default, help=_DATABASE_HELP)
        declare(action)
        action.set_defaults(run=run)
    options = parser.parse_args(argv)
    try:
        status: int = options.run(options, sys.stdout)
    except OrgboardError as error:
        sys.stderr.write(f"orgboard db: {error}\n")
        return error.exit_status
    return status


def _upgrade(options: argparse.Namespace, out: TextIO) -> int:
    from orgboard_schema.sql import migrate

    engine = _open(options.db, create=True)
    try:
        before, after = migrate.upgrade(engine)
    finally:
        engine.dispose()
    if before == after:
        print(f"the database is at {after} already", file=out)
    else:
        print(f"upgraded the database from {before or 'empty'} to {after}", file=out)
    return 0


def _check(options: argparse.Namespace, out: TextIO) -> int:
    from orgboard_schema.progress import Bar
    from orgboard_schema.sql import migrate
    from orgboard_schema.sql.check import check_database, count_all

    engine = _open(options.db, create=False)
    damaged = 0
    bar = Bar(sys.stderr)
    try:
        migrate.check_version(engine)
        for damage in check_database(engine, bar.show):
            bar.clear()
            print(f"damaged: {damage.place}: {damage.what}", file=out)
            damaged += 1
        bar.clear()
        counted = count_all(engine)
    finally:
        engine.dispose()
    verdict = f"{damaged} damaged" if damaged else "nothing damaged"
    print(f"{counted}: {verdict}", file=out)
    return DAMAGED if damaged else 0


def _open(url: str, *, create: bool) -> Engine:
    # Imported here: `orgboard --help` lists this command without loading SQLAlchemy.
    from orgboard_schema.sql.engine import open_engine

    return open_engine(url, create=create)


def _nothing(_parser: argparse.ArgumentParser) -> None:
    """Declare no further argument."""


_ACTIONS: Final = (
    ("upgrade", "create the tables, or bring them to this program's release", _nothing, _upgrade),
    ("check", "read everything that is stored and name what is damaged", _nothing, _check),
    ("compact", "remove what was deleted and give its space back", add_compact, compact),
    ("delete", "delete runs, or bring deleted ones back; files stay", add_delete, delete),
    ("rebuild", "read runs anew from their event files", add_rebuild, rebuild),
)
"""Name, what it does, its own arguments, and the work."""
