"""The one command, `orgboard`: finds its subcommands and imports only the chosen one.

Each program announces its own in the entry-point group `orgboard.commands`, so the
training side names no server package here and starts without any of them. What a
newcomer reads first is below, because asking the commands would import them all.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import EntryPoint, entry_points, version
from typing import Final, TextIO, TypeAlias

__all__ = ["main"]

Command: TypeAlias = Callable[[Sequence[str]], int]
"""Takes the arguments after its name, and returns the exit status."""

GROUP: Final = "orgboard.commands"

SUMMARIES: Final[dict[str, str]] = {
    "demo": "train a small model here and watch its curves grow in the browser",
    "serve": "show the event files under one or more folders, live; all one person needs",
    "ingest": "read event files into a database, once or as a daemon",
    "web": "serve the web pages of a database; many people, several workers",
    "db": "upgrade, check, back up or restore the database",
    "export": "write every stored point as CSV, JSON lines or Parquet",
    "verify": "re-read the event files and prove that the database equals them",
    "user": "make accounts and links to set passwords, put accounts to sleep",
    "team": "make teams, invite people, say who is what in them",
    "project": "make projects, say how widely they are seen and by whom",
    "token": "make tokens for programs, and take them back",
}
"""In the order in which a newcomer meets them."""

EXTRAS: Final[dict[str, str]] = {
    "psycopg": "postgres",
    "pyarrow": "parquet",
}
"""The extra that brings a package. What is not named comes with `server`."""

WRONG_USAGE: Final = 2
INTERRUPTED: Final = 130
"""128 + SIGINT, as a shell reports it."""
PIPE_CLOSED: Final = 141
"""128 + SIGPIPE, as a shell reports it."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that `argv` names (default: the process's own) and return its exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        status = _dispatch(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader (`| head`) has enough. Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    return status


def _dispatch(arguments: list[str]) -> int:
    if arguments[:1] == ["help"]:
        arguments = [*arguments[1:2], "--help"]
    if not arguments:
        return _show_help(sys.stderr, WRONG_USAGE)
    name, *rest = arguments
    if name in ("-h", "--help"):
        return _show_help(sys.stdout, 0)
    if name in ("-V", "--version"):
        sys.stdout.write(f"orgboard {version('orgboard')}\n")
        return 0
    entry = _commands().get(name)
    return _refuse(name) if entry is None else _run(entry, rest)


def _run(entry: EntryPoint, rest: list[str]) -> int:
    try:
        command = _load(entry)
        return command(rest)
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package.startswith("orgboard"):
            raise
        extra = EXTRAS.get(package, "server")
        return _complain(
            f"'orgboard {entry.name}' needs the package {package!r}, which is not installed; "
            f"this brings it: pip install 'orgboard[{extra}]'"
        )


def _load(entry: EntryPoint) -> Command:
    # No command multiplies matrices: the threads that numpy's library would start only spin.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # What imports make stays for good, and to look through it again and again for what does
    # not takes a fifth of the time that a command needs to start.
    gc.disable()
    try:
        command: Command = entry.load()
    finally:
        gc.freeze()
        gc.enable()
    return command


def _commands() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}


def _refuse(name: str) -> int:
    # Only a mistyped name pays for this import.
    from difflib import get_close_matches

    near = get_close_matches(name, _commands(), n=1)
    hint = f"did you mean '{near[0]}'?" if near else "'orgboard --help' lists them all"
    return _complain(f"there is no command {name!r}; {hint}")


def _complain(message: str) -> int:
    sys.stderr.write(f"orgboard: {message}\n")
    return WRONG_USAGE


def _show_help(stream: TextIO, status: int) -> int:
    known = _commands()
    ranked = [name for name in SUMMARIES if name in known]
    names = [*ranked, *sorted(known.keys() - SUMMARIES.keys())]
    width = max(map(len, names), default=0)
    lines = [f"  {name:<{width}}  {SUMMARIES.get(name, known[name].value)}" for name in names]
    stream.write(HELP.format(commands="\n".join(lines)))
    return status


HELP: Final = """\
Usage: orgboard COMMAND [ARGUMENTS]

A board for training runs: what a script logs, stored in SQL and shown live.

Commands:
{commands}

'orgboard COMMAND --help' tells about one of them. First steps:

  orgboard demo             see it work, with nothing of your own
  orgboard serve LOGDIR     see your own runs

In a training script:

  from orgboard import SummaryWriter
"""
