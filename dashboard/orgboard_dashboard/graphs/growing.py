"""A tree of scopes while it is made: columns of items, of which nodes are most.

Scopes come first, in the order in which names tell of them, then nodes in the order of the file,
then series. Whatever is done for each node is done for all of them at a time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from orgboard_dashboard.graphs.model import Graph, Ints, numbered

__all__ = ["MAX_DEPTH", "ROOT", "Growing", "Labels"]

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

_LATE: Final = frozenset({"Const", "prim::Constant", "prim::GetAttr", "prim::ListConstruct"})
"""Torch writes them wherever they are used first: they say nothing of the order of layers."""


class Labels:
    """What items are called where they stand."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.own: dict[int, str] = {}
        """Of scopes, of series, and of nodes that are not called by the end of their names."""
        self._names = names
        self._first = 0
        self._starts: Ints = np.empty(0, np.int64)

    def begin(self, first: int, starts: Ints) -> None:
        """Know which item is the first node, and where in each name the label begins."""
        self._first, self._starts = first, starts

    def of(self, at: int) -> str:
        """Return what an item is called."""
        label = self.own.get(at)
        return self.ending(at - self._first) or "(no name)" if label is None else label

    def of_all(self, items: Ints) -> list[str]:
        """Return what each of some items is called."""
        own, names, first = self.own, self._names, self._first
        starts = self._starts[np.maximum(items - first, 0)].tolist()
        return [
            own.get(at) or names[at - first][start:] or "(no name)"
            for at, start in zip(items.tolist(), starts, strict=True)
        ]

    def ending(self, node: int) -> str:
        """Return the end of a node's name that its scope's path does not say."""
        return self._names[node][self._starts[node] :]


class Growing:
    """The columns, filled by one step after the other."""

    def __init__(self, graph: Graph, ops: Ints, kinds: list[str]) -> None:
        self.graph = graph
        self.paths = [""]
        self.labels = Labels(graph.names)
        self.labels.own[ROOT] = ""
        self.problems: list[str] = []
        self.scopes = 0
        self.parents: Ints
        self.blocks: Ints
        self.low: Ints
        self.high: Ints
        self.children: Ints
        """Of all items, one after the other, and where those of each end, behind a 0."""
        self.child_ends: Ints
        self._ops = ops
        self._kinds = kinds
        self._scope_of = {"": ROOT}
        self._scope_parents = [-1]
        self._above: list[int]
        self._first: Ints
        self._sizes: Ints
        self._too_deep = 0
        self._spent = 0

    def place_nodes(self) -> None:
        """Make the scopes that names tell of, then put the nodes into them."""
        names = self.graph.names
        prefixes = [name.rpartition("/")[0] for name in names]
        for prefix in dict.fromkeys(prefixes):
            self._make_scope(prefix)
        known = self._scope_of
        above = [known[prefix] for prefix in prefixes]
        self.scopes = len(self.paths)
        starts = np.array([0, *(len(path) + 1 for path in self.paths[1:])], np.int64)
        self.labels.begin(self.scopes, starts[np.array(above, np.int64)])
        self.paths += names
        for node in [node for node, name in enumerate(names) if name in known]:
            # A node that is a scope, too, stands inside it.
            name, at = names[node], self.scopes + node
            label = self.labels.own[at] = f"({self.labels.ending(node)})"
            above[node] = known[name]
            path = f"{name}/{label}"
            self.paths[at] = f"{path} node" if path in known else path
        self._above = above
        self.parents = np.array([*self._scope_parents, *above], np.int64)
        if self._too_deep:
            self.problems.append(
                f"Scopes stand more than {MAX_DEPTH} deep, or deep where there are very many, at"
                f" {self._too_deep} places; what is deeper is shown as one name."
            )

    def _make_scope(self, prefix: str) -> None:
        if prefix in self._scope_of:
            return
        parts = prefix.split("/")
        most = MAX_DEPTH if self._spent < _MAX_PATHS else _DEEP
        if len(parts) > most:
            self._too_deep += 1
            parts = parts[:most]
        at, path = ROOT, ""
        for depth, part in enumerate(parts):
            path = f"{path}/{part}" if depth else part
            found = self._scope_of.get(path)
            if found is None or (found == ROOT and not path):
                found = len(self.paths)
                self.paths.append(path or "/")
                self.labels.own[found] = part or "(no name)"
                self._scope_parents.append(at)
                self._spent += len(path)
                self._scope_of[path or "/"] = found
            at = found
        self._scope_of[prefix] = at

    def compare(self) -> None:
        """Give every item a number that those have in common which are built alike, and put
        children in the order of the file."""
        nodes = self._nodes_alike()
        blocks = np.array([*self._scopes_alike(nodes), *nodes], np.int64)
        # Numbers count from the last item to the first.
        order = list(dict.fromkeys(blocks[::-1].tolist()))
        numbers = np.empty(len(order), np.int64)
        numbers[order] = np.arange(1, len(order) + 1)
        self.blocks = numbers[blocks]
        count = len(self._ops)
        late = np.array([kind in _LATE for kind in self._kinds], np.bool_)[self._ops]
        first = np.arange(count) + late * count
        above = self.parents[self.scopes :]
        firsts, sizes = np.full(self.scopes, 2 * count), np.bincount(above, minlength=self.scopes)
        np.minimum.at(firsts, above, first)
        self._first = np.concatenate((self._with_inner(firsts, min), first))
        self._sizes = np.concatenate((self._with_inner(sizes, sum), np.ones(count, np.int64)))
        self._sort_children()

    def _nodes_alike(self) -> list[int]:
        """Number nodes by their operation and those, in the same scope, that feed them."""
        graph, ops, count = self.graph, self._ops, len(self._ops)
        above = self.parents[self.scopes :]
        beside = above[graph.source] == above[graph.target]
        kinds = max(1, len(self._kinds))
        fed = np.sort(graph.target[beside] * np.int64(kinds) + ops[graph.source[beside]])
        targets, near = np.divmod(fed, kinds)
        ends = np.cumsum(np.bincount(targets, minlength=count) + 1)
        # Of each node a row of its own operation and of those near it.
        rows = np.empty(len(near) + count, np.int32)
        is_own = np.zeros(len(rows), np.bool_)
        is_own[np.concatenate(([0], ends[:-1]))[:count]] = True
        rows[is_own], rows[~is_own] = ops, near
        numbers: dict[bytes, int] = {}
        return [numbers.setdefault(row, len(numbers)) for row in _cut(rows, ends)]

    def _scopes_alike(self, nodes: list[int]) -> list[int]:
        """Number scopes by what stands in them, with numbers that no node has."""
        count = max(nodes, default=-1) + 1
        above = self.parents[self.scopes :]
        held = np.sort(above * max(1, count) + np.array(nodes, np.int64))
        ends = np.cumsum(np.bincount(above, minlength=self.scopes))
        rows = list(_cut((held % max(1, count)).astype(np.int32), ends))
        inner: list[list[int]] = [[] for _ in rows]
        numbers: dict[tuple[object, ...], int] = {}
        found = [0] * len(rows)
        # Parents come before their children.
        for at in range(len(rows) - 1, -1, -1):
            alike = (rows[at], *sorted(inner[at]))
            found[at] = count + numbers.setdefault(alike, len(numbers))
            if at != ROOT:
                inner[self._scope_parents[at]].append(found[at])
        return found

    def _with_inner(self, values: Ints, gather: Callable[[tuple[int, int]], int]) -> Ints:
        """Gather for each scope its own value and those of all scopes below it."""
        gathered = values.tolist()
        for at in range(len(gathered) - 1, 0, -1):
            above = self._scope_parents[at]
            gathered[above] = gather((gathered[above], gathered[at]))
        return np.array(gathered, np.int64)

    def _sort_children(self) -> None:
        """Put the children of each item one after the other, in the order of the file."""
        parents = self.parents[1:]
        order = np.argsort(parents * (2 * len(self._ops) + 1) + self._first[1:])
        self.children = order + 1
        counts = np.bincount(parents, minlength=len(self.parents))
        self.child_ends = np.concatenate(([0], np.cumsum(counts)))

    def gather_series(self) -> None:
        """Put siblings that are numbered and built alike into one item."""
        children = self._with_enough_alike()
        if not len(children):
            return
        bases, groups = self._called_alike(children)
        _, begun, which, counts = np.unique(
            groups, return_index=True, return_inverse=True, return_counts=True
        )
        parents = self.parents[children[begun]]
        # A scope that is nothing but the series gains nothing by it.
        made = np.flatnonzero((counts >= MIN_SERIES) & (counts < np.diff(self.child_ends)[parents]))
        made = made[np.argsort(begun[made])]
        number = np.full(len(counts), -1)
        number[made] = np.arange(len(made))
        series = number[which]
        members, series = children[series >= 0], series[series >= 0]
        firsts = children[begun[made]]
        sizes = np.zeros(len(made), np.int64)
        np.add.at(sizes, series, self._sizes[members])
        self._name_series([bases[at] for at in begun[made].tolist()], firsts, counts[made])
        parents = self.parents[firsts]
        self.parents[members] = len(self.parents) + series
        self.parents = np.concatenate((self.parents, parents))
        self.blocks = np.concatenate((self.blocks, self.blocks[firsts]))
        self._first = np.concatenate((self._first, self._first[firsts]))
        self._sizes = np.concatenate((self._sizes, sizes))
        self._sort_children()

    def _with_enough_alike(self) -> Ints:
        """Return the items that have siblings enough that are built like them."""
        alike = self.parents[self.children] * (len(self.parents) + 1) + self.blocks[self.children]
        _, which, counts = np.unique(alike, return_inverse=True, return_counts=True)
        enough: Ints = self.children[counts[which] >= MIN_SERIES]
        return enough

    def _called_alike(self, items: Ints) -> tuple[list[str], Ints]:
        """Return what items are called but for a number, and a number that those share which are
        siblings, built alike and called the same."""
        labels = self.labels.of_all(items)
        known = {label: _base(label) for label in dict.fromkeys(labels)}
        bases = [known[label] for label in labels]
        called, _ = numbered(bases)
        _, alike = np.unique(
            self.parents[items] * (len(self.parents) + 1) + self.blocks[items],
            return_inverse=True,
        )
        return bases, alike * len(items) + called

    def _name_series(self, bases: list[str], firsts: Ints, counts: Ints) -> None:
        above = self.parents[firsts].tolist()
        for base, scope, count in zip(bases, above, counts.tolist(), strict=True):
            label = f"{base}[{count}]"
            path = f"{self.paths[scope]}/{label}" if self.paths[scope] else label
            while path in self._scope_of:
                path += "'"
            at = self._scope_of[path] = len(self.paths)
            self.paths.append(path)
            self.labels.own[at] = label

    def number(self) -> None:
        """Give each item its interval in the tree's order."""
        sizes, parents = self._sizes, self.parents
        before = np.concatenate(([0], np.cumsum(sizes[self.children])))[:-1]
        offset = np.zeros(len(parents), np.int64)
        offset[self.children] = before - before[self.child_ends[parents[self.children]]]
        first_series = self.scopes + len(self._ops)
        in_series = np.flatnonzero(parents >= first_series)
        offset[in_series] += offset[parents[in_series]]
        low = [0] * self.scopes
        moves = offset[: self.scopes].tolist()
        for at in range(1, self.scopes):
            low[at] = low[self._scope_parents[at]] + moves[at]
        above = np.concatenate((self._above, parents[first_series:])).astype(np.int64)
        lows = np.array(low, np.int64)
        self.low = np.concatenate((lows, lows[above] + offset[self.scopes :]))
        self.high = self.low + sizes


def _cut(rows: NDArray[np.int32], ends: Ints) -> Iterator[bytes]:
    """Give the bytes of stretches of numbers that end there."""
    octets = rows.tobytes()
    for begin, end in pairwise([0, *(4 * ends).tolist()]):
        yield octets[begin:end]


def _base(label: str) -> str:
    """Return a label without its number; with "_7", ".7" or "[7]" at its end."""
    stem = label.rstrip(_DIGITS)
    if len(stem) != len(label):
        is_number = stem[-1:] in ("_", ".") and len(stem) > 1
        return stem[:-1] if is_number and len(label) - len(stem) <= _MOST_DIGITS else label
    found = _BRACKETED.fullmatch(label) if label[-1:] == "]" else None
    return found[1] if found else label
