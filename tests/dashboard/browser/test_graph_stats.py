"""Run metadata in the browser: colours by time and memory, cards, which step, what took most."""

# ruff: noqa: RUF001 - sizes are told with a multiplication sign

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from orgboard_schema.types import Kind, Metadata
from support.axe import faults_of
from support.boards import Board
from support.graph_defs import CHAIN, graph_def, logged
from support.graph_page import node_box, open_graph, side_panel
from support.run_metadata import CHAIN_STEP, CPU, STEP, TAGGED, Ran, run_metadata
from support.served import Served, serve_example

pytestmark = pytest.mark.browser

LATER = "step_9"
UNMEASURED = {CPU: [Ran("net/relu", 1, 250)]}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Give a board with runs that logged a graph, and steps of it."""
    with serve_example(tmp_path_factory.mktemp("graph_stats")) as served:
        log(served.board, "chain", {STEP: run_metadata(CHAIN_STEP)})
        log(served.board, "part", {STEP: run_metadata(UNMEASURED)})
        log(served.board, "torch", {STEP: run_metadata({"/device:CPU:0": []})})
        log(served.board, "none", {})
        steps = {STEP: run_metadata(CHAIN_STEP), LATER: run_metadata({CPU: [Ran("loss", 1, 7)]})}
        log(served.board, "steps", steps)
        yield served


def log(board: Board, run: str, steps: dict[str, bytes]) -> None:
    """Log the network of one layer, and what was measured of it."""
    other: dict[tuple[str, Kind], Metadata] = {
        (LATER, "graph"): Metadata(plugin="graph_tagged_run_metadata")
    }
    told = [logged(data, tag) for tag, data in steps.items()]
    board.log(
        run, [logged(graph_def(CHAIN)), *told], project="default/graphs", metadata=TAGGED | other
    )


def _offered(page: Page) -> list[str]:
    options = page.get_by_label("Colour by").locator("option:not([hidden])")
    return [text.removeprefix("Colour: ") for text in options.all_text_contents()]


def _lightness(page: Page, path: str) -> float:
    """Return how light the box of an item is, from 0 to 255."""
    fill = node_box(page, path).locator(".ob-g-shape-of").first
    colour = fill.evaluate("(el) => getComputedStyle(el).fill")
    red, green, blue = (float(part) for part in re.findall(r"[\d.]+", colour)[:3])
    return 0.21 * red + 0.72 * green + 0.07 * blue


def test_what_took_longer_is_darker_and_says_how_long(page: Page, served: Served) -> None:
    open_graph(page, served, "chain", "&go=net")

    page.get_by_label("Colour by").select_option("time")

    expect(node_box(page, "net/dense")).to_contain_text("123 µs")
    expect(node_box(page, "net/relu")).to_contain_text("10 µs")
    expect(page.locator(".ob-g-legend")).to_contain_text("Compute time, logarithmic2 µs123 µs")
    assert _lightness(page, "net/dense") < _lightness(page, "net/relu") < _lightness(page, "input")
    expect(page).to_have_url(re.compile("gc=time"))


def test_the_scale_is_of_what_is_drawn(page: Page, served: Served) -> None:
    open_graph(page, served, "chain", "&gc=memory")
    expect(page.locator(".ob-g-legend")).to_contain_text("4.2 kB")

    node_box(page, "net").dblclick()

    expect(node_box(page, "net/relu")).to_contain_text("32 bytes")
    expect(page.locator(".ob-g-legend")).to_contain_text("4.1 kB")
    expect(node_box(page, "net")).not_to_have_class(re.compile("ob-g-hot"))


def test_what_was_not_measured_is_dashed(page: Page, served: Served) -> None:
    open_graph(page, served, "part", "&gc=time")

    expect(node_box(page, "net")).to_have_class(re.compile("ob-g-hot"))
    expect(node_box(page, "loss")).to_have_class(re.compile("ob-g-cold"))
    expect(page.locator(".ob-g-legend")).to_contain_text("Dashed: not measured")


def test_a_card_tells_what_its_node_took(page: Page, served: Served) -> None:
    open_graph(page, served, "chain", "&go=net&go=net/dense")

    node_box(page, "net/dense/MatMul").click()

    for words in ("Compute time120 µs", "Memory4.1 kB", "Gave2×4", "Ran on/device:CPU:0"):
        expect(side_panel(page)).to_contain_text(words)

    node_box(page, "net").locator("text").first.click()
    for words in ("Compute time133 µs", "Start to end139 µs", "Measured3 of 3 nodes"):
        expect(side_panel(page)).to_contain_text(words)


def test_the_latest_step_is_looked_at_until_another_is_chosen(page: Page, served: Served) -> None:
    open_graph(page, served, "steps", "&gp=measured&gs=loss")
    choice = page.get_by_label("Run metadata")
    expect(choice.locator("option")).to_have_text(["step_3, step 0", "step_9, step 0", "none"])

    choice.select_option(LATER)
    expect(side_panel(page)).to_contain_text("Measured1 of 5 nodes")
    expect(page).to_have_url(re.compile(f"gk={LATER}"))
    page.get_by_role("radio", name="Node", exact=True).click()
    expect(side_panel(page)).to_contain_text("Compute time7 µs")
    page.get_by_role("radio", name="Times").click()
    choice.select_option("-")

    expect(side_panel(page)).to_contain_text("No step is looked at.")
    assert "Compute time" not in _offered(page)


def test_what_took_most_is_listed_and_leads_to_the_graph(page: Page, served: Served) -> None:
    open_graph(page, served, "chain", "&gp=measured")
    rows = side_panel(page).locator("tbody tr")
    expect(rows.first).to_contain_text("MatMul")
    expect(rows.first).to_contain_text("86\u2009%")

    page.get_by_role("button", name="Memory", exact=True).click()
    expect(side_panel(page).locator("th[aria-sort=descending]")).to_have_text("Memory ↓")
    expect(rows).to_have_count(3)
    page.get_by_role("radio", name="Scopes").click()
    expect(rows).to_have_count(2)
    rows.last.get_by_role("button").click()

    expect(node_box(page, "net/dense")).to_have_attribute("aria-pressed", "true")


def test_torch_measures_nothing_and_the_page_says_so(page: Page, served: Served) -> None:
    open_graph(page, served, "torch", "&gp=measured")

    expect(side_panel(page)).to_contain_text("names /device:CPU:0, and tells of no node")
    assert not {"Compute time", "Memory"} & set(_offered(page))


def test_without_run_metadata_nothing_is_offered(page: Page, served: Served) -> None:
    open_graph(page, served, "none")

    expect(page.get_by_role("radio", name="Times")).to_be_hidden()
    assert not {"Compute time", "Memory"} & set(_offered(page))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_fault_in_either_theme(
    browser: Browser, served: Served, scheme: Literal["light", "dark"]
) -> None:
    context = browser.new_context(reduced_motion="reduce", color_scheme=scheme)
    page = context.new_page()

    for side in ("measured", "node"):
        open_graph(page, served, "chain", f"&gc=time&go=net&gs=net/relu&gp={side}")
        expect(side_panel(page)).to_contain_text("Compute time")
        assert faults_of(page) == []
    context.close()


def test_a_saved_picture_has_the_colours(page: Page, served: Served, tmp_path: Path) -> None:
    open_graph(page, served, "chain", "&gc=time")
    page.get_by_role("button", name="Save", exact=True).click()

    with page.expect_download() as download:
        page.get_by_role("button", name="SVG", exact=True).click()
    download.value.save_as(tmp_path / "graph.svg")

    text = (tmp_path / "graph.svg").read_text(encoding="utf-8")
    assert "--tint:rgb(224 129 44)" in text
    assert ".ob-g-hot .ob-g-shape-of" in text


def test_a_phone_shows_the_scale_and_the_table(browser: Browser, served: Served) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    page = context.new_page()

    open_graph(page, served, "chain", "&gc=time&gp=measured")

    expect(page.locator(".ob-g-legend")).to_be_visible()
    expect(side_panel(page).locator("tbody tr").first).to_contain_text("MatMul")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()
