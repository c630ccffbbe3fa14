"""What the card of a node or a scope leaves out."""

from __future__ import annotations

from orgboard_dashboard.graphs.asked import card_of
from orgboard_dashboard.graphs.reading import read_graph
from orgboard_dashboard.graphs.tree import build_tree
from support.graph_defs import Row, graph_def


def test_a_scopes_card_leaves_out_the_constants_that_torch_put_there_for_others() -> None:
    rows: list[Row] = [
        ("a/one", "prim::Constant", ()),
        ("a/relu", "aten::relu", ("a/one",)),
        ("b/add", "aten::add", ("a/relu", "a/one")),
    ]
    tree = build_tree(read_graph(graph_def(rows)))

    scope, one = tree.find("a"), tree.find("a/one")
    assert scope
    assert one
    card, node = card_of(tree, scope), card_of(tree, one)

    assert [link.op for link in card.outputs] == ["aten::add"]
    assert card.outputs[0].count == 1
    assert len(node.outputs) == 2


def test_a_card_lists_all_that_crosses_a_border() -> None:
    rows: list[Row] = [(f"x{n}", "X", ()) for n in range(40)]
    rows.append(("s/sum", "AddN", tuple(f"x{n}" for n in range(40))))
    tree = build_tree(read_graph(graph_def(rows)))
    scope = tree.find("s")
    assert scope

    card = card_of(tree, scope)

    assert {link.path for link in card.inputs} == {
        item.path for item in tree.items if item.kind == "node" and item.path != "s/sum"
    }
    assert len(card.inputs) == 40
