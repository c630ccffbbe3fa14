"""The table of values below the cards: what the points of a stretch come to, run by run."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from support.boxes import box_of
from support.cards import card_of, ready
from support.served import Served

pytestmark = pytest.mark.browser


def test_a_stretch_of_the_axis_has_a_table_of_exact_values(page: Page, served: Served) -> None:
    page.goto(served.page("scalars?t=loss"))
    ready(page)
    strip = box_of(card_of(page, "train/loss").locator(".ob-strip"))

    page.mouse.move(strip["x"] + 1, strip["y"] + 8)
    page.mouse.down()
    page.mouse.move(strip["x"] + strip["width"] - 2, strip["y"] + 8, steps=4)
    page.mouse.up()

    table = page.get_by_role("region", name="Table of values")
    expect(table.locator("tbody tr")).to_have_count(3)
    expect(page.locator(".ob-range:visible")).to_have_count(2)
    expect(page).to_have_url(re.compile("rng="))
    row = table.locator("tbody tr").filter(has_text="cosine/a")
    expect(row).to_contain_text("9.000")

    table.get_by_role("button", name="max", exact=True).click()
    expect(table.locator("tbody tr").first).to_contain_text("cosine/a")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    table.get_by_role("button", name="Copy").click()
    expect(table.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("() => navigator.clipboard.readText()").split("\n")
    assert copied[0].split("\t")[:3] == ["run", "value", "smoothed"]
    assert len(copied) == 4
    assert copied[1].split("\t")[4] == "9"

    table.get_by_label("Close the table of values").click()
    expect(table).to_have_count(0)
    expect(page.locator(".ob-range:visible")).to_have_count(0)


def test_the_table_of_values_has_the_settings_that_the_table_of_runs_has(
    page: Page, served: Served
) -> None:
    page.goto(served.page("scalars?t=train/accuracy&cols=name,hp:lr,hp:width"))
    ready(page)
    page.get_by_label("More about train/accuracy").press("Enter")
    page.get_by_role("button", name="Table of values").press("Enter")

    table = page.get_by_role("region", name="Table of values")
    heads = ["run", "value ↑", "smoothed", "min", "max", "start", "change", "change, %", "mean"]
    expect(table.locator("th")).to_have_text(
        [*heads, "min at step", "max at step", "from step", "to step", "points", "lr", "width"]
    )
    cells = table.locator("tbody tr").first.locator("td")
    # From 0.8 to almost 1, but for one point of 0.1.
    expect(cells.nth(7)).to_have_text(re.compile(r"^24\.\d+$"))
    expect(cells.nth(9)).to_have_text(re.compile(r"^3\s333$"))
    expect(cells.nth(14)).to_have_text("0.1")
    table.get_by_role("button", name="lr", exact=True).press("Enter")

    expect(table.get_by_role("button", name="lr ↑")).to_be_focused()


def test_the_columns_of_the_table_of_values_are_moved_by_dragging_and_by_keys(
    page: Page, served: Served
) -> None:
    page.goto(served.page("scalars?t=train/accuracy"))
    ready(page)
    page.get_by_label("More about train/accuracy").press("Enter")
    page.get_by_role("button", name="Table of values").press("Enter")
    heads = page.get_by_role("region", name="Table of values").locator("th")
    expect(heads.nth(1)).to_have_text("value ↑")

    heads.filter(has_text="mean").drag_to(heads.nth(1))
    expect(heads.nth(1)).to_have_text("mean")
    expect(heads.nth(2)).to_have_text("value ↑")
    heads.nth(1).get_by_role("button").press("Alt+ArrowRight")

    expect(heads.nth(2)).to_have_text("mean")
    expect(heads.nth(2).get_by_role("button")).to_be_focused()
    expect(page).to_have_url(re.compile("vt=name,end,mean,smoothed"))
    page.reload()
    ready(page)
    page.get_by_label("More about train/accuracy").press("Enter")
    page.get_by_role("button", name="Table of values").press("Enter")
    expect(heads.nth(2)).to_have_text("mean")
