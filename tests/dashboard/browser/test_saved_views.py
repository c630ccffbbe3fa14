"""Saved views: what was seen comes back, by a name, by a link, or because the project opens so."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from sqlalchemy import delete

from orgboard_dashboard.queries.errors import NotFound
from orgboard_dashboard.queries.views import (
    Change,
    NewView,
    SavedView,
    change_view,
    find_view,
    save_view,
)
from orgboard_dashboard.viewer import LOCAL_VIEWER
from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_read, begin_write
from support.boxes import box_of
from support.cards import ready
from support.served import HOSTILE, Served, serve_example

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def _without_views(served: Served) -> Iterator[None]:
    """Leave no view to the next test: a default one would be its page."""
    yield
    with begin_write(served.board.engine) as conn:
        conn.execute(delete(tables.saved_view))


def test_a_saved_view_is_named_by_the_address_and_comes_back(page: Page, served: Served) -> None:
    page.goto(served.page("scalars?s=0.9&y=log&t=loss"))
    ready(page)

    save(page, "Losses, log")

    expect(views_button(page)).to_have_text("Losses, log▾")
    expect(page).to_have_url(re.compile(r"/scalars\?v=[0-9A-Za-z]{12}$"))
    page.reload()
    ready(page)
    expect(page.locator(".ob-field output")).to_have_text("0.90")
    expect(page.locator(".ob-card")).to_have_count(2)
    expect(page.get_by_role("radio", name="Log")).to_have_attribute("aria-checked", "true")
    expect(views_button(page)).to_have_text("Losses, log▾")


def test_what_is_changed_since_is_marked_and_kept_or_discarded(page: Page, served: Served) -> None:
    key = stored(served, name="Smooth", state="s=0.9")
    page.goto(served.page(f"scalars?v={key}"))
    ready(page)

    page.get_by_role("radio", name="Log").click()
    changed = page.get_by_role("button", name="Views: Smooth, changed since it was saved")
    expect(changed).to_be_visible()
    expect(page).to_have_url(re.compile(f"v={key}&y=log$"))
    pick(page, "Discard the changes")
    expect(page.get_by_role("radio", name="Lin")).to_have_attribute("aria-checked", "true")
    expect(changed).to_have_count(0)

    page.get_by_role("radio", name="Log").click()
    pick(page, "Update this view")
    expect(page.get_by_text("Updated “Smooth”")).to_be_visible()
    expect(changed).to_have_count(0)
    assert found(served, key).state == "s=0.9&y=log"
    page.get_by_role("button", name="Undo").click()
    expect(changed).to_be_visible()
    assert found(served, key).state == "s=0.9"


def test_what_somebody_changed_meanwhile_is_not_written_over(page: Page, served: Served) -> None:
    key = stored(served, name="Smooth", state="s=0.9")
    page.goto(served.page(f"scalars?v={key}"))
    ready(page)
    change(served, key, Change(state="s=0.2", read=found(served, key).view.changed_at))

    page.get_by_role("radio", name="Log").click()
    pick(page, "Update this view")

    expect(page.get_by_text("Somebody changed this view meanwhile.")).to_be_visible()
    assert found(served, key).state == "s=0.2"


def test_a_view_of_another_page_is_shown_there_and_undone(page: Page, served: Served) -> None:
    stored(served, name="Table", page="runs", state="q=cosine&sel=&sort=name")
    page.goto(served.page("scalars?s=0.3"))
    ready(page)

    pick(page, "Table")

    expect(page).to_have_url(re.compile(r"/runs\?v="))
    expect(page.locator(".ob-panel .ob-row")).to_have_count(2)
    expect(page.locator(".ob-panel .ob-query")).to_have_value("cosine")
    expect(page.locator(".ob-foot")).to_contain_text("0 shown")
    page.get_by_role("button", name="Undo").click()
    expect(page).to_have_url(re.compile(r"/scalars\?s=0.3$"))
    ready(page)
    expect(page.locator(".ob-panel .ob-row")).to_have_count(3)


def test_a_view_of_this_page_is_shown_in_place(page: Page, served: Served) -> None:
    stored(served, name="Table", page="runs", state="q=cosine&sort=name&cols=name,last_step")
    page.goto(served.page("runs"))
    titles = page.locator(".ob-run-grid .ag-header-cell-text")
    expect(titles.filter(has_text="Duration")).to_have_count(1)

    pick(page, "Table")

    expect(titles.filter(has_text="Duration")).to_have_count(0)
    expect(page.locator(".ob-run-grid .ag-row [col-id=name]")).to_have_count(2)
    expect(page.locator(".ob-panel .ob-row")).to_have_count(2)
    expect(page.locator(".ob-query")).to_have_value("cosine")


def test_a_project_opens_in_its_default_view_unless_the_address_says_more(
    page: Page, served: Served
) -> None:
    key = stored(served, name="Ours", state="s=0.9&t=val")
    page.goto(served.page("scalars"))
    ready(page)
    expect(page.locator(".ob-field output")).to_have_text("0.60")

    views_button(page).click()
    page.get_by_role("button", name="Change view Ours").click()
    page.get_by_role("menuitem", name="Make it the default").click()
    expect(page.get_by_text("The project opens in “Ours”")).to_be_visible()
    page.goto(served.address)
    ready(page)
    expect(page).to_have_url(re.compile(rf"/scalars\?v={key}$"))
    expect(page.locator(".ob-field output")).to_have_text("0.90")
    expect(page.locator(".ob-card")).to_have_count(1)

    page.goto(served.page("scalars?s=0.2"))
    ready(page)
    expect(page.locator(".ob-field output")).to_have_text("0.20")
    expect(views_button(page)).to_have_text("Views▾")


def test_an_untouched_page_can_be_had_in_spite_of_a_default_view(
    page: Page, served: Served
) -> None:
    default(served, stored(served, name="Ours", state="s=0.9&t=val"))
    page.goto(served.page("scalars"))
    ready(page)

    pick(page, "Reset everything")

    expect(page).to_have_url(re.compile(r"/scalars\?v=-$"))
    page.reload()
    ready(page)
    expect(page.locator(".ob-field output")).to_have_text("0.60")
    page.get_by_role("navigation", name="Pages").first.get_by_role("link", name="Runs").click()
    expect(page.locator(".ob-run-grid .ag-row").first).to_be_visible()
    expect(page).to_have_url(re.compile(r"/runs\?v=-$"))


def test_on_another_page_a_view_leaves_out_what_belongs_to_its_own(
    page: Page, served: Served
) -> None:
    key = stored(served, name="Ours", state="s=0.9&t=val&x0=1&x1=50")
    default(served, key)
    page.goto(served.page("compare"))

    expect(page).to_have_url(re.compile(rf"/compare\?v={key},t,x0,x1$"))
    expect(views_button(page)).to_have_text("Ours▾")
    page.get_by_role("navigation", name="Pages").first.get_by_role("link", name="Scalars").click()
    ready(page)
    expect(page.locator(".ob-field output")).to_have_text("0.90")


def test_keys_in_the_address_are_put_over_the_view(page: Page, served: Served) -> None:
    key = stored(served, name="Ours", state="s=0.9&t=val&y=log")

    page.goto(served.page(f"scalars?s=0.25&v={key},t"))
    ready(page)

    expect(page.locator(".ob-field output")).to_have_text("0.25")
    expect(page.get_by_label("Filter tags")).to_have_value("")
    expect(page.get_by_role("radio", name="Log")).to_have_attribute("aria-checked", "true")


def test_a_view_is_renamed_and_deleted_and_both_are_undone(page: Page, served: Served) -> None:
    key = stored(served, name="Old name", state="s=0.9")
    default(served, key)
    page.goto(served.page(f"scalars?v={key}"))
    ready(page)

    views_button(page).click()
    page.get_by_role("button", name="Change view Old name").click()
    page.get_by_role("menuitem", name="Rename…").click()
    page.get_by_role("textbox", name="Name").fill("New name")
    page.keyboard.press("Enter")
    expect(views_button(page)).to_have_text("New name▾")
    page.get_by_role("button", name="Undo").click()
    expect(views_button(page)).to_have_text("Old name▾")

    views_button(page).click()
    page.get_by_role("button", name="Change view Old name").click()
    page.get_by_role("menuitem", name="Delete").click()
    expect(page.get_by_text("Deleted “Old name”")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/scalars\?s=0.9$"))
    with pytest.raises(NotFound):
        found(served, key)
    page.get_by_role("button", name="Undo").click()
    expect(page).to_have_url(re.compile(rf"/scalars\?v={key}$"))
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)
    assert (found(served, key).state, found(served, key).view.is_default) == ("s=0.9", True)


@pytest.mark.parametrize("name", ["scalars", "runs", "text", "hparams", "compare"])
def test_a_view_that_is_gone_is_said_and_the_page_is_as_usual(
    page: Page, served: Served, name: str
) -> None:
    page.goto(served.page(f"{name}?v=neverMade123"))

    told = page.get_by_role("alert").filter(has_text="was deleted, or it is not shared with you")
    expect(told).to_be_visible()
    expect(page.locator(".ob-panel .ob-row")).to_have_count(3)
    told.get_by_role("button", name="Close").click()
    expect(told).to_have_count(0)


def test_a_view_shows_what_is_left_of_its_runs(page: Page, served: Served) -> None:
    uid = served.board.uids["cosine/b"]
    key = stored(served, name="Two", state=f"sel={uid},goneForEver1&t=train/loss")

    page.goto(served.page(f"scalars?v={key}"))
    ready(page)

    expect(page.locator(".ob-foot")).to_contain_text("1 shown")
    expect(page.get_by_role("alert").filter(has_text=re.compile("."))).to_have_count(0)


def test_a_copied_link_says_all_and_a_long_one_is_kept(page: Page, served: Served) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    key = stored(served, name="Ours", state="s=0.9")
    page.goto(served.page(f"scalars?v={key}"))
    ready(page)

    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    short = urlsplit(page.evaluate("navigator.clipboard.readText()"))
    assert re.fullmatch(r"s=0\.9&sel=[0-9A-Za-z,]{38}", short.query)

    long = "&".join(f"c=a%20group%20of%20that%20name%20{i}" for i in range(100))
    page.goto(served.page(f"scalars?s=0.2&t=val&{long}"))
    ready(page)
    pick(page, "Copy link")
    expect(page.get_by_text("Copied.")).to_be_visible()
    address = page.evaluate("navigator.clipboard.readText()")
    assert re.fullmatch(r"v=[0-9a-f]{16}", urlsplit(address).query)
    page.goto(address)
    ready(page)
    expect(page.locator(".ob-field output")).to_have_text("0.20")
    expect(page.get_by_label("Filter tags")).to_have_value("val")
    assert page.evaluate("ob.view.collapsed.length") == 100
    expect(views_button(page)).to_have_text("Views▾")


def test_names_are_only_text(page: Page, served: Served) -> None:
    hostile = f"{HOSTILE} \u202e\N{PILE OF POO}" + "x" * 150
    page.goto(served.page("scalars"))
    ready(page)

    save(page, hostile, for_team=False)
    views_button(page).click()

    expect(page.get_by_role("list", name="Saved views").get_by_role("listitem")).to_have_count(1)
    expect(page.locator("#ob-views .ob-name")).to_have_text(hostile)
    expect(page.locator(".ob-viewlist .ob-item")).to_have_text(f"{hostile}only you")
    expect(page.locator("#ob-views img, .ob-viewlist img, #ob-toast img")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth") <= 1440


def test_a_name_that_is_taken_is_said_in_the_dialog(page: Page, served: Served) -> None:
    stored(served, name="Ours", state="s=0.9")
    page.goto(served.page("scalars"))
    ready(page)

    pick(page, "Save view as…")
    page.get_by_role("textbox", name="Name").fill("Ours")
    page.keyboard.press("Enter")

    dialog = page.get_by_role("dialog", name="Save view")
    expect(dialog).to_contain_text("There is a view of this name already.")
    dialog.get_by_role("radio", name="Only for me").click()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(dialog).to_have_count(0)


def test_views_are_reached_by_keys_alone(page: Page, served: Served) -> None:
    stored(served, name="Ours", state="s=0.9")
    page.goto(served.page("scalars"))
    ready(page)

    page.keyboard.press("v")
    expect(page.get_by_role("button", name="Ours team")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Change view Ours")).to_be_focused()
    page.keyboard.press("Escape")
    expect(views_button(page)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Ours team")).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.locator(".ob-field output")).to_have_text("0.90")


def test_the_palette_finds_views_and_saves_one(page: Page, served: Served) -> None:
    stored(served, name="Ours", state="s=0.9")
    page.goto(served.page("scalars"))
    ready(page)

    page.keyboard.press("Control+k")
    page.keyboard.type("ours")
    found = page.get_by_role("listbox", name="What was found").get_by_role("option")
    expect(found).to_have_text(["Oursteam"])
    page.keyboard.press("Enter")
    expect(page.locator(".ob-field output")).to_have_text("0.90")
    page.keyboard.press("Control+k")
    page.keyboard.type("save view")
    page.keyboard.press("Enter")

    expect(page.get_by_role("textbox", name="Name")).to_be_focused()


def test_a_run_has_a_page_without_views(page: Page, served: Served) -> None:
    default(served, stored(served, name="Ours", state="s=0.9"))
    page.goto(served.page("scalars"))
    ready(page)

    page.locator(".ob-panel .ob-row").first.hover()
    page.locator(".ob-panel .ob-row a.ob-more").first.click()

    expect(page).to_have_url(re.compile(r"/r/[0-9A-Za-z]{12}$"))
    expect(views_button(page)).to_have_count(0)
    page.go_back()
    ready(page)
    expect(page.locator(".ob-field output")).to_have_text("0.90")


def test_on_a_phone_the_list_fits(browser: Browser, served: Served) -> None:
    stored(served, name="x" * 200, state="s=0.9")
    with browser.new_context(viewport={"width": 390, "height": 844}) as context:
        page = context.new_page()
        page.goto(served.page("scalars"))
        ready(page)

        pick(page, "x" * 200)
        expect(page.get_by_text("Showing")).to_be_visible()
        views_button(page).click()

        box = box_of(page.get_by_role("dialog", name="Views"))
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_read_only_board_lists_views_and_offers_no_change(
    page: Page, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with serve_example(tmp_path_factory.mktemp("read"), "--read-only") as served:
        stored(served, name="Ours", state="s=0.9")
        page.goto(served.page("scalars?y=log"))
        ready(page)

        pick(page, "Ours")
        expect(page.locator(".ob-field output")).to_have_text("0.90")
        page.get_by_role("radio", name="Sym").click()
        views_button(page).click()

        items = page.get_by_role("dialog", name="Views").get_by_role("button")
        expect(items).to_have_text(
            [
                re.compile("^Ours"),
                "Discard the changes",
                re.compile("^Reset everything"),
                re.compile("^Copy link"),
            ]
        )


def stored(
    served: Served, *, name: str, state: str, page: str = "scalars", for_team: bool = True
) -> str:
    """Save a view as another page of the board would, and return its id."""
    new = NewView(page, state, name, for_team)
    with begin_write(served.board.engine) as conn:
        return save_view(LOCAL_VIEWER, conn, "default", "board", new, time.time()).view.id


def change(served: Served, key: str, changed: Change) -> None:
    with begin_write(served.board.engine) as conn:
        change_view(LOCAL_VIEWER, conn, "default", "board", key, changed, time.time())


def default(served: Served, key: str) -> None:
    change(served, key, Change(is_default=True))


def found(served: Served, key: str) -> SavedView:
    with begin_read(served.board.engine) as conn:
        return find_view(LOCAL_VIEWER, conn, "default", "board", key)


def views_button(page: Page) -> Locator:
    return page.locator("#ob-views button")


def pick(page: Page, label: str) -> None:
    """Choose a line of the views' sheet."""
    views_button(page).click()
    sheet = page.get_by_role("dialog", name="Views")
    sheet.get_by_role("button", name=re.compile("^" + re.escape(label))).click()


def save(page: Page, name: str, *, for_team: bool = True) -> None:
    pick(page, "Save view as…")
    page.get_by_role("textbox", name="Name").fill(name)
    page.get_by_role("radio", name="For the team" if for_team else "Only for me").click()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved “")).to_be_visible()
