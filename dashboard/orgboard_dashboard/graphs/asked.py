"""What is asked of a graph besides opening it: a node's card, a search, a trace, its layers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from orgboard_dashboard.graphs.attributes import read_attributes
from orgboard_dashboard.graphs.model import Attributes, Ints, spelled
from orgboard_dashboard.graphs.opened import Child, child_of, parameters_of
from orgboard_dashboard.graphs.tree import Item, Tree

__all__ = ["Card", "Layer", "Link", "card_of", "find", "layers", "trace"]

_MAX_LINKS: Final = 100
_MAX_SIMILAR: Final = 50
MAX_FOUND: Final = 200
MAX_TRACED: Final = 5000
MAX_LAYERS: Final = 2000

_PLUMBING: Final = frozenset(
    {"Const", "prim::Constant", "prim::GetAttr", "prim::ListConstruct", "Identity", "NoOp",
     "ReadVariableOp", "VarHandleOp", "Variable", "VariableV2", "argument", "initializer", "result"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Link:
    """What a node takes or gives, and where that stands."""

    path: str
    op: str
    shape: str
    control: bool
    reference: bool
    """Whether the operation at its end may change the tensor itself."""
    count: int = 1


@dataclass(frozen=True, slots=True)
class Card:
    """All that is told of one item."""

    item: Child
    attributes: Attributes
    shapes: tuple[str, ...]
    inputs: tuple[Link, ...]
    outputs: tuple[Link, ...]
    more_inputs: int
    more_outputs: int
    ops: tuple[tuple[str, int], ...]
    """Of a scope: what it is made of, most first."""
    similar: tuple[str, ...]
    """Scopes that are built alike."""
    above: tuple[str, ...]
    """The scopes that it is in, the outermost first."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A row of the table of layers."""

    path: str
    kind: str
    shape: str
    parameters: int
    nodes: int
    is_inferred: bool
    """Whether the shape was not logged and follows from what stands before."""


def card_of(tree: Tree, item: Item) -> Card:
    """Return what is told of an item."""
    graph = tree.graph
    is_node = item.kind == "node"
    inputs, more_in = _links(tree, item, tree.into, 0)
    outputs, more_out = _links(tree, item, tree.out_of, 1)
    shapes = graph.shapes[item.node] if is_node else ()
    names, counts = np.unique(
        np.array([graph.ops[node] for node in tree.order[item.low : item.high].tolist()]),
        return_counts=True,
    )
    by_count = sorted(zip(names.tolist(), counts.tolist(), strict=True), key=lambda row: -row[1])
    alike = np.flatnonzero(tree.items.blocks[: tree.items.scopes] == item.block).tolist()
    is_repeated = item.kind == "scope" and item.block in tree.repeated
    return Card(
        child_of(tree, item),
        read_attributes(graph.packed[item.node]) if is_node else (),
        tuple(spelled(shape) for shape in shapes[:_MAX_LINKS]),
        inputs,
        outputs,
        more_in,
        more_out,
        () if is_node else tuple(by_count[:20]),
        tuple(tree.items.paths[at] for at in alike if at != item.at)[:_MAX_SIMILAR]
        if is_repeated
        else (),
        tuple(reversed([outer.path for outer in _above(tree, item)])),
    )


def _above(tree: Tree, item: Item) -> Iterator[Item]:
    while item.parent > 0:
        item = tree.items[item.parent]
        yield item


def _links(
    tree: Tree, item: Item, edges: tuple[NDArray[np.int64], ...], way: int
) -> tuple[tuple[Link, ...], int]:
    """List what passes the border of an item: the nodes outside, each once."""
    inner = slice(*np.searchsorted(edges[1 - way], (item.low, item.high)))
    outside = edges[way][inner]
    passes = (outside < item.low) | (outside >= item.high)
    if item.kind == "node":
        passes[:] = True
    else:
        passes &= ~tree.quiet[edges[2][inner]]
    graph = tree.graph
    found: dict[tuple[int, str, bool, bool], int] = {}
    for place, edge in zip(outside[passes].tolist(), edges[2][inner][passes].tolist(), strict=True):
        source, output = int(graph.source[edge]), int(graph.output[edge])
        shapes = graph.shapes[source]
        shape = spelled(shapes[output]) if output < len(shapes) else ""
        key = (place, shape, bool(graph.control[edge]), bool(graph.reference[edge]))
        found[key] = found.get(key, 0) + 1
    links = [
        Link(_path(tree, place), graph.ops[int(tree.order[place])], shape, control, changing, count)
        for (place, shape, control, changing), count in list(found.items())[:_MAX_LINKS]
    ]
    return tuple(links), max(0, len(found) - _MAX_LINKS)


def _path(tree: Tree, place: int) -> str:
    return tree.items.paths[tree.item_at(place)]


def find(tree: Tree, matches: Callable[[str], bool]) -> tuple[list[Child], int]:
    """Return the items whose path matches, scopes first, and how many there are in all."""
    items, paths = tree.items, tree.items.paths
    found = [at for at in range(1, len(items)) if matches(paths[at])]
    found.sort(key=lambda at: (items.kind(at) == "node", paths[at].count("/"), paths[at]))
    return [child_of(tree, items[at]) for at in found[:MAX_FOUND]], len(found)


def trace(tree: Tree, item: Item, *, forward: bool) -> tuple[list[str], int]:
    """Return the paths of all nodes that an item depends on, or that depend on it, and of the
    scopes that hold them; and how many nodes there are."""
    far, near, _ = tree.out_of if forward else tree.into
    near, far = (far, near) if forward else (near, far)
    starts = np.searchsorted(near, np.arange(len(tree.order) + 1))
    seen = np.zeros(len(tree.order), np.bool_)
    seen[item.low : item.high] = True
    edge = np.arange(item.low, item.high)
    while len(edge):
        ahead = np.concatenate(
            [far[starts[at] : starts[at + 1]] for at in edge.tolist()] or [far[:0]]
        )
        edge = np.unique(ahead[~seen[ahead]])
        seen[edge] = True
    seen[item.low : item.high] = False
    places = np.flatnonzero(seen)
    found: dict[int, None] = {}
    parents = tree.items.parents
    for at in dict.fromkeys(parents[tree.items.scopes + tree.order[places]].tolist()):
        while at > 0 and at not in found:
            found[at] = None
            at = int(parents[at])
    scopes = [tree.items.paths[at] for at in found]
    nodes = [_path(tree, place) for place in places[:MAX_TRACED].tolist()]
    return scopes + nodes, len(places)


def layers(tree: Tree) -> tuple[list[Layer], int, int]:
    """Return the layers of a graph, how many there are, and the parameters of all of it.

    A layer is an innermost scope of operations, or an operation that stands beside scopes.
    """
    works = np.array([op not in _PLUMBING for op in tree.graph.ops], np.bool_)
    found = list(_layers(tree, works))
    total = int(tree.parameters[-1])
    return found[:MAX_LAYERS], len(found), total


def _layers(tree: Tree, works: NDArray[np.bool_]) -> Iterator[Layer]:
    items = tree.items
    waiting = [0]
    while waiting:
        at = waiting.pop()
        if items.kind(at) == "node":
            if works[at - items.scopes]:
                yield _layer(tree, items[at], works)
            continue
        item = items[at]
        if _is_layer(item, tree, works):
            yield _layer(tree, item, works)
        else:
            waiting += item.children[::-1].tolist()


def _is_layer(item: Item, tree: Tree, works: NDArray[np.bool_]) -> bool:
    """Whether a scope holds operations and, in scopes, at most what feeds them."""
    if not item.path or item.kind == "series":
        return False
    inner = _within(tree, item)
    is_node = tree.items.are_nodes(inner)
    if not works[inner[is_node] - tree.items.scopes].any():
        return False
    return not any(works[_some(tree, at)].any() for at in inner[~is_node].tolist())


def _within(tree: Tree, item: Item) -> Ints:
    """Return the children of an item, those of series one by one."""
    is_series = tree.items.are_series(item.children)
    if not is_series.any():
        return item.children
    series = [tree.items[at].children for at in item.children[is_series].tolist()]
    return np.concatenate((item.children[~is_series], *series))


def _some(tree: Tree, at: int) -> Ints:
    low, high = int(tree.items.low[at]), int(tree.items.high[at])
    return tree.order[low : min(high, low + 200)]


def _layer(tree: Tree, item: Item, works: NDArray[np.bool_]) -> Layer:
    """Tell of a layer the shape that it gives: what leaves it, or what its last node gives."""
    graph = tree.graph
    nodes = tree.order[item.low : item.high]
    working = nodes[works[nodes]] if works[nodes].any() else nodes
    sources, targets, _ = tree.out_of
    inner = slice(*np.searchsorted(sources, (item.low, item.high)))
    leaves = (targets[inner] < item.low) | (targets[inner] >= item.high)
    leaving = {int(tree.order[place]) for place in sources[inner][leaves].tolist()}
    last = next((node for node in working[::-1].tolist() if node in leaving), int(working[-1]))
    shape = graph.shapes[last][0] if graph.shapes[last] else None
    kind = graph.ops[last]
    return Layer(
        item.path,
        kind,
        spelled(shape) if graph.shapes[last] else "",
        parameters_of(tree, item),
        len(nodes),
        last in graph.inferred,
    )
