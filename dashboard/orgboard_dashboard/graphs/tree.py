"""Scopes as a tree over the nodes of a graph: namespaces, series of alike siblings, blocks.

Nodes are put in the order of the tree, so that whatever a scope holds is one interval; edges are
kept sorted by either end. One opened scope is then a few slices, however large the graph.
Nothing recurses: a name may have thousands of parts. Items are columns, too: of hundreds of
thousands a page shows hundreds, and only these are made.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from orgboard_dashboard.graphs.growing import MAX_DEPTH, ROOT, Growing
from orgboard_dashboard.graphs.model import Graph, Ints, numbered

__all__ = ["MAX_DEPTH", "ROOT", "Item", "Items", "Tree", "build_tree"]

ItemKind: TypeAlias = Literal["scope", "series", "node"]


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """A scope, a series or a node, where the tree shows it."""

    at: int
    """Which of the items it is."""
    kind: ItemKind
    path: str
    label: str
    parent: int
    node: int
    """Of a node: which. -1 of others."""
    children: Ints
    low: int
    high: int
    """The interval of its nodes in the tree's order."""
    block: int
    """What it is built like: a number that alike items share."""


class Items(Sequence[Item]):
    """All items as columns: scopes first, then nodes, then series."""

    def __init__(self, grown: Growing) -> None:
        self._labels = grown.labels
        self.paths = grown.paths
        self.parents = grown.parents
        self.blocks = grown.blocks
        self.low = grown.low
        self.high = grown.high
        self.scopes = grown.scopes
        """How many there are, the whole among them."""
        self.nodes = len(grown.graph.names)
        self._children = grown.children
        self._child_ends = grown.child_ends

    def __len__(self) -> int:
        return len(self.paths)

    @overload
    def __getitem__(self, at: int) -> Item: ...
    @overload
    def __getitem__(self, at: slice) -> list[Item]: ...
    def __getitem__(self, at: int | slice) -> Item | list[Item]:
        if isinstance(at, slice):
            return [self[one] for one in range(*at.indices(len(self)))]
        at = range(len(self))[at]
        kind = self.kind(at)
        return Item(
            at,
            kind,
            self.paths[at],
            self._labels.of(at),
            int(self.parents[at]),
            at - self.scopes if kind == "node" else -1,
            self._children[self._child_ends[at] : self._child_ends[at + 1]],
            int(self.low[at]),
            int(self.high[at]),
            int(self.blocks[at]),
        )

    def kind(self, at: int) -> ItemKind:
        """Say what an item is."""
        if at < self.scopes:
            return "scope"
        return "node" if at < self.scopes + self.nodes else "series"

    def are_nodes(self, items: Ints) -> NDArray[np.bool_]:
        """Say which of some items are nodes."""
        return np.asarray((items >= self.scopes) & (items < self.scopes + self.nodes), np.bool_)

    def are_series(self, items: Ints) -> NDArray[np.bool_]:
        """Say which of some items are series."""
        return np.asarray(items >= self.scopes + self.nodes, np.bool_)

    @cached_property
    def by_path(self) -> dict[str, int]:
        """Where each path is; of items that share one the last."""
        return dict(zip(self.paths, range(len(self.paths)), strict=True))


@dataclass(frozen=True, slots=True, eq=False)
class Tree:
    """A graph with its scopes."""

    graph: Graph
    items: Items
    order: Ints
    """Nodes in the order of the tree."""
    place: Ints
    """Where in it each node stands."""
    into: tuple[Ints, Ints, Ints]
    """Edges sorted by the place of their target: source place, target place, edge."""
    out_of: tuple[Ints, Ints, Ints]
    """The same edges sorted by the place of their source."""
    elements: Ints
    """That pass along each edge of the graph."""
    parameters: Ints
    """Sums over the order: those of an interval are one difference."""
    quiet: NDArray[np.bool_]
    """Edges from constants that torch puts where they are used first: between scopes they
    say nothing."""
    repeated: dict[int, int]
    """How many scopes are built alike, by block; only blocks that there are several of."""
    problems: tuple[str, ...]

    def find(self, path: str) -> Item | None:
        """Return what stands at `path`; "" is the whole graph."""
        at = self.items.by_path.get(path) if path else ROOT
        return None if at is None else self.items[at]

    def item_at(self, place: int) -> int:
        """Return which item the node at a place in the order is."""
        return self.items.scopes + int(self.order[place])


def build_tree(graph: Graph) -> Tree:
    """Sort the nodes of a graph into scopes."""
    ops, kinds = numbered(graph.ops)
    growing = Growing(graph, ops, kinds)
    growing.place_nodes()
    growing.compare()
    growing.gather_series()
    growing.number()
    items = Items(growing)
    place = items.low[items.scopes : items.scopes + items.nodes]
    order = np.empty(len(place), np.int64)
    order[place] = np.arange(len(place))
    source, target = place[graph.source], place[graph.target]
    by_target = np.argsort(target * len(place) + source, kind="stable")
    by_source = np.argsort(source * len(place) + target, kind="stable")
    sums = np.concatenate(([0], np.cumsum(graph.parameters[order])))
    several = items.high[: items.scopes] - items.low[: items.scopes] > 1
    blocks = Counter(items.blocks[: items.scopes][several].tolist())
    return Tree(
        graph,
        items,
        order,
        place,
        (source[by_target], target[by_target], by_target),
        (source[by_source], target[by_source], by_source),
        graph.edge_elements(),
        sums.astype(np.int64),
        _from_shared_constants(graph, ops, kinds),
        {block: n for block, n in blocks.items() if n > 1},
        (*graph.problems, *growing.problems),
    )


def _from_shared_constants(graph: Graph, ops: Ints, kinds: list[str]) -> NDArray[np.bool_]:
    names = {op: at for at, op in enumerate(kinds)}
    constant = ops == names.get("prim::Constant", -1)
    gathers = ops == names.get("prim::ListConstruct", -1)
    # A list is a constant, too, when nothing else goes into it.
    fed = np.zeros(len(ops), np.bool_)
    fed[graph.target[~constant[graph.source]]] = True
    return np.asarray((constant | (gathers & ~fed))[graph.source], np.bool_)
