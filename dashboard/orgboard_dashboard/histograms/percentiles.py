"""Percentiles and moments of histograms. Pure.

A percentile is where the straight line through the bucket that it falls into puts it; so are
TensorBoard's nine bands, with which `bands` agrees. Within a bucket values are taken to lie
evenly; where the writer logged its own sums, those are exact and are used.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from orgboard_dashboard.histograms.buckets import Frames
from orgboard_dashboard.histograms.nine import BANDS, interpolated

__all__ = ["STATISTICS", "Statistic", "bands", "percentiles", "statistic"]

Doubles: TypeAlias = NDArray[np.float64]

Statistic: TypeAlias = Literal["mean", "std", "min", "max", "p5", "p25", "p50", "p75", "p95", "num"]
STATISTICS: Final[tuple[Statistic, ...]] = get_args(Statistic)


def bands(frames: Frames) -> Doubles:
    """Return the nine bands, a row each histogram; zeros for one without buckets."""
    return percentiles(frames, BANDS, 0.0)


def percentiles(frames: Frames, wanted: Sequence[float], empty: float = np.nan) -> Doubles:
    """Return percentiles, a row each histogram; `empty` for those without a bucket."""
    found = np.full((len(frames), len(wanted)), empty)
    places = np.array([100 * each for each in wanted])
    begun = 0
    for row, length in enumerate(frames.lengths.tolist()):
        own = slice(begun, begun + length)
        begun += length
        if length:
            found[row] = interpolated(
                frames.left[own], frames.right[own], frames.count[own], places
            )
    return found


def statistic(frames: Frames, name: Statistic) -> Doubles:
    """Return one number of each histogram; NaN where it has none."""
    if name.startswith("p"):
        return percentiles(frames, [float(name[1:])])[:, 0]
    if name == "num":
        logged = frames.moments[2]
        return np.where(np.isfinite(logged), logged, frames.sums(frames.count))
    if name in ("min", "max"):
        return _extreme(frames, name == "max")
    mean, std = _moments(frames)
    return mean if name == "mean" else std


def _extreme(frames: Frames, greatest: bool) -> Doubles:
    """Return the outer edge of the outermost bucket that is not empty, or what was logged."""
    found = np.full(len(frames), np.nan)
    full = np.flatnonzero(frames.count > 0)
    owner = frames.owners()[full]
    if greatest:
        found[owner] = frames.right[full]
    else:
        found[owner[::-1]] = frames.left[full[::-1]]
    logged = frames.moments[1 if greatest else 0]
    return np.where(np.isfinite(logged) & np.isfinite(found), logged, found)


def _moments(frames: Frames) -> tuple[Doubles, Doubles]:
    """Return mean and deviation: as logged, or of the buckets where they were not."""
    with np.errstate(all="ignore"):
        _, _, num, added, squares = frames.moments
        mean = added / num
        std = np.sqrt(np.maximum(squares / num - mean * mean, 0.0))
        logged = np.isfinite(mean) & (num > 0)
    lacking = np.flatnonzero(~(logged & np.isfinite(std)))
    if lacking.size:
        own_mean, own_std = _moments_of_buckets(frames.take(lacking))
        mean[lacking] = np.where(logged[lacking], mean[lacking], own_mean)
        std[lacking] = own_std
    return mean, std


def _moments_of_buckets(frames: Frames) -> tuple[Doubles, Doubles]:
    with np.errstate(all="ignore"):
        total = frames.sums(frames.count)
        middle = frames.left / 2 + frames.right / 2
        mean = frames.sums(frames.count * middle) / total
        # Around the mean, and with the spread inside of each bucket.
        apart = middle - np.repeat(mean, frames.lengths)
        inside = (frames.right - frames.left) ** 2 / 12
        return mean, np.sqrt(frames.sums(frames.count * (apart * apart + inside)) / total)
