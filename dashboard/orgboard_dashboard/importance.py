"""Which settings go with a metric: rank statistics over runs. Pure; knows numpy and no database.

For a number: Spearman's rank correlation, and beside it how much of the ranks' variance five groups
of equally many values explain, which also finds a best value in the middle. For texts and truth
values: how much of it the values explain. What chance alone explains is taken off (epsilon squared,
by Kelley), and the square root puts both on the scale of a correlation, 0 to 1.
It tells what goes together in these runs; what was not varied alone may only seem to matter.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["FEW_RUNS", "Importance", "Way", "explained", "importance", "ranks", "spearman"]

Way: TypeAlias = Literal["up", "down", "bent", "values"]
"""up: higher goes with a higher metric. bent: neither way throughout. values: it has no order."""

FEW_RUNS: Final = 8
"""With fewer runs nothing is sure: chance alone often orders seven."""

_GROUPS: Final = 5
_SURE: Final = 2.0
"""In standard deviations of what chance gives; 95 of 100 lie nearer to nothing."""
_BENT: Final = 1.25
"""So many times stronger groups must be than the order, to count in its place."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Importance:
    """How strongly a setting goes with the metric, from 0 to 1, and which way."""

    strength: float
    way: Way
    n: int
    """Runs that have both."""
    sure: bool
    best: str | None = None
    """Of values without an order, or of a bent one: where the metric is lowest."""
    most: str | None = None
    """Where it is highest."""


def importance(values: Sequence[float | str | None], metric: Floats) -> Importance | None:
    """Hold one setting against a metric; None when it says nothing: fewer than two values.

    `values` are all numbers or all texts; None where a run has none. What is not finite does not
    count, on either side.
    """
    finite = np.isfinite(metric)
    if any(isinstance(value, str) for value in values):
        used = finite & np.array([value is not None for value in values], np.bool_)
        return _of_groups([str(values[at]) for at in np.flatnonzero(used).tolist()], metric[used])
    held = np.array([np.nan if value is None else value for value in values], np.float64)
    used = finite & np.isfinite(held)
    return _of_numbers(held[used], metric[used])


def _of_numbers(values: Floats, metric: Floats) -> Importance | None:
    n = len(values)
    if n < 2 or values.min() == values.max():
        return None
    target = ranks(metric)
    rho = spearman(values, target)
    groups, words = _binned(values)
    bent = explained(groups, target)
    if bent > _BENT * abs(rho):
        low, high = _extremes(groups, target)
        return Importance(bent, "bent", n, _is_sure(bent, n), words[low], words[high])
    return Importance(abs(rho), "up" if rho >= 0 else "down", n, _is_sure(rho, n))


def _of_groups(values: list[str], metric: Floats) -> Importance | None:
    target = ranks(metric)
    words, groups = np.unique(np.array(values, object).astype(str), return_inverse=True)
    if len(words) < 2:
        return None
    strength = explained(groups.astype(np.int64), target)
    low, high = _extremes(groups.astype(np.int64), target)
    sure = _is_sure(strength, len(values))
    return Importance(strength, "values", len(values), sure, str(words[low]), str(words[high]))


def _is_sure(strength: float, n: int) -> bool:
    return n >= FEW_RUNS and abs(strength) * math.sqrt(n - 1) > _SURE


def _binned(values: Floats) -> tuple[Ints, Mapping[int, str]]:
    """Put values into groups of about equally many; equal ones are never parted."""
    distinct = np.unique(values)
    if len(distinct) > _GROUPS:
        edges = np.unique(np.quantile(values, np.arange(1, _GROUPS) / _GROUPS))
        groups = np.searchsorted(edges, values, side="left")
    else:
        groups = np.searchsorted(distinct, values)
    words = {int(at): _span(values[groups == at]) for at in np.unique(groups)}
    return groups.astype(np.int64), words


def _span(values: Floats) -> str:
    low, high = float(values.min()), float(values.max())
    return f"{low:.3g}" if low == high else f"{low:.3g} to {high:.3g}"


def _extremes(groups: Ints, target: Floats) -> tuple[int, int]:
    """Return the groups of the lowest and of the highest mean rank."""
    counts = np.bincount(groups)
    sums = np.bincount(groups, weights=target)
    means = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
    return int(np.nanargmin(means)), int(np.nanargmax(means))


def ranks(values: Floats) -> Floats:
    """Return ranks from 1; equal values share their mean rank."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[inverse], np.float64)


def spearman(left: Floats, right: Floats) -> float:
    """Return the rank correlation of two columns; 0 when one of them does not vary."""
    a, b = ranks(left), ranks(right)
    a, b = a - a.mean(), b - b.mean()
    norm = math.sqrt(float(a @ a) * float(b @ b))
    return float(a @ b) / norm if norm > 0 else 0.0


def explained(groups: Ints, target: Floats) -> float:
    """Return the root of the share of the variance that groups explain, beyond chance."""
    n = len(target)
    _, groups = np.unique(groups, return_inverse=True)
    counts = np.bincount(groups)
    total = float(((target - target.mean()) ** 2).sum())
    if n <= len(counts) or total == 0:
        return 0.0
    means = np.bincount(groups, weights=target) / counts
    within = float(((target - means[groups]) ** 2).sum())
    share = 1 - (within / (n - len(counts))) / (total / (n - 1))
    return math.sqrt(max(0.0, share))
