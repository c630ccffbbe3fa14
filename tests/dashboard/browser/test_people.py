"""Several people on one board, each in a browser of their own: invited, let in, let go."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from itertools import pairwise
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy import delete, select, update

from orgboard_dashboard.accounts.opaque import new_secret
from orgboard_dashboard.api.proof import FRESH_S
from orgboard_dashboard.queries.people.links import set_up
from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_read, begin_write
from orgboard_schema.sql.roles import Role
from support.boards import scalars
from support.boxes import box_of, boxes_of
from support.people import PASSWORD, Person, put, sign_in
from support.people_pages import MARKUP, let_in, people_of
from support.people_steps import (
    choose_for,
    give_name_and_password,
    grant,
    invitation,
    open_link,
    sign_out,
)
from support.served import Served, serve_example

pytestmark = pytest.mark.browser

OTHER_PASSWORD = "another long walk, inland"


@pytest.fixture
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Give a board that has runs of three teams, and nobody yet."""
    with serve_example(tmp_path_factory.mktemp("bare")) as served:
        for team in ("red", "blue"):
            served.board.log(f"run-of-{team}", [scalars("loss", [2.0, 1.0])], project=f"{team}/one")
        yield served


@pytest.fixture(scope="module")
def peopled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Give a board with people on it."""
    with serve_example(tmp_path_factory.mktemp("peopled")) as served:
        people_of(served.board)
        yield served


@pytest.fixture
def ana(context: BrowserContext, peopled: Served) -> Person:
    """Sign in who runs the board, in the browser of the test."""
    person = sign_in(peopled.board, "Ana")
    let_in(context, peopled, person)
    return person


def test_a_board_is_shared_and_each_sees_what_is_theirs_until_it_is_taken_back(
    browser: Browser, bare: Served
) -> None:
    secret = new_secret()
    with begin_write(bare.board.engine) as conn:
        set_up(conn, secret, time.time())
    ana, ben, eve = (browser.new_context().new_page() for _ in range(3))
    open_link(ana, f"{bare.address}/welcome#{secret}", "Ana")
    expect(ana.locator(".ob-project")).to_have_count(3)

    for page, name, team in ((ben, "ben", "red"), (eve, "eve", "blue")):
        open_link(page, invitation(ana, bare.address, team), name)
        # The only project that one sees opens by itself.
        expect(page).to_have_url(re.compile(f"/p/{team}/one/scalars"))
        expect(page.locator(".ob-panel .ob-row")).to_have_text(re.compile(f"run-of-{team}"))
    ben.goto(f"{bare.address}/p/blue/one/scalars")
    expect(ben.locator("#ob-page")).to_contain_text("not shared with you")

    grant(ana, bare.address, "blue / one", "ben")
    ben.goto(bare.address)
    expect(ben.locator(".ob-project")).to_have_text([re.compile("blue / one"), re.compile("red")])
    ben.goto(f"{bare.address}/p/blue/one/scalars")
    expect(ben.locator(".ob-panel .ob-row")).to_have_text(re.compile("run-of-blue"))

    ana.get_by_role("button", name="Take the grant of ben back").click()
    expect(ana.get_by_text("Loses sight: ben")).to_be_visible()
    ana.get_by_role("button", name="Take it back", exact=True).click()
    expect(ana.get_by_role("button", name="Take the grant of ben back")).to_have_count(0)
    told = ben.request.get(f"{bare.address}/api/ui/v1/p/blue/one/runs")
    assert told.status == 404
    ben.goto(bare.address)
    expect(ben).to_have_url(re.compile("/p/red/one/scalars"))

    sign_out(eve)
    assert eve.request.get(f"{bare.address}/api/ui/v1/projects").status == 401
    give_name_and_password(eve, "eve")
    expect(eve).to_have_url(re.compile("/p/blue/one/scalars"))
    for page in (ana, ben, eve):
        page.context.close()


def test_a_session_that_is_over_leads_to_the_sign_in_and_back_to_the_very_place(
    page: Page, peopled: Served, ana: Person
) -> None:
    place = f"{peopled.address}/p/red/one/scalars?s=0.25&t=los"
    page.goto(place)
    expect(page.locator(".ob-card")).to_be_visible()
    _end(peopled, ana)
    page.reload()
    give_name_and_password(page, "ana")
    expect(page).to_have_url(place)

    page.goto(f"{peopled.address}/admin/teams")
    expect(page.get_by_role("table", name="Teams")).to_be_visible()
    _end(peopled, ana)
    # Without a reload: what Dash asks for is refused.
    page.get_by_role("link", name="Projects", exact=True).click()
    give_name_and_password(page, "ana")
    expect(page).to_have_url(f"{peopled.address}/admin/projects")
    expect(page.get_by_role("table", name="Projects")).to_be_visible()


def test_a_page_that_only_looks_hears_that_it_sees_the_project_no_more(
    page: Page, peopled: Served, context: BrowserContext
) -> None:
    put(peopled.board, "red/one", "person04", Role.VIEWER)
    let_in(context, peopled, sign_in(peopled.board, "person04"))
    page.goto(f"{peopled.address}/p/red/one/scalars")
    expect(page.locator(".ob-card")).to_be_visible()
    put(peopled.board, "red/one", "person04", None)
    # As a proxy does with a stream that is silent for long.
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")

    expect(page.locator("#ob-page")).to_contain_text("not shared with you")


def test_what_is_delicate_asks_for_the_password_and_then_does_it(
    page: Page, peopled: Served, ana: Person
) -> None:
    _age(peopled, ana)
    page.goto(f"{peopled.address}/admin")
    choose_for(page, "person07", "Put to sleep…")
    page.get_by_role("button", name="Put to sleep", exact=True).click()

    asked = page.get_by_role("dialog", name="Is it you?")
    asked.get_by_label("Your password").fill("wrong")
    asked.get_by_role("button", name="Go on").click()
    expect(asked.get_by_role("alert")).to_have_text("That is not your password.")
    asked.get_by_label("Your password").fill(PASSWORD)
    asked.get_by_label("Your password").press("Enter")

    row = page.locator("tr").filter(has_text="person07")
    expect(row).to_contain_text("asleep")
    expect(page.locator("dialog")).to_have_count(0)


def test_who_does_not_give_the_password_changes_nothing(
    page: Page, peopled: Served, ana: Person
) -> None:
    _age(peopled, ana)
    page.goto(f"{peopled.address}/admin")
    choose_for(page, "person08", "Put to sleep…")
    page.get_by_role("button", name="Put to sleep", exact=True).click()
    page.get_by_role("dialog", name="Is it you?").get_by_role("button", name="Cancel").click()

    asleep = page.get_by_role("dialog", name="Put person08 to sleep?")
    expect(asleep.get_by_role("alert")).to_contain_text("Nothing was changed")
    asleep.get_by_role("button", name="Cancel").click()
    expect(page.locator("tr").filter(has_text="person08")).not_to_contain_text("asleep")


def test_own_sessions_end_and_a_new_password_ends_the_others(
    browser: Browser, page: Page, peopled: Served, context: BrowserContext
) -> None:
    here, there, third = (sign_in(peopled.board, "person03") for _ in range(3))
    let_in(context, peopled, here)
    page.goto(f"{peopled.address}/account")
    rows = page.get_by_role("table", name="Sessions").locator("tbody tr")
    expect(rows).to_have_count(3)
    expect(rows.filter(has_text="this one")).to_have_count(1)

    rows.filter(has_not_text="this one").first.get_by_role("button").click()
    expect(rows).to_have_count(2)
    page.get_by_label("Your password now").fill("not this")
    page.get_by_label("The new one").fill(OTHER_PASSWORD)
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_role("alert")).to_have_text("That is not your password.")
    page.get_by_label("Your password now").fill(PASSWORD)
    page.get_by_role("button", name="Change the password").click()
    expect(rows).to_have_count(1)

    with begin_read(peopled.board.engine) as conn:
        left = set(conn.scalars(select(tables.session.c.session_id)))
    assert [one.session in left for one in (here, there, third)] == [True, False, False]


def test_somebody_is_found_among_many(page: Page, peopled: Served, ana: Person) -> None:
    page.goto(f"{peopled.address}/admin")
    page.get_by_label("Find a name").fill("PERSON1")

    expect(page.get_by_role("table", name="Accounts").locator("tbody tr:visible")).to_have_text(
        [re.compile(f"person1{n}") for n in range(4)]
    )


def _open_actions(page: Page, served: Served) -> None:
    """Open what can be done in a project of red."""
    page.goto(f"{served.address}/p/red/one/scalars")
    expect(page.locator(".ob-card")).to_be_visible()
    page.locator(".ob-panel").get_by_role("button", name="Actions").click()


def test_who_runs_a_project_says_who_sees_it_from_its_page(
    page: Page, peopled: Served, context: BrowserContext
) -> None:
    put(peopled.board, "red/one", "person01", Role.ADMIN)
    let_in(context, peopled, sign_in(peopled.board, "person01"))
    _open_actions(page, peopled)
    page.get_by_role("menuitem", name="Access…").click()

    dialog = page.get_by_role("dialog", name="Access to red / one")
    expect(dialog.get_by_role("table", name="Who can see this")).to_contain_text(
        "editor of the team red"
    )
    dialog.get_by_role("radio", name="Organisation").click()
    asked = page.get_by_role("dialog", name="Show red / one to everybody?")
    expect(asked).to_contain_text("Gains sight, as viewer: ")
    asked.get_by_role("button", name="Cancel").click()
    expect(dialog.get_by_role("radio", name="Team")).to_be_checked()
    dialog.get_by_label("Name", exact=True).fill("nobody")
    dialog.get_by_role("button", name="Grant", exact=True).click()
    expect(page.get_by_text("There is no account called nobody.")).to_be_visible()
    dialog.get_by_role("button", name="Take the grant of person01 back").click()
    asked = page.get_by_role("dialog", name="Take the grant of person01 back?")
    expect(asked).to_contain_text("That is you, too")


def test_who_runs_a_team_alone_manages_it_from_the_account_page(
    page: Page, peopled: Served, context: BrowserContext
) -> None:
    let_in(context, peopled, sign_in(peopled.board, "eve"))
    page.goto(f"{peopled.address}/account")
    page.get_by_role("button", name="Who is in blue").click()
    dialog = page.get_by_role("dialog", name="Team blue")
    dialog.get_by_label("Name", exact=True).fill("person05")
    dialog.get_by_role("button", name="Put in").click()
    expect(dialog.get_by_role("list", name="Members")).to_contain_text("person05")
    dialog.get_by_role("button", name="New project…").click()
    page.get_by_label("Name", exact=True).last.fill("two")
    page.get_by_role("button", name="Make it").click()
    expect(page.get_by_text("Made blue / two")).to_be_visible()
    dialog.get_by_role("button", name="Close").click()

    page.goto(f"{peopled.address}/account")
    expect(page.get_by_role("table", name="Projects")).to_contain_text("blue / two")


def test_who_may_only_look_is_offered_nothing_of_access(
    page: Page, peopled: Served, context: BrowserContext
) -> None:
    put(peopled.board, "red/one", "person02", Role.EDITOR)
    let_in(context, peopled, sign_in(peopled.board, "person02"))
    _open_actions(page, peopled)
    expect(page.get_by_role("menuitem", name="Tags…")).to_be_visible()
    expect(page.get_by_role("menuitem", name="Access…")).to_have_count(0)
    page.keyboard.press("Escape")

    page.get_by_role("button", name="Account: person02").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    expect(page.get_by_role("button", name="Admin", exact=True)).to_have_count(0)
    page.goto(f"{peopled.address}/admin")
    expect(page.locator("#ob-page")).to_contain_text("not shared with you")


def test_the_account_menu_is_reached_by_keys_and_gives_the_focus_back(
    page: Page, peopled: Served, ana: Person
) -> None:
    page.goto(f"{peopled.address}/account")
    button = page.get_by_role("button", name="Account: Ana")
    button.focus()
    first = page.get_by_role("button", name="Account", exact=True)
    page.keyboard.press("Enter")
    expect(first).to_be_focused()
    page.keyboard.press("Escape")
    expect(button).to_be_focused()
    # The browser gives the focus back at once and tells later that it closed the menu: a press in
    # between is one on a button whose menu is open, and closes it.
    expect(button).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("Enter")
    expect(first).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(page).to_have_url(f"{peopled.address}/admin")
    expect(page.get_by_role("table", name="Accounts")).to_be_visible()


def test_a_token_is_made_shown_once_and_revoked(
    page: Page, peopled: Served, context: BrowserContext
) -> None:
    let_in(context, peopled, sign_in(peopled.board, "ben"))
    page.goto(f"{peopled.address}/account")
    page.get_by_role("button", name="New token…").click()
    page.get_by_label("What it is for").fill("my report")
    page.get_by_label("Where it holds").select_option(label="red / one")
    page.get_by_role("button", name="Make it").click()
    token = page.get_by_label("The token", exact=True).input_value()
    page.get_by_role("button", name="Close").click()

    row = page.get_by_role("table", name="Tokens").locator("tbody tr")
    expect(row).to_have_text(re.compile("my report.*read.*red/one"))
    assert token not in page.content()
    headers = {"authorization": f"Bearer {token}"}
    address = f"{peopled.address}/api/v1/projects"
    assert page.request.get(address, headers=headers).status == 200
    row.get_by_role("button", name="Revoke my report").click()
    page.get_by_role("button", name="Revoke", exact=True).click()
    expect(row).to_have_count(0)
    assert page.request.get(address, headers=headers).status == 401


def test_the_audit_log_tells_what_was_done_and_is_saved(
    page: Page, peopled: Served, ana: Person
) -> None:
    page.goto(f"{peopled.address}/admin/audit")
    page.get_by_label("Which actions").select_option("member.set")
    rows = page.get_by_role("table", name="Records").locator("tbody tr")
    put_in = rows.filter(has_text="red: ben")
    expect(put_in).to_have_text(re.compile("host.*member.set.*none → editor"))
    expect(rows.filter(has_not_text="member.set")).to_have_count(0)

    with page.expect_download() as started:
        page.get_by_role("link", name="Save as CSV").click()
    text = started.value.path().read_text("utf-8")
    assert text.count("red: ben") == 1
    assert "account.made" not in text


def test_names_are_shown_as_they_are_written(page: Page, peopled: Served, ana: Person) -> None:
    for path in ("/account", "/admin/projects"):
        page.goto(f"{peopled.address}{path}")
        expect(page.get_by_role("link", name=MARKUP)).to_have_text(re.compile(re.escape(MARKUP)))
    page.get_by_role("button", name=f"Access to blue / {MARKUP}").click()
    expect(page.get_by_role("heading", name=MARKUP)).to_be_visible()


def test_pages_about_people_fit_a_phone(browser: Browser, peopled: Served) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    let_in(context, peopled, sign_in(peopled.board, "Ana"))
    page = context.new_page()
    for path in (
        "/account",
        "/admin",
        "/admin/teams",
        "/admin/projects",
        "/admin/directories",
        "/admin/tokens",
        "/admin/audit",
    ):
        page.goto(peopled.address + path)
        expect(page.locator(".ob-people").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        expect(page.get_by_role("button", name="Account: Ana")).to_be_in_viewport(ratio=1)
    context.close()


@pytest.mark.parametrize("width", [390, 780, 900, 1024, 1181, 1280, 1366])
def test_the_header_has_room_for_the_project_and_for_who_is_signed_in(
    browser: Browser, peopled: Served, width: int
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 700})
    let_in(context, peopled, sign_in(peopled.board, "Ana"))
    page = context.new_page()
    page.goto(f"{peopled.address}/p/blue/{quote(MARKUP)}/compare")
    expect(page.locator("#ob-live")).to_contain_text("live")
    expect(page.get_by_role("button", name="Account: Ana")).to_be_in_viewport(ratio=1)

    assert box_of(page.locator("#ob-crumb a:last-child"))["width"] > 60
    boxes = sorted(boxes_of(page.locator(".ob-header > :visible")), key=lambda box: box["x"])
    assert len(boxes) > 6
    for left, right in pairwise(boxes):
        assert left["x"] + left["width"] <= right["x"]
    assert boxes[-1]["x"] + boxes[-1]["width"] <= width
    if width > 760:
        tab = page.locator("#ob-tabs").get_by_role("link", name="Compare")
        expect(tab).to_be_in_viewport(ratio=0.95)
    context.close()


def test_the_open_page_stays_in_sight_among_the_tabs_when_they_lose_room(
    browser: Browser, peopled: Served
) -> None:
    context = browser.new_context(viewport={"width": 1366, "height": 700})
    let_in(context, peopled, sign_in(peopled.board, "Ana"))
    page = context.new_page()
    page.goto(f"{peopled.address}/p/blue/{quote(MARKUP)}/compare")
    tab = page.locator("#ob-tabs").get_by_role("link", name="Compare")
    expect(page.get_by_role("button", name="Account: Ana")).to_be_in_viewport(ratio=1)
    expect(tab).to_be_in_viewport(ratio=0.95)

    page.set_viewport_size({"width": 800, "height": 700})

    expect(tab).to_be_in_viewport(ratio=0.95)
    context.close()


def test_a_board_without_accounts_has_no_account_button_and_says_how_to_have_some(
    page: Page, served: Served
) -> None:
    with page.expect_response("**/api/ui/v1/me"):
        page.goto(f"{served.address}/account")

    expect(page.locator("#ob-page")).to_contain_text("orgboard user add NAME --admin")
    expect(page.locator("#ob-account")).to_be_empty()


def _end(served: Served, person: Person) -> None:
    """End all sessions of somebody, whoever has them."""
    mine = select(tables.account.c.account_id).where(tables.account.c.name == person.name)
    with begin_write(served.board.engine) as conn:
        conn.execute(delete(tables.session).where(tables.session.c.account_id.in_(mine)))


def _age(served: Served, person: Person) -> None:
    """Let it be a while since the password was given."""
    this = tables.session.c.session_id == person.session
    with begin_write(served.board.engine) as conn:
        conn.execute(
            update(tables.session).where(this).values(proved_at=time.time() - FRESH_S - 60)
        )
