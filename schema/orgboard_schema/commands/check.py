"""`orgboard db check`: read everything that is stored and name what is damaged."""

from __future__ import annotations

import argparse
from typing import Final, TextIO

from orgboard_schema.commands.arguments import Actions, add_action, open_database

__all__ = ["add_parser", "run"]

DAMAGED: Final = 3
"""Exit status: something stored is not what was written."""


def add_parser(actions: Actions) -> argparse.ArgumentParser:
    """Declare the action."""
    return add_action(
        actions,
        "check",
        "read everything that is stored and name what is damaged",
        more="Changes nothing, and may run while ingest does.",
        example="orgboard db check --db board.db",
        statuses="0 nothing damaged, 2 wrong usage or set-up, 3 damage found,"
        " 78 the database is newer than this program",
    )


def run(options: argparse.Namespace, out: TextIO) -> int:
    """Check, and print each damage and what there is."""
    from orgboard_schema.sql import migrate
    from orgboard_schema.sql.check import check_store, totals
    from orgboard_schema.sql.engine import begin_read

    engine = open_database(options.db, create=False)
    damaged = 0
    try:
        migrate.check_version(engine)
        with begin_read(engine) as conn:
            for damage in check_store(conn):
                print(f"damaged: {damage.place}: {damage.what}", file=out)
                damaged += 1
            runs, points, blobs = totals(conn)
    finally:
        engine.dispose()
    verdict = f"{damaged} damaged" if damaged else "nothing damaged"
    print(f"{runs} runs, {points} points, {blobs} blobs: {verdict}", file=out)
    return DAMAGED if damaged else 0
