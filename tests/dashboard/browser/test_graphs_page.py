"""Graphs in the browser: scopes open in place, nodes are read about, found, traced, compared."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from orgboard_schema.types import TensorHistogram
from support.boards import scalars, values
from support.boxes import box_of
from support.graph_defs import CHAIN, graph_def, logged, model
from support.graph_page import node_box, open_graph, side_panel
from support.served import HOSTILE, Served, serve_example

pytestmark = pytest.mark.browser

OTHER = [*CHAIN[:-1], ("loss", "Sum", ("net/relu",), ())]
SERIES = [
    ("in", "Placeholder", ()),
    *((f"block_{n}/{op}", op, ("in",)) for n in range(6) for op in ("MatMul", "Relu")),
    ("out", "AddN", tuple(f"block_{n}/Relu" for n in range(6))),
]
BUCKETS = ((-1.0, 0.0, 3.0), (0.0, 1.0, 5.0))
STRANGE = [(HOSTILE, "Op\u202e", ("nowhere",)), ("a/" * 300 + "b", "B", ())]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Give a board with runs that logged graphs."""
    with serve_example(tmp_path_factory.mktemp("graphs")) as served:
        board = served.board
        project = {"project": "default/graphs"}
        board.log("strange", [logged(graph_def(STRANGE))], **project)  # type: ignore[arg-type]
        board.log("blocks", [logged(model(8, 3))], **project)  # type: ignore[arg-type]
        board.log("series", [logged(graph_def(SERIES))], **project)  # type: ignore[arg-type]
        board.log("other", [logged(graph_def(OTHER))], **project)  # type: ignore[arg-type]
        kernel = values("net/dense/kernel", "histogram", [TensorHistogram("float64", BUCKETS)] * 3)
        told = [scalars("net/dense/norm", [1.0, 2.0]), kernel, logged(graph_def(CHAIN))]
        board.log("chain", told, **project)  # type: ignore[arg-type]
        yield served


def test_a_double_click_opens_a_scope_in_place_and_another_closes_it(
    page: Page, served: Served
) -> None:
    open_graph(page, served, "chain")

    node_box(page, "net").dblclick()
    expect(node_box(page, "net/dense")).to_be_visible()
    expect(page).to_have_url(re.compile("go=net"))
    expect(node_box(page, "net")).to_have_attribute("aria-expanded", "true")
    node_box(page, "net").locator("text").first.dblclick()

    expect(node_box(page, "net/dense")).to_have_count(0)
    expect(page).not_to_have_url(re.compile("go="))


def test_children_stand_inside_the_box_of_their_scope(page: Page, served: Served) -> None:
    open_graph(page, served, "chain", "&go=net&go=net/dense")

    outer = box_of(node_box(page, "net"))
    inner = box_of(node_box(page, "net/dense"))

    assert outer["x"] < inner["x"]
    assert outer["y"] < inner["y"]
    assert outer["x"] + outer["width"] > inner["x"] + inner["width"]
    assert outer["y"] + outer["height"] > inner["y"] + inner["height"]


def test_a_click_tells_of_a_node_and_its_links_lead_on(page: Page, served: Served) -> None:
    open_graph(page, served, "chain")

    node_box(page, "loss").click()
    expect(side_panel(page).get_by_role("heading", name="loss")).to_be_visible()
    expect(page).to_have_url(re.compile("gs=loss"))
    side_panel(page).get_by_role("button", name="net/relu").click()

    expect(node_box(page, "net/relu")).to_have_class(re.compile("ob-on"))
    expect(side_panel(page).get_by_role("heading", name="relu")).to_be_visible()


def test_a_reload_shows_the_same(page: Page, served: Served) -> None:
    open_graph(page, served, "chain", "&go=net&gs=net/relu&gx=inputs&gc=op")

    page.reload()

    expect(node_box(page, "net/relu")).to_have_class(re.compile("ob-on"))
    expect(page.get_by_role("button", name="Trace inputs")).to_have_attribute(
        "aria-pressed", "true"
    )
    expect(page.get_by_label("Colour by")).to_have_value("op")


def test_a_trace_dims_what_does_not_lead_to_the_node(page: Page, served: Served) -> None:
    open_graph(page, served, "chain", "&go=net&gs=net/relu")

    page.get_by_role("button", name="Trace inputs").click()

    expect(side_panel(page)).to_contain_text("3 nodes lead here.")
    expect(node_box(page, "loss")).to_have_class(re.compile("ob-g-dim"))
    expect(node_box(page, "input")).not_to_have_class(re.compile("ob-g-dim"))


def test_a_search_finds_a_node_and_opens_what_is_around_it(page: Page, served: Served) -> None:
    open_graph(page, served, "chain")

    page.keyboard.press("/")
    page.keyboard.type("Mat.ul$")
    expect(page.locator(".ob-g-found button")).to_have_text(["net/dense/MatMulMatMul"])
    page.keyboard.press("Enter")

    expect(node_box(page, "net/dense/MatMul")).to_have_class(re.compile("ob-on"))


def test_a_broken_search_is_explained(page: Page, served: Served) -> None:
    open_graph(page, served, "chain")

    page.get_by_label("Find nodes, a regular expression").fill("(")

    expect(page.locator(".ob-g-found [role=alert]")).to_contain_text("regular expression")


def test_arrows_go_from_node_to_node_enter_opens_and_escape_goes_up(
    page: Page, served: Served
) -> None:
    open_graph(page, served, "chain")

    node_box(page, "input").focus()
    page.keyboard.press("ArrowDown")
    expect(node_box(page, "net")).to_be_focused()
    page.keyboard.press("Enter")
    expect(node_box(page, "net/dense")).to_be_visible()
    expect(node_box(page, "net")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(node_box(page, "net/dense")).to_be_focused()
    page.keyboard.press("Escape")
    expect(node_box(page, "net")).to_be_focused()
    page.keyboard.press("Escape")

    expect(node_box(page, "net/dense")).to_have_count(0)


def test_the_wheel_zooms_a_drag_moves_and_f_fits(page: Page, served: Served) -> None:
    open_graph(page, served, "chain")
    window = page.locator(".ob-g > g")
    at_first = window.get_attribute("style")
    box = box_of(node_box(page, "net"))
    assert at_first

    page.mouse.move(box["x"] + 5, box["y"] + 5)
    page.mouse.wheel(0, -400)
    expect(window).not_to_have_attribute("style", at_first)
    larger = box_of(node_box(page, "net"))
    page.mouse.down()
    page.mouse.move(box["x"] + 85, box["y"] + 45)
    page.mouse.up()
    moved = box_of(node_box(page, "net"))
    page.keyboard.press("f")

    assert larger["width"] > 1.5 * box["width"]
    assert moved["x"] - larger["x"] == pytest.approx(80, abs=1)
    expect(window).to_have_attribute("style", at_first)


def test_layers_are_a_table_with_shapes_and_parameters(page: Page, served: Served) -> None:
    open_graph(page, served, "chain")

    page.get_by_role("radio", name="Layers").click()

    row = side_panel(page).get_by_role("row").filter(has_text="MatMul")
    expect(row.get_by_role("cell")).to_have_text(["densenet", "MatMul", "2\u00d74", "32"])


def test_two_runs_graphs_are_compared_in_colours_and_as_a_list(page: Page, served: Served) -> None:
    open_graph(page, served, "chain", "&gp=changes")

    page.get_by_label("Compare with").select_option(label="other")

    expect(side_panel(page)).to_contain_text("1 another operation")
    expect(side_panel(page).get_by_role("button", name="loss")).to_be_visible()
    expect(page.locator(".ob-g-legend")).to_contain_text("changed")
    expect(node_box(page, "loss")).to_have_attribute("aria-label", re.compile("1 op"))


def test_alike_blocks_have_one_colour_and_say_how_many(page: Page, served: Served) -> None:
    open_graph(page, served, "blocks", "&go=encoder")

    blocks = page.locator(".ob-g-scope:not(.ob-g-opened)").filter(has_text="one of 8 alike")

    expect(blocks).to_have_count(8)
    tints = {rect.get_attribute("style") for rect in blocks.locator("rect").all()}
    assert len(tints) == 1


def test_what_is_set_aside_can_be_drawn(page: Page, served: Served) -> None:
    open_graph(page, served, "chain", "&go=net&go=net/dense&gp=aside")
    expect(node_box(page, "net/dense/kernel")).to_have_count(0)

    page.get_by_label("Draw them with the others").check()

    expect(node_box(page, "net/dense/kernel")).to_be_visible()
    expect(page).to_have_url(re.compile("ga=1"))


def test_one_node_is_taken_out_of_what_is_set_aside_and_put_back(
    page: Page, served: Served
) -> None:
    open_graph(page, served, "chain", "&go=net&go=net/dense&gp=aside")

    side_panel(page).get_by_role("button", name="Draw net/dense/kernel").click()
    expect(node_box(page, "net/dense/kernel")).to_be_visible()
    expect(side_panel(page)).to_contain_text("but drawn")
    expect(page).to_have_url(re.compile("kernel"))
    page.reload()
    expect(node_box(page, "net/dense/kernel")).to_be_visible()
    side_panel(page).get_by_role("button", name="Set aside net/dense/kernel").press("Enter")

    expect(node_box(page, "net/dense/kernel")).to_have_count(0)
    expect(page).not_to_have_url(re.compile("gm="))


def test_any_node_or_scope_is_set_aside_from_its_card(page: Page, served: Served) -> None:
    open_graph(page, served, "chain", "&gs=net")

    side_panel(page).get_by_role("button", name="Set aside net").click()
    expect(node_box(page, "net")).to_have_count(0)
    expect(node_box(page, "loss")).to_be_visible()
    page.get_by_role("radio", name="Set aside").click()
    expect(side_panel(page)).to_contain_text("by hand")
    side_panel(page).get_by_role("button", name="Undo moves by hand").click()

    expect(node_box(page, "net")).to_be_visible()


def test_a_layer_links_to_the_scalars_that_it_logged(page: Page, served: Served) -> None:
    open_graph(page, served, "chain", "&go=net&gs=net/dense")

    side_panel(page).get_by_role("link", name="net/dense/norm").click()

    expect(page.get_by_role("heading", name="net/dense/norm").first).to_be_visible()


def test_a_layer_links_to_the_histograms_that_it_logged(page: Page, served: Served) -> None:
    open_graph(page, served, "chain", "&go=net&gs=net/dense")

    side_panel(page).get_by_role("link", name="net/dense/kernel").click()

    expect(page).to_have_url(re.compile("/histograms"))
    card = page.locator('.ob-histcard[data-tag="net/dense/kernel"]')
    expect(card.locator(".ob-plot path").first).to_be_attached()
    expect(page.locator(".ob-histcard")).to_have_count(1)


def test_a_series_says_how_many_it_is_and_not_that_it_is_one_of_them(
    page: Page, served: Served
) -> None:
    open_graph(page, served, "series")

    expect(page.locator(".ob-g-series")).to_contain_text("alike")
    expect(page.locator(".ob-g-series")).not_to_contain_text("one of")
    expect(page.locator(".ob-g-legend")).to_contain_text("block, 6 alike")


def test_the_graph_is_saved_as_a_picture(page: Page, served: Served, tmp_path: Path) -> None:
    open_graph(page, served, "chain", "&go=net")

    files = {}
    for form in ("PNG", "SVG"):
        page.get_by_role("button", name="Save", exact=True).click()
        with page.expect_download() as download:
            page.get_by_role("button", name=form, exact=True).click()
        files[form] = tmp_path / download.value.suggested_filename
        download.value.save_as(files[form])

    assert files["PNG"].read_bytes().startswith(b"\x89PNG")
    text = files["SVG"].read_text(encoding="utf-8")
    words = [node.text for node in ET.fromstring(text).iter() if node.tag.endswith("text")]
    assert {"input", "net", "dense", "relu", "loss"} <= set(words)
    assert "var(--ob-" not in text


def test_hostile_names_are_text_and_what_is_wrong_is_said(page: Page, served: Served) -> None:
    alerts: list[str] = []
    page.on("dialog", lambda dialog: alerts.append(dialog.message))

    open_graph(page, served, "strange")

    expect(page.get_by_role("button", name=HOSTILE)).to_be_visible()
    expect(side_panel(page)).to_contain_text("which is not in the graph")
    assert alerts == []


def test_runs_without_a_graph_are_told_how_to_log_one(page: Page, served: Served) -> None:
    page.goto(served.page("graphs"))

    expect(page.locator(".ob-empty")).to_contain_text("writer.add_graph(model, input)")


def test_a_phone_shows_the_graph_and_beside_it_what_is_told(
    browser: Browser, served: Served
) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    page = context.new_page()

    open_graph(page, served, "chain")
    node_box(page, "loss").tap()

    expect(side_panel(page).get_by_role("heading", name="loss")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()
