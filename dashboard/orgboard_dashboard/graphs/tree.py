"""Scopes as a tree over the nodes of a graph: namespaces, series of alike siblings, blocks.

Nodes are put in the order of the tree, so that whatever a scope holds is one interval; edges are
kept sorted by either end. One opened scope is then a few slices, however large the graph.
Nothing recurses: a name may have thousands of parts.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from orgboard_dashboard.graphs.model import Graph

__all__ = ["ROOT", "Item", "Tree", "build_tree"]

ROOT: Final = 0
MAX_DEPTH: Final = 200
"""Scopes within one another; what is deeper keeps the rest of its name as one."""
_DEEP: Final = 8
_MAX_PATHS: Final = 1 << 27
"""Characters of the paths of all scopes. What comes when they are spent, and is deeper than
`_DEEP`, keeps the rest of its name as one, too: paths grow with the square of the depth."""
MIN_SERIES: Final = 5
"""As in TensorBoard."""

_DIGITS: Final = "0123456789"
_MOST_DIGITS: Final = 9
_BRACKETED: Final = re.compile(r"(.+?)\[[0-9]{1,9}\]", re.DOTALL)

_NONE: Final[list[int]] = []
"""The children of every node: nobody adds to them."""

_LATE: Final = frozenset({"Const", "prim::Constant", "prim::GetAttr", "prim::ListConstruct"})
"""Torch writes them wherever they are used first: they say nothing of the order of layers."""

ItemKind: TypeAlias = Literal["scope", "series", "node"]
Ints: TypeAlias = NDArray[np.int64]


@dataclass(slots=True, eq=False)
class Item:
    """A scope, a series or a node, where the tree shows it."""

    kind: ItemKind
    path: str
    label: str
    parent: int
    node: int = -1
    """Of a node: which."""
    children: list[int] = field(default_factory=list)
    low: int = 0
    high: int = 0
    """The interval of its nodes in the tree's order."""
    first: int = 0
    """Where its first node stands in the file, constants after all others."""
    block: int = 0
    """What it is built like: a number that alike items share."""


@dataclass(frozen=True, slots=True, eq=False)
class Tree:
    """A graph with its scopes."""

    graph: Graph
    items: tuple[Item, ...]
    by_path: dict[str, int]
    order: Ints
    """Nodes in the order of the tree."""
    place: Ints
    """Where in it each node stands."""
    item_of: Ints
    """The item of each node."""
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
        at = self.by_path.get(path)
        return None if at is None else self.items[at]


def build_tree(graph: Graph) -> Tree:
    """Sort the nodes of a graph into scopes."""
    growing = _Growing(graph)
    growing.place_nodes()
    growing.compare()
    growing.gather_series()
    order = growing.number()
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    source, target = place[graph.source], place[graph.target]
    edges = np.arange(len(source))
    by_target = np.lexsort((source, target))
    by_source = np.lexsort((target, source))
    sums = np.concatenate(([0], np.cumsum(graph.parameters[order])))
    blocks = Counter(
        item.block for item in growing.items if item.kind == "scope" and item.high - item.low > 1
    )
    return Tree(
        graph,
        tuple(growing.items),
        {item.path: at for at, item in enumerate(growing.items)},
        order,
        place,
        np.array(growing.item_of, np.int64),
        (source[by_target], target[by_target], edges[by_target]),
        (source[by_source], target[by_source], edges[by_source]),
        graph.edge_elements(),
        sums.astype(np.int64),
        _from_shared_constants(graph),
        {block: n for block, n in blocks.items() if n > 1},
        (*graph.problems, *growing.problems),
    )


def _from_shared_constants(graph: Graph) -> NDArray[np.bool_]:
    names = {op: at for at, op in enumerate(dict.fromkeys(graph.ops))}
    ops = np.array([names[op] for op in graph.ops], np.int64)
    constant = ops == names.get("prim::Constant", -1)
    gathers = ops == names.get("prim::ListConstruct", -1)
    # A list is a constant, too, when nothing else goes into it.
    fed = np.zeros(len(ops), np.bool_)
    fed[graph.target[~constant[graph.source]]] = True
    return np.asarray((constant | (gathers & ~fed))[graph.source], np.bool_)


class _Growing:
    """The tree while it is built."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.items = [Item("scope", "", "", -1)]
        self.item_of = [0] * len(graph.names)
        self.problems: list[str] = []
        self._scopes: dict[str, int] = {"": ROOT}
        self._too_deep = 0
        self._spent = 0

    def place_nodes(self) -> None:
        """Make the scopes that names tell of, then put the nodes into them."""
        prefixes = [name.rpartition("/")[0] for name in self.graph.names]
        scopes = [self._scope(prefix) for prefix in prefixes]
        for node, (name, scope) in enumerate(zip(self.graph.names, scopes, strict=True)):
            label = name[len(self.items[scope].path) + (scope != ROOT) :]
            path = name
            own = self._scopes.get(name)
            if own is not None and own != ROOT:
                # A node that is a scope, too, stands inside it.
                scope, label, path = own, f"({label})", f"{name}/({label})"
                if path in self._scopes:
                    path += " node"
            self.item_of[node] = self._add(
                Item("node", path, label or "(no name)", scope, node, _NONE)
            )
        if self._too_deep:
            self.problems.append(
                f"Scopes stand more than {MAX_DEPTH} deep, or deep where there are very many, at"
                f" {self._too_deep} places; what is deeper is shown as one name."
            )

    def _scope(self, prefix: str) -> int:
        known = self._scopes.get(prefix)
        if known is not None:
            return known
        parts = prefix.split("/")
        most = MAX_DEPTH if self._spent < _MAX_PATHS else _DEEP
        if len(parts) > most:
            self._too_deep += 1
            parts = parts[:most]
        at, path = ROOT, ""
        for depth, part in enumerate(parts):
            path = f"{path}/{part}" if depth else part
            found = self._scopes.get(path)
            if found is None or (found == ROOT and not path):
                found = self._add(Item("scope", path or "/", part or "(no name)", at))
                self._spent += len(path)
                self._scopes[path or "/"] = found
            at = found
        self._scopes[prefix] = at
        return at

    def _add(self, item: Item) -> int:
        self.items.append(item)
        at = len(self.items) - 1
        self.items[item.parent].children.append(at)
        return at

    def compare(self) -> None:
        """Give every item a number that those have in common which are built alike, and put
        children in the order of the file."""
        numbers: dict[tuple[object, ...], int] = {}
        ops, items, item_of = self.graph.ops, self.items, self.item_of
        near: list[list[str]] = [[] for _ in ops]
        parents = np.array([items[at].parent for at in item_of], np.int64)
        beside = parents[self.graph.source] == parents[self.graph.target]
        sources, targets = self.graph.source[beside].tolist(), self.graph.target[beside].tolist()
        for source, target in zip(sources, targets, strict=True):
            near[target].append(ops[source])
        # Parents come before their children.
        for item in reversed(items):
            if item.kind == "node":
                item.first = item.node + (len(ops) if ops[item.node] in _LATE else 0)
                alike: tuple[object, ...] = (ops[item.node], *sorted(near[item.node]))
            else:
                item.children.sort(key=lambda child: items[child].first)
                item.first = items[item.children[0]].first if item.children else 0
                alike = ("", *sorted(items[child].block for child in item.children))
            item.block = numbers.setdefault(alike, len(numbers) + 1)

    def gather_series(self) -> None:
        """Put siblings that are numbered and built alike into one item."""
        for at in range(len(self.items)):
            if self.items[at].kind == "scope" and len(self.items[at].children) >= MIN_SERIES:
                self._gather(at)

    def _gather(self, at: int) -> None:
        scope = self.items[at]
        items = self.items
        keys = [(_base(items[child].label), items[child].block) for child in scope.children]
        found: dict[tuple[str, int], list[int]] = {}
        for child, key in zip(scope.children, keys, strict=True):
            found.setdefault(key, []).append(child)
        kept: list[int] = []
        for child, key in zip(scope.children, keys, strict=True):
            members = found[key]
            # A scope that is nothing but the series gains nothing by it.
            if len(members) < MIN_SERIES or len(members) == len(scope.children):
                kept.append(child)
            elif members[0] == child:
                kept.append(self._series(at, key[0], members))
        scope.children = kept

    def _series(self, parent: int, base: str, members: list[int]) -> int:
        above = self.items[parent].path
        label = f"{base}[{len(members)}]"
        path = f"{above}/{label}" if above else label
        while path in self._scopes:
            path += "'"
        self._scopes[path] = len(self.items)
        self.items.append(Item("series", path, label, parent, children=members))
        self.items[-1].block = self.items[members[0]].block
        for member in members:
            self.items[member].parent = len(self.items) - 1
        return len(self.items) - 1

    def number(self) -> Ints:
        """Put the nodes in the order of the tree, and give each item its interval."""
        order: list[int] = []
        waiting = [(ROOT, False)]
        while waiting:
            at, is_left = waiting.pop()
            item = self.items[at]
            if is_left:
                item.high = len(order)
                continue
            item.low = len(order)
            if item.kind == "node":
                order.append(item.node)
                item.high = len(order)
                continue
            waiting.append((at, True))
            waiting += [(child, False) for child in reversed(item.children)]
        return np.array(order, np.int64)


def _base(label: str) -> str:
    """Return a label without its number; with "_7", ".7" or "[7]" at its end."""
    stem = label.rstrip(_DIGITS)
    if len(stem) != len(label):
        is_number = stem[-1:] in ("_", ".") and len(stem) > 1
        return stem[:-1] if is_number and len(label) - len(stem) <= _MOST_DIGITS else label
    found = _BRACKETED.fullmatch(label) if label[-1:] == "]" else None
    return found[1] if found else label
