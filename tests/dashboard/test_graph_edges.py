"""References, control edges, series and XLA clusters: told as TensorBoard tells them."""

from __future__ import annotations

import pytest

from orgboard_dashboard.graphs.asked import card_of
from orgboard_dashboard.graphs.opened import Child, Edge, open_scope
from orgboard_dashboard.graphs.reading import read_graph
from orgboard_dashboard.graphs.tree import Tree, build_tree
from orgboard_schema.wire.graph_pb2 import GraphDef
from support.graph_defs import Row, tree_of


def root(tree: Tree) -> dict[str, Child]:
    return {child.label: child for child in open_scope(tree, tree.items[0]).children}


def merged(tree: Tree) -> dict[tuple[str, str, bool], Edge]:
    opened = open_scope(tree, tree.items[0])
    names = [child.label for child in opened.children]
    return {(names[one.source], names[one.target], one.control): one for one in opened.edges}


# TensorBoard's own list, and what does the same to the variables of TensorFlow 2.
@pytest.mark.parametrize(
    "op",
    [
        *("Assign", "AssignAdd", "AssignSub", "assign", "assign_add", "count_up_to"),
        *("ScatterAdd", "ScatterSub", "ScatterUpdate", "scatter_update"),
        *("AssignVariableOp", "AssignAddVariableOp", "ResourceScatterAdd"),
        *("ApplyAdam", "ResourceApplyGradientDescent", "ResourceSparseApplyAdagrad"),
    ],
)
def test_an_edge_to_what_may_change_the_tensor_is_a_reference(op: str) -> None:
    tree = tree_of([("v", "VariableV2", ()), ("x", "X", ()), ("change", op, ("v", "x", "^x"))])

    edges = merged(tree)

    assert {key for key, edge in edges.items() if edge.references} == {("v", "change", False)}


@pytest.mark.parametrize("op", ["Add", "AssignedElsewhere", "Apply", "Scatter", "MatMul"])
def test_an_edge_to_anything_else_is_none(op: str) -> None:
    tree = tree_of([("v", "VariableV2", ()), ("use", op, ("v",))])

    assert not tree.graph.reference.any()


@pytest.mark.parametrize("first", ["^v", "missing"])
def test_only_the_first_input_is_a_reference_and_only_when_it_is_there(first: str) -> None:
    tree = tree_of([("v", "VariableV2", ()), ("x", "X", ()), ("a", "Assign", (first, "x"))])

    assert not tree.graph.reference.any()


def test_a_merged_edge_says_how_many_of_it_are_references() -> None:
    rows: list[Row] = [("v/one", "VariableV2", ()), ("v/two", "VariableV2", ())]
    rows += [("a/set", "Assign", ("v/one", "v/two")), ("a/read", "Identity", ("v/one",))]

    edge = merged(tree_of(rows))["v", "a", False]

    assert (edge.count, edge.references) == (3, 1)


def test_a_card_says_which_links_are_references() -> None:
    tree = tree_of([("v", "VariableV2", ()), ("x", "X", ()), ("a", "Assign", ("v", "x"))])
    item = tree.find("a")
    assert item

    links = card_of(tree, item).inputs

    assert {link.path: link.reference for link in links} == {"v": True, "x": False}


def _series(inputs: list[str], tail: str = "") -> list[Row]:
    rows: list[Row] = [("x", "X", ())]
    rows += [(f"s_{n}{tail}", "Relu", (inputs[n],)) for n in range(6)]
    return [*rows, ("y", "Y", ("x",))]


@pytest.mark.parametrize(
    ("inputs", "links"),
    [
        (["x"] * 6, "parallel"),
        (["x", *(f"s_{n}/relu" for n in range(5))], "chained"),
        (["x", *(f"^s_{n}/relu" for n in range(5))], "parallel"),
    ],
)
def test_a_series_says_whether_data_goes_from_one_member_to_another(
    inputs: list[str], links: str
) -> None:
    shown = root(tree_of(_series(inputs, "/relu")))

    assert {name: child.links for name, child in shown.items()} == {
        "x": "",
        "s[6]": links,
        "y": "",
    }


def test_what_only_waits_is_set_aside_in_a_crowd_and_what_many_wait_for_is_not() -> None:
    rows: list[Row] = [("hub", "Hub", ())]
    rows += [(f"n{'abcdefghijklmnop'[n]}", f"Op{n}", ("^hub",)) for n in range(16)]
    rows.append(("done", "NoOp", ("^na", "^nb")))

    crowded, small = tree_of(rows), tree_of([("a", "A", ()), ("done", "NoOp", ("^a",))])

    assert {name: child.aside for name, child in root(crowded).items() if child.aside} == {
        "done": "only waits"
    }
    assert root(small)["done"].aside == ""


@pytest.mark.parametrize("attribute", ["_XlaCluster", "_XlaScope"])
def test_a_node_is_in_the_xla_cluster_that_its_attribute_names(attribute: str) -> None:
    graph = GraphDef()
    for name, cluster in (("s/a", "c0"), ("s/b", "c0"), ("t/a", "c0"), ("t/b", "c1"), ("u", "")):
        node = graph.node.add(name=name, op="Op")
        if cluster:
            node.attr[attribute].s = cluster.encode()

    shown = root(build_tree(read_graph(graph.SerializeToString())))

    assert {name: child.cluster for name, child in shown.items()} == {
        "s": "c0",
        "t": "several",
        "u": "",
    }
