"""Smoothing: four ways to draw a calmer line over a noisy one. Pure.

    ema     exponential moving average without the bias of its start, as TensorBoard's
    twema   the same, but what is far away in x counts less: for uneven steps
    gauss   a bell around each point
    mean    a window around each point

One weight in [0, 1) serves them all: on even steps each looks about weight / (1 - weight)
points far. A constant series comes back untouched. Values that are not finite pass through
and do not count. Twin of `assets/ob/smooth.js`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from statistics import median
from typing import Final

from orgboard_dashboard.view_state import SmoothingKind

__all__ = ["smooth"]

_LEAST_SIGMA: Final = 0.001
"""So narrow that a neighbour counts for nothing."""


def smooth(
    values: Sequence[float],
    weight: float,
    kind: SmoothingKind = "ema",
    x: Sequence[float] | None = None,
) -> list[float]:
    """Smooth `values` by `weight` in [0, 1). `x`, ascending, is for the kind `twema`."""
    is_constant = all(value == values[0] for value in values)
    if is_constant or weight <= 0:
        return list(values)
    if kind == "gauss":
        return _gauss(values, weight)
    if kind == "mean":
        return _mean(values, round(_reach(weight)))
    return _ema(values, _weights(values, weight, x if kind == "twema" else None))


def _reach(weight: float) -> float:
    """Return how many points the average lags behind."""
    return weight / (1 - weight)


def _ema(values: Sequence[float], weights: Sequence[float]) -> list[float]:
    smoothed: list[float] = []
    total, decay = 0.0, 1.0
    for value, weight in zip(values, weights, strict=True):
        if math.isfinite(value):
            total = total * weight + (1 - weight) * value
            decay *= weight
            smoothed.append(total / (1 - decay))
        else:
            smoothed.append(value)
    return smoothed


def _weights(values: Sequence[float], weight: float, x: Sequence[float] | None) -> list[float]:
    """Return what the average keeps at each point: less after a gap, all at the same x."""
    finite = [at for at, value in enumerate(values) if math.isfinite(value)]
    if x is None or len(finite) < 2:
        return [weight] * len(values)
    gaps = [x[at] - x[before] for before, at in itertools.pairwise(finite)]
    steps = [gap for gap in gaps if gap > 0]
    if not steps:
        return [weight] * len(values)
    even = median(steps)
    weights = [weight] * len(values)
    for at, gap in zip(finite[1:], gaps, strict=True):
        weights[at] = weight ** (gap / even)
    return weights


def _gauss(values: Sequence[float], weight: float) -> list[float]:
    sigma = max(_reach(weight), _LEAST_SIGMA)
    far = min(len(values) - 1, math.ceil(3 * sigma))
    bell = [math.exp(-0.5 * (apart / sigma) ** 2) for apart in range(far + 1)]
    smoothed: list[float] = []
    for at, value in enumerate(values):
        total = mass = 0.0
        for near in range(max(0, at - far), min(len(values), at + far + 1)):
            if math.isfinite(values[near]):
                part = bell[abs(near - at)]
                total += part * values[near]
                mass += part
        smoothed.append(total / mass if math.isfinite(value) else value)
    return smoothed


def _mean(values: Sequence[float], reach: int) -> list[float]:
    sums, counts = [0.0], [0]
    for value in values:
        is_finite = math.isfinite(value)
        sums.append(sums[-1] + (value if is_finite else 0.0))
        counts.append(counts[-1] + is_finite)
    smoothed: list[float] = []
    for at, value in enumerate(values):
        first, after = max(0, at - reach), min(len(values), at + reach + 1)
        mean = (sums[after] - sums[first]) / max(1, counts[after] - counts[first])
        smoothed.append(mean if math.isfinite(value) else value)
    return smoothed
