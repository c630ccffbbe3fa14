"""Two teams, an admin, an editor, a viewer and a stranger on one board, from its first link on.

Everybody has a browser of their own. The board is as it is served to a team: accounts, HTTPS,
several processes; what one of them was told of a person acts on the next request of all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from support.browser import profile_of
from support.people_steps import (
    access_to,
    choose_for,
    give_name_and_password,
    grant,
    invitation,
    open_link,
    sign_out,
)
from support.waiting import wait_until
from support.whole_board import OPEN, RUNS, SECRET, SHARED, WholeBoard, whole_board
from support.workers import Reply

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(240)]

API = "/api/ui/v1"
NOT_THERE = "not shared with you"
LAST_STEP = """() => {
    const plot = document.querySelector('[data-tag="loss"] .ob-plot');
    return Math.max(-1, ...(plot?.data ?? []).map((line) => line.x.at(-1)));
}"""
CHANGE = """([path, body]) => ob.change(path, body).then(
    () => 200, (refused) => refused.status)"""
"""What a page's own code would send, whatever the page offers."""


@dataclass(frozen=True, slots=True)
class Scene:
    """The board, and who sits before it."""

    board: WholeBoard
    ana: Page
    """Runs the board."""
    eva: Page
    """An editor of red."""
    vic: Page
    """A viewer of blue."""
    stranger: Page
    """Has no account."""


@pytest.fixture(params=[1, 4], ids=["1 worker", "4 workers"])
def scene(
    request: pytest.FixtureRequest, browser: Browser, database_url: str, tmp_path: Path
) -> Iterator[Scene]:
    """Seat four people before a board that has runs and no accounts."""
    with whole_board(database_url, tmp_path, request.param) as board, ExitStack() as stack:
        profiles = [
            stack.enter_context(profile_of(browser, any_certificate=True)) for _ in range(4)
        ]
        yield Scene(board, *(profile.new_page() for profile in profiles))


def test_two_teams_share_a_board_and_what_is_taken_back_is_gone_at_once(scene: Scene) -> None:
    the_first_admin_says_who_sees_what(scene)
    two_people_come_by_invitation(scene)
    each_finds_what_is_theirs_and_nothing_else(scene)
    the_editor_compares_runs_of_two_teams(scene)
    the_editor_names_a_view_tags_and_notes(scene)
    the_viewer_is_offered_nothing_and_forges_in_vain(scene)
    the_stranger_sees_what_was_shared_until_it_is_revoked(scene)
    a_token_asks_within_its_scope_until_it_is_revoked(scene)
    a_role_acts_with_the_next_request(scene)
    a_grant_that_is_taken_back_is_gone_from_what_was_open(scene)
    an_account_put_to_sleep_is_signed_out_at_once(scene)
    the_audit_log_tells_it_in_order(scene)


def the_first_admin_says_who_sees_what(scene: Scene) -> None:
    board, ana = scene.board, scene.ana
    open_link(ana, f"{board.address}/welcome#{board.secret}", "Ana")
    expect(ana.locator(".ob-project")).to_have_count(3)
    for project, width in ((SECRET, "Private"), (OPEN, "Organisation")):
        access_to(ana, board.address, project.replace("/", " / "))
        ana.get_by_role("radio", name=width).click()
        ana.get_by_role("button", name="Change who sees it").click()
        expect(ana.get_by_role("radio", name=width)).to_be_checked()


def two_people_come_by_invitation(scene: Scene) -> None:
    board = scene.board
    for page, name, team, role in (
        (scene.eva, "eva", "red", "editor"),
        (scene.vic, "vic", "blue", "viewer"),
    ):
        open_link(page, invitation(scene.ana, board.address, team, role), name)
        sign_out(page)
        give_name_and_password(page, name)
        expect(page.get_by_role("button", name=f"Account: {name}")).to_be_visible()
    # What is private to red was granted to nobody yet, its editor included.
    assert statuses(scene, scene.eva, f"{API}/p/{SECRET}/runs") == {404}
    grant(scene.ana, board.address, "red / secret", "eva", "editor")
    assert statuses(scene, scene.eva, f"{API}/p/{SECRET}/runs") == {200}


def each_finds_what_is_theirs_and_nothing_else(scene: Scene) -> None:
    for page, seen, hidden in (
        (scene.eva, (OPEN, SECRET), (SHARED,)),
        (scene.vic, (OPEN, SHARED), (SECRET,)),
    ):
        page.goto(scene.board.address)
        expect(page.locator(".ob-project")).to_have_text(
            [re.compile(project.replace("/", " / ")) for project in sorted(seen)]
        )
        page.goto(scene.board.page("*/*", "runs"))
        runs = {f"{project}: {run}" for project in seen for run in RUNS[project]}
        expect(page.locator(".ob-panel .ob-row .ob-name")).to_have_count(len(runs))
        assert set(page.locator(".ob-panel .ob-row .ob-name").all_inner_texts()) == runs
        for project in hidden:
            is_as_if_not_there(scene, page, project)


def is_as_if_not_there(scene: Scene, page: Page, project: str) -> None:
    """Look for a project and its first run by every way there is."""
    board, run = scene.board, RUNS[project][0]
    page.keyboard.press("Control+k")
    page.get_by_role("combobox", name="Search runs, tags").fill(run)
    expect(page.get_by_text("Nothing like that here.")).to_be_visible()
    page.keyboard.press("Escape")
    for address in (board.page(project, "scalars"), f"{board.address}/r/{board.uids[run]}"):
        page.goto(address)
        expect(page.locator("#ob-page")).to_contain_text(NOT_THERE)
    for hidden, nowhere in (
        (f"{API}/p/{project}/runs", f"{API}/p/red/nowhere/runs"),
        (f"{API}/r/{board.uids[run]}", f"{API}/r/nosuchrun000"),
    ):
        for mine, none in zip(asked(scene, page, hidden), asked(scene, page, nowhere), strict=True):
            assert (mine.status, mine.body) == (404, none.body)


def the_editor_compares_runs_of_two_teams(scene: Scene) -> None:
    board, eva = scene.board, scene.eva
    grant(scene.ana, board.address, "blue / shared", "eva")
    chosen = ",".join(board.uids[run] for run in ("base", "north"))
    eva.goto(board.page("*/*", f"compare?sel={chosen}&s=0"))

    expect(eva.locator(".ob-comparison").first.locator("thead .ob-name")).to_have_text(
        ["red/secret: base", "blue/shared: north"], use_inner_text=True
    )
    expect(eva.locator(".ob-pairs .ob-card").first.locator("path.js-line")).to_have_count(2)


def the_editor_names_a_view_tags_and_notes(scene: Scene) -> None:
    board, eva = scene.board, scene.eva
    eva.goto(board.page(SECRET, "scalars?s=0.9"))
    expect(rows(eva)).to_have_count(3)
    eva.get_by_role("button", name="Views").click()
    eva.get_by_role("button", name="Save view as…").click()
    eva.get_by_label("Name", exact=True).fill("Smooth")
    eva.get_by_role("button", name="Save", exact=True).click()
    expect(eva.locator("#ob-views button")).to_have_text(re.compile("Smooth"))

    eva.get_by_role("button", name="Change base", exact=True).click()
    eva.get_by_role("menuitem", name="Tags…").click()
    eva.get_by_label("Tags to add").fill("baseline")
    eva.get_by_role("button", name="Save", exact=True).click()
    expect(rows(eva).filter(has_text="base").locator(".ob-chip")).to_have_text(["baseline"])

    eva.goto(f"{board.address}/r/{board.uids['base']}")
    eva.get_by_role("button", name="Write one").click()
    eva.get_by_label("Note, in Markdown").fill("**warm-up** was too short")
    eva.get_by_role("button", name="Save", exact=True).click()
    expect(eva.get_by_role("region", name="Note").locator("strong")).to_have_text("warm-up")


def the_viewer_is_offered_nothing_and_forges_in_vain(scene: Scene) -> None:
    board, vic = scene.board, scene.vic
    vic.goto(board.page(SHARED, "scalars"))
    expect(rows(vic)).to_have_count(2)
    offers_no_change(vic)
    vic.get_by_role("button", name="Views").click()
    expect(vic.get_by_role("button", name=re.compile("Copy link to"))).to_be_visible()
    expect(vic.get_by_role("button", name=re.compile("Share by a link"))).to_have_count(0)

    assert star(vic, board, SHARED, "north") == 403
    assert star(vic, board, OPEN, "pilot") == 403
    assert star(vic, board, SECRET, "base") == 404
    # Of one's own project, naming a run of another.
    assert star(vic, board, SHARED, "base") == 403
    vic.goto(f"{board.address}/r/{board.uids['north']}")
    expect(vic.get_by_role("heading", name="north")).to_be_visible()
    expect(vic.get_by_role("button", name="Write one")).to_have_count(0)


def the_stranger_sees_what_was_shared_until_it_is_revoked(scene: Scene) -> None:
    board, eva, stranger = scene.board, scene.eva, scene.stranger
    link = the_editor_shares_a_comparison(scene)
    stranger.goto(f"{board.address}/p/{SECRET}/scalars")
    expect(stranger.get_by_role("heading", name="Sign in")).to_be_visible()

    stranger.goto(link)
    expect(stranger).to_have_url(re.compile(f"/p/{SECRET}/compare"))
    expect(stranger.locator(".ob-comparison").first.locator("thead .ob-name")).to_have_text(
        ["base", "wide"]
    )
    offers_no_change(stranger)
    the_stranger_gets_no_further(scene)

    stranger.goto(board.page(SECRET, "scalars"))
    expect(rows(stranger)).to_have_count(2)
    step = board.train("wide")
    wait_until(lambda: stranger.evaluate(LAST_STEP) == step, 30, "a live point with the stranger")

    eva.bring_to_front()
    eva.get_by_role("button", name="Revoke the link for the paper").click()
    expect(eva.locator(".ob-shares li")).to_have_count(0)
    assert statuses(scene, stranger, f"{API}/p/{SECRET}/runs") == {401}
    # The page that is open has nothing to ask for, and leaves.
    expect(stranger).to_have_url(re.compile("/sign-in"), timeout=20_000)
    stranger.goto(link)
    expect(stranger.get_by_role("heading")).to_have_text("This link does not open anything")


def the_editor_shares_a_comparison(scene: Scene) -> str:
    """Let the editor share once she runs the project; return the link. Her dialog stays open."""
    board, ana, eva = scene.board, scene.ana, scene.eva
    chosen = ",".join(board.uids[run] for run in ("base", "wide"))
    shared = {"title": "mine", "path": f"/p/{SECRET}/compare"}
    assert change(eva, f"p/{SECRET}/shares", shared) == 403

    access_to(ana, board.address, "red / secret")
    ana.get_by_label("Role of eva").select_option("admin")
    make = ana.get_by_role("button", name="Make eva admin")
    make.click()
    # It goes once she is; what she is to be was chosen before.
    expect(make).to_have_count(0)
    expect(ana.get_by_label("Role of eva")).to_have_value("admin")

    eva.goto(board.page(SECRET, f"compare?sel={chosen}"))
    expect(eva.locator(".ob-comparison").first).to_be_visible()
    eva.get_by_role("button", name="Views").click()
    eva.get_by_role("button", name=re.compile("Share by a link")).click()
    eva.get_by_label("Title").fill("for the paper")
    eva.get_by_role("button", name="Make a link").click()
    link = eva.get_by_role("textbox", name="The link").input_value()
    eva.get_by_role("button", name="Close").click()
    eva.get_by_role("button", name="Views").click()
    eva.get_by_role("button", name=re.compile("Share by a link")).click()
    expect(eva.locator(".ob-shares li")).to_contain_text("2 runs · by eva")
    return link


def the_stranger_gets_no_further(scene: Scene) -> None:
    board, stranger = scene.board, scene.stranger
    assert star(stranger, board, SECRET, "base") == 403
    assert names(stranger.request.get(f"{board.address}{API}/p/*/*/runs").json()) == {
        "base",
        "wide",
    }
    for path in (
        f"{API}/p/{OPEN}/runs",
        f"{API}/p/{SHARED}/runs",
        f"{API}/r/{board.uids['draft']}",
        f"{API}/accounts",
        f"{API}/tokens",
    ):
        assert statuses(scene, stranger, path) == {404}, path
    for address in (board.page(OPEN, "scalars"), f"{board.address}/r/{board.uids['pilot']}"):
        stranger.goto(address)
        expect(stranger.locator("#ob-page")).to_contain_text(NOT_THERE)


def a_token_asks_within_its_scope_until_it_is_revoked(scene: Scene) -> None:
    board, eva = scene.board, scene.eva
    eva.goto(f"{board.address}/account")
    eva.get_by_role("button", name="New token…").click()
    eva.get_by_label("What it is for").fill("nightly report")
    eva.get_by_label("Where it holds").select_option(label="red / secret")
    eva.get_by_role("button", name="Make it").click()
    token = eva.get_by_label("The token", exact=True).input_value()
    eva.get_by_role("button", name="Close").click()
    bearer = {"authorization": f"Bearer {token}", "content-type": "application/json"}

    def told(method: str, path: str, body: object = None) -> set[int]:
        replies = board.workers.each(method, f"/api/v1/{path}", bearer, body)
        return {reply.status for reply in replies}

    edits = {"edits": [{"runs": [board.uids["base"]], "starred": True}]}
    assert told("GET", f"projects/{SECRET}/runs") == {200}
    assert told("GET", f"projects/{OPEN}/runs") == {404}
    assert told("GET", f"runs/{board.uids['north']}") == {404}
    assert told("POST", f"projects/{SECRET}/edits", edits) == {403}
    eva.get_by_role("button", name="Revoke nightly report").click()
    eva.get_by_role("button", name="Revoke", exact=True).click()
    expect(eva.get_by_role("button", name="Revoke nightly report")).to_have_count(0)
    assert told("GET", f"projects/{SECRET}/runs") == {401}


def a_role_acts_with_the_next_request(scene: Scene) -> None:
    board, ana, vic = scene.board, scene.ana, scene.vic
    vic.goto(board.page(SHARED, "scalars"))
    expect(rows(vic)).to_have_count(2)
    assert star(vic, board, SHARED, "north") == 403
    ana.goto(f"{board.address}/admin/teams")
    ana.get_by_role("button", name="Members of blue").click()
    ana.get_by_label("Role of vic").select_option("editor")
    expect(ana.get_by_text("vic is editor of blue")).to_be_visible()
    assert star(vic, board, SHARED, "north") == 200

    ana.get_by_role("button", name="Take vic out").click()
    ana.get_by_role("button", name="Take out", exact=True).click()
    expect(ana.get_by_role("list", name="Members")).not_to_contain_text("vic")
    assert star(vic, board, SHARED, "north") == 404
    assert statuses(scene, vic, f"{API}/p/{SHARED}/runs") == {404}
    # The page that was open says so by itself.
    expect(vic.locator("#ob-page")).to_contain_text(NOT_THERE, timeout=20_000)


def a_grant_that_is_taken_back_is_gone_from_what_was_open(scene: Scene) -> None:
    board, ana, eva = scene.board, scene.ana, scene.eva
    eva.goto(board.page("*/*", "scalars"))
    expect(rows(eva)).to_have_count(6)
    access_to(ana, board.address, "blue / shared")
    ana.get_by_role("button", name="Take the grant of eva back").click()
    ana.get_by_role("button", name="Take it back", exact=True).click()
    expect(ana.get_by_role("button", name="Take the grant of eva back")).to_have_count(0)

    left = {*RUNS[SECRET], *RUNS[OPEN]}
    for reply in asked(scene, eva, f"{API}/p/*/*/runs"):
        assert names(reply.json()) == left
    # So it is on the page that was open.
    expect(rows(eva)).to_have_count(4, timeout=20_000)


def an_account_put_to_sleep_is_signed_out_at_once(scene: Scene) -> None:
    board, ana, vic = scene.board, scene.ana, scene.vic
    vic.goto(board.page(OPEN, "scalars"))
    expect(rows(vic)).to_have_count(1)
    ana.goto(f"{board.address}/admin")
    choose_for(ana, "vic", "Put to sleep…")
    ana.get_by_role("button", name="Put to sleep", exact=True).click()
    expect(ana.locator("tr").filter(has_text="vic")).to_contain_text("asleep")

    assert statuses(scene, vic, f"{API}/projects") == {401}
    expect(vic).to_have_url(re.compile("/sign-in"), timeout=20_000)
    give_name_and_password(vic, "vic")
    expect(vic.get_by_role("alert")).to_contain_text("do not belong together")


def the_audit_log_tells_it_in_order(scene: Scene) -> None:
    ana = scene.ana
    ana.goto(f"{scene.board.address}/admin/audit")
    told = ana.get_by_role("table", name="Records").locator("tbody tr")
    expect(told.first).to_be_visible()
    cells = [row.split("\t") for row in reversed(told.all_inner_texts())]
    said = iter([" ".join((who, did, what)) for _, who, _, did, what in cells])
    # Each is found behind the one before it: an iterator does not go back.
    missed = [words for words in TOLD if not any(_says(line, words) for line in said)]
    assert missed == [], cells


def _says(line: str, words: str) -> bool:
    """Tell whether a record says these words; ids of links and tokens may stand between them."""
    pattern = ".*".join(re.escape(word) for word in words.split(" "))
    return re.match(pattern, line) is not None


TOLD = (
    "Ana account.made Ana admin yes",
    "Ana visibility.set red/secret visibility team → private",
    "Ana visibility.set red/open visibility team → organisation",
    "Ana account.invite red team red, role editor",
    "eva account.made eva team red, role editor",
    "eva sign-out",
    "eva sign-in",
    "vic account.made vic team blue, role viewer",
    "Ana grant.set red/secret: eva role none → editor",
    "Ana grant.set blue/shared: eva role none → viewer",
    "Ana grant.set red/secret: eva role editor → admin",
    "eva share.made red/secret: title for the paper, path /p/red/secret/compare",
    "guest share.opened title for the paper",
    "eva share.revoked red/secret: title for the paper",
    "eva token.made name nightly report, owner eva, scope read, place red/secret",
    "eva token.revoked",
    "Ana member.set blue: vic role viewer → editor",
    "Ana member.set blue: vic role editor → none",
    "Ana grant.set blue/shared: eva role viewer → none",
    "Ana account.set vic disabled no → yes",
    "nobody known sign-in refused wrong name or password",
)
"""What the audit log says, in this order; other records stand between."""


def rows(page: Page) -> Locator:
    """Find the runs in the panel."""
    return page.locator(".ob-panel .ob-row:not(.ob-waiting)")


def offers_no_change(page: Page) -> None:
    expect(page.get_by_role("button", name=re.compile("^Change "))).to_have_count(0)


def change(page: Page, path: str, body: Any) -> int:
    """Send a change as the page's own code would; return what becomes of it."""
    told: int = page.evaluate(CHANGE, [path, body])
    return told


def star(page: Page, board: WholeBoard, project: str, run: str) -> int:
    edits = {"edits": [{"runs": [board.uids[run]], "starred": True}]}
    return change(page, f"p/{project}/edits", edits)


def asked(scene: Scene, page: Page, path: str) -> list[Reply]:
    """Ask each worker as the one at this page, by the cookies of the browser."""
    cookies = page.context.cookies()
    pairs = "; ".join(f"{cookie.get('name')}={cookie.get('value')}" for cookie in cookies)
    return scene.board.workers.each("GET", path, {"cookie": pairs} if pairs else {})


def statuses(scene: Scene, page: Page, path: str) -> set[int]:
    """Ask each worker; return the statuses, of which there is one when all agree."""
    return {reply.status for reply in asked(scene, page, path)}


def names(told: Any) -> set[str]:
    """Return the names of runs in a list of them."""
    return {run["name"] for run in told["runs"]}
