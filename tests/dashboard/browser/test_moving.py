"""Runs that people move to another project, and pages that are held up for asking too much."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from orgboard_schema.sql.roles import Role
from support.boards import scalars
from support.every_state import row
from support.people import Person, put, sign_in
from support.people_pages import let_in, people_of
from support.served import Served, serve_example

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def peopled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Give a board with people on it."""
    with serve_example(tmp_path_factory.mktemp("peopled")) as served:
        people_of(served.board)
        for run in ("first", "second", "third"):
            served.board.log(run, [scalars("loss", [3.0, 2.0])], project="red/one")
        put(served.board, "red", "person01", Role.ADMIN)
        yield served


@pytest.fixture
def ana(context: BrowserContext, peopled: Served) -> Person:
    """Sign in who runs the board, in the browser of the test."""
    person = sign_in(peopled.board, "Ana")
    let_in(context, peopled, person)
    return person


def test_a_run_is_moved_from_its_page_after_it_says_who_loses_sight(
    page: Page, peopled: Served, ana: Person
) -> None:
    uid = peopled.board.uids["first"]
    page.goto(f"{peopled.address}/r/{uid}")
    page.get_by_role("button", name="Change", exact=True).click()
    page.get_by_role("menuitem", name="Move to another project…").click()
    box = page.get_by_role("dialog")
    box.get_by_label("Project").select_option("default/board")
    expect(box).to_contain_text("Loses sight: ben, bot and person01")
    box.get_by_role("button", name="Move", exact=True).click()

    expect(page.locator("#ob-page")).to_contain_text("default / board")
    page.goto(f"{peopled.address}/p/red/one/scalars")
    expect(row(page, "second")).to_be_visible()
    expect(row(page, "first")).to_have_count(0)
    page.goto(f"{peopled.address}/p/default/board/scalars")
    expect(row(page, "first")).to_be_visible()


def test_those_that_are_shown_are_moved_from_the_table(
    page: Page, peopled: Served, ana: Person
) -> None:
    page.goto(f"{peopled.address}/p/red/one/scalars?q=second")
    expect(row(page, "second")).to_be_visible()
    page.get_by_role("button", name="Actions", exact=True).click()
    page.get_by_role("menuitem", name="Move to another project…").click()
    box = page.get_by_role("dialog")
    box.get_by_label("Project").select_option("default/board")
    box.get_by_role("button", name="Move", exact=True).click()

    expect(row(page, "second")).to_have_count(0)
    page.goto(f"{peopled.address}/p/default/board/scalars?q=second")
    expect(row(page, "second")).to_be_visible()


def test_who_runs_no_other_project_is_told_so(
    page: Page, peopled: Served, context: BrowserContext
) -> None:
    let_in(context, peopled, sign_in(peopled.board, "person01"))
    page.goto(f"{peopled.address}/r/{peopled.board.uids['third']}")
    page.get_by_role("button", name="Change", exact=True).click()
    page.get_by_role("menuitem", name="Move to another project…").click()

    expect(page.get_by_role("dialog")).to_contain_text("no other project that you run")


def test_a_page_that_asked_too_much_says_so_waits_and_goes_on(
    page: Page, peopled: Served, ana: Person
) -> None:
    told: list[str] = []

    def refuse(route: Route) -> None:
        if len(told) > 1:
            route.continue_()
            return
        told.append(route.request.url)
        busy = {"error": "More was asked at once. Try again in 1 second."}
        route.fulfill(status=429, json=busy, headers={"retry-after": "1"})

    page.route("**/api/ui/v1/teams", refuse)
    page.goto(f"{peopled.address}/admin/teams")
    box = page.locator("#ob-away")
    expect(box).to_have_text(re.compile("asked for more at once.*Going on in 1"))

    expect(page.get_by_role("table", name="Teams")).to_be_visible()
    expect(box).to_have_count(0)
    assert len(told) == 2
