"""What the actions of `orgboard db` share: how each is declared, how it opens the database."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING, TypeAlias

from orgboard_schema.settings import default_url

if TYPE_CHECKING:
    from sqlalchemy import Engine

__all__ = ["Actions", "add_action", "open_database"]

if TYPE_CHECKING:
    Actions: TypeAlias = argparse._SubParsersAction[argparse.ArgumentParser]
else:
    Actions: TypeAlias = argparse._SubParsersAction

_DATABASE_HELP = (
    "the database: a path (SQLite) or postgresql://user@host/name"
    " (default: $ORGBOARD_DB, else a file of your own; here %(default)s)"
)


def add_action(
    actions: Actions, name: str, told: str, *, more: str = "", example: str, statuses: str
) -> argparse.ArgumentParser:
    """Declare an action with its `--db`, a description, an example and its exit statuses."""
    parser = actions.add_parser(
        name,
        help=told,
        description=f"{told[0].upper()}{told[1:]}.{more and ' '}{more}",
        epilog=f"example:  {example}      exit status: {statuses}",
    )
    default = default_url(os.environ)
    parser.add_argument("--db", metavar="URL", default=default, help=_DATABASE_HELP)
    return parser


def open_database(url: str, *, create: bool) -> Engine:
    """Return an engine; a SQLite file that is missing is made only with `create`."""
    # Imported here: `orgboard --help` lists these commands without loading SQLAlchemy.
    from orgboard_schema.sql.engine import open_engine

    return open_engine(url, create=create)
