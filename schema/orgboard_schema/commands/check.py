"""`orgboard db check`: read everything that is stored and name what is damaged."""

from __future__ import annotations

import argparse
import sys
from typing import Final, TextIO

from orgboard_schema.commands.arguments import Actions, add_action, open_database
from orgboard_schema.progress import Bar

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
    from orgboard_schema.sql.check import check_database, count_all

    engine = open_database(options.db, create=False)
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
