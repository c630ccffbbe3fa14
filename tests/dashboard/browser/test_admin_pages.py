"""The admin pages on sessions, storage, ingest and refusals, as who runs the board uses them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect
from sqlalchemy import select, update

from orgboard_dashboard.accounts.opaque import csrf_of, new_secret
from orgboard_dashboard.queries.people.ways_in import renew_secret
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_read, begin_write
from orgboard_schema.sql.leases import Holder, Work, renew
from support.people import Person, sign_in
from support.people_pages import MARKUP, let_in, people_of
from support.served import Served, serve_example

pytestmark = pytest.mark.browser


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


def test_sessions_are_found_and_ended_one_and_all(page: Page, peopled: Served, ana: Person) -> None:
    one, two, other = (sign_in(peopled.board, name) for name in ("ben", "ben", "eve"))
    page.goto(f"{peopled.address}/admin/sessions")
    rows = page.get_by_role("table", name="Sessions").locator("tbody tr")
    expect(rows.filter(has_text="this one")).to_contain_text("Ana")

    page.get_by_label("Find sessions").fill("BEN")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("Chrome on Linux")
    rows.first.get_by_role("button").click()
    page.get_by_role("menuitem", name="End this session").click()
    expect(rows).to_have_count(1)
    assert len(_standing(peopled, one, two)) == 1

    rows.first.get_by_role("button").click()
    page.get_by_role("menuitem", name="End all of ben…").click()
    page.get_by_role("button", name="End them").click()
    expect(page.locator("#ob-page")).to_contain_text("No session has “BEN”")
    assert _standing(peopled, one, two, other) == {other.session}


def test_links_that_are_out_are_seen_and_taken_back(
    page: Page, peopled: Served, ana: Person
) -> None:
    page.goto(f"{peopled.address}/admin/people")
    rows = page.get_by_role("table", name="Open invitations").locator("tbody tr")
    page.get_by_role("button", name="Invite…").click()
    page.get_by_role("dialog").get_by_label("Team", exact=True).select_option("red")
    page.get_by_role("button", name="Make a link").click()
    link = page.get_by_label("The link").input_value()
    page.keyboard.press("Escape")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("an account, viewer of red")
    expect(rows).to_contain_text("Ana")

    # Who runs the team finds it there, too.
    page.goto(f"{peopled.address}/admin/teams")
    page.get_by_role("button", name="Members of red").click()
    rows.get_by_role("button", name="Revoke").click()
    page.get_by_role("dialog", name="Revoke this link?").get_by_role(
        "button", name="Revoke"
    ).click()
    expect(rows).to_have_count(0)
    page.goto(link)
    expect(page.locator("body")).to_contain_text("This link was used already, or is too old.")


def test_what_takes_room_is_opened_from_team_to_run(
    page: Page, peopled: Served, ana: Person
) -> None:
    page.goto(f"{peopled.address}/admin/storage")
    rooms = page.get_by_role("table", name="What takes how much room")
    rows = rooms.locator("tbody tr")
    # Of the team with the most points first.
    expect(rows.first).to_contain_text("default")
    expect(page.locator(".ob-sums")).to_contain_text(re.compile("Database.*B.*Points.*Media"))
    # The largest one's bar is as long as there is room for.
    expect(rooms.locator(".ob-of-points").first).to_have_attribute("style", re.compile("width: "))

    rooms.get_by_role("button", name="default").click()
    expect(page).to_have_url(re.compile(r"/admin/storage\?team=default$"))
    rooms.get_by_role("button", name="board").click()
    expect(rows).to_have_count(3)
    expect(rows.first).to_contain_text("cosine/a")
    # Found again from the address, and left by the way back.
    page.reload()
    expect(rows).to_have_count(3)
    page.get_by_role("navigation", name="Where").get_by_role("button", name="All teams").click()
    expect(rows.filter(has_text="blue")).to_have_count(1)
    page.go_back()
    expect(rows).to_have_count(3)

    page.goto(f"{peopled.address}/admin/storage?team=blue")
    expect(rooms.get_by_role("button", name=MARKUP)).to_be_visible()
    page.goto(f"{peopled.address}/admin/storage?team=nobody")
    expect(page.locator("#ob-page")).to_contain_text("There is nothing here")


def test_ingest_tells_who_reads_and_what_is_wrong_and_what_to_try(
    page: Page, peopled: Served, ana: Person
) -> None:
    page.goto(f"{peopled.address}/admin/ingest")
    board = page.get_by_role("table", name="Directories").locator("tbody tr")
    damaged = page.get_by_role("table", name="Bytes that were damaged")
    expect(board.first).to_contain_text("nobody reads it")
    expect(damaged).to_contain_text("payload checksum differs")
    expect(page.locator("#ob-page")).to_contain_text("None: every file that was found can be read.")

    with begin_write(peopled.board.engine) as conn:
        logdir_id = conn.scalars(select(tables.logdir.c.logdir_id)).first()
        assert logdir_id is not None
        work = Work(
            "polling", "on a network file system (nfs)", 3, 4, 0, 52_000, 7.0, points_per_s=9
        )
        renew(conn, logdir_id, Holder("o1", "node7", 41), work, seconds=600, before=None)
        file = tables.source_file.c
        one = conn.scalars(select(file.file_id)).first()
        conn.execute(
            update(tables.source_file)
            .where(file.file_id == one)
            .values(error="[Errno 13] Permission denied")
        )

    # Without a reload: the page asks again.
    row = board.filter(has_text="node7")
    expect(row).to_contain_text("polling")
    expect(row).to_contain_text("on a network file system (nfs)")
    expect(row).to_contain_text("52")
    files = page.get_by_role("table", name="Files that cannot be read")
    expect(files).to_contain_text("Permission denied")
    expect(files).to_contain_text("Let the user that ingest runs as read the file")


def test_where_there_is_nothing_yet_the_pages_say_what_to_do(
    page: Page, peopled: Served, ana: Person
) -> None:
    page.route("**/api/ui/v1/admin/ingest", _with({"logdirs": [], "lost": [], "files": []}))
    page.goto(f"{peopled.address}/admin/ingest")
    expect(page.locator("#ob-page")).to_contain_text("orgboard ingest DIR reads a directory")
    page.goto(f"{peopled.address}/admin/sessions")
    page.get_by_label("Find sessions").fill("nobody of that name")
    expect(page.locator("#ob-page")).to_contain_text("No session has “nobody of that name”")


def test_what_was_under_way_while_the_session_got_another_secret_is_asked_anew(
    page: Page, peopled: Served, context: BrowserContext, ana: Person
) -> None:
    told: list[str] = []

    def renew(route: Route) -> None:
        if told:
            route.continue_()
            return
        # As in another tab: the answer to what was asked by the old secret comes after the new one.
        secret = new_secret()
        with begin_write(peopled.board.engine) as conn:
            renew_secret(Viewer("account", "Ana", account_id=1, via=ana.session), conn, secret)
        let_in(context, peopled, replace(ana, secret=secret))
        told.append(secret)
        route.fulfill(status=401, json={"error": "Sign in to see this board."})

    page.route("**/api/ui/v1/teams", renew)
    page.goto(f"{peopled.address}/admin/teams")

    expect(page.get_by_role("table", name="Teams")).to_be_visible()
    expect(page).to_have_url(f"{peopled.address}/admin/teams")
    assert len(told) == 1


def test_the_log_shows_who_was_refused_what(
    page: Page, peopled: Served, context: BrowserContext, ana: Person
) -> None:
    ben = sign_in(peopled.board, "ben")
    let_in(context, peopled, ben)
    api, headers = f"{peopled.address}/api/ui/v1", {"x-csrftoken": csrf_of(ben.secret)}
    headers["sec-fetch-site"] = "same-origin"
    made = page.request.post(f"{api}/teams", headers=headers, data={"name": "mine"})
    taken = page.request.patch(f"{api}/accounts/Ana", headers=headers, data={"admin": False})
    assert (made.status, taken.status) == (403, 404)
    let_in(context, peopled, ana)
    page.goto(f"{peopled.address}/admin/audit")
    page.get_by_label("Done or refused").select_option("refused")

    rows = page.get_by_role("table", name="Records").locator("tbody tr")
    expect(rows.filter(has_text="ben").nth(0)).to_contain_text("account.set refused")
    expect(rows.filter(has_text="ben").nth(0)).to_contain_text("Ana")
    expect(rows.filter(has_text="ben").nth(1)).to_contain_text("team.made refused")
    expect(rows.filter(has_not_text="refused")).to_have_count(0)


def _standing(served: Served, *people: Person) -> set[str]:
    """Return the sessions of these that are still there."""
    session = tables.session.c.session_id
    with begin_read(served.board.engine) as conn:
        return set(conn.scalars(select(session).where(session.in_([p.session for p in people]))))


def _with(changed: dict[str, object]) -> Callable[[Route], None]:
    def fulfil(route: Route) -> None:
        route.fulfill(json={**route.fetch().json(), **changed})

    return fulfil
