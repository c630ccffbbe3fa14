"""What edges and nodes of a graph look like: references, control, series, clusters, inferences."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from orgboard_schema.types import Metadata
from orgboard_schema.wire.graph_pb2 import GraphDef
from support.boards import scalars
from support.graph_defs import CHAIN, Row, graph_def, logged
from support.graph_page import node_box, open_graph, side_panel
from support.served import Served, serve_example

pytestmark = pytest.mark.browser

ASSIGNED: list[Row] = [
    ("counter", "Counter", ()),
    ("value", "Value", ()),
    ("change", "AssignAdd", ("counter", "value")),
]
WAITING: list[Row] = [
    ("start", "Start", ()),
    *((f"wait_{name}", f"Op{name}", ("^start",)) for name in "abcdef"),
    ("one", "One", ()),
    ("two", "Two", ("^one",)),
]
SERIES: list[Row] = [
    ("x", "X", ()),
    *((f"side_{n}/op", "Relu", ("x",)) for n in range(5)),
    *((f"chain_{n}/op", "Tanh", (f"chain_{n - 1}/op" if n else "x",)) for n in range(5)),
]
KERAS = [
    {"class_name": "InputLayer", "config": {"name": "in", "batch_shape": [None, 8]}},
    {"class_name": "Dense", "config": {"name": "out", "units": 3, "use_bias": True}},
]


def _clustered() -> bytes:
    graph = GraphDef.FromString(graph_def(CHAIN))
    for node in graph.node[1:4]:
        node.attr["_XlaCluster"].s = b"cluster_7"
    return graph.SerializeToString()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Give a board with runs that logged graphs."""
    with serve_example(tmp_path_factory.mktemp("edges")) as served:
        graphs = {"assigned": ASSIGNED, "waiting": WAITING, "series": SERIES, "chain": CHAIN}
        for name, rows in graphs.items():
            served.board.log(name, [logged(graph_def(rows))], project="default/graphs")
        served.board.log("clusters", [logged(_clustered())], project="default/graphs")
        model = json.dumps({"class_name": "Sequential", "config": {"layers": KERAS}}).encode()
        served.board.log(
            "keras",
            [logged(model, "keras")],
            project="default/graphs",
            metadata={("keras", "graph"): Metadata(plugin="graph_keras_model")},
        )
        served.board.log("none", [scalars("loss", [1.0])], project="default/none")
        yield served


def test_a_reference_is_orange_and_has_a_head_at_both_ends(page: Page, served: Served) -> None:
    open_graph(page, served, "assigned", "&gs=change")

    edges = page.locator("path.ob-g-edge")
    expect(edges).to_have_count(2)
    reference = page.locator("path.ob-g-ref")
    expect(reference).to_have_count(1)
    expect(reference).to_have_css("stroke", "rgb(217, 115, 13)")
    expect(reference).to_have_attribute("marker-start", "url(#ob-arrow-ref)")
    expect(reference).to_have_attribute("marker-end", "url(#ob-arrow-ref)")
    expect(reference.locator("title")).to_have_text("may be changed there")
    row = side_panel(page).get_by_role("listitem")
    expect(row.filter(has_text="counter")).to_contain_text("may be changed there")
    expect(row.filter(has_text=re.compile("^value"))).not_to_contain_text("changed")


def test_a_few_control_edges_are_dashed(page: Page, served: Served) -> None:
    open_graph(page, served, "waiting")

    control = page.locator("path.ob-g-control")

    expect(control).to_have_count(1)
    expect(control).to_have_css("stroke-dasharray", "3px, 3px")


def test_many_control_edges_are_counted_and_drawn_when_their_node_is_pointed_at(
    page: Page, served: Served
) -> None:
    open_graph(page, served, "waiting")
    expect(page.locator(".ob-g-words")).to_contain_text("6 control edges of nodes with many")
    expect(node_box(page, "start")).to_contain_text("6 control edges")
    expect(node_box(page, "wait_a")).to_contain_text("1 control edge")
    expect(node_box(page, "one")).not_to_contain_text("control")
    held = page.locator("path.ob-g-held")
    expect(held).to_have_count(0)

    node_box(page, "wait_a").hover()
    expect(held).to_have_count(1)
    node_box(page, "start").hover()
    expect(held).to_have_count(6)
    page.get_by_role("region", name="About the graph").hover()

    expect(held).to_have_count(0)


def test_control_edges_of_the_chosen_node_stay_and_the_keyboard_shows_them_too(
    page: Page, served: Served
) -> None:
    open_graph(page, served, "waiting")
    held = page.locator("path.ob-g-held")

    node_box(page, "wait_b").focus()
    expect(held).to_have_count(1)
    page.keyboard.press(" ")
    page.get_by_label("Colour by").focus()

    expect(held).to_have_count(1)
    expect(node_box(page, "start")).to_have_attribute("aria-label", re.compile("6 control edges"))


def test_a_series_shows_whether_its_members_are_chained(page: Page, served: Served) -> None:
    open_graph(page, served, "series")

    side, chain = node_box(page, "side[5]"), node_box(page, "chain[5]")

    expect(side).to_contain_text("5 alike, parallel")
    expect(chain).to_contain_text("5 alike, chained")
    signs = [one.locator(".ob-g-glyph").get_attribute("d") for one in (side, chain)]
    assert signs[0] != signs[1]
    beside = [one.locator("rect").first.get_attribute("x") for one in (side, chain)]
    assert beside == ["7", "0"]
    chain.click()
    expect(side_panel(page)).to_contain_text("data goes from one to another")


def test_nodes_are_coloured_by_xla_cluster_where_the_graph_tells_any(
    page: Page, served: Served
) -> None:
    open_graph(page, served, "chain")
    cluster = page.get_by_label("Colour by").locator("option[value=cluster]")
    expect(cluster).to_have_attribute("hidden", "")

    open_graph(page, served, "clusters")
    expect(cluster).not_to_have_attribute("hidden", "")
    page.get_by_label("Colour by").select_option("cluster")

    expect(page.locator(".ob-g-legend")).to_contain_text("cluster_7")
    expect(page).to_have_url(re.compile("gc=cluster"))
    expect(node_box(page, "net").locator("rect")).to_have_attribute("style", re.compile("--tint"))
    expect(node_box(page, "loss").locator("rect")).not_to_have_attribute(
        "style", re.compile("--tint")
    )
    node_box(page, "net").click()
    expect(side_panel(page)).to_contain_text("XLA clustercluster_7")


def test_a_shape_that_was_not_logged_is_said_to_be_inferred(page: Page, served: Served) -> None:
    open_graph(page, served, "keras", "&gs=out")
    expect(side_panel(page)).to_contain_text("?\u00d73, inferred")

    page.get_by_role("radio", name="Layers").click()

    rows = side_panel(page).get_by_role("row")
    expect(rows.filter(has_text="out").get_by_role("cell")).to_have_text(
        ["out", "Dense", "?\u00d73, inferred", "27"]
    )
    expect(rows.filter(has_text="InputLayer")).not_to_contain_text("inferred")
    expect(side_panel(page)).to_contain_text("Inferred: not logged")


def test_without_a_graph_there_is_no_toolbar_but_on_a_phone_that_of_the_runs(
    browser: Browser, page: Page, served: Served
) -> None:
    address = f"{served.address}/p/default/none/graphs"

    page.goto(address)
    expect(page.locator(".ob-empty")).to_contain_text("has logged a graph")
    expect(page.locator(".ob-g-bare")).to_be_hidden()

    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    phone = context.new_page()
    phone.goto(address)
    expect(phone.locator(".ob-empty")).to_contain_text("has logged a graph")
    expect(phone.get_by_role("button", name="Runs", exact=True)).to_be_visible()
    context.close()
