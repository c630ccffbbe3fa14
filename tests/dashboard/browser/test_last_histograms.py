"""Last histograms among what runs are found by; and what the query bar offers while one types."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from orgboard_schema.types import TensorHistogram
from support.boards import values
from support.served import Served, serve_example

pytestmark = pytest.mark.browser

QUERY = "Filter runs"


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Give a served board, three of whose six runs logged histograms."""
    with serve_example(tmp_path_factory.mktemp("three")) as served:
        for run, spread in (("run00", 2.0), ("run01", 8.0), ("run02", 4.0)):
            some = [TensorHistogram("float64", ((-each, each, 3.0),)) for each in (50.0, spread)]
            served.board.log(run, [values("layer 1/w", "histogram", some)])
        yield served


def _choices(page: Page) -> Locator:
    return page.get_by_role("listbox", name="What may come next").get_by_role("option")


def _rows(page: Page) -> Locator:
    return page.locator(".ob-rows .ob-row:not(.ob-waiting)")


def _grid_column(page: Page, key: str) -> Locator:
    return page.locator(f'.ag-row [col-id="{key}"]')


def test_a_column_an_order_and_a_condition_can_be_of_the_last_histogram(
    page: Page, three: Served
) -> None:
    page.goto(three.page("runs?q=run&sort=name&cols=!name"))
    expect(_grid_column(page, "name").first).to_have_text("run00")
    page.get_by_role("button", name="Columns").click()
    page.get_by_role("button", name="max of the last histogram of layer 1/w").click()
    expect(_grid_column(page, "hist:layer 1/w:max").first).to_have_text("2.000")
    page.get_by_role("button", name="more of the last histogram of layer 1/w").click()
    page.get_by_role("button", name="p75 of the last histogram of layer 1/w").click()
    expect(_grid_column(page, "hist:layer 1/w:p75").first).to_have_text("1.000")
    page.keyboard.press("Escape")

    heading = page.locator('.ag-header-cell[col-id="hist:layer 1/w:max"]')
    heading.click()
    expect(page).to_have_url(re.compile("sort=hist%3Alayer%201%2Fw%3Amax"))
    heading.click()
    expect(page).to_have_url(re.compile("sort=-hist%3Alayer%201%2Fw%3Amax"))
    expect(_rows(page).first).to_contain_text("run01")

    bar = page.get_by_label(QUERY)
    bar.fill("")
    page.keyboard.type("his")
    _choices(page).filter(has_text="hist:").click()
    _choices(page).filter(has_text="layer 1/w").click()
    _choices(page).filter(has_text="std").click()
    page.keyboard.type("> 2")
    expect(bar).to_have_value('hist:"layer 1/w":std > 2')
    expect(page.locator(".ob-foot")).to_contain_text("2 of 6 runs")


def test_a_misspelt_statistic_is_mended_by_a_click(page: Page, three: Served) -> None:
    page.goto(three.page("runs"))
    bar = page.get_by_label(QUERY)
    bar.fill('hist:"layer 1":sd < 2')
    bar.press("Enter")
    alert = page.locator(".ob-panel").get_by_role("alert")
    expect(alert).to_contain_text("`sd` is no statistic of histograms: mean, std")
    alert.get_by_role("button", name="std").click()

    expect(alert).to_contain_text("There are no histograms `layer 1` here.")
    alert.get_by_role("button", name="layer 1/w").click()

    expect(bar).to_have_value('hist:"layer 1/w":std < 2')
    expect(page.locator(".ob-foot")).to_contain_text("1 of 6 runs")


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("op", ["optimizer"]),
        ("optimizer ", ["=", "!=", "<", "<=", ">", ">=", "~", "!~", "in"]),
        ("optimizer = ", ["adam", "sgd"]),
        ("optimizer in (adam, s", ["sgd"]),
        ("optimizer = adam ", ["and", "or"]),
        ("status:", ["live", "stale"]),
        ("hp:", ["optimizer", "lr"]),
        ("lr < 1 and min(v", ["val/loss"]),
        ("(has:lr ", ["and", "or"]),
        ("min(val/loss) ", ["=", "!=", "<", "<=", ">", ">=", "~", "!~", "in"]),
        ("not (lr < 1) ", ["and", "or"]),
        ("his", ["hist:"]),
        ("has:h", ["hist:"]),
        ("lr < 1 and hist:", ["layer1/kernel", "a b"]),
        ("hist:ker", ["layer1/kernel"]),
        ('hist:"a b":', ["mean", "std", "p50"]),
        ("hist:layer1/kernel:s", ["std"]),
        ("hist:layer1/kernel:std ", ["=", "!=", "<", "<=", ">", ">=", "~", "!~", "in"]),
        ("has:hist:layer1/kernel:std ", ["and", "or"]),
        ("hist:layer1/kernel:std < 0.1 ", ["and", "or"]),
    ],
)
def test_completion_knows_what_stands_at_the_caret(
    page: Page, three: Served, typed: str, wanted: list[str]
) -> None:
    page.goto(three.page("runs"))
    expect(page.get_by_label(QUERY)).to_be_visible()
    words = {
        "fields": [{"name": "status", "about": "", "kind": "status", "values": ["live", "stale"]}],
        "hparams": [
            {"name": "optimizer", "runs": 2, "values": ["adam", "sgd"]},
            {"name": "lr", "runs": 2, "values": []},
        ],
        "metrics": [{"name": "val/loss", "runs": 2, "best": "min"}],
        "histograms": [{"name": "layer1/kernel", "runs": 2}, {"name": "a b", "runs": 1}],
        "statistics": ["mean", "std", "p50"],
    }

    found = page.evaluate(
        "([text, words]) => ob.completions(text, text.length, words).items.map((i) => i.label)",
        [typed, words],
    )

    assert found == wanted
