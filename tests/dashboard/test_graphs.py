"""Computation graphs: read as far as they are sound, opened, asked and compared."""

# ruff: noqa: RUF001 - sizes are told with a multiplication sign

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

import orgboard_dashboard
from orgboard_dashboard.graphs.asked import card_of, find, layers, trace
from orgboard_dashboard.graphs.attributes import read_attributes
from orgboard_dashboard.graphs.difference import compare, states_of
from orgboard_dashboard.graphs.opened import MAX_CHILDREN, OUTSIDE, Opened, open_scope
from orgboard_dashboard.graphs.reading import Shelf, read_graph
from orgboard_dashboard.graphs.tree import Item, Tree, build_tree
from orgboard_dashboard.queries.errors import NotFound
from orgboard_schema.wire.graph_pb2 import GraphDef, MetaGraphDef
from orgboard_schema.wire.run_metadata_pb2 import RunMetadata
from orgboard_schema.wire.tensor_pb2 import DT_FLOAT
from support.graph_defs import CHAIN, Row, graph_def, model, tree_of


def item(tree: Tree, path: str) -> Item:
    found = tree.find(path)
    assert found is not None, path
    return found


def opened(tree: Tree, path: str = "") -> Opened:
    return open_scope(tree, item(tree, path))


def drawn(scope: Opened) -> set[tuple[str, str, int]]:
    """Name the edges of an opened scope by the labels that they join."""
    labels = {at: child.label for at, child in enumerate(scope.children)} | {OUTSIDE: "…"}
    return {(labels[edge.source], labels[edge.target], edge.count) for edge in scope.edges}


def edges(data: bytes) -> set[tuple[str, str, int, bool]]:
    graph = read_graph(data)
    rows = (graph.source, graph.target, graph.output, graph.control)
    return {
        (graph.names[source], graph.names[target], output, control)
        for source, target, output, control in zip(*(row.tolist() for row in rows), strict=True)
    }


def test_edges_go_from_the_node_and_output_that_an_input_names() -> None:
    data = graph_def([("a", "Split", ()), ("b", "Relu", ("a:1",)), ("c", "Add", ("a", "b", "^a"))])

    assert edges(data) == {
        ("a", "b", 1, False),
        ("a", "c", 0, False),
        ("b", "c", 0, False),
        ("a", "c", 0, True),
    }


def test_a_scope_shows_its_children_and_the_edges_between_them_merged() -> None:
    tree = tree_of(CHAIN)

    root, net = opened(tree), opened(tree, "net")

    assert [child.label for child in root.children] == ["input", "net", "loss"]
    assert drawn(root) == {("input", "net", 1), ("net", "loss", 1), ("input", "loss", 1)}
    assert drawn(net) == {("…", "dense", 1), ("dense", "relu", 1), ("relu", "…", 1)}
    assert [edge.label for edge in net.edges if edge.source >= 0 and edge.target >= 0] == ["2×4"]


def test_control_edges_are_apart_from_data() -> None:
    tree = tree_of([("a", "A", ()), ("s/b", "B", ("a", "^a")), ("s/c", "C", ("a", "a"))])

    merged = {(edge.control, edge.count) for edge in opened(tree).edges}

    assert merged == {(False, 3), (True, 1)}


def test_a_scope_counts_its_nodes_and_parameters() -> None:
    net = opened(tree_of(CHAIN)).children[1]

    assert (net.kind, net.nodes, net.parameters) == ("scope", 3, 32)


def test_numbered_siblings_that_are_alike_are_one_series() -> None:
    rows: list[Row] = [("x", "Placeholder", ())]
    rows += [(f"relu{f'_{n}' if n else ''}", "Relu", ("x",)) for n in range(6)]

    tree = tree_of([*rows, ("relu_9", "Other", ("x",))])

    assert [child.label for child in opened(tree).children] == ["x", "relu[6]", "relu_9"]
    assert len(opened(tree, "relu[6]").children) == 6


def test_scopes_that_are_built_alike_share_a_number_and_say_how_many_they_are() -> None:
    tree = build_tree(read_graph(model(4, 2)))

    blocks = opened(tree, "encoder").children

    assert [block.alike for block in blocks] == [4, 4, 4, 4]
    assert len({block.block for block in blocks}) == 1


def test_constants_and_parameters_are_set_aside() -> None:
    rows = [("c", "Const", ()), ("v", "VariableV2", ()), ("add", "Add", ("c", "v")), ("b", "B", ())]

    aside = {child.label: child.aside for child in opened(tree_of(rows)).children}

    assert aside == {"c": "constant", "v": "parameter", "add": "", "b": ""}


def test_of_a_crowd_what_is_tied_to_nearly_all_or_to_nothing_is_set_aside() -> None:
    rows: list[Row] = [("hub", "Hub", ()), ("alone", "Alone", ())]
    rows += [(f"n{'abcdefghijklmnop'[n]}", f"Op{n}", ("hub",)) for n in range(16)]

    aside = {child.label: child.aside for child in opened(tree_of(rows)).children}

    assert (aside["hub"], aside["alone"], aside["na"]) == ("many edges", "alone", "")


def test_a_node_that_is_a_scope_too_stands_inside_it() -> None:
    tree = tree_of([("a", "A", ()), ("a/b", "B", ("a",))])

    assert [child.label for child in opened(tree).children] == ["a"]
    assert {child.label for child in opened(tree, "a").children} == {"(a)", "b"}


def test_of_a_thousand_children_the_first_are_listed_and_the_rest_counted() -> None:
    rows = [(f"n{n}x", f"Op{n}", (f"n{n - 1}x",) if n else ()) for n in range(1000)]

    root = opened(tree_of(rows))

    assert (len(root.children), root.more) == (MAX_CHILDREN, 1000 - MAX_CHILDREN)


def test_attributes_are_short_text() -> None:
    graph = GraphDef()
    node = graph.node.add(name="n", op="Op")
    node.attr["flag"].b = True
    node.attr["T"].type = DT_FLOAT
    node.attr["long"].s = b"x" * 10_000
    node.attr["sizes"].list.i.extend(range(100))

    told = dict(read_attributes(read_graph(graph.SerializeToString()).packed[0]))

    assert (told["flag"], told["T"]) == ("true", "float32")
    assert all(len(text) < 500 for text in told.values())


def test_functions_of_the_library_are_scopes() -> None:
    graph = GraphDef.FromString(graph_def(CHAIN))
    function = graph.library.function.add()
    function.signature.name = "body"
    function.signature.input_arg.add(name="x")
    function.node_def.add(name="add", op="Add", input=["x", "x"])
    function.node_def.add(name="neg", op="Neg", input=["add:z:0"])
    function.ret["y"] = "neg:y:0"

    tree = build_tree(read_graph(graph.SerializeToString()))

    assert drawn(opened(tree, "functions/body")) == {
        ("x", "add", 2),
        ("add", "neg", 1),
        ("neg", "y (result)", 1),
    }


def test_a_graph_within_a_saved_model_or_a_traced_function_is_found() -> None:
    inner = GraphDef.FromString(graph_def(CHAIN))
    meta = MetaGraphDef(graph_def=inner)
    run = RunMetadata()
    run.function_graphs.add().pre_optimization_graph.CopyFrom(inner)

    names = read_graph(graph_def(CHAIN)).names

    assert read_graph(meta.SerializeToString(), "graph_meta").names == names
    assert read_graph(run.SerializeToString(), "graph_run_metadata_graph").names == names


def test_an_onnx_graph_has_its_weights_and_its_outputs_apart_from_what_gives_them() -> None:
    graph = GraphDef()
    for name in ("x", "z"):
        graph.node.add(name=name, op="Variable")
    graph.node.add(name="z", op="MatMul", input=["x", "weight"]).attr["parameters"].s = b""
    data = graph.SerializeToString()

    assert edges(data) == {
        ("x", "z", 0, False),
        ("weight", "z", 0, False),
        ("z", "z (output)", 0, False),
    }
    assert read_graph(data).problems == ()


def test_a_keras_model_has_its_layers_shapes_and_parameters() -> None:
    def layer(kind: str, name: str, shape: list[Any] | None = None, **config: Any) -> Any:
        built = {"build_config": {"input_shape": shape}} if shape else {}
        return {"class_name": kind, "config": {"name": name, **config}, **built}

    conv = {"filters": 4, "kernel_size": [3, 3], "use_bias": True}
    chain = [
        layer("InputLayer", "in", batch_shape=[None, 8, 8, 1]),
        layer("Conv2D", "conv", [None, 8, 8, 1], **conv),
        layer("BatchNormalization", "norm", [None, 6, 6, 4], center=True, scale=True),
        layer("Dense", "out", [None, 6, 6, 4], units=10, use_bias=True),
    ]

    data = json.dumps({"class_name": "Sequential", "config": {"layers": chain}}).encode()
    listed, _, total = layers(build_tree(read_graph(data)))

    assert [(row.path, row.shape, row.parameters) for row in listed] == [
        ("in", "?×8×8×1", 0),
        ("conv", "?×6×6×4", 40),
        ("norm", "?×6×6×4", 16),
        ("out", "?×6×6×10", 50),
    ]
    assert total == 106
    assert edges(data) == {
        ("in", "conv", 0, False),
        ("conv", "norm", 0, False),
        ("norm", "out", 0, False),
    }


@pytest.mark.parametrize("is_new", [True, False])
def test_a_keras_model_within_a_model_is_a_scope_in_either_spelling(is_new: bool) -> None:
    def inbound(*names: str) -> Any:
        if not is_new:
            return [[[name, 0, 0, {}] for name in names]]
        configs = [{"shape": [None, 2], "keras_history": [name, 0, 0]} for name in names]
        held = [{"class_name": "__keras_tensor__", "config": config} for config in configs]
        return [{"args": held, "kwargs": {}}]

    def layer(kind: str, name: str, *sources: str, **config: Any) -> Any:
        nodes = inbound(*sources) if sources else []
        inside = {"name": name, **config}
        return {"class_name": kind, "name": name, "config": inside, "inbound_nodes": nodes}

    inner = {
        "layers": [layer("InputLayer", "a"), layer("Dense", "b", "a")],
        "input_layers": [["a", 0, 0]],
        "output_layers": [["b", 0, 0]],
    }
    outer = [
        layer("InputLayer", "x"),
        layer("Functional", "block", "x", **inner),
        layer("Add", "sum", "block", "x"),
    ]
    config = {"layers": outer, "input_layers": [["x", 0, 0]], "output_layers": [["sum", 0, 0]]}

    assert edges(json.dumps({"class_name": "Functional", "config": config}).encode()) == {
        ("x", "block/a", 0, False),
        ("block/a", "block/b", 0, False),
        ("block/b", "sum", 0, False),
        ("x", "sum", 0, False),
    }


def test_a_card_tells_what_goes_in_and_what_comes_out() -> None:
    tree = tree_of(CHAIN)

    card = card_of(tree, item(tree, "net/dense"))

    assert [(link.path, link.shape) for link in card.inputs] == [("input", "2×8")]
    assert [(link.path, link.shape) for link in card.outputs] == [("net/relu", "2×4")]
    assert dict(card.ops) == {"VariableV2": 1, "MatMul": 1}
    assert card.above == ("net",)


def test_a_search_finds_paths_the_scopes_first() -> None:
    found, total = find(tree_of(CHAIN), lambda path: "dense" in path)

    assert total == 3
    assert [child.path for child in found] == ["net/dense", "net/dense/MatMul", "net/dense/kernel"]


def test_a_trace_names_nodes_and_the_scopes_that_hold_them() -> None:
    tree = tree_of(CHAIN)

    back, many = trace(tree, item(tree, "net/relu"), forward=False)
    ahead, _ = trace(tree, item(tree, "net/dense"), forward=True)

    assert (set(back), many) == (
        {"net", "net/dense", "input", "net/dense/kernel", "net/dense/MatMul"},
        3,
    )
    assert set(ahead) == {"net", "net/relu", "loss"}


def test_layers_are_the_innermost_scopes_and_what_stands_beside_them() -> None:
    listed, total, parameters = layers(tree_of(CHAIN))

    assert [(row.path, row.kind, row.shape, row.parameters) for row in listed] == [
        ("input", "Placeholder", "2×8", 0),
        ("net/dense", "MatMul", "2×4", 32),
        ("net/relu", "Relu", "2×4", 0),
        ("loss", "Mean", "scalar", 0),
    ]
    assert (total, parameters) == (4, 32)


def test_a_difference_names_what_came_went_and_changed() -> None:
    after = [
        ("input", "Placeholder", (), (2, 8)),
        ("net/dense/kernel", "VariableV2", (), (8, 6)),
        ("net/dense/MatMul", "MatMul", ("input", "net/dense/kernel"), (2, 6)),
        ("net/gelu", "Gelu", ("net/dense/MatMul",), (2, 6)),
        ("loss", "Sum", ("net/gelu", "^input"), ()),
    ]
    old, new = tree_of(CHAIN), tree_of(after)

    found = compare(old, new)

    assert {(change.path, change.what) for change in found.changes} == {
        ("net/relu", "removed"),
        ("net/dense/kernel", "shape"),
        ("net/dense/MatMul", "shape"),
        ("net/gelu", "added"),
        ("loss", "op"),
    }
    assert found.parameters == (32, 48)
    assert [(delta.path, delta.before, delta.after) for delta in found.scopes] == [
        ("net", 32, 48),
        ("net/dense", 32, 48),
    ]
    assert states_of(found, item(new, "net")) == {"added": 1, "shape": 2}


def test_a_graph_is_the_same_as_itself() -> None:
    tree = tree_of(CHAIN)

    assert compare(tree, tree_of(CHAIN)).changes == ()


def test_other_attributes_are_told_before_and_after() -> None:
    def graph(value: int) -> Tree:
        made = GraphDef()
        made.node.add(name="n", op="Op").attr["units"].i = value
        return build_tree(read_graph(made.SerializeToString()))

    (change,) = compare(graph(3), graph(4)).changes

    assert (change.what, change.before, change.after) == ("attributes", "units 3", "units 4")


def test_the_shelf_loads_once_and_forgets_what_is_not_asked_for() -> None:
    shelf, loaded = Shelf(most_graphs=2), []

    def load(name: str) -> bytes:
        loaded.append(name)
        return graph_def(CHAIN)

    for name in ("a", "a", "b", "a", "c", "b"):
        shelf.get(name, "graphs", "", lambda name=name: load(name))  # type: ignore[misc]

    assert loaded == ["a", "b", "c", "b"]


def test_who_asks_meanwhile_waits_for_what_is_made() -> None:
    shelf, together = Shelf(), Barrier(4)
    loaded: list[int] = []

    def load() -> bytes:
        loaded.append(1)
        return model(40, 10)

    def ask(_: int) -> Tree:
        together.wait()
        return shelf.get("a", "graphs", "", load)

    with ThreadPoolExecutor(4) as pool:
        trees = list(pool.map(ask, range(4)))

    assert loaded == [1]
    assert all(tree is trees[0] for tree in trees)


def test_what_could_not_be_made_is_made_again() -> None:
    shelf = Shelf()

    def fail() -> bytes:
        raise NotFound

    for _ in range(2):
        with pytest.raises(NotFound):
            shelf.get("a", "graphs", "", fail)

    assert shelf.get("a", "graphs", "", lambda: graph_def(CHAIN)).graph.names


def test_the_vendored_layout_library_is_the_version_that_the_worker_asks_for() -> None:
    assets = Path(orgboard_dashboard.__file__).with_name("assets")
    worker = (assets / "workers" / "graph-layout.js").read_text(encoding="utf-8")

    (vendored,) = (assets / "vendor").glob("dagre-*.js")
    version = vendored.name.removeprefix("dagre-").removesuffix(".min.js")

    assert f'importScripts("../vendor/{vendored.name}")' in worker
    assert f'"{version}"' in vendored.read_text(encoding="utf-8")
    licence = (assets / "vendor" / "dagre-LICENSE.txt").read_text(encoding="utf-8")
    assert "Permission is hereby granted, free of charge" in licence
