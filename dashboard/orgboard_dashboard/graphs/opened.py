"""What a scope shows when it is opened: its children, and the edges between them, merged."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from orgboard_dashboard.graphs.model import spelled
from orgboard_dashboard.graphs.tree import Item, Tree

__all__ = ["MAX_CHILDREN", "OUTSIDE", "Child", "Edge", "Opened", "child_of", "open_scope"]

MAX_CHILDREN: Final = 300
MAX_EDGES: Final = 3000
OUTSIDE: Final = -1
"""In place of a child: what is not in the scope."""

_MAX_LABEL: Final = 200
_CONSTANTS: Final = frozenset({"Const", "prim::Constant", "Constant", "onnx::Constant"})
_GATHERED: Final = frozenset({"prim::ListConstruct", "prim::TupleConstruct"})
_HELD: Final = frozenset({"prim::GetAttr", "VariableV2", "VarHandleOp", "initializer"})
_CROWDED: Final = 15
"""With fewer children nothing is set aside for its many edges."""
_MANY_EDGES: Final = 8


@dataclass(frozen=True, slots=True)
class Child:
    """One child of an opened scope."""

    kind: str
    path: str
    label: str
    op: str
    """Of a scope: that of most of its nodes."""
    device: str
    cluster: str
    """The XLA cluster; "several" of a scope that has nodes of more than one."""
    nodes: int
    parameters: int
    shape: str
    block: int
    """Children with the same number are built alike; 0 when nothing else is."""
    alike: int
    """How many scopes in the whole graph are."""
    links: str
    """Of a series: "chained" when data goes from one to another, else "parallel"."""
    is_inferred: bool
    """Whether the shape was not logged and follows from what stands before."""
    aside: str
    """Why it is not among the others: "constant", "parameter", "many edges", "only waits",
    "alone"; "" when it is."""


@dataclass(frozen=True, slots=True)
class Edge:
    """All edges between two children, as one."""

    source: int
    target: int
    count: int
    control: bool
    references: int
    """How many of them end at an operation that may change the tensor itself."""
    elements: int
    """Of the largest tensor."""
    label: str


@dataclass(frozen=True, slots=True)
class Opened:
    """An opened scope."""

    path: str
    label: str
    kind: str
    nodes: int
    children: tuple[Child, ...]
    more: int
    """Children that are not listed."""
    edges: tuple[Edge, ...]
    more_edges: int


def open_scope(tree: Tree, item: Item) -> Opened:
    """Return the children of a scope or a series, and the edges between them."""
    listed = [tree.items[at] for at in item.children[:MAX_CHILDREN].tolist()]
    edges, more = _edges(tree, item, len(listed))
    aside = _aside(listed, edges, tree)
    children = tuple(child_of(tree, child, why) for child, why in zip(listed, aside, strict=True))
    return Opened(
        item.path,
        item.label[:_MAX_LABEL],
        item.kind,
        item.high - item.low,
        children,
        len(item.children) - len(listed),
        edges,
        more,
    )


def child_of(tree: Tree, item: Item, aside: str = "") -> Child:
    """Tell of an item what is drawn of it."""
    graph = tree.graph
    nodes = tree.order[item.low : item.high]
    sample = nodes[:2000].tolist()
    shapes = graph.shapes[item.node] if item.kind == "node" else ()
    devices = {graph.devices[node] for node in sample}
    clusters = {graph.clusters[node] for node in sample} - {""}
    alike = tree.repeated.get(item.block, 0) if item.kind != "node" else 0
    return Child(
        item.kind,
        item.path,
        item.label[:_MAX_LABEL],
        (Counter(graph.ops[node] for node in sample).most_common(1) or [("", 0)])[0][0],
        devices.pop() if len(devices) == 1 else "several" if devices else "",
        clusters.pop() if len(clusters) == 1 else "several" if clusters else "",
        len(nodes),
        parameters_of(tree, item),
        ", ".join(spelled(shape) for shape in shapes[:3]) + (", …" if len(shapes) > 3 else ""),
        item.block if alike else 0,
        alike,
        _links(tree, item) if item.kind == "series" else "",
        item.node in graph.inferred,
        aside,
    )


def _links(tree: Tree, item: Item) -> str:
    """Say whether data goes from one member of a series to another."""
    sources, targets, edges = tree.into
    inner = slice(*np.searchsorted(targets, (item.low, item.high)))
    starts = tree.items.low[item.children]
    given, taken = (_child_at(starts, at[inner], item.low, item.high) for at in (sources, targets))
    ties = (given != OUTSIDE) & (given != taken) & ~tree.graph.control[edges[inner]]
    return "chained" if ties.any() else "parallel"


def parameters_of(tree: Tree, item: Item) -> int:
    """Return how many parameters the nodes of an item hold."""
    return int(tree.parameters[item.high] - tree.parameters[item.low])


def _edges(tree: Tree, item: Item, listed: int) -> tuple[tuple[Edge, ...], int]:
    """Merge the edges that begin or end in the scope by the children that they join."""
    low, high = item.low, item.high
    sources, targets, ids = tree.into
    inner = slice(*np.searchsorted(targets, (low, high)))
    out_sources, out_targets, out_ids = tree.out_of
    outer = slice(*np.searchsorted(out_sources, (low, high)))
    leaves = (out_targets[outer] < low) | (out_targets[outer] >= high)
    starts = tree.items.low[item.children]
    source = np.concatenate((sources[inner], out_sources[outer][leaves]))
    target = np.concatenate((targets[inner], out_targets[outer][leaves]))
    edge = np.concatenate((ids[inner], out_ids[outer][leaves]))
    ends = [_child_at(starts, at, low, high) for at in (source, target)]
    # Of two children that are not listed nothing is drawn.
    ends = [np.where(end >= listed, OUTSIDE, end) for end in ends]
    is_node = np.append(tree.items.are_nodes(item.children), False)
    quiet = tree.quiet[edge] & ((ends[0] == OUTSIDE) | ~is_node[ends[0]] | (ends[1] == OUTSIDE))
    kept = (ends[0] != ends[1]) & ~quiet
    return _merged(tree, ends[0][kept], ends[1][kept], edge[kept])


def _child_at(
    starts: NDArray[np.int64], places: NDArray[np.int64], low: int, high: int
) -> NDArray[np.int64]:
    child = np.searchsorted(starts, places, "right") - 1
    return np.where((places < low) | (places >= high), OUTSIDE, child)


def _merged(
    tree: Tree, source: NDArray[np.int64], target: NDArray[np.int64], edge: NDArray[np.int64]
) -> tuple[tuple[Edge, ...], int]:
    control = tree.graph.control[edge]
    keys = np.stack((source, target, control.astype(np.int64)), axis=1)
    if not len(keys):
        return (), 0
    unique, which, counts = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
    which = which.reshape(-1)
    elements = tree.elements[edge]
    largest = np.zeros(len(unique), np.int64)
    np.maximum.at(largest, which, elements)
    graph = tree.graph
    references = np.bincount(which[graph.reference[edge]], minlength=len(unique))
    given = np.stack((which, graph.source[edge], graph.output[edge]), axis=1)
    # A tensor that is taken twice is one tensor.
    tensors = np.bincount(np.unique(given, axis=0)[:, 0], minlength=len(unique))
    # The edge that is told of is one of the largest.
    chosen = np.zeros(len(unique), np.int64)
    at_largest = elements == largest[which]
    chosen[which[at_largest]] = edge[at_largest]
    merged = tuple(
        Edge(begin, end, count, bool(held), changing, size, _label(tree, one, many, bool(held)))
        for (begin, end, held), count, changing, many, size, one in zip(
            unique[:MAX_EDGES].tolist(),
            counts.tolist(),
            references.tolist(),
            tensors.tolist(),
            largest.tolist(),
            chosen.tolist(),
            strict=False,
        )
    )
    return merged, max(0, len(unique) - MAX_EDGES)


def _label(tree: Tree, edge: int, count: int, is_control: bool) -> str:
    if is_control:
        return f"{count} control" if count > 1 else ""
    if count > 1:
        return f"{count} tensors"
    graph = tree.graph
    shapes = graph.shapes[int(graph.source[edge])]
    output = int(graph.output[edge])
    return spelled(shapes[output]) if output < len(shapes) else ""


def _aside(items: list[Item], edges: tuple[Edge, ...], tree: Tree) -> list[str]:
    """Choose what is not drawn among the others: constants and parameters, what is tied to
    nearly all, what does nothing but wait, and what is tied to nothing."""
    # Many control edges are drawn only when somebody points at them: no reason to hide a node.
    tied: list[dict[int, bool]] = [{} for _ in items]
    fed: list[bool] = [False] * len(items)
    for edge in edges:
        for one, other in ((edge.source, edge.target), (edge.target, edge.source)):
            if one >= 0:
                tied[one][other] = tied[one].get(other, False) or not edge.control
        if edge.target >= 0:
            fed[edge.target] = True
    crowded = len(items) >= _CROWDED
    why = [
        _reason(tree, item, list(tied[at].values()), crowded=crowded, fed=fed[at])
        for at, item in enumerate(items)
    ]
    # Somebody who opens a scope wants to see something.
    return why if not all(why) else [""] * len(items)


def _reason(tree: Tree, item: Item, tied: list[bool], *, crowded: bool, fed: bool) -> str:
    """Say why an item is set aside; `tied` tells of each neighbour whether data goes there."""
    ops = {
        tree.graph.ops[node]
        for node in tree.order[item.low : min(item.high, item.low + 20)].tolist()
    }
    if ops <= _HELD:
        return "parameter"
    if item.kind != "node":
        return ""
    if (ops <= _CONSTANTS and not fed) or (ops <= _GATHERED and _is_constant(tree, item)):
        return "constant"
    if not crowded:
        return ""
    if not tied:
        return "alone"
    if ops == {"NoOp"}:
        return "only waits"
    return "many edges" if sum(tied) > _MANY_EDGES else ""


def _is_constant(tree: Tree, item: Item) -> bool:
    """Whether a list gathers nothing but constants."""
    sources, targets, _ = tree.into
    inner = slice(*np.searchsorted(targets, (item.low, item.high)))
    nodes = tree.order[sources[inner]].tolist()
    return all(tree.graph.ops[node] in _CONSTANTS for node in nodes)
