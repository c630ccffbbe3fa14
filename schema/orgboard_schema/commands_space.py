"""`orgboard db compact` and `orgboard db delete`: space, and runs that give theirs back."""

from __future__ import annotations

import argparse
import re
import time
from typing import TYPE_CHECKING, Final, TextIO

from orgboard_schema.errors import OrgboardError

if TYPE_CHECKING:
    from sqlalchemy import Engine

__all__ = ["add_compact", "add_delete", "compact", "delete"]

ROWS_AT_ONCE: Final = 500
"""Deleted in one transaction: no writer waits for long."""


def add_compact(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `compact`."""
    parser.add_argument(
        "--rewrite",
        action="store_true",
        help="also write a SQLite file of an older release anew; that needs as much free disk"
        " as the file has, and ingest waits meanwhile",
    )


def add_delete(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `delete`."""
    parser.add_argument("--project", metavar="TEAM/PROJECT", required=True)
    parser.add_argument("--run", metavar="RE", required=True, help="runs whose name matches")
    parser.add_argument(
        "--restore", action="store_true", help="bring deleted runs back: their files are read again"
    )
    parser.add_argument("--yes", action="store_true", help="do it; without, only tell")


def compact(options: argparse.Namespace, out: TextIO) -> int:
    """Remove what was deleted, sweep blobs that nobody refers to, and give the space back."""
    from orgboard_schema.sql.blobs import sweep_blobs, sweep_files
    from orgboard_schema.sql.delete import remove_deleted
    from orgboard_schema.sql.discard import discard_some
    from orgboard_schema.sql.engine import begin_write
    from orgboard_schema.sql.space import give_back, needs_rewriting, size_of

    engine = _open(options.db)
    try:
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


def delete(options: argparse.Namespace, out: TextIO) -> int:
    """Delete runs, or bring deleted ones back; without --yes only tell which."""
    from orgboard_schema.sql.delete import delete_run, restore_run, space_of
    from orgboard_schema.sql.engine import begin_read, begin_write

    engine = _open(options.db)
    refused = 0
    try:
        for run_id, name in _matching(engine, options):
            with begin_read(engine) as conn:
                space = space_of(conn, run_id)
            told = f"{space.points:,} points, {space.point_bytes + space.blob_bytes:,} bytes"
            if not options.yes:
                print(
                    f"would {'restore' if options.restore else 'delete'} {name}: {told}", file=out
                )
                continue
            change = restore_run if options.restore else delete_run
            try:
                with begin_write(engine) as conn:
                    change(conn, run_id, now=time.time())
            except OrgboardError as error:
                print(f"left as it is: {error}", file=out)
                refused += 1
                continue
            print(f"{'restored' if options.restore else 'deleted'} {told}", file=out)
    finally:
        engine.dispose()
    if options.yes and not options.restore:
        print("`orgboard db compact` gives the space back", file=out)
    return 1 if refused else 0


def _matching(engine: Engine, options: argparse.Namespace) -> list[tuple[int, str]]:
    from sqlalchemy import select

    from orgboard_schema.sql import tables
    from orgboard_schema.sql.engine import begin_read
    from orgboard_schema.sql.registry import parse_project
    from orgboard_schema.sql.standing import DELETED, SHOWN
    from orgboard_schema.sql.text import from_sql, to_sql

    try:
        pattern = re.compile(options.run)
        team, project = parse_project(options.project)
    except (re.error, ValueError) as error:
        raise OrgboardError(str(error)) from error
    run = tables.run.c
    query = (
        select(run.run_id, run.name)
        .join(tables.project, tables.project.c.project_id == run.project_id)
        .join(tables.team)
        .where(
            tables.team.c.name == to_sql(team),
            tables.project.c.name == to_sql(project),
            run.standing == (DELETED if options.restore else SHOWN),
        )
        .order_by(run.name)
    )
    with begin_read(engine) as conn:
        named = [(run_id, from_sql(name)) for run_id, name in conn.execute(query)]
    return [(run_id, name) for run_id, name in named if pattern.search(name)]


def _open(url: str) -> Engine:
    # Imported here: `orgboard --help` lists these commands without loading SQLAlchemy.
    from orgboard_schema.sql.engine import open_engine
    from orgboard_schema.sql.migrate import check_version

    engine = open_engine(url, create=False)
    check_version(engine)
    return engine
