"""Watching a run, hearing of it in the inbox, and reading what a team did, in a browser."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select, update

from orgboard_dashboard.queries.comments import OnRun, add_comment
from orgboard_dashboard.viewer import SystemViewer
from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_read, begin_write
from orgboard_schema.sql.flush import Finished, Origin
from orgboard_schema.sql.roles import Role
from support.boards import scalars
from support.every_state import row
from support.people import put, sign_in
from support.people_pages import let_in, people_of
from support.served import HOSTILE, Served, serve_example

pytestmark = pytest.mark.browser

DAY = 86_400.0


@pytest.fixture(scope="module")
def peopled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Give a board with people on it."""
    with serve_example(tmp_path_factory.mktemp("watched")) as served:
        people_of(served.board)
        put(served.board, "red", "person01", Role.VIEWER)
        yield served


@pytest.fixture
def at_viewer(browser: Browser, peopled: Served) -> Iterator[Page]:
    """Give a page of a viewer of the team red, who may change nothing."""
    context = browser.new_context(reduced_motion="reduce")
    let_in(context, peopled, sign_in(peopled.board, "person01"))
    page = context.new_page()
    raised: list[str] = []
    page.on("pageerror", lambda error: raised.append(str(error)))
    yield page
    context.close()
    assert raised == []


def _log(served: Served, run: str, finished: Finished | None = None, ago: float = 60.0) -> str:
    """Log a run of ben in red that began some seconds ago."""
    began = time.time() - ago
    points = scalars("val/loss", [2.0, 1.5], wall=[began, began + 1])
    origin = Origin("gpu1", "ben")
    uid = served.board.log(run, [points], project="red/one", finished=finished, origin=origin)
    of = tables.run.c
    with begin_write(served.board.engine) as conn:
        walls = {"started": began, "last_event": began + 1}
        conn.execute(update(tables.run).where(of.uid == uid).values(walls))
    return uid


def _watched(served: Served) -> list[str]:
    with begin_read(served.board.engine) as conn:
        return list(conn.scalars(select(tables.watch.c.uid)))


def test_a_viewer_watches_a_run_hears_what_became_of_it_and_leaves_it(
    at_viewer: Page, peopled: Served
) -> None:
    page, uid = at_viewer, _log(peopled, f"lr {HOSTILE}")
    page.goto(f"{peopled.address}/r/{uid}")
    eye = page.get_by_role("button", name="Watch", exact=True)
    expect(eye).to_have_attribute("aria-pressed", "false")
    expect(page.get_by_role("button", name="Star")).to_have_count(0)
    eye.press("Enter")
    expect(eye).to_have_attribute("aria-pressed", "true")
    expect(eye).to_be_focused()
    assert _watched(peopled) == [uid]

    page.goto(f"{peopled.address}/account")
    watched = page.get_by_role("table", name="Watched runs")
    expect(watched.locator("tbody tr")).to_have_count(1)
    expect(watched).to_contain_text(f"lr {HOSTILE}")
    _log(peopled, f"lr {HOSTILE}", finished="failed")
    with begin_write(peopled.board.engine) as conn:
        add_comment(SystemViewer(), conn, OnRun(uid), f"why? {HOSTILE}", None, time.time())
    page.reload()

    page.get_by_role("link", name="Inbox: 2 new").click()
    entries = page.get_by_role("list", name="Inbox").get_by_role("listitem")
    expect(entries).to_have_count(2)
    failed = entries.filter(has_text="failed")
    expect(failed).to_contain_text(f"lr {HOSTILE}")
    failed.get_by_role("button", name="Seen: failed on").click()
    expect(page.get_by_role("link", name="Inbox: 1 new")).to_be_visible()
    said = entries.filter(has_text="commented on")
    expect(said).to_contain_text(f"why? {HOSTILE}")
    said.get_by_role("link").click()
    # Its page was looked at: all that there was to tell is seen.
    expect(page.locator(".ob-meant")).to_contain_text("why?")
    expect(page.get_by_role("link", name="Inbox", exact=True)).to_be_visible()

    page.goto(f"{peopled.address}/account")
    watched.get_by_role("button", name="Stop watching").click()
    region = page.get_by_role("region", name="Runs you watch")
    expect(region).to_contain_text("None. The eye on a run's page")
    assert _watched(peopled) == []


def test_a_run_is_watched_from_the_menu_of_its_row(at_viewer: Page, peopled: Served) -> None:
    page, uid = at_viewer, _log(peopled, "from the panel")
    page.goto(f"{peopled.address}/p/red/one/scalars")
    more = row(page, "from the panel").get_by_role("button", name="Menu of from the panel")
    more.click()
    expect(page.get_by_role("menuitem")).to_have_text(["Watch", "About this run"])
    page.get_by_role("menuitem", name="Watch").click()
    expect(page.get_by_text("Watching from the panel.")).to_be_visible()
    assert _watched(peopled) == [uid]

    more.click()
    page.get_by_role("menuitem", name="Stop watching").click()
    expect(page.get_by_text("Stopped watching from the panel")).to_be_visible()
    assert _watched(peopled) == []


def test_what_is_not_shared_any_more_is_gone_from_the_inbox(
    at_viewer: Page, peopled: Served
) -> None:
    page, uid = at_viewer, _log(peopled, "soon hidden")
    page.goto(f"{peopled.address}/r/{uid}")
    page.get_by_role("button", name="Watch", exact=True).click()
    expect(page.get_by_text("Watching soon hidden.")).to_be_visible()
    _log(peopled, "soon hidden", finished="stop")
    page.goto(f"{peopled.address}/account/mentions")
    expect(page.locator(".ob-inbox")).to_contain_text("soon hidden finished")
    try:
        put(peopled.board, "red", "person01", None)
        page.reload()
        expect(page.locator("#ob-page")).to_contain_text("Nothing yet. Who writes")
        page.goto(f"{peopled.address}/account")
        expect(page.locator("#ob-page")).to_contain_text("None. The eye on a run's page")
        expect(page.locator("#ob-page")).not_to_contain_text("soon hidden")
    finally:
        put(peopled.board, "red", "person01", Role.VIEWER)


def test_a_team_tells_what_it_did_day_by_day(at_viewer: Page, peopled: Served) -> None:
    page = at_viewer
    for n in range(5):
        _log(peopled, f"seed {n}", ago=2 * DAY)
    _log(peopled, "weeks ago", finished="stop", ago=30 * DAY)
    page.goto(f"{peopled.address}/p/red/one/runs")
    page.get_by_role("button", name="Account: person01").click()
    page.get_by_role("dialog", name="Account").get_by_role("button", name="What red did").click()
    expect(page).to_have_url(re.compile("/t/red/feed$"))

    line = page.locator(".ob-feed li").filter(has_text="ben started 5 runs")
    expect(line).to_contain_text("in red / one, best val/loss 1.500")
    expect(line).to_contain_text(re.compile(r"seed \d, seed \d, seed \d and 2 others"))
    expect(page.locator(".ob-feed")).not_to_contain_text("weeks ago")
    days = page.locator(".ob-feed > section")
    before = days.count()

    page.get_by_role("button", name="Older: the 7 days up to").click()
    expect(days).to_have_count(before + 1)
    expect(days.last).to_contain_text("weeks ago")
    expect(days.last.get_by_role("heading")).to_be_focused()
    days.last.get_by_role("link", name="weeks ago").first.click()
    expect(page.get_by_role("heading", name="weeks ago")).to_be_visible()


def test_a_team_that_one_does_not_see_did_nothing(at_viewer: Page, peopled: Served) -> None:
    page = at_viewer
    for team in ("blue", "nosuch"):
        page.goto(f"{peopled.address}/t/{team}/feed")
        expect(page.locator(".ob-feed")).to_have_text(
            re.compile(f"^Nothing has happened in {team} yet")
        )
        expect(page.get_by_role("link", name=re.compile("Runs of"))).to_have_count(0)
    page.get_by_role("link", name="What all teams did").click()
    expect(page.get_by_role("heading", name="What all teams did")).to_be_visible()
    expect(page.locator(".ob-feed")).not_to_contain_text("blue /")


def test_the_first_page_leads_to_what_each_team_did(at_viewer: Page, peopled: Served) -> None:
    page = at_viewer
    _log(peopled, "elsewhere")
    peopled.board.log("other", [scalars("loss", [1.0])], project="red/two")
    page.goto(peopled.address)
    page.get_by_role("navigation", name="What teams did").get_by_role("link", name="red").click()
    expect(page.get_by_role("heading", name="What red did")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
