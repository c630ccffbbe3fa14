"""A project of many runs that grow at once, and many who look at it: pages and light clients."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Page, Playwright, Request, Response
from sqlalchemy import Engine, func, select

from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_read, open_engine
from support.crowd import Met, Plan
from support.growing_runs import Growth, all_steps, grow, opened
from support.logdirs import Scalars
from support.measured import cpu_of, machine_cpu
from support.programs import ORGBOARD, running
from support.served_logs import Server, our_server
from support.sides import ingested, sqlite
from support.tabs import Tab, tab
from support.waiting import wait_until

__all__ = ["Seen", "ask_crowd", "growing", "listen", "look_on", "points_in"]

CROWD: Final = Path(__file__).with_name("crowd.py")
RUNS_OF_A_LOOKER: Final = 10
"""As many as a page shows that nobody has told which."""
HTTP_ERROR: Final = 400
SPARE_S: Final = 75.0
"""The runs grow for so much longer: until the pages are open."""
SETTLE_S: Final = 3.0
"""Between the first curves and the first look at a clock: the pages have caught up."""
COMING_S: Final = 12.0
"""In which the light clients come: to open a page is measured elsewhere, alone."""
WITHIN_S: Final = 120.0


@dataclass(slots=True)
class Seen:
    """What those who looked met, and what it took."""

    met: Met
    pages_ms: list[float] = field(default_factory=list)
    """Of the real pages, from each question for curves to the end of its answer."""
    errors: list[str] = field(default_factory=list)
    wall_s: float = 0.0
    stored_per_s: float = 0.0
    """Points that came to lie in SQL."""
    cores: dict[str, float] = field(default_factory=dict)
    """What parts of a core each took."""


def look_on(
    playwright: Playwright, shape: Scalars, scratch: Path, pages: int, lookers: int, seconds: float
) -> Seen:
    """Let the runs grow at one step a second while all look on, for `seconds`."""
    logdir = scratch / "live"
    logdir.mkdir()
    steps = all_steps(replace(shape, steps=round(seconds + SPARE_S)))
    with sqlite(scratch, "live") as store, opened(logdir, shape) as files:
        command: list[object] = [ORGBOARD, "ingest", logdir, "--db", store.url]
        # Makes the tables, and the project.
        ingested(logdir, store)
        engine = open_engine(store.url)
        with (
            running(command, scratch / "ingest.log") as daemon,
            our_server(logdir, store.url, scratch) as server,
            growing(files, steps, shape),
            tab(playwright) as opened_tab,
        ):
            wait_until(lambda: points_in(engine) > 0, WITHIN_S, "the first points in SQL")
            board = _Board(server, engine, daemon.process.pid)
            seen = _watch(board, opened_tab, pages, lookers, seconds)
        engine.dispose()
    return seen


@dataclass(frozen=True, slots=True)
class _Board:
    """What runs while people look."""

    server: Server
    engine: Engine
    ingest: int


@contextmanager
def growing(files: list[int], steps: Sequence[Sequence[bytes]], shape: Scalars) -> Iterator[None]:
    """Let the runs grow while the block runs."""
    ended = threading.Event()
    growth = Growth(replace(shape, steps=len(steps)))
    more = itertools.takewhile(lambda _: not ended.is_set(), steps)
    thread = threading.Thread(target=grow, args=(files, more, growth))
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _watch(board: _Board, first: Tab, pages: int, lookers: int, seconds: float) -> Seen:
    seen = Seen(Met())
    bodies: list[dict[str, Any]] = []
    others = [first.browser.new_context().new_page() for _ in range(pages - 1)]
    for page in (first.page, *others):
        listen(page, seen.pages_ms, seen.errors, bodies)
        page.set_viewport_size({"width": 1440, "height": 900})
        page.goto(board.server.page("scalars"))
        page.wait_for_selector(".ob-card .js-line", state="attached")
    first.page.wait_for_timeout(SETTLE_S * 1e3)
    processes = {
        "the web server": board.server.pid,
        "ingest": board.ingest,
        "the pages' Chromium": next(pid for pid, is_ in first.kinds().items() if is_ == "browser"),
    }
    path = board.server.api("").removeprefix(board.server.address).rstrip("/")
    questions = _bodies(board.server, bodies, lookers)
    plan = Plan(board.server.address, path, questions, seconds, COMING_S)
    seen.pages_ms.clear()
    before = {name: cpu_of(pid) for name, pid in processes.items()}
    began, stored, busy_s = time.monotonic(), points_in(board.engine), machine_cpu()
    seen.met = Met(
        **ask_crowd([str(CROWD)], asdict(plan), lambda: first.page.wait_for_timeout(200))
    )
    seen.wall_s = time.monotonic() - began
    seen.stored_per_s = (points_in(board.engine) - stored) / seen.wall_s
    for name, pid in processes.items():
        seen.cores[name] = (cpu_of(pid) - before[name]) / seen.wall_s
    seen.cores["the light clients"] = seen.met.cpu_s / seen.wall_s
    seen.cores["all there is on this machine"] = (machine_cpu() - busy_s) / seen.wall_s
    seen.errors += seen.met.errors
    return seen


def listen(
    page: Page, took_ms: list[float], errors: list[str], bodies: list[dict[str, Any]]
) -> None:
    """Note what a page asks, how long it takes, and what goes wrong."""

    def finished(request: Request) -> None:
        if request.method == "POST" and request.url.endswith("/scalars"):
            took_ms.append(request.timing["responseEnd"])
            bodies.append(json.loads(request.post_data or "{}"))

    def answered(answer: Response) -> None:
        if answer.status >= HTTP_ERROR:
            errors.append(f"page: {answer.status}")

    page.on("requestfinished", finished)
    page.on("requestfailed", lambda request: errors.append(f"page: {request.failure}"))
    page.on("pageerror", lambda error: errors.append(f"page: {error.message}"))
    page.on("response", answered)


def _bodies(server: Server, asked: Sequence[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    """Make each looker's question: that of a page for all its cards, of runs of one's own."""
    fullest = max(asked, key=lambda body: len(body["cards"]))
    uids = server.uids()
    own = RUNS_OF_A_LOOKER
    return [
        {**fullest, "runs": [uids[(n * own + k) % len(uids)] for k in range(own)]}
        for n in range(count)
    ]


def ask_crowd(
    program: Sequence[str], plan: Mapping[str, Any], meanwhile: Callable[[], None]
) -> Any:
    """Let light clients do as the plan says, doing something else again and again meanwhile."""
    # -P: beside the programs lie modules with names of others.
    command = [sys.executable, "-P", *program]
    environment = {**os.environ, "PYTHONPATH": str(CROWD.parents[1])}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    ) as process:
        said: list[bytes] = []
        asked = json.dumps(plan).encode()
        reader = threading.Thread(target=lambda: said.append(process.communicate(asked)[0]))
        reader.start()
        while reader.is_alive():
            meanwhile()
        reader.join()
    if process.returncode != 0:
        raise RuntimeError(f"the clients ended with {process.returncode}")
    return json.loads(said[0])


def points_in(engine: Engine) -> int:
    """Return how many points SQL has."""
    with begin_read(engine) as conn:
        return int(conn.execute(select(func.sum(tables.run.c.points))).scalar() or 0)
