"""`orgboard db rebuild`: read the event files anew, in place or into another database."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

from orgboard_schema.commands.arguments import Actions, add_action, open_database
from orgboard_schema.errors import OrgboardError
from orgboard_schema.remote import is_url, list_names

if TYPE_CHECKING:
    from sqlalchemy import Engine

__all__ = ["add_parser", "run"]

REFUSED: Final = 1
"""Exit status: some runs were left as they are, because files of theirs are gone."""

_INGEST: Final = (sys.executable, "-P", "-m", "orgboard", "ingest")

_GAPS_FOUND: Final = 3
"""What `ingest --once` ends with where files are damaged: all that is readable is stored."""

ROWS_AT_ONCE: Final = 500


def add_parser(actions: Actions) -> argparse.ArgumentParser:
    """Declare the action."""
    parser = add_action(
        actions,
        "rebuild",
        "read runs anew from their event files",
        more="People see the old points until the new ones are whole. A run whose files are"
        " gone is left as it is.",
        example="orgboard db rebuild --db board.db --run '^sweep/'",
        statuses="0 done, 1 some were left as they are, 2 wrong usage or set-up,"
        " 78 the database is newer than this program",
    )
    parser.add_argument("--project", metavar="TEAM/PROJECT", help="only runs of this project")
    parser.add_argument("--run", dest="name", metavar="RE", help="only runs whose name matches")
    parser.add_argument(
        "--into",
        metavar="URL",
        help="a new database, for a SQLite file that is too damaged to work with: names, colours"
        " and addresses are copied as far as they can be read",
    )
    return parser


def run(options: argparse.Namespace, out: TextIO) -> int:
    """Read runs anew from their files. People see the old points until the new ones are whole."""
    if options.into is not None:
        return _into(options, out)
    from orgboard_schema.sql.migrate import check_version

    engine = open_database(options.db, create=False)
    try:
        check_version(engine)
        return _in_place(engine, options, out)
    finally:
        engine.dispose()


def _in_place(engine: Engine, options: argparse.Namespace, out: TextIO) -> int:
    from orgboard_schema.sql.engine import begin_read, begin_write
    from orgboard_schema.sql.rebuild import candidates, read_anew

    pattern = _pattern(options.name)
    with begin_read(engine) as conn:
        found = list(candidates(conn, project=options.project, run=pattern))
    refused = [one for one in found if one.missing]
    chosen = [one for one in found if not one.missing]
    for one in refused:
        gone = ", ".join(one.missing[:3]) + (" …" if len(one.missing) > 3 else "")
        print(f"left as it is: {one.name}: {gone} is gone from {one.logdir}", file=out)
    for one in chosen:
        # One at a time: a rival that changed a run stops that one alone.
        with begin_write(engine) as conn:
            read_anew(conn, one)
    _ingest({(one.project, one.logdir) for one in chosen}, options.db)
    _remove_replaced(engine)
    print(f"{len(chosen)} runs read anew, {len(refused)} left as they are", file=out)
    return REFUSED if refused else 0


def _into(options: argparse.Namespace, out: TextIO) -> int:
    from orgboard_schema.sql.engine import parse_url
    from orgboard_schema.sql.migrate import upgrade
    from orgboard_schema.sql.rebuild import copy_what_people_made

    if options.name or options.project:
        raise OrgboardError("--into takes everything: leave --run and --project away")
    damaged = parse_url(options.db)
    if damaged.drivername != "sqlite":
        raise OrgboardError("--into is for damaged SQLite files")
    path = Path(str(damaged.database))
    if not path.is_file():
        raise OrgboardError(f"there is no file {path}")
    engine = open_database(options.into, create=True)
    try:
        upgrade(engine)
        salvaged = copy_what_people_made(path, engine, now=time.time())
    finally:
        engine.dispose()
    there = {(project, logdir) for project, logdir in salvaged.logdirs if _is_there(logdir)}
    for project, logdir in sorted({*salvaged.logdirs} - there):
        print(f"cannot be read again: {logdir} of {project} is gone", file=out)
    _ingest(there, options.into)
    accounts = f", {salvaged.accounts} accounts are there again" if salvaged.accounts else ""
    print(f"{salvaged.runs} runs kept their names and addresses{accounts}", file=out)
    return REFUSED if len(there) < len({*salvaged.logdirs}) else 0


def _ingest(places: Iterable[tuple[str, str]], url: str) -> None:
    """Run `orgboard ingest --once` over the logdirs of each project."""
    of_project: dict[str, list[str]] = {}
    for project, logdir in sorted(places):
        of_project.setdefault(project, []).append(logdir)
    for project, logdirs in of_project.items():
        ended = subprocess.run(
            [*_INGEST, *logdirs, "--project", project, "--once"],
            # A URL may hold a password, and arguments can be read by everybody.
            env={**os.environ, "ORGBOARD_DB": url},
            stdin=subprocess.DEVNULL,
            check=False,
        )
        if ended.returncode not in (0, _GAPS_FOUND):
            raise OrgboardError(
                f"ingest of {project} ended with {ended.returncode}: once what it says is mended,"
                " `orgboard ingest` goes on where it was"
            )


def _is_there(logdir: str) -> bool:
    if not is_url(logdir):
        return Path(logdir).is_dir()
    try:
        list_names(logdir)
    except OrgboardError as error:
        sys.stderr.write(f"orgboard db rebuild: {error}\n")
        return False
    return True


def _remove_replaced(engine: Engine) -> None:
    from orgboard_schema.sql.discard import discard_some
    from orgboard_schema.sql.engine import begin_write

    more = True
    while more:
        with begin_write(engine) as conn:
            more = discard_some(conn, ROWS_AT_ONCE)


def _pattern(text: str | None) -> re.Pattern[str] | None:
    try:
        return None if text is None else re.compile(text)
    except re.error as error:
        raise OrgboardError(f"--run {text!r} is no regular expression: {error}") from error
