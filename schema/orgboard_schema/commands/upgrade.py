"""`orgboard db upgrade`: make the tables, or bring them to this program's release."""

from __future__ import annotations

import argparse
import sys
from typing import TextIO

from orgboard_schema.commands.arguments import Actions, add_action, open_database
from orgboard_schema.progress import Bar

__all__ = ["add_parser", "run"]


def add_parser(actions: Actions) -> argparse.ArgumentParser:
    """Declare the action."""
    return add_action(
        actions,
        "upgrade",
        "create the tables, or bring them to this program's release",
        more="All of it happens in one transaction: killed half way, nothing has changed."
        " Of two upgrades at once, one waits. Take a backup first.",
        example="orgboard db upgrade --db board.db",
        statuses="0 done, 2 wrong usage or set-up, 78 the database is newer than this program",
    )


def run(options: argparse.Namespace, out: TextIO) -> int:
    """Upgrade, and say from what to what."""
    from orgboard_schema.sql import migrate

    engine = open_database(options.db, create=True)
    bar = Bar(sys.stderr)
    try:
        before, after = migrate.upgrade(engine, bar.show)
    finally:
        bar.clear()
        engine.dispose()
    if before == after:
        print(f"the database is at {after} already", file=out)
    else:
        print(f"upgraded the database from {before or 'empty'} to {after}", file=out)
    return 0
