"""Groups of runs in order of what a metric's values come to: means with 95 % intervals. Pure.

The interval of a mean is Student's: mean ± t · s / √n, where s is the sample's standard deviation
and t the 97.5 % quantile for n − 1 degrees of freedom. It takes runs for independent, and their
values for roughly normal; of one run there is none. Two groups whose intervals overlap may be in
this order by chance.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from orgboard_dashboard.quantiles import student_t_975

__all__ = ["Place", "ranked"]


@dataclass(frozen=True, slots=True)
class Place:
    """A group, and what its runs come to."""

    group: str
    rank: int
    """From 1; groups of one mean share a rank."""
    n: int
    """Runs with a finite value; the others count as if they were not there."""
    mean: float
    deviation: float | None
    """Of the sample; None: it is of one run."""
    low: float | None
    high: float | None
    best: float
    best_at: int
    """Which of the group's values is the best one."""
    overlaps: bool | None
    """Whether the interval overlaps that of the group before; None: one of them has none."""


def ranked(
    groups: Mapping[str, Sequence[float]], better: Literal["min", "max"]
) -> tuple[Place, ...]:
    """Return the groups that have a finite value, the best mean first, then by name."""
    found = [_place(group, values, better) for group, values in groups.items()]
    way = 1 if better == "min" else -1
    ordered = sorted((one for one in found if one), key=lambda one: (way * one.mean, one.group))
    placed: list[Place] = []
    for at, one in enumerate(ordered, 1):
        before = placed[-1] if placed else None
        if before is None:
            placed.append(replace(one, rank=at))
        else:
            rank = before.rank if before.mean == one.mean else at
            placed.append(replace(one, rank=rank, overlaps=_overlap(before, one)))
    return tuple(placed)


def _place(group: str, values: Sequence[float], better: Literal["min", "max"]) -> Place | None:
    finite = [(value, at) for at, value in enumerate(values) if math.isfinite(value)]
    if not finite:
        return None
    n = len(finite)
    # Each divided first, because the sum of doubles may not be a double.
    mean = math.fsum(value / n for value, _ in finite)
    best, best_at = (min if better == "min" else max)(finite)
    place = Place(group, 0, n, mean, None, None, None, best, best_at, None)
    if n == 1:
        return place
    deviation = _deviation([value for value, _ in finite], mean)
    t = float(student_t_975(np.array([n - 1], np.int64))[0])
    half = t * deviation / math.sqrt(n)
    return replace(place, deviation=deviation, low=mean - half, high=mean + half)


def _deviation(values: Sequence[float], mean: float) -> float:
    apart = [value - mean for value in values]
    largest = max(map(abs, apart))
    if largest == 0 or not math.isfinite(largest):
        return largest
    # By the largest, because the square of a double may not be a double.
    parts = math.fsum((each / largest) ** 2 for each in apart)
    return largest * math.sqrt(parts / (len(values) - 1))


def _overlap(one: Place, other: Place) -> bool | None:
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return None
    return one.low <= other.high and other.low <= one.high
