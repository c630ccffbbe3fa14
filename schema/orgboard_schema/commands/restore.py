"""`orgboard db restore`: give an empty database what a backup holds."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TextIO

from orgboard_schema.commands.arguments import Actions, add_action
from orgboard_schema.errors import OrgboardError
from orgboard_schema.progress import Bar
from orgboard_schema.settings import blob_root

__all__ = ["add_parser", "run"]


def add_parser(actions: Actions) -> argparse.ArgumentParser:
    """Declare the action."""
    parser = add_action(
        actions,
        "restore",
        "give an empty database what a backup holds, and prove that it is the same",
        more="The backup is checked before the database is touched, and everything appears at"
        " once, or nothing does. A backup of an earlier release is upgraded. Ingest then goes on"
        " where the backup was taken, and catches up.",
        example="orgboard db restore /backups/board.backup --db new.db",
        statuses="0 done, 2 wrong usage or set-up (the database is not empty), 3 the backup is"
        " damaged, 78 it is newer than this program",
    )
    parser.add_argument("backup", metavar="FILE", type=Path, help="what `db backup` made")
    parser.add_argument(
        "--no-blobs", action="store_true", help="leave the media files of the backup in it"
    )
    return parser


def run(options: argparse.Namespace, out: TextIO) -> int:
    """Restore, and say what is there now."""
    from orgboard_schema.sql import migrate
    from orgboard_schema.sql.backup.give_back import restore_backup

    root = blob_root(options.db, os.environ)
    bar = Bar(sys.stderr)
    try:
        manifest = restore_backup(
            options.backup.expanduser(),
            options.db,
            root,
            leave_blobs=options.no_blobs,
            tell=bar.show,
        )
    except OSError as error:
        raise OrgboardError(f"cannot read {options.backup}: {error.strerror or error}") from error
    finally:
        bar.clear()
    rows = sum(part.rows for part in manifest.parts)
    upgraded = f", upgraded to {migrate.head()}" if manifest.release != migrate.head() else ""
    print(
        f"restored {rows:,} rows of release {manifest.release}, taken {manifest.taken_at}"
        f" from {manifest.engine}{upgraded}: equal to the backup",
        file=out,
    )
    return 0
