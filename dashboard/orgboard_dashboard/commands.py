"""The commands that serve people: `web`, `serve`, `demo`, `export`. Each returns an exit status.

Only what a command needs is imported, when it runs: `--help` must not wait for Dash.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from orgboard_dashboard.config import WebConfig
from orgboard_dashboard.errors import UsageError
from orgboard_dashboard.flags import add_database, add_web_flags, config_of
from orgboard_dashboard.reach import why_not
from orgboard_schema.errors import OrgboardError
from orgboard_schema.remote import is_url, require_driver

if TYPE_CHECKING:
    from orgboard_dashboard.export.choice import Choice

__all__ = ["demo", "export", "serve", "web"]


DAMAGED: Final = 3
"""The exit status of what was done, but for what the store has damaged."""


def web(argv: Sequence[str]) -> int:
    """Serve the board of one database."""
    parser = _parser("web", "Serve the pages of a database that `orgboard ingest` fills.")
    add_database(parser)
    add_web_flags(parser)
    parser.add_argument(
        "--workers", type=_at_least_one, default=1, metavar="N", help="processes that answer (1)"
    )
    parser.add_argument(
        "--logdir",
        action="append",
        metavar="DIR",
        help="show only what was read from DIR, a folder or URL (may be given again; default:"
        " everything)",
    )
    # How `serve` and `--workers` hand the socket down; of no use at a terminal.
    parser.add_argument("--listener", type=int, help=argparse.SUPPRESS)
    return _told(lambda: _web(parser.parse_args(argv)))


def serve(argv: Sequence[str]) -> int:
    """Ingest directories and serve their board: all one person needs."""
    parser = _parser(
        "serve",
        "Show the event files under one or more directories, live. Reads them into a database"
        " and serves it to this machine's browsers until you press Ctrl-C.",
    )
    parser.add_argument(
        "logdir",
        nargs="+",
        metavar="LOGDIR",
        help="where your runs log to: a folder, or a URL such as s3://bucket/prefix",
    )
    add_database(parser)
    add_web_flags(parser)
    parser.add_argument("--open", action="store_true", help="open the board in a browser")
    return _told(lambda: _serve(parser.parse_args(argv)))


def demo(argv: Sequence[str]) -> int:
    """Train small models here, and serve their board."""
    parser = _parser(
        "demo",
        "Train several small models on this machine and watch their curves grow in a browser."
        " Stays up until you press Ctrl-C, and then deletes what it made, unless told to keep it.",
    )
    add_web_flags(parser)
    parser.add_argument("--dir", metavar="DIR", help="log into DIR, and keep it (default: /tmp)")
    parser.add_argument("--keep", action="store_true", help="keep the logs and the database")
    parser.add_argument("--open", action="store_true", help="open the board in a browser")
    return _told(lambda: _demo(parser.parse_args(argv)))


def export(argv: Sequence[str]) -> int:
    """Write stored points as CSV, JSON lines or Parquet."""
    parser = _parser(
        "export",
        "Write every stored point, unsampled, in order of project, run, tag and file; names sort"
        " by code point. Each run is written as it stood at one instant; a run that grows"
        " meanwhile is not waited for.",
    )
    parser.add_argument(
        "what",
        choices=("runs", "scalars", "histograms", "values"),
        help="values: every kind but scalars and histograms, media by their hashes",
    )
    add_database(parser)
    parser.add_argument("--project", metavar="TEAM/PROJECT", help="only this one (default: all)")
    parser.add_argument("--run", default="", metavar="RE", help="runs whose name matches (RE2)")
    parser.add_argument(
        "--where",
        default="",
        metavar="QUERY",
        help="runs that a query of the run panel lets through, such as 'lr < 0.01 and has:oom'",
    )
    parser.add_argument("--tag", default="", metavar="RE", help="tags whose name matches (RE2)")
    parser.add_argument(
        "--kind", metavar="KIND,…", help="values of these kinds, such as text,image (default: all)"
    )
    parser.add_argument(
        "--blobs",
        metavar="DIR",
        help="write pictures, clips and graphs into DIR too, each once, named by its sha256",
    )
    parser.add_argument(
        "--format",
        choices=("csv", "jsonl", "parquet"),
        help="default: csv; histograms and values: jsonl, as they do not fit a CSV row",
    )
    parser.add_argument("-o", "--output", metavar="FILE", help="default: standard output")
    return _told(lambda: _export(parser.parse_args(argv)))


def _web(options: argparse.Namespace) -> int:
    from orgboard_dashboard import launch
    from orgboard_dashboard.sockets import inherit, listen
    from orgboard_schema.sql.engine import open_engine
    from orgboard_schema.sql.migrate import check_version

    config = _allowed(config_of(options, options.logdir), options.db, make_database=False)
    is_child = options.listener is not None
    with inherit(options.listener) if is_child else listen(options.host, options.port) as listener:
        engine = open_engine(options.db, create=False)
        check_version(engine)
        if not is_child:
            launch.look_at_role(engine, config)
        link = launch.first_link(engine) if config.accounts and not is_child else None
        if options.workers > 1:
            engine.dispose()
            child = launch.web_child(options.db, config, listener)
            return launch.keep_up([child] * options.workers, listener, config, link)
        # Dash takes a second or two to import: after everything that can be wrong.
        from orgboard_dashboard.serving import serve_app

        if not is_child:
            launch.announce(listener, config, link)
        serve_app(config, engine, listener)
    return 0


def _serve(options: argparse.Namespace) -> int:
    from orgboard_dashboard import launch
    from orgboard_dashboard.sockets import listen

    config = _allowed(config_of(options, options.logdir), options.db, make_database=True)
    for logdir in filter(is_url, config.logdirs or ()):
        require_driver(logdir)
    with listen(options.host, options.port) as listener:
        link = launch.upgrade_database(options.db, config)
        children = [
            launch.ingest_child(options.db, config.logdirs or ()),
            launch.web_child(options.db, config, listener),
        ]
        return launch.keep_up(children, listener, config, link, open_page=options.open)


def _demo(options: argparse.Namespace) -> int:
    from orgboard_dashboard import launch
    from orgboard_dashboard.sockets import listen

    # A board that is made anew has no accounts.
    settings = _allowed(config_of(options, None), None, make_database=True)
    with (
        listen(options.host, options.port) as listener,
        launch.demo_home(options.dir, keep=options.keep) as home,
    ):
        database, logdir = str(home / "board.db"), home / "spirals"
        logdir.mkdir(exist_ok=True)
        config = replace(settings, logdirs=(str(logdir),))
        link = launch.upgrade_database(database, config)
        children = [
            launch.training_child(logdir),
            launch.ingest_child(database, (str(logdir),)),
            launch.web_child(database, config, listener),
        ]
        return launch.keep_up(children, listener, config, link, open_page=options.open)


def _allowed(config: WebConfig, database: str | None, *, make_database: bool) -> WebConfig:
    """Return settings that a board may be served with, before anything of it is there.

    Raises:
        UsageError: it may not; the message says why, and what to do.
        CannotUseTls: its certificate or key cannot be used.
    """
    from orgboard_dashboard.provider.settings import secret_of
    from orgboard_dashboard.tls import server_context

    def has_accounts() -> bool:
        from orgboard_dashboard import launch

        return database is not None and launch.has_accounts_in(database, make=make_database)

    reason = why_not(config, has_accounts)
    if reason:
        raise UsageError(reason)
    if config.is_tls:
        server_context(config.tls_cert, config.tls_key)
    if config.provider:
        secret_of(config.provider, os.environ)
    # Whatever becomes of the accounts meanwhile, what others reach never opens by itself.
    is_for_people = config.is_exposed or config.provider is not None
    return replace(config, accounts=True) if is_for_people else config


def _export(options: argparse.Namespace) -> int:
    from orgboard_dashboard import export as exporting
    from orgboard_schema.sql.engine import open_engine
    from orgboard_schema.sql.migrate import check_version

    chosen = _exported(options)
    output = Path(options.output) if options.output is not None else None
    if chosen.form == "parquet" and output is None and sys.stdout.isatty():
        raise UsageError("Parquet is not for a terminal: give -o FILE")
    engine = open_engine(options.db, create=False)
    check_version(engine)
    lost = exporting.export(engine, chosen, output, time.time(), sys.stderr)
    if lost:
        sys.stderr.write(
            f"orgboard: {lost} blobs are missing or damaged in the store, and were not written:"
            " `orgboard db check` names them\n"
        )
    return DAMAGED if lost else 0


def _exported(options: argparse.Namespace) -> Choice:
    from orgboard_dashboard.export.choice import VALUE_KINDS, Choice, form_of, kinds_of

    if options.what != "values" and (options.kind is not None or options.blobs is not None):
        raise UsageError("--kind and --blobs are for `orgboard export values`")
    return Choice(
        what=options.what,
        form=form_of(options.what, options.format),
        project=options.project,
        run=options.run,
        tag=options.tag,
        where=options.where,
        kinds=VALUE_KINDS if options.kind is None else kinds_of(options.kind),
        blobs=Path(options.blobs) if options.blobs is not None else None,
    )


def _parser(name: str, description: str) -> argparse.ArgumentParser:
    return argparse.ArgumentParser(prog=f"orgboard {name}", description=description)


def _at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def _told(command: Callable[[], int]) -> int:
    """Run `command`; what it cannot do is one line, and an exit status that is not 0."""
    try:
        return command()
    except OrgboardError as error:
        sys.stderr.write(f"orgboard: {error}\n")
        return error.exit_status


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
