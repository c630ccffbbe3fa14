"""What was measured of a step, put to the nodes of a graph and summed for its scopes.

As in TensorBoard, an execution belongs to the node that it is named like, and what GPUs list of
their streams and copies is left out, as the same work stands under the device itself. A node's
memory is the most that one execution was given. Its time is the sum over its executions, that of
a scope the sum over its nodes: what ran side by side counts in full, and the span from the first
start to the last end is told beside it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from orgboard_dashboard.graphs.measured import UNTOLD, Measured
from orgboard_dashboard.graphs.model import Ints, Shapes, spelled
from orgboard_dashboard.graphs.tree import Item, Tree

__all__ = ["By", "Detail", "Figures", "Of", "Row", "Stats", "Summary", "join", "ranked"]

By: TypeAlias = Literal["time", "memory"]
Of: TypeAlias = Literal["nodes", "scopes"]

_DEVICE: Final = re.compile(
    r".*(?:device:[^:/]+|/(?:cpu|gpu|tpu)):[0-9]+", re.IGNORECASE | re.DOTALL
)
_NEVER: Final = np.iinfo(np.int64).max
_MAX_ROWS: Final = 100
_MAX_NAMED: Final = 3
_MAX_READ: Final = 100


@dataclass(frozen=True, slots=True)
class Figures:
    """What an item took."""

    time: int
    """Nanoseconds, summed over executions."""
    memory: int
    """Bytes, summed over nodes."""
    nodes: int
    """That were measured."""


@dataclass(frozen=True, slots=True)
class Detail:
    """What a card tells beyond an item's figures."""

    time: int
    memory: int
    nodes: int
    executions: int
    span: int
    """Nanoseconds from the first start to the last end."""
    shapes: tuple[str, ...]
    devices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Device:
    """One device of the step."""

    name: str
    executions: int
    time: int
    counts: bool
    """Whether its executions are those of nodes, and not of a stream that repeats them."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What is told of all of a step."""

    time: int
    memory: int
    nodes: int
    span: int
    executions: int
    elsewhere: int
    """Executions of nodes that this graph has not."""
    elsewhere_time: int
    named: tuple[str, ...]
    """Some of these."""
    devices: tuple[Device, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table of what took most."""

    path: str
    label: str
    op: str
    time: int
    memory: int
    executions: int


@dataclass(frozen=True, slots=True, eq=False)
class Stats:
    """Sums over the tree's order: what an item took is one difference."""

    measured: Measured
    nodes: Ints
    """Which node each execution is of; -1: of none, or not counted."""
    counts: NDArray[np.bool_]
    """Which executions stand for themselves."""
    times: Ints
    memory: Ints
    known: Ints
    executions: Ints
    first: Ints
    """When each place in the order started first."""
    last: Ints

    def figures(self, item: Item) -> Figures:
        """Return what an item took."""
        low, high = item.low, item.high
        taken = (int(sums[high] - sums[low]) for sums in (self.times, self.memory, self.known))
        return Figures(*taken)

    def detail(self, tree: Tree, item: Item) -> Detail:
        """Return what a card tells of an item."""
        figures = self.figures(item)
        mine = np.flatnonzero(self._within(tree, item))
        used = np.unique(self.measured.device[mine]).tolist()
        return Detail(
            figures.time,
            figures.memory,
            figures.nodes,
            int(self.executions[item.high] - self.executions[item.low]),
            _span(self.first[item.low : item.high], self.last[item.low : item.high]),
            self._shapes(mine) if item.kind == "node" else (),
            tuple(self.measured.devices[at] for at in used),
        )

    def _within(self, tree: Tree, item: Item) -> NDArray[np.bool_]:
        if not len(tree.place):
            return np.zeros(len(self.nodes), np.bool_)
        places = tree.place[np.maximum(self.nodes, 0)]
        inside = (self.nodes >= 0) & (places >= item.low) & (places < item.high)
        return np.asarray(inside, np.bool_)

    def _shapes(self, mine: Ints) -> tuple[str, ...]:
        """Return the shapes that the first execution gave that tells any."""
        told: Shapes = next(
            (
                found
                for at in mine[:_MAX_READ].tolist()
                for found in [self.measured.shapes(at)]
                if found
            ),
            (),
        )
        return tuple(spelled(shape) for shape in told)

    def summary(self) -> Summary:
        """Return what is told of all of the step."""
        measured, counts = self.measured, self.counts
        away = counts & (self.nodes < 0)
        lengths = np.maximum(measured.length, 0)
        names = dict.fromkeys(measured.names[at] for at in np.flatnonzero(away)[:50].tolist())
        return Summary(
            int(self.times[-1]),
            int(self.memory[-1]),
            int(self.known[-1]),
            _span(self.first, self.last),
            int(self.executions[-1]),
            int(away.sum()),
            int(lengths[away].sum()),
            tuple(name[:200] for name in list(names)[:_MAX_NAMED]),
            self._devices(lengths),
            measured.problems,
        )

    def _devices(self, lengths: Ints) -> tuple[Device, ...]:
        names, device = self.measured.devices, self.measured.device
        counts = np.bincount(device, minlength=len(names)).tolist()
        times = np.zeros(len(names), np.int64)
        np.add.at(times, device, lengths)
        told = zip(names, counts, times.tolist(), _standing(names), strict=True)
        return tuple(Device(*row) for row in told)


def join(tree: Tree, measured: Measured) -> Stats:
    """Put executions to the nodes of a graph."""
    counts = np.array(_standing(measured.devices), np.bool_)[measured.device]
    nodes = np.where(counts, _named(tree, measured.names), -1)
    mine = np.flatnonzero(nodes >= 0)
    places, n = tree.place[nodes[mine]], len(tree.order)
    timed = measured.length[mine] != UNTOLD
    start, length = measured.start[mine][timed], measured.length[mine][timed]
    times, memory = np.zeros(n, np.int64), np.zeros(n, np.int64)
    first, last = np.full(n, _NEVER), np.full(n, UNTOLD)
    np.add.at(times, places[timed], length)
    np.maximum.at(memory, places, measured.size[mine])
    np.minimum.at(first, places[timed], start)
    np.maximum.at(last, places[timed], start + length)
    executions = np.bincount(places, minlength=n)
    known = (executions > 0).astype(np.int64)
    return Stats(
        measured,
        nodes,
        counts,
        _sums(times),
        _sums(memory),
        _sums(known),
        _sums(executions),
        first,
        last,
    )


def ranked(tree: Tree, stats: Stats, of: Of, by: By) -> list[Row]:
    """Return the nodes, or the scopes, that took most."""
    items = tree.items
    first, count = (items.scopes, items.nodes) if of == "nodes" else (1, items.scopes - 1)
    low, high = items.low[first : first + count], items.high[first : first + count]
    sums = stats.times if by == "time" else stats.memory
    taken = sums[high] - sums[low]
    most = np.argsort(-taken, kind="stable")[:_MAX_ROWS]
    return [_row(tree, stats, first + at) for at in most[taken[most] > 0].tolist()]


def _row(tree: Tree, stats: Stats, at: int) -> Row:
    item = tree.items[at]
    figures = stats.figures(item)
    executions = int(stats.executions[item.high] - stats.executions[item.low])
    op = tree.graph.ops[item.node] if item.kind == "node" else ""
    return Row(item.path, item.label[:200], op, figures.time, figures.memory, executions)


def _named(tree: Tree, names: tuple[str, ...]) -> Ints:
    """Return which node each name is of: a kernel's says its operation behind a colon."""
    known = {name: node for node, name in reversed(list(enumerate(tree.graph.names)))}
    found = (
        known.get(name, -1) if name in known else known.get(name.partition(":")[0], -1)
        for name in names
    )
    return np.fromiter(found, np.int64, len(names))


def _standing(devices: tuple[str, ...]) -> list[bool]:
    """Say which devices stand for themselves; all do where none is called like one."""
    standing = [_DEVICE.fullmatch(name) is not None for name in devices]
    return standing if any(standing) else [True] * len(devices)


def _sums(column: Ints) -> Ints:
    return np.concatenate(([0], np.cumsum(column))).astype(np.int64)


def _span(first: Ints, last: Ints) -> int:
    begun = int(first.min(initial=_NEVER))
    return 0 if begun == _NEVER else int(last.max(initial=UNTOLD)) - begun
