"""Two people at one run and one view: they write, name one another, hear it live, take it back."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from sqlalchemy import Connection, select

from orgboard_dashboard.queries.comments import About, OnRun, OnView, add_comment
from orgboard_dashboard.queries.edits import write_note
from orgboard_dashboard.queries.mentions import mark_seen
from orgboard_dashboard.queries.views import NewView, save_view
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_write
from orgboard_schema.sql.roles import Role
from support.people import put, sign_in
from support.people_pages import let_in, people_of
from support.served import HOSTILE, Served, serve_example

pytestmark = pytest.mark.browser


@dataclass(frozen=True, slots=True)
class Two:
    """Ana, who runs the board, and ben, an editor of red; each at a browser of one's own."""

    served: Served
    at_ana: Page
    at_ben: Page

    @property
    def uid(self) -> str:
        """A run that both see."""
        return self.served.board.uids["of-red/one"]

    @property
    def run(self) -> str:
        """The address of its page."""
        return f"{self.served.address}/r/{self.uid}"


@pytest.fixture(scope="module")
def peopled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Give a board with people on it."""
    with serve_example(tmp_path_factory.mktemp("talk")) as served:
        people_of(served.board)
        put(served.board, "red", "person01", Role.VIEWER)
        yield served


@pytest.fixture
def two(browser: Browser, peopled: Served) -> Iterator[Two]:
    """Let both of them sign in."""
    people = [sign_in(peopled.board, name) for name in ("Ana", "ben")]
    contexts = [browser.new_context(reduced_motion="reduce") for _ in people]
    for context, person in zip(contexts, people, strict=True):
        let_in(context, peopled, person)
    raised: list[str] = []
    pages = [context.new_page() for context in contexts]
    for page in pages:
        page.on("pageerror", lambda error: raised.append(str(error)))
    yield Two(peopled, *pages)
    for context in contexts:
        context.close()
    assert raised == []


def _viewer(conn: Connection, name: str) -> Viewer:
    account = tables.account.c
    found = conn.scalars(select(account.account_id).where(account.name == name)).one()
    return Viewer("account", name, can_edit=True, account_id=found, is_admin=name == "Ana")


def _say(two: Two, about: About, text: str) -> None:
    """Let ben say something while nobody types it."""
    with begin_write(two.served.board.engine) as conn:
        add_comment(_viewer(conn, "ben"), conn, about, text, None, time.time())


def _talk(page: Page) -> Locator:
    return page.get_by_role("region", name="Comments", exact=True)


def _field(page: Page) -> Locator:
    # While names are offered it is a combobox.
    return page.get_by_label("Comment, in Markdown")


def test_a_run_is_talked_about_by_two_without_a_reload(two: Two) -> None:
    ana, ben = two.at_ana, two.at_ben
    for page in (ana, ben):
        page.goto(two.run)
        expect(_talk(page)).to_be_visible()

    # By keys alone: the list is opened by @, narrowed by typing, chosen from by arrows.
    _field(ben).focus()
    ben.keyboard.type("why does it end here, @")
    offered = ben.get_by_role("listbox", name="People who may see this")
    expect(offered.get_by_role("option")).to_have_text(["Ana", "person01"])
    ben.keyboard.press("ArrowDown")
    expect(offered.get_by_role("option", selected=True)).to_have_text("person01")
    ben.keyboard.type("a")
    expect(offered.get_by_role("option")).to_have_text(["Ana"])
    expect(_field(ben)).to_have_attribute("aria-expanded", "true")
    ben.keyboard.press("Enter")
    expect(_field(ben)).to_have_value("why does it end here, @Ana ")
    expect(offered).to_be_hidden()
    ben.keyboard.type(f"? {HOSTILE}")
    ben.keyboard.press("Control+Enter")

    said = _talk(ana).get_by_role("listitem").first
    expect(said).to_contain_text(f"why does it end here, @Ana ? {HOSTILE}")
    expect(said.locator("mark")).to_have_text("@Ana")
    expect(_field(ben)).to_have_value("")

    # Ana answers; what she is writing stays while another comment comes.
    said.get_by_role("button", name="Answer ben").click()
    answer = ana.get_by_label("Answer, in Markdown")
    answer.fill("it was **cut**")
    _field(ben).fill("and here?")
    ben.get_by_role("button", name="Comment", exact=True).click()
    expect(_talk(ana)).to_contain_text("and here?")
    expect(answer).to_have_value("it was **cut**")
    expect(answer).to_be_focused()
    ana.keyboard.press("Control+Enter")
    rows = _talk(ben).get_by_role("listitem")
    expect(rows.nth(1)).to_contain_text("it was cut")
    expect(rows).to_have_count(3)

    # She changes it; he sees that it was. He cannot.
    expect(rows.nth(1).get_by_role("button", name="Edit your comment")).to_have_count(0)
    _talk(ana).get_by_role("button", name="Edit your comment").click()
    mine = ana.get_by_label("Your comment, in Markdown")
    expect(mine).to_have_value("it was **cut**")
    mine.fill("it was stopped")
    ana.get_by_role("button", name="Save", exact=True).click()
    expect(rows.nth(1)).to_contain_text("edited")
    expect(rows.nth(1)).to_contain_text("it was stopped")

    # He takes the first one back: it has an answer, and leaves its place.
    rows.first.get_by_role("button", name="Take back the comment of ben").click()
    ben.get_by_role("dialog").get_by_role("button", name="Take back").click()
    expect(_talk(ana).get_by_role("listitem").first).to_have_text("This comment was taken back.")
    expect(_talk(ana).locator("header .ob-mute").first).to_have_text("2")
    ben.goto(f"{two.served.address}/p/red/one/scalars")
    expect(ben.get_by_role("img", name="2 comments")).to_be_visible()


def test_a_mention_rings_leads_to_the_comment_and_is_seen(two: Two) -> None:
    ana, ben = two.at_ana, two.at_ben
    with begin_write(two.served.board.engine) as conn:
        mark_seen(_viewer(conn, "Ana"), conn, None, time.time())
    ana.goto(two.served.address + "/account")
    expect(ana.get_by_role("link", name="Inbox", exact=True)).to_be_visible()
    for number in range(30):
        _say(two, OnRun(two.uid), f"line {number}")
    _say(two, OnRun(two.uid), f"@Ana look {HOSTILE}")

    ana.reload()
    bell = ana.get_by_role("link", name="Inbox: 1 new")
    bell.click()
    expect(ana).to_have_url(re.compile("/account/mentions$"))
    entry = ana.get_by_role("list", name="Inbox").get_by_role("listitem").first
    expect(entry).to_contain_text(f"@Ana look {HOSTILE}")
    entry.get_by_role("link", name="of-red/one").click()

    meant = ana.locator(".ob-meant")
    expect(meant).to_contain_text("@Ana look")
    expect(meant).to_be_in_viewport()
    # What was on the screen was seen.
    expect(ana.get_by_role("link", name="Inbox", exact=True)).to_be_visible()
    expect(ana.get_by_role("link", name=re.compile("new$"))).to_have_count(0)
    ben.goto(two.served.address + "/account/mentions")
    expect(ben.locator("#ob-page")).to_contain_text("Nothing yet. Who writes")


def test_a_view_is_talked_about_at_its_side_and_goes_with_what_was_said(two: Two) -> None:
    ana, ben = two.at_ana, two.at_ben
    view = NewView("scalars", "s=0.3", "for the report", for_team=True)
    with begin_write(two.served.board.engine) as conn:
        saved = save_view(_viewer(conn, "ben"), conn, "red", "one", view, time.time())
    key = saved.view.id
    about = OnView("red", "one", key)
    _say(two, about, "@Ana this one")
    address = f"{two.served.address}/p/red/one/scalars"
    ana.goto(address)
    expect(ana.locator(".ob-card")).to_be_visible()
    expect(ana.get_by_role("button", name="on this view")).to_have_count(0)

    ana.goto(f"{address}?v={key}")
    opener = ana.get_by_role("button", name="1 comment on this view")
    opener.click()
    side = ana.get_by_role("complementary", name="Comments on the view for the report")
    expect(side).to_be_focused()
    expect(side).to_contain_text("@Ana this one")
    _say(two, about, "or the other")
    expect(side.get_by_role("listitem")).to_have_count(2)
    ana.keyboard.press("Escape")
    expect(side).to_have_count(0)
    expect(ana.get_by_role("button", name="2 comments on this view")).to_be_focused()

    ben.goto(f"{address}?v={key}")
    ben.get_by_role("button", name="Views: for the report").click()
    ben.get_by_role("button", name="Change view for the report").click()
    ben.get_by_role("menuitem", name="Delete").click()
    dialog = ben.get_by_role("dialog", name="Delete for the report?")
    expect(dialog).to_contain_text("2 comments on it go with it")
    dialog.get_by_role("button", name="Delete the view").click()
    expect(ben.get_by_text("Deleted “for the report”")).to_be_visible()
    gone = f"{two.served.address}/api/ui/v1/p/red/one/views/{key}/comments"
    assert ana.request.get(gone).status == 404


def test_a_note_has_a_history_and_goes_back_in_it(two: Two) -> None:
    page, at = two.at_ben, None
    with begin_write(two.served.board.engine) as conn:
        ben = _viewer(conn, "ben")
        for n, text in enumerate(("lr is high", f"lr is **low** {HOSTILE}", "lr is low, as found")):
            at = write_note(ben, conn, two.uid, text, at, time.time() + n - 9).written_at

    page.goto(two.run)
    page.get_by_role("button", name="2 earlier versions").click()
    dialog = page.get_by_role("dialog", name="Earlier versions of the note")
    versions = dialog.get_by_role("radio")
    expect(versions).to_have_count(2)
    expect(versions.first).to_be_focused()
    changed = dialog.locator(".ob-diff")
    expect(changed).to_have_text(f"lr is **low** {HOSTILE}, as found")
    expect(changed.locator("del")).to_have_text(["**", f"** {HOSTILE}"])
    expect(changed.locator("ins")).to_have_text([", as found"])
    page.keyboard.press("ArrowDown")
    expect(changed.locator("del")).to_have_text(["high"])
    expect(changed.locator("ins")).to_have_text([f"**low** {HOSTILE}"])
    dialog.get_by_role("button", name="Restore this version").click()

    note = page.get_by_role("region", name="Note")
    expect(note).to_contain_text("lr is high")
    expect(note.get_by_role("button", name="3 earlier versions")).to_be_visible()


def test_the_difference_of_two_texts_is_both_of_them(two: Two) -> None:
    page = two.at_ana
    page.goto(two.served.address + "/account")
    expect(page.get_by_role("heading", name="Ana")).to_be_visible()
    for before, after in (
        ("", ""),
        ("a", ""),
        ("", "b c"),
        ("one two  three", "one  two four"),
        (" \n é \U0001f4a9 <b>", "<b> é"),
        ("x " * 3000, "y " * 3000),
    ):
        parts = page.evaluate("([a, b]) => ob.wordDiff(a, b)", [before, after])
        assert "".join(p["text"] for p in parts if p["was"] != "new") == before
        assert "".join(p["text"] for p in parts if p["was"] != "gone") == after
    parts = page.evaluate("ob.wordDiff('the lr is high', 'the rate is low')")
    assert [p["text"] for p in parts if p["was"] == "same"] == ["the ", "is "]
