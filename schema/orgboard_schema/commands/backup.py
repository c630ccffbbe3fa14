"""`orgboard db backup`: one file that holds the whole board, taken while it is in use."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Final, TextIO

from orgboard_schema.commands.arguments import Actions, add_action, open_database
from orgboard_schema.progress import Bar
from orgboard_schema.settings import blob_root

__all__ = ["add_parser", "run"]

DAMAGED: Final = 3
"""Exit status: the backup stands, without some media that are not where they should be."""


def add_parser(actions: Actions) -> argparse.ArgumentParser:
    """Declare the action."""
    parser = add_action(
        actions,
        "backup",
        "copy everything that is stored into one file, while others read and write",
        more="The file is private, proves itself by checksums, and can be restored into SQLite"
        " or PostgreSQL, whichever it was taken from. It appears when it is whole.",
        example="orgboard db backup --db board.db -o /backups/",
        statuses="0 done, 2 wrong usage or set-up, 3 done, but media files were missing or"
        " damaged, 78 the database is newer than this program",
    )
    parser.add_argument(
        *("-o", "--output"),
        metavar="FILE_OR_DIR",
        type=Path,
        required=True,
        help="the file to make, replacing an older backup, or the folder to make one in,"
        " named after the time",
    )
    parser.add_argument(
        "--no-blobs",
        action="store_true",
        help="leave out the media that lie in files beside the database",
    )
    return parser


def run(options: argparse.Namespace, out: TextIO) -> int:
    """Take the backup, and say what is in it."""
    from orgboard_schema.sql.backup.take import take_backup

    root = blob_root(options.db, os.environ)
    bar = Bar(sys.stderr)
    engine = open_database(options.db, create=False)
    try:
        taken = take_backup(
            engine,
            options.output.expanduser(),
            root,
            now=time.time(),
            leave_blobs=options.no_blobs,
            tell=bar.show,
        )
    finally:
        bar.clear()
        engine.dispose()
    for name, why in taken.damaged:
        print(f"damaged: media {name}: {why}", file=out)
    rows = sum(part.rows for part in taken.manifest.parts)
    print(
        f"{taken.path}: {rows:,} rows of release {taken.manifest.release}, {taken.bytes:,} bytes",
        file=out,
    )
    return DAMAGED if taken.damaged else 0
