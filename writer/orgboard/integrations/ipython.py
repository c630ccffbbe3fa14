"""IPython and Jupyter: the board in a notebook.

    %load_ext orgboard
    %orgboard runs/

shows the board of the event files under `runs/`, live, below the cell. It starts `orgboard serve`
on a free port of this machine and for this machine's browsers; the same directories again show
the same board, and all of them stop with the kernel. A browser on another machine, as with a
remote notebook, needs that port forwarded; the address is printed.
"""

from __future__ import annotations

import argparse
import atexit
import re
import shlex
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Final, NoReturn

__all__ = ["Board", "Boards", "load_ipython_extension", "unload_ipython_extension"]

START_WITHIN_S: Final = 60.0
"""A first start makes a database, and loads much from a disk that may be cold."""

_STOP_WITHIN_S: Final = 10.0
_ADDRESS: Final = re.compile(r"orgboard is at (http://\S+)")


class Board:
    """A running `orgboard serve`; `address` is where it answers."""

    def __init__(self, logdirs: Sequence[str]) -> None:
        """Start it, and wait until it answers.

        Raises:
            RuntimeError: it ended instead, with what it said.
        """
        serve = (sys.executable, "-P", "-m", "orgboard", "serve", *logdirs)
        self._process = subprocess.Popen(
            (*serve, "--port", "0", "--allow-frame"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # Interrupting a cell must not stop it.
            start_new_session=True,
        )
        self._lines: SimpleQueue[str | None] = SimpleQueue()
        threading.Thread(target=self._listen, name="orgboard-board", daemon=True).start()
        self.address = self._await_address()

    def is_running(self) -> bool:
        """Tell whether it has not ended."""
        return self._process.poll() is None

    def stop(self) -> None:
        """End it, and wait until it has ended."""
        self._process.terminate()
        try:
            self._process.wait(_STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _listen(self) -> None:
        # To the end: a pipe that nobody empties would stop it when it is full.
        stream = self._process.stdout
        if stream is not None:
            with stream:
                for line in stream:
                    self._lines.put(line)
        self._lines.put(None)

    def _await_address(self) -> str:
        said = []
        try:
            while (line := self._lines.get(timeout=START_WITHIN_S)) is not None:
                if found := _ADDRESS.search(line):
                    return found.group(1)
                said.append(line)
        except Empty:
            said.append(f"orgboard did not answer within {START_WITHIN_S:.0f} s")
        self.stop()
        raise RuntimeError("".join(said).strip())


class Boards:
    """The boards of one kernel, by what they show."""

    def __init__(self) -> None:
        self._running: dict[tuple[str, ...], Board] = {}

    def show(self, logdirs: Sequence[str]) -> Board:
        """Give the board of these directories, a running one if there is one.

        Raises:
            RuntimeError: it cannot be started; the message says what to do.
        """
        shown = tuple(str(Path(logdir).expanduser().resolve()) for logdir in logdirs)
        board = self._running.get(shown)
        if board is None or not board.is_running():
            board = self._running[shown] = Board(shown)
        return board

    def stop(self) -> None:
        """End all of them."""
        while self._running:
            self._running.popitem()[1].stop()


_boards: Final = Boards()


def load_ipython_extension(ipython: Any) -> None:
    """Give IPython the magic `%orgboard`; it calls this for `%load_ext orgboard`."""
    atexit.register(_boards.stop)
    ipython.register_magic_function(_magic_of(ipython, _boards), "line", "orgboard")


def unload_ipython_extension(ipython: Any) -> None:
    """Stop the boards; IPython calls this for `%unload_ext orgboard`."""
    del ipython
    atexit.unregister(_boards.stop)
    _boards.stop()


def _magic_of(ipython: Any, boards: Boards) -> Callable[[str], None]:
    def orgboard(line: str) -> None:
        """Show the board of one or more directories: `%orgboard LOGDIR... [--height PIXELS]`."""
        try:
            options = _parser().parse_args(shlex.split(line))
            board = boards.show(options.logdir)
        except (ValueError, RuntimeError) as error:
            sys.stdout.write(f"{error}\n")
            return
        sys.stdout.write(f"orgboard is at {board.address}\n")
        # In a terminal the address is all that can be shown.
        if getattr(ipython, "kernel", None) is not None:
            from IPython.display import IFrame, display  # pyright: ignore[reportMissingImports]

            display(IFrame(board.address, width="100%", height=options.height))

    return orgboard


class _Parser(argparse.ArgumentParser):
    """Tells a wrong line instead of ending the kernel."""

    def error(self, message: str) -> NoReturn:
        raise ValueError(f"{self.format_usage()}{message}")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="%orgboard", add_help=False)
    parser.add_argument("logdir", nargs="+", metavar="LOGDIR")
    parser.add_argument("--height", type=int, default=800, metavar="PIXELS")
    return parser
