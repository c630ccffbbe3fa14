"""Graphs from a disk in the browser: opened by a button or a drop, seen, compared, removed."""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from orgboard._encoding import protobuf as pb
from orgboard_dashboard.graphs.files.reading import read_file
from orgboard_schema.wire.graph_pb2 import GraphDef
from support.axe import faults_of
from support.boxes import box_of
from support.browser import profile_of
from support.graph_defs import CHAIN, graph_def, logged
from support.graph_files import (
    as_text,
    meta_graph,
    onnx_model,
    onnx_operation,
    onnx_weight,
    saved_model,
)
from support.graph_page import node_box, open_graph, side_panel
from support.served import HOSTILE, Served, serve_example

pytestmark = pytest.mark.browser

OTHER = [*CHAIN[:-1], ("loss", "Sum", ("net/relu",), ())]
OPERATIONS = [onnx_operation("Gemm", ["x", "w"], "h"), onnx_operation("Relu", ["h"], "y")]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Give a board with a run that logged a graph, and a project in which none did."""
    with serve_example(tmp_path_factory.mktemp("files")) as served:
        served.board.log("chain", [logged(graph_def(CHAIN))], project="default/graphs")
        served.board.log("plain", [], project="default/plain")
        yield served


def choose(page: Page, path: Path, data: bytes) -> None:
    """Choose a file, as by the button."""
    path.write_bytes(data)
    page.locator("input[type=file]").set_input_files(path)


def drop(page: Page, name: str, data: bytes) -> None:
    """Drop a file on the graph."""
    page.evaluate(
        """([name, bytes]) => {
            const dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File([new Uint8Array(bytes)], name));
            for (const type of ["dragenter", "dragover", "drop"]) {
                const how = { dataTransfer, bubbles: true, cancelable: true };
                document.querySelector(".ob-g-out").dispatchEvent(new DragEvent(type, how));
            }
        }""",
        [name, list(data)],
    )


def shown_source(page: Page) -> str:
    """Return what the choice of graphs says."""
    return str(page.get_by_label("Run", exact=True).locator("option:checked").text_content())


def test_a_chosen_file_is_opened_and_a_reload_shows_it_again(
    page: Page, served: Served, tmp_path: Path
) -> None:
    open_graph(page, served, "chain")

    with page.expect_file_chooser():
        page.get_by_role("button", name="Open a file…").click()
    choose(page, tmp_path / "net.pbtxt", as_text(graph_def(OTHER)))

    expect(page).to_have_url(re.compile(r"gr=file\."))
    expect(node_box(page, "loss")).to_contain_text("Sum")
    expect(side_panel(page)).to_contain_text("GraphDef, as text")
    assert shown_source(page) == "net.pbtxt"
    page.reload()
    expect(node_box(page, "loss")).to_contain_text("Sum")
    node_box(page, "net").dblclick()
    expect(node_box(page, "net/dense")).to_be_visible()
    expect(page).to_have_url(re.compile("go=net"))


def test_of_a_large_model_only_the_graph_is_sent(
    page: Page, served: Served, tmp_path: Path
) -> None:
    # More than the server takes.
    model = onnx_model(OPERATIONS, [onnx_weight("w", 3000, 3000)])
    assert len(model) > 33 << 20
    open_graph(page, served, "chain")

    with page.expect_request(re.compile(r"/graphs\?name=heavy.onnx")) as sent:
        choose(page, tmp_path / "heavy.onnx", model)

    expect(side_panel(page)).to_contain_text("36 MB")
    expect(side_panel(page)).to_contain_text("9\N{THIN SPACE}000\N{THIN SPACE}000")
    assert int(sent.value.all_headers()["content-length"]) < 1000


@pytest.mark.parametrize("name", ["a.pb", "a.meta", "saved_model.pb", "a.onnx"])
def test_what_the_page_leaves_out_is_what_the_server_would_have(
    page: Page, served: Served, name: str
) -> None:
    data = _heavy()[name]
    open_graph(page, served, "chain")

    sent = _without_numbers(page, name, data)

    assert len(sent) < 20_000
    assert len(data) > 1 << 20
    assert read_file(name, sent) == read_file(name, data)


def test_what_is_broken_or_text_is_sent_as_it_is(page: Page, served: Served) -> None:
    whole = _heavy()["a.onnx"]
    open_graph(page, served, "chain")

    for data in (whole[:-3], b"# a comment\n" * 100_000, b"\xff" * (1 << 20), whole[:1000]):
        assert _without_numbers(page, "a", data) == data


def _heavy() -> dict[str, bytes]:
    """Return files with megabytes of numbers, in each place where such may stand."""
    graph = GraphDef.FromString(graph_def(CHAIN))
    graph.node[1].attr["value"].tensor.tensor_content = bytes(700_000)
    graph.node[2].attr["all"].list.tensor.add(float_val=[0.5] * 100_000)
    function = graph.library.function.add()
    function.signature.name = "inner"
    inside = function.node_def.add(name="c", op="Const")
    inside.attr["value"].tensor.double_val.extend([0.25] * 50_000)
    whole = graph.SerializeToString()
    weight = onnx_weight("w", 300, 300)
    constant = pb.text(1, "value") + pb.blob(5, weight) + pb.whole(20, 4)
    body = pb.text(1, "then_branch") + pb.blob(6, pb.blob(5, weight) + pb.text(2, "then"))
    operations = [
        *OPERATIONS,
        onnx_operation("Constant", [], "c", constant),
        onnx_operation("If", ["c"], "i", body),
    ]
    return {
        "a.pb": whole,
        "a.meta": meta_graph(whole),
        "saved_model.pb": saved_model(whole),
        "a.onnx": onnx_model(operations, [weight]),
    }


def _without_numbers(page: Page, name: str, data: bytes) -> bytes:
    sent = page.evaluate(
        """async ([name, text]) => {
            const bytes = Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
            const left = await ob.withoutNumbers(new File([bytes], name));
            const octets = new Uint8Array(await left.arrayBuffer());
            return btoa([...octets].map((one) => String.fromCharCode(one)).join(""));
        }""",
        [name, b64encode(data).decode()],
    )
    return b64decode(sent)


def test_a_dropped_file_is_opened_and_compared_with_a_runs_graph(
    page: Page, served: Served
) -> None:
    open_graph(page, served, "chain")

    drop(page, "dropped.pb", graph_def(OTHER))
    expect(page).to_have_url(re.compile(r"gr=file\."))
    expect(node_box(page, "loss")).to_contain_text("Sum")
    page.locator(".ob-g-aside .ob-seg [data-value=changes]").click()
    page.get_by_label("Compare with").select_option(label="chain")

    expect(side_panel(page)).to_contain_text("Mean → Sum")
    uid = served.board.uids["chain"]
    expect(page).to_have_url(re.compile(f"gd={uid}"))
    page.reload()
    expect(side_panel(page)).to_contain_text("Mean → Sum")
    # And the other way: the run's graph beside the file's.
    page.get_by_label("Run", exact=True).select_option(label="chain")
    expect(node_box(page, "loss")).to_contain_text("Mean")
    page.get_by_label("Compare with").select_option(label="dropped.pb")
    expect(side_panel(page)).to_contain_text("Sum → Mean")


def test_what_is_no_graph_is_refused_in_words_and_the_page_stays(
    page: Page, served: Served, tmp_path: Path
) -> None:
    open_graph(page, served, "chain")

    choose(page, tmp_path / "cut.pbtxt", as_text(graph_def(CHAIN))[:-9])

    said = page.get_by_role("dialog", name="Not opened")
    expect(said).to_contain_text("“cut.pbtxt” cannot be opened as a GraphDef as text: in line")
    page.keyboard.press("Escape")
    expect(said).to_have_count(0)
    expect(page.get_by_role("button", name="Open a file…")).to_be_enabled()
    expect(node_box(page, "loss")).to_contain_text("Mean")
    drop(page, "none.bin", b"\xff" * 40)
    expect(page.get_by_role("dialog", name="Not opened")).to_contain_text("cut off, or be of")


def test_a_file_is_opened_where_no_run_has_a_graph_and_removed_again(
    page: Page, served: Served, tmp_path: Path
) -> None:
    page.goto(f"{served.address}/p/default/plain/graphs")
    expect(page.locator(".ob-empty")).to_contain_text("Or open one from your disk.")

    choose(page, tmp_path / "net.onnx", onnx_model(OPERATIONS))
    expect(node_box(page, "h")).to_contain_text("Gemm")
    expect(page).to_have_url(re.compile(r"gr=file\."))
    link = page.url
    page.get_by_role("button", name="Remove the file").click()
    page.get_by_role("dialog", name="Remove net.onnx?").get_by_role("button", name="Remove").click()

    expect(page.locator(".ob-empty")).to_contain_text("None of the shown runs has logged a graph")
    expect(page).not_to_have_url(re.compile("gr="))
    page.goto(link)
    expect(page.locator(".ob-empty")).to_contain_text(
        "This opened file is not here: somebody removed it"
    )


def test_what_somebody_else_opened_meanwhile_is_shown_by_its_link(
    page: Page, served: Served
) -> None:
    open_graph(page, served, "chain")
    at = f"{served.address}/api/ui/v1/p/default/graphs/graphs?name=theirs.pb"
    made = page.request.post(
        at,
        data=graph_def([("theirs", "Op", ())]),
        headers={"content-type": "application/octet-stream", "origin": served.address},
    )

    page.evaluate("(id) => ob.setView({ graphRun: `file.${id}` })", made.json()["id"])

    expect(node_box(page, "theirs")).to_be_visible()
    assert shown_source(page) == "theirs.pb"


def test_a_hostile_name_is_text(page: Page, served: Served) -> None:
    open_graph(page, served, "chain")

    drop(page, HOSTILE.replace("/", ""), graph_def([("strange", "Op", ())]))

    expect(node_box(page, "strange")).to_be_visible()
    expect(page.locator("option").filter(has_text=HOSTILE.replace("/", ""))).to_have_count(1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_a_file_is_opened_and_nothing_sticks_out(
    browser: Browser, served: Served, tmp_path: Path, scheme: str
) -> None:
    with profile_of(browser) as profile:
        page = profile.new_page()
        page.set_viewport_size({"width": 390, "height": 844})
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        open_graph(page, served, "chain")

        choose(page, tmp_path / f"{scheme}.json", _keras())

        expect(node_box(page, "d")).to_contain_text("Dense")
        expect(side_panel(page)).to_contain_text("Keras model")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert faults_of(page) == []
        page.evaluate("document.querySelector('.ob-g-drop').hidden = false")
        around, over = box_of(page.locator(".ob-g-out")), box_of(page.locator(".ob-g-drop"))
        assert over["x"] >= around["x"]
        assert over["x"] + over["width"] <= around["x"] + around["width"]


def _keras() -> bytes:
    layers = [{"class_name": "Dense", "config": {"name": "d", "units": 3}}]
    return json.dumps({"class_name": "Sequential", "config": {"layers": layers}}).encode()
