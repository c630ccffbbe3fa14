"""Share links, made in one browser and opened in another; several projects on one page."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from support.boards import scalars
from support.people import sign_in
from support.people_pages import let_in, people_of
from support.served import Served, serve_example

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def peopled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Give a board with people on it, and two runs in a project of red."""
    with serve_example(tmp_path_factory.mktemp("sharing")) as served:
        people_of(served.board)
        served.board.log("second", [scalars("loss", [4.0, 3.0])], project="red/one")
        served.board.log("elsewhere", [scalars("loss", [9.0, 8.0])], project="red/two")
        yield served


@pytest.fixture
def ana(page: Page, context: BrowserContext, peopled: Served) -> Page:
    """Give the page of who runs the board."""
    let_in(context, peopled, sign_in(peopled.board, "Ana"))
    return page


@pytest.fixture
def guest(browser: Browser) -> Iterator[Page]:
    """Give the page of somebody without an account."""
    profile = browser.new_context()
    yield profile.new_page()
    profile.close()


def _share(page: Page, title: str) -> str:
    """Share what the page shows, and return the link."""
    page.locator("#ob-views button").click()
    page.get_by_role("button", name=re.compile("Share by a link")).click()
    page.get_by_label("Title").fill(title)
    page.get_by_role("button", name="Make a link").click()
    return page.get_by_role("textbox", name="The link").input_value()


def test_a_guest_sees_what_was_shared_until_it_is_revoked(
    ana: Page, guest: Page, peopled: Served
) -> None:
    uid = peopled.board.uids["second"]
    ana.goto(f"{peopled.address}/p/red/one/scalars?sel={uid}&s=0.2")
    expect(ana.locator(".ob-card")).to_have_count(1)
    link = _share(ana, "for the paper")
    ana.keyboard.press("Escape")

    guest.goto(link)
    expect(guest).to_have_url(re.compile(r"/p/red/one/scalars\?.*s=0.2"))
    expect(guest.locator(".ob-panel .ob-row")).to_have_count(1)
    expect(guest.locator(".ob-panel .ob-row")).to_contain_text("second")
    expect(guest.locator(".ob-card")).to_have_count(1)
    guest.locator("#ob-views button").click()
    expect(guest.get_by_text("Save view as")).to_have_count(0)
    guest.goto(f"{peopled.address}/p/red/two/scalars")
    expect(guest.locator("#ob-page")).to_contain_text("not shared with you")

    ana.locator("#ob-views button").click()
    ana.get_by_role("button", name=re.compile("Share by a link")).click()
    expect(ana.locator(".ob-shares li")).to_contain_text("1 run · by Ana")
    expect(ana.locator(".ob-shares li")).to_contain_text("opened 1 time")
    ana.get_by_role("button", name="Revoke the link for the paper").click()
    expect(ana.locator(".ob-shares li")).to_have_count(0)
    guest.goto(f"{peopled.address}/p/red/one/scalars")
    expect(guest).to_have_url(re.compile("/sign-in"))
    guest.goto(link)
    expect(guest.get_by_role("heading")).to_have_text("This link does not open anything")


def test_a_link_that_was_cut_says_so(guest: Page, peopled: Served) -> None:
    guest.goto(f"{peopled.address}/s")

    expect(guest.locator("#shared")).to_have_text("This link is not whole. Copy all of it.")


def test_projects_are_looked_at_together_and_told_apart(ana: Page, peopled: Served) -> None:
    ana.goto(peopled.address)
    ana.get_by_role("link", name=re.compile("all of red")).click()

    expect(ana).to_have_url(re.compile(r"/p/red/\*/scalars"))
    rows = ana.locator(".ob-panel .ob-row")
    expect(rows).to_have_count(3)
    expect(rows.filter(has_text="red/two: elsewhere")).to_have_count(1)
    expect(ana.locator("#ob-crumb")).to_contain_text("all projects")
    ana.get_by_label("Group runs by", exact=True).select_option("project")
    expect(ana.locator(".ob-groups li").first).to_contain_text("project = red/one")


def test_nothing_is_changed_where_several_projects_are_looked_at(
    ana: Page, peopled: Served
) -> None:
    ana.goto(f"{peopled.address}/p/*/*/scalars")
    expect(ana.locator(".ob-card").first).to_be_visible()

    ana.locator(".ob-panel .ob-row").first.click(button="right")

    expect(ana.get_by_role("menuitem", name="About this run")).to_be_visible()
    expect(ana.get_by_role("menuitem", name="Rename…")).to_have_count(0)
    expect(ana.get_by_role("menuitem", name="Delete…")).to_have_count(0)


def test_a_directory_is_assigned_after_it_says_what_moves(ana: Page, peopled: Served) -> None:
    peopled.board.log(
        "loose", [scalars("loss", [1.0])], project="default/Unassigned", logdir="/data/loose/a"
    )
    ana.goto(f"{peopled.address}/admin/directories")
    table = ana.get_by_role("table", name="Directories", exact=True)
    expect(table.get_by_role("row", name="/data/loose/a")).to_contain_text("default/Unassigned")

    ana.get_by_role("button", name="Assign /data/loose/a").click()
    ana.get_by_label("Project", exact=True).select_option("red/one")
    expect(ana.get_by_text("1 run of 1 directory move from default/Unassigned")).to_be_visible()
    ana.get_by_role("button", name="Assign", exact=True).click()

    expect(table.get_by_role("row", name="/data/loose/a")).to_contain_text("red/one")
    rules = ana.get_by_role("table", name="Assigned directories")
    expect(rules.get_by_role("row", name="/data/loose/a")).to_contain_text("red/one")
    ana.get_by_role("button", name="Take back /data/loose/a").click()
    expect(rules).to_have_count(0)
