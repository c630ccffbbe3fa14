"""Ingest daemons as processes of their own, to be paused, killed and looked at."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from orgboard_ingest.config import IngestConfig
from orgboard_ingest.events import set_up
from orgboard_ingest.run import follow
from support.forks import FORKS, preload, stop

__all__ = ["Daemon", "daemon"]

preload("orgboard_ingest.run", "orgboard_ingest.events")


class Daemon:
    """A running ingest."""

    def __init__(self, process: ForkServerProcess, log: Path) -> None:
        self.pid = process.pid or 0
        self._process = process
        self._log = log

    def output(self) -> str:
        """Return what it logged so far."""
        return self._log.read_text(encoding="utf-8") if self._log.exists() else ""

    def pause(self) -> None:
        """Stop it where it stands."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on as if nothing had been."""
        os.kill(self.pid, signal.SIGCONT)

    def kill(self) -> None:
        """End it without a word."""
        self._process.kill()
        self._process.join()

    def stop(self) -> int | None:
        """Ask it to stop, and return its exit status."""
        return stop(self._process, self._log)

    def is_alive(self) -> bool:
        """Tell whether it runs."""
        return self._process.is_alive()

    def peak_memory(self) -> int:
        """Return the most bytes of memory it has had."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024


@contextmanager
def daemon(
    config: IngestConfig, log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Daemon]:
    """Run an ingest while the block runs, its log in the file `log`.

    What it is forked of does not have the environment that a test gave itself since.
    """
    process = FORKS.Process(target=_follow, args=(config, log, dict(environment or {})))
    process.start()
    running = Daemon(process, log)
    try:
        yield running
    finally:
        if running.is_alive():
            running.resume()
            running.stop()


def _follow(config: IngestConfig, log: Path, environment: Mapping[str, str]) -> None:
    os.environ.update(environment)
    set_up("logfmt", logging.FileHandler(log, encoding="utf-8"))
    raise SystemExit(follow(config))
