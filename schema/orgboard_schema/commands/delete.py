"""`orgboard db delete`: take runs away, or bring them back from their files."""

from __future__ import annotations

import argparse
import re
import time
from typing import TYPE_CHECKING, TextIO

from orgboard_schema.commands.arguments import Actions, add_action, open_database
from orgboard_schema.errors import OrgboardError

if TYPE_CHECKING:
    from sqlalchemy import Engine

__all__ = ["add_parser", "run"]


def add_parser(actions: Actions) -> argparse.ArgumentParser:
    """Declare the action."""
    parser = add_action(
        actions,
        "delete",
        "delete runs, or bring deleted ones back; event files are never touched",
        more="Tells what it would do; --yes does it. A live run is left as it is.",
        example="orgboard db delete --project vision/detect --run '^sweep/' --yes",
        statuses="0 done, 1 some were left as they are, 2 wrong usage or set-up,"
        " 78 the database is newer than this program",
    )
    parser.add_argument("--project", metavar="TEAM/PROJECT", required=True)
    parser.add_argument(
        "--run", dest="name", metavar="RE", required=True, help="runs whose name matches"
    )
    parser.add_argument(
        "--restore", action="store_true", help="bring deleted runs back: their files are read again"
    )
    parser.add_argument("--yes", action="store_true", help="do it; without, only tell")
    return parser


def run(options: argparse.Namespace, out: TextIO) -> int:
    """Delete runs, or bring deleted ones back; without --yes only tell which."""
    from orgboard_schema.sql.delete import delete_run, restore_run, space_of
    from orgboard_schema.sql.engine import begin_read, begin_write
    from orgboard_schema.sql.migrate import check_version

    engine = open_database(options.db, create=False)
    refused = 0
    try:
        check_version(engine)
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
        pattern = re.compile(options.name)
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
