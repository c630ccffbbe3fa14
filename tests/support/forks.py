"""Programs as forks of a process that has imported them: each starts in a moment.

As its users start it, `orgboard` takes a second or two, nearly all of it imports: see `programs`.
A fork inherits no thread and no connection of the tests.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Final

from orgboard import _cli

__all__ = ["FORKS", "forked", "preload", "stop"]

STOP_WITHIN_S: Final = 20.0

FORKS: Final = multiprocessing.get_context("forkserver")
_preloaded: Final[list[str]] = []


def preload(*modules: str) -> None:
    """Let the process that is forked import these, too, if it was not started yet.

    It passes over what it does not find, as modules of the tests: what is installed, it finds.
    """
    _preloaded.extend(modules)
    FORKS.set_forkserver_preload(_preloaded)


@contextmanager
def forked(arguments: Sequence[object], log: Path) -> Iterator[None]:
    """Run `orgboard` with these arguments while the block runs, its output in the file `log`."""
    process = FORKS.Process(target=_be_orgboard, args=([str(each) for each in arguments], log))
    process.start()
    try:
        yield
    finally:
        if process.is_alive():
            stop(process, log)


def stop(process: ForkServerProcess, log: Path) -> int | None:
    """Ask a fork to stop, and return its exit status.

    Raises:
        AssertionError: if it was still running after `STOP_WITHIN_S` seconds.
    """
    process.terminate()
    process.join(STOP_WITHIN_S)
    if process.is_alive():
        process.kill()
        process.join()
        said = log.read_text(encoding="utf-8") if log.exists() else ""
        raise AssertionError(f"still running after SIGTERM; it printed:\n{said}")
    return process.exitcode


def _be_orgboard(arguments: Sequence[str], log: Path) -> None:
    sink = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(sink, stream.fileno())
    for name in [name for name in os.environ if name.startswith("ORGBOARD_")]:
        del os.environ[name]
    sys.exit(_cli.main(arguments))
