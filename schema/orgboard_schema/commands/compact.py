"""`orgboard db compact`: remove what was deleted, and give its space back."""

from __future__ import annotations

import argparse
import time
from typing import Final, TextIO

from orgboard_schema.commands.arguments import Actions, add_action, open_database

__all__ = ["add_parser", "run"]

ROWS_AT_ONCE: Final = 500
"""Deleted in one transaction: no writer waits for long."""


def add_parser(actions: Actions) -> argparse.ArgumentParser:
    """Declare the action."""
    parser = add_action(
        actions,
        "compact",
        "remove what was deleted, sweep blobs that no run refers to, and give the space back",
        more="May run while ingest does.",
        example="orgboard db compact --db board.db",
        statuses="0 done, 2 wrong usage or set-up, 78 the database is newer than this program",
    )
    parser.add_argument(
        "--rewrite",
        action="store_true",
        help="also write a SQLite file of an older release anew; that needs as much free disk"
        " as the file has, and ingest waits meanwhile",
    )
    return parser


def run(options: argparse.Namespace, out: TextIO) -> int:
    """Remove what was deleted, sweep blobs that nobody refers to, and give the space back."""
    from orgboard_schema.sql.blobs import sweep_blobs, sweep_files
    from orgboard_schema.sql.delete import remove_deleted
    from orgboard_schema.sql.discard import discard_some
    from orgboard_schema.sql.engine import begin_write
    from orgboard_schema.sql.migrate import check_version
    from orgboard_schema.sql.space import give_back, needs_rewriting, size_of

    engine = open_database(options.db, create=False)
    try:
        check_version(engine)
        before = size_of(engine)
        for remove in (remove_deleted, discard_some, sweep_blobs):
            more = True
            while more:
                with begin_write(engine) as conn:
                    more = remove(conn, ROWS_AT_ONCE)
        with begin_write(engine) as conn:
            files = sweep_files(conn, now=time.time(), limit=1_000_000)
        for _ in give_back(engine, rewrite=options.rewrite):
            pass
        after = size_of(engine)
        print(f"{before:,} bytes before, {after:,} after; {files} blob files removed", file=out)
        if needs_rewriting(engine):
            print("the file is of an older release: --rewrite makes it smaller", file=out)
    finally:
        engine.dispose()
    return 0
