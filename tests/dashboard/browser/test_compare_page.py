"""The page that compares runs and groups, through a real browser and a real server."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from support.boards import scalars
from support.served import HOSTILE, Served

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def compared(served: Served) -> str:
    """Give the address of the page of a project with four runs."""
    for n, (name, lr) in enumerate([("a", 0.1), ("b", 0.1), ("c", 0.01), (f"d {HOSTILE}", 0.01)]):
        served.board.log(
            name,
            [scalars("val/loss", [4 + n, 2 + n]), scalars("acc", [0.5, 0.5 + n / 10])],
            project="default/compared",
            logdir="/compared",
            hparams=json.dumps({"lr": lr, "width": 64, "note": HOSTILE, "deep": n == 0}),
        )
    return f"{served.address}/p/default/compared/compare"


def test_only_what_was_set_differently_is_listed_until_asked_for(page: Page, compared: str) -> None:
    page.goto(compared)
    names = rows(page, "Configuration").locator("th")

    expect(names).to_have_text(["deep", "lr"])
    expect(rows(page, "Configuration").first.locator("td")).to_have_text(
        ["true", "false", "false", "false"]
    )
    page.get_by_role("button", name="show 2 alike").click()

    expect(names).to_have_text(["deep", "lr", "note", "width"])
    assert page.locator("img[src=x]").count() == 0


def test_metrics_stand_beside_the_baseline_with_their_difference(page: Page, compared: str) -> None:
    page.goto(compared)

    expect(cells(page, "val/loss")).to_have_text(
        ["2.000", "3.000+1.000, +50.0 %", "4.000+2.000, +100.0 %", "5.000+3.000, +150.0 %"]
    )
    expect(cells(page, "val/loss").nth(1).locator(".ob-worse")).to_have_count(1)
    expect(cells(page, "acc").nth(1).locator(".ob-better")).to_have_count(1)


def test_baseline_and_value_are_chosen_and_in_the_address(page: Page, compared: str) -> None:
    page.goto(compared)
    expect(cells(page, "val/loss")).to_have_count(4)

    page.get_by_role("button", name="b", exact=True).first.click()
    page.get_by_role("radio", name="Greatest").click()

    expect(cells(page, "val/loss").first).to_contain_text("4.000\u22121.000, \u221220.0 %")
    expect(page).to_have_url(re.compile("base=.*of=max"))
    page.reload()
    expect(cells(page, "val/loss").nth(1)).to_have_text("5.000")


def test_curves_lie_over_one_another_and_as_a_difference(page: Page, compared: str) -> None:
    page.goto(f"{compared}?s=0&t=loss")
    over = page.locator(".ob-pairs .ob-card").first
    less = page.locator(".ob-pairs .ob-difference")

    expect(over.locator("path.js-line")).to_have_count(4)
    expect(less.locator("path.js-line")).to_have_count(3)
    drawn = page.evaluate(
        "() => document.querySelector('.ob-difference .ob-plot').data.map((t) => [...t.y])"
    )
    assert drawn == [[1, 1], [2, 2], [3, 3]]
    less.locator(".ob-stage").hover()
    expect(page.get_by_role("tooltip").locator("tbody tr")).to_have_count(3)


def test_groups_are_compared_by_their_means(page: Page, compared: str) -> None:
    page.goto(f"{compared}?g=hp:lr&s=0&t=loss")

    expect(page.locator(".ob-comparison").first.locator("thead .ob-name")).to_have_text(
        ["lr = 0.01", "lr = 0.1"]
    )
    expect(rows(page, "Configuration").locator("th")).to_have_text(["deep", "lr"])
    expect(cells(page, "val/loss")).to_have_text(["4.500", "2.500\u22122.000, \u221244.4 %"])
    expect(page.locator(".ob-difference path.js-line")).to_have_count(1)
    page.locator(".ob-difference .ob-stage").hover()
    expect(page.get_by_role("tooltip").locator("thead")).to_have_text("groupmeanrunsstep")
    expect(page.get_by_role("tooltip").locator("tbody tr")).to_contain_text("2 of 2")
    # The runs themselves lie on another scale than their difference.
    ghosted = page.evaluate(
        """() => [...document.querySelectorAll('.ob-pairs .ob-card')].map(({card}) => {
            ob.ghost(card, ob.drawn(ob.project)[0].uid); return Boolean(card.ghosted); })"""
    )
    assert ghosted == [True, False]


def test_less_than_two_runs_are_told_what_to_do(page: Page, compared: str) -> None:
    page.goto(f"{compared}?sel=")

    expect(page.locator(".ob-empty")).to_contain_text("Two runs or more can be compared.")
    page.get_by_label("Show a", exact=True).check()
    page.get_by_label("Show b", exact=True).check()
    expect(cells(page, "val/loss")).to_have_count(2)


def test_on_a_phone_only_the_tables_scroll_sideways(page: Page, compared: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(compared)
    expect(cells(page, "val/loss")).to_have_count(4)

    widths = page.evaluate("() => [document.documentElement.scrollWidth, innerWidth]")

    assert widths[0] <= widths[1]


def rows(page: Page, table: str) -> Any:
    return page.get_by_role("region", name=table).locator("tbody tr")


def cells(page: Page, tag: str) -> Any:
    return rows(page, "Metrics").filter(has=page.get_by_text(tag, exact=True)).locator("td")
