"""The other pages, the way between them, and a phone."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy import update

from orgboard_schema.sql import tables
from support.served import HOSTILE, Served

pytestmark = pytest.mark.browser

PAGES = ("runs", "scalars", "text", "images", "hparams")
FILLED = ".ag-row, .ob-card, .ob-table"


def test_the_only_project_opens_by_itself(page: Page, served: Served) -> None:
    page.goto(f"{served.address}/")

    expect(page).to_have_url(re.compile("/p/default/board/scalars"))


def test_the_table_lists_the_runs_in_the_order_asked_for(page: Page, served: Served) -> None:
    page.goto(served.page("runs"))
    names = page.locator('.ag-pinned-left-cols-container [col-id="name"]')
    expect(names).to_have_count(3)

    page.locator('.ag-header-cell[col-id="name"]').click()
    expect(page.locator('.ag-row[row-index="0"] [col-id="name"]')).to_have_text(HOSTILE)
    page.locator('.ag-header-cell[col-id="name"]').click()

    expect(page.locator('.ag-row[row-index="0"] [col-id="name"]')).to_have_text("cosine/b")
    expect(page.locator('.ag-row [col-id="status"]').first).to_contain_text("live")


def test_the_table_follows_the_run_filter(page: Page, served: Served) -> None:
    page.goto(served.page("runs"))
    expect(page.locator(".ag-pinned-left-cols-container .ag-row")).to_have_count(3)

    page.get_by_label("Filter runs").fill("cosine/a$")

    expect(page.locator(".ag-pinned-left-cols-container .ag-row")).to_have_count(1)


def test_a_box_in_the_table_is_the_box_in_the_panel(page: Page, served: Served) -> None:
    page.goto(served.page("runs"))
    uid = served.board.uids["cosine/b"]
    expect(page.get_by_label("Show cosine/b")).to_be_checked()

    page.locator(f'.ag-row[row-id="{uid}"] [col-id="shown"]').click()

    expect(page.get_by_label("Show cosine/b")).not_to_be_checked()
    expect(page.locator(f'.ag-row[row-id="{uid}"] [col-id="shown"]')).not_to_have_class(
        re.compile("ob-on")
    )


def test_a_name_in_the_table_leads_to_the_run(page: Page, served: Served) -> None:
    page.goto(served.page("runs"))

    page.locator('.ag-row [col-id="name"]').get_by_text("cosine/a").click()

    expect(page.get_by_role("heading", name="cosine/a")).to_be_visible()
    expect(page.get_by_role("region", name="Configuration")).to_contain_text("lr")


def test_a_damaged_run_says_what_was_lost_and_where(page: Page, served: Served) -> None:
    page.goto(f"{served.address}/r/{served.board.uids[HOSTILE]}")

    note = page.get_by_role("note")
    expect(note).to_contain_text("312 bytes of this run could not be read. Everything else is")
    expect(note).to_contain_text(re.compile(r"at 48\s104: payload checksum differs"))
    expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE)


def test_text_is_markdown_without_its_scripts(page: Page, served: Served) -> None:
    page.goto(served.page("text"))

    card = page.locator(".ob-card")
    expect(card.locator("strong")).to_have_text("bold")
    assert card.locator("script").count() == 0


def test_pictures_have_a_slider_over_their_steps(page: Page, served: Served) -> None:
    page.goto(served.page("images"))
    picture = page.locator(".ob-card img")
    expect(picture).to_have_js_property("naturalWidth", 8)
    newest = picture.get_attribute("src") or ""
    expect(page.locator(".ob-at")).to_have_text("step 10")

    page.get_by_label("Step of sample").fill("0")

    expect(page.locator(".ob-at")).to_have_text("step 0")
    expect(picture).not_to_have_attribute("src", newest)
    expect(picture).to_have_js_property("naturalWidth", 8)


def test_hyperparameters_are_sorted_by_a_click(page: Page, served: Served) -> None:
    page.goto(served.page("hparams"))
    first = page.locator(".ob-table tbody tr").first
    expect(page.locator(".ob-table tbody tr")).to_have_count(2)

    page.get_by_role("button", name="lr", exact=True).click()
    expect(first).to_contain_text("cosine/b")
    page.get_by_role("button", name="lr ↑").click()

    expect(first).to_contain_text("cosine/a")


def test_the_selection_goes_along_from_page_to_page_and_back(page: Page, served: Served) -> None:
    page.goto(served.page("scalars?t=loss"))
    page.get_by_label("Show cosine/b").uncheck()

    page.keyboard.press("]")
    expect(page).to_have_url(re.compile("/histograms.*sel="))
    expect(page.get_by_label("Show cosine/b")).not_to_be_checked()
    page.go_back()

    expect(page).to_have_url(re.compile("/scalars.*t=loss"))
    expect(page.get_by_label("Filter tags")).to_have_value("loss")
    expect(page.locator(".ob-card .scatterlayer .trace").first).to_be_visible()


def test_large_scripts_come_with_what_needs_them(page: Page, served: Served) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(served.page("scalars"))
    expect(page.locator(".ob-card .scatterlayer .trace").first).to_be_visible()
    assert not [url for url in asked if "dash_ag_grid" in url or "/vendor/" in url]

    page.get_by_role("link", name="Runs").click()

    expect(page.locator(".ag-pinned-left-cols-container .ag-row")).to_have_count(3)


@pytest.mark.parametrize(("name", "lists"), [("scalars", 1), ("runs", 2)])
def test_runs_are_asked_for_once_and_before_dash_is_there(
    page: Page, served: Served, name: str, lists: int
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    page.goto(served.page(name))
    expect(page.locator(".ob-card .scatterlayer .trace, .ag-row").first).to_be_visible()

    at = [number for number, url in enumerate(asked) if "/runs?" in url]
    laid_out = next(number for number, url in enumerate(asked) if "/_dash-update" in url)
    assert len(at) == lists
    assert max(at) < laid_out


def test_a_table_that_cannot_be_fetched_says_so(page: Page, served: Served) -> None:
    page.route("**/dash_ag_grid*", lambda route: route.abort())

    page.goto(served.page("runs"))

    expect(page.get_by_role("alert")).to_have_text(re.compile("could not be fetched"))


def test_the_keys_are_listed_by_a_question_mark(page: Page, served: Served) -> None:
    page.goto(served.page("scalars"))
    expect(page.locator(".ob-card").first).to_be_visible()

    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("filter tags")
    page.keyboard.press("Escape")

    expect(page.get_by_role("dialog")).to_have_count(0)


def test_an_address_that_leads_nowhere_is_refused(page: Page, served: Served) -> None:
    response = page.goto(f"{served.address}/no/such/page")

    assert response is not None
    assert response.status == 404


@pytest.mark.parametrize("name", PAGES)
def test_no_page_is_wider_than_a_phone(browser: Browser, served: Served, name: str) -> None:
    phone = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    page = phone.new_page()
    page.goto(served.page(name))
    expect(page.locator(FILLED).first).to_be_visible()

    assert page.evaluate("document.documentElement.scrollWidth") == 390
    phone.close()


def test_a_run_of_a_deep_directory_fits_a_phone(browser: Browser, served: Served) -> None:
    deep = "/logs/" + "/".join(["a_folder_with_a_long_name"] * 8)
    with served.board.engine.begin() as conn:
        conn.execute(update(tables.logdir).values(path=deep))
    phone = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    page = phone.new_page()
    page.goto(f"{served.address}/r/{served.board.uids['cosine/a']}")
    expect(page.get_by_text(deep)).to_be_visible()

    assert page.evaluate("document.documentElement.scrollWidth") == 390
    phone.close()


def test_on_a_phone_the_runs_are_a_sheet_and_the_pages_a_bar(
    browser: Browser, served: Served
) -> None:
    phone = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    page = phone.new_page()
    page.goto(served.page("scalars"))
    expect(page.locator(".ob-card .scatterlayer .trace").first).to_be_visible()
    expect(page.get_by_label("Show cosine/a")).to_be_hidden()

    page.get_by_role("button", name="Runs", exact=True).tap()
    expect(page.get_by_label("Show cosine/a")).to_be_visible()
    page.keyboard.press("Escape")
    page.locator("#ob-bar").get_by_text("More").tap()
    page.locator("#ob-bar").get_by_role("link", name="Images").tap()

    expect(page.locator(".ob-card img")).to_be_visible()
    # What it leads to is closed again, and says where one is.
    expect(page.locator("#ob-bar summary")).to_have_text("Images")
    expect(page.locator("#ob-bar").get_by_role("link", name="Text")).to_be_hidden()
    page.locator("#ob-bar summary").tap()
    expect(page.locator("#ob-bar").get_by_role("link", name="Text")).to_be_visible()
    page.get_by_role("heading").first.tap()
    expect(page.locator("#ob-bar").get_by_role("link", name="Text")).to_be_hidden()
    phone.close()


@pytest.mark.parametrize("name", [*PAGES, "run"])
def test_no_page_complains_in_the_console(
    context: BrowserContext, served: Served, name: str
) -> None:
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))

    is_run = name == "run"
    uid = served.board.uids["cosine/a"]
    page.goto(f"{served.address}/r/{uid}" if is_run else served.page(name))
    expect(page.locator(FILLED).first).to_be_visible()
    page.wait_for_load_state("load")

    assert complaints == []
