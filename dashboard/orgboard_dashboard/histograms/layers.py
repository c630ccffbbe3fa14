"""A map of all histograms of a run: a row each tag, a column each step, one measure. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from orgboard_dashboard.histograms.buckets import Frames, frames_in_order, joined
from orgboard_dashboard.histograms.distances import (
    Shares,
    jensen_shannon,
    joined_shares,
    shares_of,
    wasserstein,
)
from orgboard_dashboard.histograms.percentiles import statistic

__all__ = ["MEASURES", "Layer", "LayerMap", "Measure", "columns_of", "depth_order", "layer_map"]

Doubles: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Measure: TypeAlias = Literal["w1", "js", "std", "dead", "sat", "nan"]

MEASURES: Final[Mapping[Measure, str]] = {
    "w1": "Wasserstein-1 distance",
    "js": "Jensen-Shannon divergence",
    "std": "standard deviation",
    "dead": "share in the bucket that holds 0",
    "sat": "share in the outermost buckets",
    "nan": "share that is in no bucket",
}
_BUCKETS_AT_ONCE: Final = 300_000
"""Buckets that are worked on together: more would not be quicker, and take memory."""


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """The histograms of one tag in one run, by step."""

    step: Ints
    wall: Doubles
    at: Ints
    """Where in `parts` each is."""
    parts: Sequence[Sequence[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class LayerMap:
    """What is drawn: tags in order, steps, and a measure for each."""

    tags: tuple[int, ...]
    steps: Ints
    values: Doubles
    """A row each tag, a column each step; NaN where there is nothing."""
    at: Ints
    """The step of the histogram in each place; of an empty one that of the column."""


@dataclass(frozen=True, slots=True, eq=False)
class _Placed:
    """Histograms and where they stand in the map."""

    row: Ints
    column: Ints
    step: Ints
    shares: Shares
    values: Doubles


def layer_map(
    layers: Mapping[int, Layer],
    other: Mapping[int, Layer] | None,
    names: Mapping[int, str],
    measure: Measure,
    most: int,
) -> LayerMap:
    """Return the map of a run. Distances are to the histogram before in the same row, or, with
    `other`, to that run's in the same place."""
    tags = depth_order(layers, names)
    steps = columns_of([layer.step for layer in layers.values()], most)
    mine = _placed([layers[tag] for tag in tags], steps, measure)
    values = np.full((len(tags), len(steps)), np.nan)
    at = np.broadcast_to(steps, values.shape).copy()
    at[mine.row, mine.column] = mine.step
    if measure not in ("w1", "js"):
        values[mine.row, mine.column] = mine.values
        return LayerMap(tags, steps, values, at)
    if other is None:
        shares = mine.shares
        after = np.flatnonzero(mine.row[1:] == mine.row[:-1]) + 1
        before = after - 1
    else:
        theirs = _placed([other.get(tag, _NOTHING) for tag in tags], steps, measure)
        shares = joined_shares([mine.shares, theirs.shares])
        place = np.full(values.shape, -1)
        place[theirs.row, theirs.column] = np.arange(len(theirs.row)) + len(mine.row)
        after = np.flatnonzero(place[mine.row, mine.column] >= 0)
        before = place[mine.row[after], mine.column[after]]
    apart = wasserstein if measure == "w1" else jensen_shannon
    values[mine.row[after], mine.column[after]] = apart(shares, before, after)
    return LayerMap(tags, steps, values, at)


def columns_of(steps: Sequence[Ints], most: int) -> Ints:
    """Return at most so many of all steps, evenly, the first and the last among them."""
    every = np.unique(np.concatenate([np.empty(0, np.int64), *steps]))
    if len(every) <= most:
        return every
    return every[np.linspace(0, len(every) - 1, most).round().astype(np.int64)]


def depth_order(layers: Mapping[int, Layer], names: Mapping[int, str]) -> tuple[int, ...]:
    """Return the tags from a model's input to its output, as far as a log tells.

    A script logs its layers in their order, so the one whose first histogram has the earlier
    time comes first; of the same time, the names decide, numbers in them by size.
    """

    def key(tag: int) -> tuple[float, list[tuple[int, int, str]]]:
        wall = layers[tag].wall
        first = float(wall[0]) if len(wall) and np.isfinite(wall[0]) else np.inf
        return first, _natural(names.get(tag, ""))

    return tuple(sorted(layers, key=key))


def _natural(name: str) -> list[tuple[int, int, str]]:
    parts = re.findall(r"[0-9]{1,18}|[^0-9]+|[0-9]+", name)
    return [
        (0, int(part), "") if part.isascii() and part.isdigit() else (1, 0, part) for part in parts
    ]


_NOTHING: Final = Layer(np.empty(0, np.int64), np.empty(0), np.empty(0, np.int64), ())


def _placed(layers: Sequence[Layer], steps: Ints, measure: Measure) -> _Placed:
    """Put each layer's newest histogram since the column before into each column."""
    rows, columns, own_steps, shares, values = [], [], [], [], []
    waiting: list[Frames] = []

    def work() -> None:
        if waiting:
            values.append(_measured(joined(waiting), measure))
            waiting.clear()

    buckets = 0
    for row, layer in enumerate(layers):
        last = np.searchsorted(layer.step, steps, side="right") - 1
        before = np.concatenate(([-1], last[:-1]))
        column = np.flatnonzero(last > before)
        chosen = last[column]
        if not chosen.size:
            continue
        frames = _in_order(layer, chosen)
        if measure in ("w1", "js"):
            shares.append(shares_of(frames))
        else:
            waiting.append(frames)
            buckets += len(frames.count)
        rows.append(np.full(len(column), row))
        columns.append(column)
        own_steps.append(layer.step[chosen])
        if buckets > _BUCKETS_AT_ONCE:
            work()
            buckets = 0
    work()
    none = np.empty(0, np.int64)
    return _Placed(
        np.concatenate([none, *rows]),
        np.concatenate([none, *columns]),
        np.concatenate([none, *own_steps]),
        joined_shares(shares),
        np.concatenate([np.empty(0), *values]),
    )


def _in_order(layer: Layer, chosen: Ints) -> Frames:
    """Return these histograms of a layer in the order of their steps, not in the stored one."""
    return frames_in_order(layer.parts, layer.at[chosen])


def _measured(frames: Frames, measure: Measure) -> Doubles:
    if measure == "std":
        return statistic(frames, "std")
    with np.errstate(all="ignore"):
        total = frames.sums(frames.count)
        if measure == "nan":
            num = frames.moments[2]
            return np.where(np.isfinite(num) & (num > 0), np.clip(1 - total / num, 0, 1), np.nan)
        return frames.sums(np.where(_BUCKETS[measure](frames), frames.count, 0.0)) / total


def _holds_zero(frames: Frames) -> NDArray[np.bool_]:
    """Of a bucket that ends at 0 and one that begins there, the second holds it."""
    holds = (frames.left <= 0) & (frames.right > 0)
    at_end: NDArray[np.bool_] = _ends(frames) & (frames.right == 0)
    found: NDArray[np.bool_] = holds | at_end | ((frames.left == 0) & (frames.right == 0))
    return found


def _ends(frames: Frames) -> NDArray[np.bool_]:
    last = np.zeros(len(frames.count), np.bool_)
    last[(np.cumsum(frames.lengths) - 1)[frames.lengths > 0]] = True
    return last


def _outermost(frames: Frames) -> NDArray[np.bool_]:
    outer = _ends(frames)
    outer[frames.starts()[frames.lengths > 0]] = True
    return outer


_BUCKETS: Final = {"dead": _holds_zero, "sat": _outermost}
