"""Graphs that are damaged, endless or huge: shown as far as they are sound, with words."""

from __future__ import annotations

import pytest

from orgboard_dashboard.graphs import growing
from orgboard_dashboard.graphs.asked import trace
from orgboard_dashboard.graphs.opened import OUTSIDE, Opened, open_scope
from orgboard_dashboard.graphs.reading import read_graph
from orgboard_dashboard.graphs.tree import MAX_DEPTH, Item, Tree, build_tree
from support.graph_defs import CHAIN, graph_def, tree_of


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


def test_what_is_wrong_is_said_and_the_rest_is_shown() -> None:
    rows = [
        ("a", "A", ("missing",)),
        ("a", "A", ("a",)),
        ("", "Op", ("a",)),
        ("x/<script>", "B", ("x/<script>",)),
    ]

    tree = tree_of(rows)

    assert tree.problems == (
        "More than one node is named “a”.",
        "Node 3 has no name.",
        "“a” takes “missing”, which is not in the graph.",
    )
    assert [child.label for child in opened(tree).children] == ["a", "a (2)", "(no name)", "x"]


def test_a_cycle_is_drawn_and_traced_once() -> None:
    tree = tree_of([("a", "A", ("c",)), ("b", "B", ("a",)), ("c", "C", ("b",))])

    assert drawn(opened(tree)) == {("a", "b", 1), ("b", "c", 1), ("c", "a", 1)}
    assert trace(tree, item(tree, "a"), forward=False) == (["b", "c"], 2)


def test_scopes_five_thousand_deep_are_shown_to_a_depth_and_it_is_said() -> None:
    deep = "/".join("s" for _ in range(5000))

    tree = tree_of([(f"{deep}/a", "A", ()), (f"{deep}/b", "B", ("a", f"{deep}/a"))])

    path = "/".join("s" for _ in range(MAX_DEPTH))
    inner = opened(tree, path)
    assert [child.op for child in inner.children] == ["A", "B"]
    assert [(edge.source, edge.target) for edge in inner.edges] == [(0, 1)]
    assert "Scopes stand more than 200 deep" in tree.problems[-1]


def test_a_name_of_more_parts_is_cut_and_it_is_said() -> None:
    tree = tree_of([("/".join("s" for _ in range(7000)), "A", ())])

    assert len(tree.graph.names) == 1
    assert any("longer than" in problem for problem in tree.problems)


def test_very_many_deep_scopes_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growing, "_MAX_PATHS", 1 << 16)
    rows = [("/".join(f"{n}-{at}" for at in range(150)), "A", ()) for n in range(200)]

    tree = tree_of(rows)

    assert sum(len(one.path) for one in tree.items if one.kind == "scope") < 400_000
    assert len(tree.graph.names) == 200
    assert any("very many" in problem for problem in tree.problems)


def test_nodes_that_feed_themselves_and_one_another_are_drawn_once_each() -> None:
    tree = tree_of([("a", "A", ("a", "b")), ("b", "B", ("a", "^b"))])

    assert drawn(opened(tree)) == {("a", "b", 1), ("b", "a", 1)}
    assert trace(tree, item(tree, "a"), forward=True) == (["b"], 1)


@pytest.mark.parametrize("cut", [1, 10, 40])
def test_bytes_that_end_early_cost_only_what_is_missing(cut: int) -> None:
    whole = graph_def(CHAIN)

    tree = build_tree(read_graph(whole[:-cut]))

    assert 0 < len(tree.graph.names) < len(CHAIN)
    assert any("left out" in problem for problem in tree.problems)


@pytest.mark.parametrize("data", [b"", b"\xff" * 200, b"{", b"{}", b'{"config": {"layers": 3}}'])
def test_bytes_that_are_no_graph_are_an_empty_one(data: bytes) -> None:
    tree = build_tree(read_graph(data))

    assert opened(tree).children == ()
    assert tree.problems or data == b""
