"""A board of two teams, every part of it real: writers, ingests, web workers that speak HTTPS.

Three projects, one for each width that a project can be seen with; nobody has an account yet.
"""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sqlalchemy import Engine, func, select

from orgboard import SummaryWriter
from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_read
from support.certificates import make_pair
from support.ingested import migrated
from support.programs import ORGBOARD, running
from support.waiting import wait_until
from support.web_role import as_web_role
from support.workers import Workers, children_of

__all__ = ["OPEN", "RUNS", "SECRET", "SHARED", "WholeBoard", "whole_board"]

SECRET: Final = "red/secret"
"""Of team red; private, once somebody has said so."""
SHARED: Final = "blue/shared"
"""Of team blue, for the team."""
OPEN: Final = "red/open"
"""Of team red, for everybody, once somebody has said so."""

RUNS: Final = {SECRET: ("base", "wide", "draft"), SHARED: ("north", "south"), OPEN: ("pilot",)}
STEPS: Final = 20

WITHIN_S: Final = 60.0
_LINK: Final = re.compile(r"^  (https://127\.0\.0\.1:(\d+))/welcome#(\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class WholeBoard:
    """Where it answers, the secret of its first link, and the runs that are being written."""

    address: str
    secret: str
    workers: Workers
    uids: dict[str, str]
    writers: dict[str, SummaryWriter]
    _steps: dict[str, int] = field(default_factory=dict)

    def page(self, project: str, name: str) -> str:
        """Give the address of a page of a project, or of several at once."""
        return f"{self.address}/p/{project}/{name}"

    def train(self, run: str) -> int:
        """Let a run write its next step, and return it."""
        step = self._steps[run] = self._steps.get(run, STEPS - 1) + 1
        self.writers[run].add_scalar("loss", 1 / (step + 1), step)
        self.writers[run].flush()
        return step


@contextmanager
def whole_board(url: str, folder: Path, workers: int) -> Iterator[WholeBoard]:
    """Write runs, ingest them into `url`, and serve it by so many processes."""
    engine = migrated(url)
    pair = make_pair(folder)
    # As it is meant to be: the web pages by a role of their own, where there are roles.
    by_web = as_web_role(engine).render_as_string(hide_password=False)
    web: list[object] = [ORGBOARD, "web", "--db", by_web, "--port", 0, "--workers", workers]
    web += ["--accounts", "--tls-cert", pair.cert, "--tls-key", pair.key]
    with ExitStack() as stack:
        stack.callback(engine.dispose)
        writers: dict[str, SummaryWriter] = {}
        for project, runs in RUNS.items():
            logdir = folder / project
            for run in runs:
                writers[run] = stack.enter_context(_begun(logdir / run))
            ingest = [ORGBOARD, "ingest", logdir, "--db", url, "--project", project]
            stack.enter_context(running(ingest, folder / f"{project.replace('/', '-')}.log"))
        program = stack.enter_context(running(web, folder / "web.log"))
        found = wait_until(lambda: _LINK.search(program.output()), WITHIN_S, "the first link")
        uids = wait_until(lambda: _all_stored(engine, len(writers)), WITHIN_S, "all runs in SQL")
        pids = children_of(program) if workers > 1 else [program.process.pid]
        assert len(pids) == workers
        answering = Workers(int(found[2]), pids, is_tls=True)
        yield WholeBoard(found[1], found[3], answering, uids, writers)
        # One process alone ends as the signal does.
        assert program.stop() in (0, -signal.SIGTERM)
        assert "Traceback" not in program.output()


@contextmanager
def _begun(logdir: Path) -> Iterator[SummaryWriter]:
    with SummaryWriter(str(logdir)) as writer:
        for step in range(STEPS):
            writer.add_scalar("loss", 1 / (step + 1), step)
        writer.flush()
        yield writer


def _all_stored(engine: Engine, runs: int) -> dict[str, str]:
    """Return the uids of all runs by name, once every point that was written is stored."""
    with begin_read(engine) as conn:
        if conn.execute(select(func.sum(tables.run.c.points))).scalar() != runs * STEPS:
            return {}
        return {row.name: row.uid for row in conn.execute(select(tables.run))}
