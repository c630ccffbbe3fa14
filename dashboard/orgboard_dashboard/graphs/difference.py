"""Two graphs, aligned by the names of their nodes: what one has and the other has not."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from orgboard_dashboard.graphs.attributes import read_attributes
from orgboard_dashboard.graphs.model import Graph, spelled
from orgboard_dashboard.graphs.opened import parameters_of
from orgboard_dashboard.graphs.tree import Item, Tree

__all__ = ["Change", "Difference", "compare", "states_of"]

MAX_CHANGES: Final = 1000

CHANGES: Final = ("same", "added", "removed", "op", "shape", "attributes", "inputs")


@dataclass(frozen=True, slots=True)
class Change:
    """One node that is not the same in both."""

    path: str
    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Delta:
    """A scope that holds another number of parameters."""

    path: str
    before: int
    after: int


@dataclass(frozen=True, slots=True, eq=False)
class Difference:
    """What changed from a graph to another; `state` is of the other's nodes, in tree order."""

    changes: tuple[Change, ...]
    counts: dict[str, int]
    parameters: tuple[int, int]
    scopes: tuple[Delta, ...]
    state: NDArray[np.int64]


@lru_cache(maxsize=2)
def compare(before: Tree, after: Tree) -> Difference:
    """Return what changed. Remembered for the last few pairs, which stay as they are."""
    old = {name: node for node, name in enumerate(before.graph.names)}
    fed_old, fed_new = _fed(before.graph), _fed(after.graph)
    state = np.zeros(len(after.order), np.int64)
    counts: Counter[str] = Counter()
    changes: list[Change] = []
    for place, node in enumerate(after.order.tolist()):
        name = after.graph.names[node]
        at = old.pop(name, None)
        found = (
            ("added", "", after.graph.ops[node])
            if at is None
            else _changed(before.graph, at, after.graph, node, (fed_old[at], fed_new[node]))
        )
        if found is not None:
            counts[found[0]] += 1
            state[place] = CHANGES.index(found[0])
            if len(changes) < MAX_CHANGES:
                changes.append(Change(after.items.paths[after.item_at(place)], *found))
    counts["removed"] += len(old)
    gone = [Change(name, "removed", before.graph.ops[node], "") for name, node in old.items()]
    sums = (int(before.parameters[-1]), int(after.parameters[-1]))
    return Difference(
        (*gone[:MAX_CHANGES], *changes)[: 2 * MAX_CHANGES],
        dict(+counts),
        sums,
        _scopes(before, after),
        state,
    )


def states_of(difference: Difference, item: Item) -> dict[str, int]:
    """Count the changes within an item of the later graph."""
    inside = difference.state[item.low : item.high]
    counted = np.bincount(inside, minlength=len(CHANGES)).tolist()
    return {name: n for name, n in zip(CHANGES, counted, strict=True) if n}


def _changed(
    old: Graph, at: int, new: Graph, node: int, fed: tuple[list[str], list[str]]
) -> tuple[str, str, str] | None:
    if old.ops[at] != new.ops[node]:
        return "op", old.ops[at], new.ops[node]
    if old.shapes[at] != new.shapes[node]:
        return "shape", _shapes(old, at), _shapes(new, node)
    if old.packed[at] != new.packed[node]:
        was, now = dict(read_attributes(old.packed[at])), dict(read_attributes(new.packed[node]))
        names = sorted(name for name in {*was, *now} if was.get(name) != now.get(name))
        if names:
            return "attributes", _told(names, was), _told(names, now)
    if fed[0] != fed[1]:
        return "inputs", ", ".join(fed[0])[:400], ", ".join(fed[1])[:400]
    return None


def _fed(graph: Graph) -> list[list[str]]:
    """Name what feeds each node, in order."""
    fed: list[list[str]] = [[] for _ in graph.names]
    for source, target in zip(graph.source.tolist(), graph.target.tolist(), strict=True):
        fed[target].append(graph.names[source])
    return fed


def _shapes(graph: Graph, node: int) -> str:
    return ", ".join(spelled(shape) for shape in graph.shapes[node][:8]) or "not known"


def _told(names: list[str], values: dict[str, str]) -> str:
    return "; ".join(f"{name} {values[name]}" for name in names if name in values)[:400]


def _scopes(before: Tree, after: Tree) -> tuple[Delta, ...]:
    """List the scopes whose parameters are more or fewer, the outermost first."""
    deltas = []
    for path in dict.fromkeys((*before.items.paths, *after.items.paths)):
        old, new = before.items.by_path.get(path), after.items.by_path.get(path)
        at, items = (old, before.items) if new is None else (new, after.items)
        if not path or at is None or items.kind(at) == "node":
            continue
        was = 0 if old is None else parameters_of(before, before.items[old])
        now = 0 if new is None else parameters_of(after, after.items[new])
        if was != now:
            deltas.append(Delta(path, was, now))
    deltas.sort(key=lambda delta: (delta.path.count("/"), -abs(delta.after - delta.before)))
    return tuple(deltas[:200])
