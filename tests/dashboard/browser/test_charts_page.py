"""Charts of several tags on the scalars page, through a real browser and a real server."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from orgboard_dashboard.charts.palette import PALETTE
from support.boards import scalars
from support.declared import declared
from support.served import Served

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def tagged(served: Served) -> str:
    """Give the scalars page of a project with two runs of some tags, and a layout."""
    for n, name in enumerate("ab"):
        served.board.log(
            name,
            [
                scalars("train/loss", [n + 1, n + 2, n + 3]),
                scalars("val/loss", [n + 5, n + 9], step=[0, 2]),
                scalars("lr-Adam", [1, 1]),
                scalars("low", [0, 1, 2]),
                scalars("high", [7, 8, 9]),
                declared(
                    {
                        "both losses": [".*/loss"],
                        "margin": (("train/loss", "low", "high"),),
                        "nothing": ["zzz"],
                    }
                ),
            ],
            project="default/tagged",
            logdir="/tagged",
        )
    return f"{served.address}/p/default/tagged/scalars"


def test_a_formula_in_the_address_is_a_chart(page: Page, tagged: str) -> None:
    page.goto(f"{tagged}?s=0&e=val%2Floss%20-%20train%2Floss")

    chart = chart_of(page, "val/loss - train/loss")
    expect(lines(chart)).to_have_count(2)
    drawn = page.evaluate(
        "() => [...document.querySelector('.ob-charts .ob-plot').data].map((t) => [...t.y])"
    )
    assert drawn == [[4, 3, 6], [4, 3, 6]]


def test_several_tags_are_lines_of_their_own(page: Page, tagged: str) -> None:
    page.goto(f"{tagged}?s=0&e=train%2Floss;val%2Floss")

    expect(lines(chart_of(page, "train/loss;val/loss"))).to_have_count(4)
    chart_of(page, "train/loss;val/loss").locator(".ob-stage").hover()
    rows = page.get_by_role("tooltip").locator("tbody tr")
    expect(rows).to_have_count(4)
    expect(rows.filter(has_text="a · val/loss")).to_have_count(1)


def test_a_card_dropped_on_another_makes_a_chart_of_both(page: Page, tagged: str) -> None:
    page.goto(f"{tagged}?t=loss|lr")
    source, target = card_of(page, "lr-Adam"), card_of(page, "val/loss")
    expect(lines(source).first).to_be_attached()
    expect(lines(target).first).to_be_attached()

    source.locator("h3").drag_to(target.locator(".ob-stage"))

    expect(chart_of(page, 'val/loss; "lr-Adam"')).to_be_visible()
    expect(page).to_have_url(re.compile(r"e=val%2Floss%3B%20%22lr-Adam%22"))


def test_a_tag_is_added_in_a_dialog_that_explains_what_is_wrong(page: Page, tagged: str) -> None:
    page.goto(tagged)
    expect(lines(card_of(page, "val/loss")).first).to_be_attached()

    page.get_by_label("Add a tag or a formula to val/loss").click()
    dialog = page.get_by_role("dialog", name="Chart")
    field = dialog.get_by_label("Tags or formulas")
    expect(field).to_be_focused()
    page.keyboard.type("2 *")
    page.get_by_role("button", name="Draw", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("ends where a tag or a number")
    dialog.get_by_role("button", name="lr-Adam").click()
    expect(field).to_have_value('val/loss; 2 *"lr-Adam"')
    page.get_by_role("button", name="Draw", exact=True).click()

    expect(dialog).to_have_count(0)
    expect(lines(chart_of(page, 'val/loss; 2 *"lr-Adam"')).first).to_be_attached()


def test_a_chart_can_be_changed_and_removed(page: Page, tagged: str) -> None:
    page.goto(f"{tagged}?e=low")
    expect(chart_of(page, "low")).to_be_visible()

    page.get_by_label("Change this chart").click()
    page.get_by_label("Tags or formulas").fill("high")
    page.get_by_role("button", name="Draw", exact=True).click()
    expect(chart_of(page, "high")).to_be_visible()
    expect(chart_of(page, "low")).to_have_count(0)
    page.get_by_label("Remove this chart").click()

    expect(page.locator(".ob-charts")).to_have_count(0)
    expect(page).not_to_have_url(re.compile("e="))


def test_a_broken_formula_in_the_address_is_explained_in_its_card(page: Page, tagged: str) -> None:
    page.goto(f"{tagged}?e=train%2Floss%20%2B&e=nowhere")

    expect(chart_of(page, "train/loss +")).to_contain_text("ends where a tag or a number")
    expect(chart_of(page, "nowhere")).to_contain_text("No shown run has nowhere.")
    expect(lines(card_of(page, "train/loss")).first).to_be_attached()


def test_a_formula_that_has_no_place_on_the_axis_says_so_and_others_are_drawn(
    page: Page, tagged: str
) -> None:
    page.goto(f"{tagged}?s=0&x=m:low&e=val%2Floss%20-%20train%2Floss&e=train%2Floss")

    expect(chart_of(page, "val/loss - train/loss")).to_contain_text(
        "A formula cannot be drawn by active time or by a metric."
    )
    expect(lines(chart_of(page, "train/loss"))).to_have_count(2)
    page.get_by_role("radio", name="Step").click()

    expect(lines(chart_of(page, "val/loss - train/loss"))).to_have_count(2)


def test_a_chart_is_saved_as_a_picture_and_a_tag_as_its_points_too(page: Page, tagged: str) -> None:
    page.goto(f"{tagged}?t=val&e=low%20-%20high")
    expect(lines(card_of(page, "val/loss")).first).to_be_attached()

    card_of(page, "val/loss").get_by_label("More about").click()
    expect(page.get_by_role("button", name="CSV")).to_be_visible()
    page.keyboard.press("Escape")
    chart_of(page, "low - high").get_by_label("More about").click()

    expect(page.get_by_role("button", name="PNG")).to_be_visible()
    expect(page.get_by_role("button", name="CSV")).to_have_count(0)
    expect(page.get_by_role("button", name="Table of values")).to_have_count(0)


def test_pinned_cards_stand_above_the_charts(page: Page, tagged: str) -> None:
    page.goto(f"{tagged}?e=low&pin=high")

    sections = page.locator(".ob-section h2")
    expect(sections.first).to_contain_text("Pinned")
    expect(sections.nth(1)).to_contain_text("Charts")
    expect(page.locator('.ob-card[data-tag="high"]')).to_have_count(1)


def test_what_runs_declare_is_a_section_of_charts(page: Page, tagged: str) -> None:
    page.goto(f"{tagged}?s=0")
    section = page.get_by_role("region", name="mine")

    expect(lines(section.locator('[data-tag="both losses"]'))).to_have_count(4)
    expect(lines(section.locator('[data-tag="margin"]'))).to_have_count(2)
    expect(section.locator('[data-tag="margin"] .trace[class$="_band"]')).to_have_count(2)
    expect(section.locator('[data-tag="nothing"]')).to_contain_text("No shown run has a tag")


def test_sub_runs_of_add_scalars_are_labelled_lines_of_their_run(
    page: Page, served: Served
) -> None:
    for run, tag in [
        ("exp", "loss"),
        ("exp/train_loss_a", "train/loss"),
        ("exp/train_loss_b/c", "train/loss"),
        ("exp/other", "train/loss"),
        ("train_loss_x", "train/loss"),
    ]:
        served.board.log(run, [scalars(tag, [1, 2])], project="default/subs", logdir="/subs")
    page.goto(f"{served.address}/p/default/subs/scalars?s=0&t=train")
    expect(lines(card_of(page, "train/loss"))).to_have_count(4)

    drawn = page.evaluate(
        """() => Object.fromEntries([...document.querySelector('.ob-plot').data]
            .map((trace) => [trace.name, [trace.line.color, trace.line.dash]]))"""
    )

    assert drawn.keys() == {"exp · a", "exp · b/c", "exp/other", "(root) · x"}
    assert drawn["exp · a"][0] == drawn["exp · b/c"][0] == PALETTE[0]
    assert drawn["exp · a"][1] != drawn["exp · b/c"][1]


def chart_of(page: Page, source: str) -> Any:
    """Find a chart that a person made."""
    return page.locator(".ob-charts .ob-card").filter(has=page.get_by_text(source, exact=True))


def card_of(page: Page, tag: str) -> Any:
    return page.locator(f'.ob-card[data-tag="{tag}"]:not(.ob-chart)')


def lines(place: Any) -> Any:
    return place.locator(".scatterlayer .trace:not([class$='_band']) path.js-line")
