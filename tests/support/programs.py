"""The installed `orgboard` command as a real child process, stopped whatever happens."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

__all__ = ["ORGBOARD", "Program", "run_orgboard", "running", "start_orgboard"]

ORGBOARD = Path(sys.executable).with_name("orgboard")
"""The console script of the environment that runs the tests."""

STOP_WITHIN_S = 10.0
"""A program that needs longer to stop after SIGTERM is taken to hang, and killed."""


class Program:
    """A running child and the file that takes what it prints."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process = process
        self.log = log

    def output(self) -> str:
        """Read what it printed so far, standard output and error in one."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def stop(self) -> int:
        """Ask it to stop with SIGTERM, wait, and return the exit status.

        Raises:
            AssertionError: if it was still running after `STOP_WITHIN_S` seconds.
        """
        self.process.terminate()
        try:
            return self.process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(
                f"still running {STOP_WITHIN_S} s after SIGTERM; it printed:\n{self.output()}"
            ) from None


Start = Callable[..., AbstractContextManager[Program]]
"""`start_orgboard("ingest", logdir, "--db", url)`: runs inside the `with`, is stopped after it."""


@pytest.fixture
def start_orgboard(tmp_path: Path) -> Start:
    """Give a function that runs `orgboard` with the given arguments in the background."""
    started = iter(range(1_000_000))

    def start(*arguments: object) -> AbstractContextManager[Program]:
        return running([ORGBOARD, *arguments], tmp_path / f"orgboard-{next(started)}.log")

    return start


@contextmanager
def running(command: list[object], log: Path) -> Iterator[Program]:
    """Run `command` while the block runs, its output in the file `log`."""
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            env=_environment(),
        )
    program = Program(process, log)
    try:
        yield program
    finally:
        if process.poll() is None:
            program.stop()


def run_orgboard(*arguments: object, timeout_s: float = 50) -> subprocess.CompletedProcess[str]:
    """Run `orgboard` to its end, and return what it printed and its exit status."""
    return subprocess.run(
        [str(ORGBOARD), *map(str, arguments)],
        check=False,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=timeout_s,
        env=_environment(),
    )


def _environment() -> dict[str, str]:
    """Keep what whoever runs the tests has set for Python or for orgboard from the program."""
    kept = os.environ.items()
    own = {name: value for name, value in kept if not name.startswith(("ORGBOARD_", "PYTHON"))}
    return {**own, "PYTHONUTF8": "1"}
