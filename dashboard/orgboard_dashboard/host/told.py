"""What the commands of the host share: options, the database, tables, JSON, and links."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, is_dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from orgboard_dashboard.config import DEFAULT_PORT
from orgboard_dashboard.errors import UsageError
from orgboard_dashboard.flags import add_database
from orgboard_dashboard.viewer import SystemViewer
from orgboard_schema.errors import OrgboardError
from orgboard_schema.printing import printable

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from orgboard_dashboard.queries.people.access import Sight, Way

__all__ = [
    "HOST",
    "Actions",
    "Told",
    "UsageError",
    "add_action",
    "add_base_url",
    "known_or",
    "link_lines",
    "link_of",
    "parser_of",
    "role_of",
    "run",
    "table",
    "when",
    "why",
]

HOST: Final = SystemViewer()

Actions = Any
"""What argparse gives for subcommands has no public name."""

_NONE: Final = "none"


@dataclass(frozen=True, slots=True)
class Told:
    """What a command answers: to a program with `--json`, else to people."""

    value: Any
    lines: Sequence[str]


Action = Callable[["argparse.Namespace", "Connection"], Told]


def parser_of(name: str, description: str) -> tuple[argparse.ArgumentParser, Actions]:
    """Return the parser of a command, and what to declare its actions on."""
    parser = argparse.ArgumentParser(
        prog=f"orgboard {name}",
        description=description,
        epilog="exit status: 0 done, 2 wrong usage or set-up, 78 the database is newer than this"
        " program",
    )
    return parser, parser.add_subparsers(required=True, metavar="ACTION", title="actions")


def add_action(actions: Actions, name: str, does: Action, words: str) -> argparse.ArgumentParser:
    """Declare an action, which has `--db` and `--json` as all have."""
    parser: argparse.ArgumentParser = actions.add_parser(
        name, help=words, description=words[:1].upper() + words[1:] + "."
    )
    add_database(parser)
    parser.add_argument("--json", action="store_true", help="answer in JSON, for programs")
    parser.set_defaults(does=does)
    return parser


def add_base_url(parser: argparse.ArgumentParser) -> None:
    """Declare where links lead to."""
    here = os.environ.get("ORGBOARD_BASE_URL") or f"http://127.0.0.1:{DEFAULT_PORT}"
    parser.add_argument(
        "--base-url",
        default=here,
        metavar="URL",
        help=f"how browsers reach the board (default: $ORGBOARD_BASE_URL, else {here})",
    )


def run(parser: argparse.ArgumentParser, argv: Sequence[str]) -> int:
    """Do what is asked, in one transaction, and then tell; what cannot be is one line, status 2."""
    options = parser.parse_args(argv)
    try:
        with _transaction(options.db) as conn:
            told = options.does(options, conn)
    except OrgboardError as error:
        sys.stderr.write(f"orgboard: {printable(str(error))}\n")
        return error.exit_status
    for line in [_as_json(told.value)] if options.json else told.lines:
        sys.stdout.write(line + "\n")
    return 0


@contextmanager
def _transaction(db: str) -> Iterator[Connection]:
    """Open the database for one change.

    Raises:
        OrgboardError: it cannot be, or what was asked cannot be done.
    """
    from orgboard_dashboard.queries.errors import BadQuery, Conflict, Forbidden, NotFound
    from orgboard_dashboard.queries.guard import writing
    from orgboard_dashboard.viewer import SystemViewer
    from orgboard_schema.sql.engine import open_engine
    from orgboard_schema.sql.migrate import check_version

    engine = open_engine(db, create=False)
    try:
        check_version(engine)
        with writing(engine, SystemViewer()) as conn:
            yield conn
    except (BadQuery, Conflict, Forbidden, NotFound) as error:
        raise UsageError(str(error)) from error
    finally:
        engine.dispose()


@contextmanager
def known_or(words: str) -> Iterator[None]:
    """Say `words` when what is asked for in the block is not there.

    Raises:
        UsageError: it is not there.
    """
    from orgboard_dashboard.queries.errors import NotFound

    try:
        yield
    except NotFound as error:
        raise UsageError(words) from error


def role_of(word: str) -> Any:
    """Read a role; `none` takes one away."""
    from orgboard_schema.sql.roles import Role

    if word.lower() == _NONE:
        return None
    known = {role.word: role for role in Role}
    if word.lower() not in known:
        raise UsageError(f"a role is one of {', '.join(known)}, or none; not {word}")
    return known[word.lower()]


def link_of(options: argparse.Namespace, secret: str, lasts_s: float) -> dict[str, Any]:
    """Return a one-time link and when it is over.

    Raises:
        UsageError: `--base-url` is no address of a board.
    """
    from orgboard_dashboard.signin.places import welcome_address

    base = options.base_url.rstrip("/")
    parts = urlsplit(base)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise UsageError(f"--base-url is like https://board.example; not {options.base_url}")
    return {"link": welcome_address(base, secret), "expires_at": time.time() + lasts_s}


def link_lines(words: str, link: Mapping[str, Any]) -> list[str]:
    """Say what a link is for; nothing else is on its line, so that it can be copied."""
    until = f"It works once, until {when(link['expires_at'])}. Who has it has what it gives."
    return [words, "", f"  {link['link']}", "", until]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return lines of columns as wide as what is in them."""
    lines = [list(head), *([printable(cell) for cell in row] for row in rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(head))]
    return ["  ".join(map(str.ljust, line, widths)).rstrip() for line in lines]


def when(at: float | None) -> str:
    """Write a moment to the minute, in this machine's time zone."""
    return "" if at is None else time.strftime("%Y-%m-%d %H:%M", time.localtime(at))


def why(sight: Sight) -> str:
    """Say why somebody sees a project: each way to it, and the role that it gives."""
    return ", ".join(_words(way, sight.team) for way in sight.ways)


def _words(way: Way, team: str) -> str:
    if way.by == "board":
        return "runs the board"
    if way.by == "grant":
        return f"granted as {way.role}"
    if way.by == "team":
        return f"{way.role} of the team {team}"
    return "everybody may view it"


def _as_json(value: Any) -> str:
    """Return JSON of one line, in ASCII: a terminal obeys nothing of it."""
    return json.dumps(_plain(value), ensure_ascii=True).replace("\x7f", "\\u007f")


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, tuple | list):
        return [_plain(part) for part in value]
    return value
