"""The keyboard and the command palette: everything without a mouse."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from support.cards import card_of, ready
from support.served import HOSTILE, Served

pytestmark = pytest.mark.browser


def test_j_and_k_go_from_card_to_card_and_f_fills_the_screen(page: Page, served: Served) -> None:
    page.goto(served.page("scalars?t=train"))
    ready(page)

    page.keyboard.press("j")
    expect(card_of(page, "train/accuracy")).to_be_focused()
    page.keyboard.press("j")
    expect(card_of(page, "train/grad")).to_be_focused()
    page.keyboard.press("k")
    expect(card_of(page, "train/accuracy")).to_be_focused()
    page.keyboard.press("f")
    expect(card_of(page, "train/accuracy")).to_have_css("position", "fixed")
    page.keyboard.press("f")

    expect(card_of(page, "train/accuracy")).to_have_css("position", "static")


def test_s_is_the_smoothing_and_g_leads_to_a_page(page: Page, served: Served) -> None:
    page.goto(served.page("scalars"))
    ready(page)

    page.keyboard.press("s")
    expect(page.locator(".ob-smoothing")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".ob-field output")).to_have_text("0.61")
    page.keyboard.press("g")
    page.keyboard.press("i")

    expect(page).to_have_url(re.compile("/images"))


def test_a_letter_without_its_g_leads_nowhere(page: Page, served: Served) -> None:
    page.goto(served.page("scalars"))
    ready(page)

    page.keyboard.press("i")
    page.keyboard.press("h")
    page.keyboard.press("j")

    expect(page.locator(".ob-card:focus")).to_have_count(1)
    expect(page).to_have_url(re.compile("/scalars"))


def test_escape_closes_one_thing_at_a_time(page: Page, served: Served) -> None:
    page.goto(served.page("scalars?t=val/loss&x0=10&x1=4000"))
    ready(page)
    page.keyboard.press("j")
    page.keyboard.press("f")
    page.get_by_label("More about val/loss").press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("In words")

    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("button", name="More about val/loss")).to_be_focused()
    expect(card_of(page, "val/loss")).to_have_css("position", "fixed")
    page.keyboard.press("Escape")
    expect(card_of(page, "val/loss")).to_have_css("position", "static")
    expect(page).to_have_url(re.compile("x0="))
    page.keyboard.press("Escape")

    expect(page).not_to_have_url(re.compile("x0="))


def test_the_list_of_keys_names_them_all(page: Page, served: Served) -> None:
    page.goto(served.page("scalars"))
    ready(page)

    page.keyboard.press("?")

    keys = page.get_by_role("dialog").locator("kbd")
    told = " ".join(keys.all_text_contents()).split()
    assert {"/", "s", "j", "k", "f", "Ctrl", "K", "g", "r", "t", "p", "Esc", "?"} <= set(told)


def test_the_palette_finds_runs_tags_and_pages(page: Page, served: Served) -> None:
    page.goto(served.page("scalars"))
    ready(page)

    page.keyboard.press("Control+k")
    field = page.get_by_role("combobox", name="Search runs, tags, pages, actions")
    expect(field).to_be_focused()
    page.keyboard.type("loss")
    expect(options(page)).to_have_text(["train/loss", "val/loss"])
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")

    expect(page.locator(".ob-card")).to_have_count(1)
    expect(card_of(page, "val/loss")).to_be_visible()
    expect(page.get_by_label("Filter tags")).to_have_value(r"^val\/loss$")

    page.locator("#ob-search").click()
    page.keyboard.type("cosine a")
    expect(options(page).first).to_contain_text("cosine/a")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="cosine/a")).to_be_visible()


def test_the_palette_acts_and_closes(page: Page, served: Served) -> None:
    page.goto(served.page("scalars?t=val/loss"))
    ready(page)

    page.keyboard.press("Control+k")
    page.keyboard.type("symlog")
    expect(options(page)).to_have_count(1)
    page.keyboard.press("Enter")

    expect(page).to_have_url(re.compile("y=sym"))
    expect(page.locator(".ob-commands")).to_have_count(0)
    page.keyboard.press("Control+k")
    page.keyboard.press("Escape")
    expect(page.locator(".ob-commands")).to_have_count(0)
    expect(page).to_have_url(re.compile("y=sym"))


def test_the_palette_takes_names_and_patterns_for_words(page: Page, served: Served) -> None:
    page.goto(served.page("scalars"))
    ready(page)

    page.keyboard.press("Control+k")
    page.keyboard.type("<img")
    expect(options(page)).to_have_text([re.compile(re.escape(HOSTILE)), f"evil/{HOSTILE}"])
    page.get_by_role("combobox", name="Search runs, tags").fill("(")

    expect(options(page).first).to_have_text(re.compile(re.escape(HOSTILE)))
    page.get_by_role("combobox", name="Search runs, tags").fill("[*")
    expect(page.get_by_text("Nothing like that here.")).to_be_visible()


def test_the_palette_works_where_no_project_is_open(page: Page, served: Served) -> None:
    uid = served.board.uids["cosine/a"]
    page.goto(f"{served.address}/r/{uid}")
    expect(page.get_by_role("heading", name="cosine/a")).to_be_visible()

    page.keyboard.press("Control+k")
    page.keyboard.type("light")

    expect(options(page).first).to_contain_text("Light or dark")


def options(page: Page) -> Locator:
    return page.get_by_role("listbox", name="What was found").get_by_role("option")
