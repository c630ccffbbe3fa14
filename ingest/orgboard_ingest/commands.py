"""`orgboard ingest` and `orgboard verify`: arguments in, exit status out."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from orgboard_ingest.config import IngestConfig
from orgboard_ingest.events import LogStyle, set_up
from orgboard_ingest.progress import Progress
from orgboard_ingest.run import follow, read_once
from orgboard_ingest.status import Screen, ScreenHandler, is_terminal
from orgboard_schema.errors import OrgboardError
from orgboard_schema.remote import is_url, normalised, require_driver
from orgboard_schema.settings import default_url
from orgboard_schema.sql.registry import parse_project

__all__ = ["ingest", "verify"]

_DB_HELP = (
    "the database: a file path (SQLite) or postgresql://user@host/name"
    " (default: $ORGBOARD_DB, else board.db in your own data folder)"
)
_PROJECT_HELP = (
    "the project that the runs belong to; team `default` when only a project is named"
    " (default: each logdir is a project of its own, named after the folder)"
)


def ingest(argv: Sequence[str]) -> int:
    """Read event files into the database, once or for as long as it runs."""
    try:
        config, screen = _ingest_config(argv)
        handler = logging.StreamHandler() if screen is None else ScreenHandler(screen)
        set_up(config.log, handler)
        return read_once(config, sys.stderr) if config.once else follow(config, screen)
    except OrgboardError as error:
        return _refuse("ingest", error)


def verify(argv: Sequence[str]) -> int:
    """Read the files again and print where the database differs from them."""
    parser = argparse.ArgumentParser(
        prog="orgboard verify",
        description="Read the event files again and compare every stored point with them,"
        " by run, tag and kind: counts, steps, times, values, attempts, descriptions,"
        " hyperparameters, gaps, and the bytes of media. Prints a line for each difference,"
        " and one for each series that was thinned, which is none: what was taken of it is known."
        " Ingest may go on meanwhile: each run is compared as it was stored at one instant.",
        epilog="example:  orgboard verify ~/logs --db board.db"
        "      exit status: 0 equal, 1 different, 2 wrong usage",
    )
    parser.add_argument(
        "logdirs", nargs="+", metavar="LOGDIR", help="a folder or URL that was ingested"
    )
    parser.add_argument("--db", metavar="URL", default=default_url(os.environ), help=_DB_HELP)
    parser.add_argument("--project", metavar="TEAM/PROJECT", help=_PROJECT_HELP)
    parser.add_argument(
        "--run", metavar="RE", default="", help="runs whose name matches (default: all)"
    )
    parser.add_argument(
        "--json", action="store_true", help="differences and the summary as JSON lines"
    )
    arguments = parser.parse_args(argv)
    # Imported here: ingest starts without it.
    from orgboard_ingest.verify import Report, verify_logdirs

    report = Report(sys.stdout, Progress(sys.stderr), arguments.json)
    try:
        logdirs, project = _logdirs(arguments.logdirs), _project(arguments.project)
        return verify_logdirs(logdirs, arguments.db, project, report, run=arguments.run)
    except OrgboardError as error:
        return _refuse("verify", error)


def _ingest_config(argv: Sequence[str]) -> tuple[IngestConfig, Screen | None]:
    parser = argparse.ArgumentParser(
        prog="orgboard ingest",
        description="Read the TensorBoard event files under one or more folders into a database"
        " and keep following them as they grow, until stopped. The files are never changed."
        " Stop it at any time: it goes on where it was.",
        epilog="example:  orgboard ingest ~/logs --db board.db --once"
        "      exit status: 0 done, 2 wrong usage or set-up, 3 damaged files found (--once),"
        " 78 the database is newer than this program",
    )
    parser.add_argument(
        "logdirs",
        nargs="+",
        metavar="LOGDIR",
        help="a folder with event files, at any depth, or a URL such as s3://bucket/prefix",
    )
    parser.add_argument("--db", metavar="URL", default=default_url(os.environ), help=_DB_HELP)
    parser.add_argument("--project", metavar="TEAM/PROJECT", help=_PROJECT_HELP)
    parser.add_argument(
        "--once", action="store_true", help="read everything there is, then exit, with a report"
    )
    parser.add_argument(
        "--jobs",
        metavar="N",
        type=int,
        default=1,
        help="processes that share the runs; more help where many runs grow fast (default: 1)",
    )
    parser.add_argument(
        "--log",
        metavar="STYLE",
        choices=get_args(LogStyle),
        help="a line of the log as text, logfmt or json (default: text and a live status"
        " on a terminal, logfmt elsewhere)",
    )
    parser.add_argument(
        "--metrics",
        metavar="[HOST:]PORT",
        help="answer Prometheus at /metrics and health checks at /healthz, on this machine"
        " only unless HOST says otherwise",
    )
    arguments = parser.parse_args(argv)
    if arguments.jobs < 1:
        raise OrgboardError(f"--jobs must be 1 or more, got {arguments.jobs}")
    live = arguments.log is None and is_terminal(sys.stderr, os.environ)
    config = IngestConfig(
        logdirs=_logdirs(arguments.logdirs),
        db_url=arguments.db,
        project=_project(arguments.project),
        once=arguments.once,
        jobs=arguments.jobs,
        log=arguments.log or ("text" if live else "logfmt"),
        metrics=_metrics(arguments.metrics),
    )
    screen = Screen(sys.stderr, os.environ) if live and not config.once else None
    return config, screen


def _metrics(text: str | None) -> tuple[str, int] | None:
    if text is None:
        return None
    # Imported here: an HTTP server takes long to load, and few ask for one.
    from orgboard_ingest.exposed import parse_address

    return parse_address(text)


def _logdirs(given: Sequence[str]) -> tuple[Path | str, ...]:
    """Return the folders, resolved, and the URLs, normalised, each once."""
    found: dict[Path | str, None] = {}
    for text in given:
        if is_url(text):
            url = normalised(text)
            require_driver(url)
            found[url] = None
            continue
        path = Path(text).expanduser()
        if not path.is_dir():
            what = "is not a folder" if path.exists() else "does not exist"
            raise OrgboardError(f"{text} {what}: name a folder with event files in or below it")
        if not os.access(path, os.R_OK | os.X_OK):
            raise OrgboardError(f"{text} may not be read by this user")
        found[path.resolve()] = None
    return tuple(found)


def _project(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        return "/".join(parse_project(text))
    except ValueError as error:
        raise OrgboardError(f"--project: {error}") from error


def _refuse(command: str, error: OrgboardError) -> int:
    sys.stderr.write(f"orgboard {command}: {error}\n")
    return error.exit_status
