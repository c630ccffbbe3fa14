"""Generated logs behind real web servers: ours, and TensorBoard as people start it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

from support.logdirs import Scalars, run_name, tag_names
from support.measured import cpu_of
from support.programs import ORGBOARD, running
from support.sides import ingested, sqlite
from support.waiting import wait_until

__all__ = ["Server", "our_server", "ours", "tensorboard"]

_ADDRESS = re.compile(r"http://[^\s/]+:\d+")
_START_WITHIN_S = 60.0
_LOAD_WITHIN_S = 600.0
_ASK_WITHIN_S = 60.0


@dataclass(frozen=True, slots=True)
class Server:
    """A running web server."""

    address: str
    pid: int
    logdir: Path
    database: str = ""

    def page(self, name: str) -> str:
        """Give the address of a page of our project."""
        return f"{self.address}/p/default/{self.logdir.name}/{name}"

    def api(self, path: str) -> str:
        """Give the address of what our pages ask."""
        return f"{self.address}/api/ui/v1/p/default/{self.logdir.name}/{path}"

    def cpu_s(self) -> float:
        """Give the CPU seconds of all its processes."""
        return cpu_of(self.pid)

    def ask(self, path: str) -> Any:
        """Ask our API of the project."""
        with urlopen(self.api(path), timeout=_ASK_WITHIN_S) as answer:
            return json.load(answer)

    def cpu_ms(self, path: str) -> float:
        """Ask our API; return what the server's processes took for it."""
        before = self.cpu_s()
        self.ask(path)
        return (self.cpu_s() - before) * 1e3

    def uids(self) -> list[str]:
        """Give the uids of our project's runs, as many as a page of them has."""
        return [run["uid"] for run in self.ask("runs?limit=200")["runs"]]


@contextmanager
def ours(logdir: Path, scratch: Path) -> Iterator[Server]:
    """Ingest the logs into a fresh SQLite file, and serve it while the block runs."""
    with sqlite(scratch, logdir.name) as store:
        ingested(logdir, store)
        with our_server(logdir, store.url, scratch) as server:
            yield server


@contextmanager
def our_server(logdir: Path, url: str, scratch: Path) -> Iterator[Server]:
    """Serve a database in which the logs are."""
    command: list[object] = [ORGBOARD, "web", "--db", url, "--port", 0]
    with running(command, scratch / "web.log") as program:
        found = wait_until(lambda: _ADDRESS.search(program.output()), _START_WITHIN_S, "an address")
        yield Server(found.group(), program.process.pid, logdir, url)


@contextmanager
def tensorboard(python: Path, logdir: Path, shape: Scalars, scratch: Path) -> Iterator[Server]:
    """Serve the logs by TensorBoard, all of them read, as they are when it is begun to be used."""
    program_file = python.with_name("tensorboard")
    command: list[object] = [program_file, "--logdir", logdir, "--port", 0, "--host", "127.0.0.1"]
    with running(command, scratch / "tensorboard.log") as program:
        found = wait_until(
            lambda: _ADDRESS.search(program.output()), _START_WITHIN_S, "TensorBoard's address"
        )
        address = found.group()
        wait_until(lambda: _has_read(address, shape), _LOAD_WITHIN_S, "TensorBoard to read all")
        yield Server(address, program.process.pid, logdir)


def _has_read(address: str, shape: Scalars) -> bool:
    last_tag = tag_names(shape.tags)[-1]
    asked = (urlencode({"run": run_name(run), "tag": last_tag}) for run in (0, shape.runs - 1))
    try:
        answers = [_json(f"{address}/data/plugin/scalars/scalars?{one}") for one in asked]
    except (URLError, OSError, ValueError):
        return False  # It listens before it knows its runs.
    return all(points and points[-1][1] == shape.steps - 1 for points in answers)


def _json(address: str) -> list[list[float]]:
    with urlopen(address, timeout=_ASK_WITHIN_S) as answer:
        found: list[list[float]] = json.load(answer)
    return found
