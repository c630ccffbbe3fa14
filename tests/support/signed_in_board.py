"""A board with accounts that grows while a hundred people look at it: real pages, light clients."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Page, Playwright, expect
from sqlalchemy import select

from orgboard_dashboard.queries.people.logdirs import set_rule
from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_read, begin_write
from orgboard_schema.sql.roles import Role
from support.boards import Board
from support.browser import launch
from support.certificates import make_pair
from support.growing_runs import all_steps, opened
from support.ingested import migrated
from support.live_board import ask_crowd, growing, listen, points_in
from support.logdirs import Scalars
from support.measured import cpu_of, machine_cpu
from support.people import HOST, PASSWORD, add_person, add_project, put
from support.people_steps import give_name_and_password
from support.programs import ORGBOARD, Program, running
from support.signed_in import Looker, Met, Plan
from support.waiting import wait_until

__all__ = ["Seen", "look_on_signed_in"]

TEAM: Final = "vision/live"
"""Seen by who is in its team."""
GRANTED: Final = "speech/live"
"""Seen by whom it was granted to."""
WORKERS: Final = 4
RUNS_OF_A_LOOKER: Final = 10
"""As many as a page shows that nobody has told which."""
COMING_S: Final = 60.0
"""About so long the light clients come: a password's hash is slow on purpose."""
SPARE_S: Final = 300.0
"""The runs grow for so much longer: until all are there, and until the last is back."""
WITHIN_S: Final = 120.0
NOTICED_MS: Final = 90_000
SETTLE_MS: Final = 3_000
"""Between the first curves and what is measured: the pages have caught up."""

_ADDRESS: Final = re.compile(r"https://127\.0\.0\.1:\d+")


@dataclass(slots=True)
class Seen:
    """What those who looked met, and what it took."""

    met: Met
    pages_ms: list[float] = field(default_factory=list)
    """Of the real pages, from each question for curves to the end of its answer."""
    page_noticed_s: float = 0.0
    """From a grant's end to the page that says so."""
    errors: list[str] = field(default_factory=list)
    wall_s: float = 0.0
    stored_per_s: float = 0.0
    cores: dict[str, float] = field(default_factory=dict)
    """What parts of a core each took."""


def look_on_signed_in(
    playwright: Playwright, shape: Scalars, scratch: Path, people: int, change_every_s: float
) -> Seen:
    """Let so many people look for `shape.steps` seconds, two of them in Chromium."""
    url = f"sqlite:///{scratch / 'people'}.db"
    engine = migrated(url)
    board = Board(engine)
    names = _seat(board, people)
    pair = make_pair(scratch)
    half = replace(shape, runs=shape.runs // 2, steps=round(shape.steps + SPARE_S))
    steps = all_steps(half)
    web: list[object] = [ORGBOARD, "web", "--db", url, "--port", 0, "--workers", WORKERS]
    web += ["--accounts", "--tls-cert", pair.cert, "--tls-key", pair.key]
    with ExitStack() as stack:
        logdirs = [_assigned(board, scratch, place) for place in (TEAM, GRANTED)]
        files = [stack.enter_context(opened(logdir, half)) for logdir in logdirs]
        command: list[object] = [ORGBOARD, "ingest", *logdirs, "--db", url]
        ingest = stack.enter_context(running(command, scratch / "people-ingest.log"))
        for some in files:
            stack.enter_context(growing(some, steps, half))
        served = stack.enter_context(running(web, scratch / "people-web.log"))
        address = wait_until(lambda: _ADDRESS.search(served.output()), WITHIN_S, "an address")
        wait_until(lambda: _all_known(board, shape.runs), WITHIN_S, "all runs in SQL")
        chromium = launch(playwright)
        assert chromium is not None
        pages = [
            stack.enter_context(_page(chromium, address.group(), name, place))
            for name, place in ((names[TEAM][0], TEAM), (names[GRANTED][0], GRANTED))
        ]
        processes = {"the web workers": served, "ingest": ingest}
        seen = _watch(board, address.group(), pages, names, processes, shape, change_every_s)
        seen.errors += [f"web: {line}" for line in served.output().splitlines() if "rror" in line]
        chromium.close()
    engine.dispose()
    return seen


def _seat(board: Board, people: int) -> dict[str, list[str]]:
    """Make the accounts: of half, the team lets them see its project; to half, one was granted."""
    add_person(board, "boss", is_admin=True)
    for place, visibility in ((TEAM, "team"), (GRANTED, "private")):
        team, _, project = place.partition("/")
        add_project(board, team, project, visibility)
    names: dict[str, list[str]] = {TEAM: [], GRANTED: []}
    for number in range(people):
        place = (TEAM, GRANTED)[number % 2]
        name = f"person{number:03}"
        add_person(board, name)
        put(board, TEAM.partition("/")[0] if place == TEAM else place, name, Role.VIEWER)
        names[place].append(name)
    # Who sits before the page of the team: it stays, when the project is made private.
    put(board, TEAM, names[TEAM][0], Role.VIEWER)
    return names


def _assigned(board: Board, scratch: Path, place: str) -> Path:
    """Make a directory, and give it to a project."""
    logdir = scratch / place
    logdir.mkdir(parents=True)
    team, _, project = place.partition("/")
    with begin_write(board.engine) as conn:
        set_rule(HOST, conn, str(logdir.resolve()), team, project, time.time())
    return logdir


def _all_known(board: Board, runs: int) -> bool:
    with begin_read(board.engine) as conn:
        rows = conn.execute(select(tables.run.c.points)).all()
    return len(rows) == runs and all(row.points for row in rows)


def _uids(board: Board, place: str) -> list[str]:
    run, project, team = tables.run.c, tables.project.c, tables.team.c
    team_name, _, name = place.partition("/")
    query = (
        select(run.uid)
        .join(tables.project, project.project_id == run.project_id)
        .join(tables.team, team.team_id == project.team_id)
        .where(project.name == name, team.name == team_name)
    )
    with begin_read(board.engine) as conn:
        return list(conn.scalars(query.order_by(run.run_id)))


@dataclass(frozen=True, slots=True)
class _Page:
    """A real page, and what it met."""

    page: Page
    name: str
    place: str
    took_ms: list[float]
    errors: list[str]
    bodies: list[dict[str, Any]]


@contextmanager
def _page(chromium: Any, address: str, name: str, place: str) -> Iterator[_Page]:
    """Sign in, and open the curves of a project."""
    context = chromium.new_context(
        viewport={"width": 1440, "height": 900}, ignore_https_errors=True
    )
    made = _Page(context.new_page(), name, place, [], [], [])
    made.page.goto(f"{address}/p/{place}/scalars")
    give_name_and_password(made.page, name)
    listen(made.page, made.took_ms, made.errors, made.bodies)
    made.page.wait_for_selector(".ob-card .js-line", state="attached", timeout=NOTICED_MS)
    yield made
    context.close()


def _watch(
    board: Board,
    address: str,
    pages: Sequence[_Page],
    names: dict[str, list[str]],
    processes: dict[str, Program],
    shape: Scalars,
    change_every_s: float,
) -> Seen:
    lookers = [looker for page in pages for looker in _lookers(board, page, names[page.place][1:])]
    plan = Plan(address, "boss", PASSWORD, lookers, float(shape.steps), change_every_s)
    for page in pages:
        page.took_ms.clear()
    seen = Seen(Met())
    before = {name: cpu_of(program.process.pid) for name, program in processes.items()}
    began, stored, busy_s = time.monotonic(), points_in(board.engine), machine_cpu()
    half_time = began + COMING_S + shape.steps / 2
    turns = iter([lambda: _take_from(board, pages[1], seen)])

    def meanwhile() -> None:
        pages[0].page.wait_for_timeout(200)
        if time.monotonic() > half_time:
            next(turns, lambda: None)()

    crowd = ["-m", "support.signed_in_crowd"]
    seen.met = Met(**ask_crowd(crowd, asdict(plan), meanwhile))
    seen.wall_s = time.monotonic() - began
    seen.stored_per_s = (points_in(board.engine) - stored) / seen.wall_s
    for name, program in processes.items():
        seen.cores[name] = (cpu_of(program.process.pid) - before[name]) / seen.wall_s
    seen.cores["the light clients"] = seen.met.cpu_s / seen.wall_s
    seen.cores["all there is on this machine"] = (machine_cpu() - busy_s) / seen.wall_s
    seen.errors += seen.met.errors
    for page in pages:
        seen.pages_ms += page.took_ms
        seen.errors += page.errors
    return seen


def _lookers(board: Board, page: _Page, names: Sequence[str]) -> list[Looker]:
    """Make each looker's question: that of the page for all its cards, of runs of one's own."""
    # It hears of its own answers while it waits.
    page.page.wait_for_timeout(SETTLE_MS)
    fullest = max(page.bodies, key=lambda body: len(body["cards"]))
    uids, own = _uids(board, page.place), RUNS_OF_A_LOOKER
    by = "team" if page.place == TEAM else "grant"
    return [
        Looker(
            name,
            page.place,
            by,
            {**fullest, "runs": [uids[(n * own + k) % len(uids)] for k in range(own)]},
        )
        for n, name in enumerate(names)
    ]


def _take_from(board: Board, page: _Page, seen: Seen) -> None:
    """Take the grant of who sits before a real page, see it go, give it back, and go on."""
    met = len(page.errors)
    began = time.monotonic()
    put(board, page.place, page.name, None)
    expect(page.page.locator("#ob-page")).to_contain_text("not shared with you", timeout=NOTICED_MS)
    seen.page_noticed_s = time.monotonic() - began
    answer = page.page.request.get(f"{_origin(page)}/api/ui/v1/p/{page.place}/runs")
    if answer.status != 404:
        page.errors.append(f"page: {answer.status} after the grant was taken")
    put(board, page.place, page.name, Role.VIEWER)
    page.page.reload()
    page.page.wait_for_selector(".ob-card .js-line", state="attached", timeout=NOTICED_MS)
    # What it was refused meanwhile was to be refused.
    page.errors[met:] = [one for one in page.errors[met:] if one != "page: 404"]


def _origin(page: _Page) -> str:
    return "/".join(page.page.url.split("/", 3)[:3])
