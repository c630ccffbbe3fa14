"""Where the points of a series lie on the horizontal axis. Pure.

    step       the step
    rstep      steps since the series' least one
    index      how many points came before, in the order of steps
    relative   seconds since the series' first time
    wall       the time
    active     seconds of training: pauses are cut
    metric     the value of another tag at the same step

A pause is a gap between two neighbouring points, in the order of time, that is longer than
`PAUSE_MEDIANS` times the series' median gap and longer than `PAUSE_S`; it counts as one
median gap. The browser says so beside the choice (`assets/ob/axes.js`).
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from orgboard_dashboard.queries.series import SeriesData

__all__ = ["PAUSE_MEDIANS", "PAUSE_S", "Axis", "active_time", "place"]

Axis: TypeAlias = Literal["step", "rstep", "index", "relative", "wall", "active", "metric"]
Floats = NDArray[np.float64]

PAUSE_MEDIANS: Final = 10
PAUSE_S: Final = 10.0


def place(data: SeriesData, axis: Axis, metric: SeriesData | None = None) -> Floats:
    """Return where each point lies; NaN where it has no place. `metric` is for that axis."""
    if axis == "step":
        return data.step.astype(np.float64)
    if axis == "rstep":
        return data.step.astype(np.float64) - float(data.step.min())
    if axis == "index":
        return _index(data)
    if axis == "wall":
        return data.wall
    if axis == "active":
        return active_time(data.wall)
    if axis == "metric":
        return _values_at(metric, data) if metric is not None else np.full(len(data.step), np.nan)
    known = data.wall[np.isfinite(data.wall)]
    return data.wall - known[0] if known.size else data.wall


def _index(data: SeriesData) -> Floats:
    """Count the points of each attempt; what a restart replaced counts on from where it began."""
    x = np.empty(len(data.step))
    shown = np.flatnonzero(~data.superseded)
    x[shown[np.argsort(data.step[shown], kind="stable")]] = np.arange(shown.size)
    for attempt in np.unique(data.attempt[data.superseded]).tolist():
        old = np.flatnonzero(data.superseded & (data.attempt == attempt))
        before = np.count_nonzero(data.attempt[shown] <= attempt)
        x[old[np.argsort(data.step[old], kind="stable")]] = np.arange(before, before + old.size)
    return x


def active_time(wall: Floats) -> Floats:
    """Return the seconds that passed until each point, without the pauses."""
    passed = np.full(len(wall), np.nan)
    timed = np.flatnonzero(np.isfinite(wall))
    order = timed[np.argsort(wall[timed], kind="stable")]
    if not order.size:
        return passed
    gaps = np.diff(wall[order])
    moving = gaps[gaps > 0]
    median = float(np.median(moving)) if moving.size else 0.0
    counted = np.where(gaps > max(PAUSE_MEDIANS * median, PAUSE_S), median, gaps)
    passed[order] = np.concatenate(([0.0], np.cumsum(counted)))
    return passed


def _values_at(metric: SeriesData, data: SeriesData) -> Floats:
    """Return what `metric` was, in the same attempt, at the step of each point of `data`."""
    x = np.full(len(data.step), np.nan)
    for attempt in np.unique(data.attempt).tolist():
        of = np.flatnonzero(metric.attempt == attempt)
        # Of values for one step the last that came.
        of = of[np.argsort(metric.step[of], kind="stable")]
        wanted = np.flatnonzero(data.attempt == attempt)
        at = np.searchsorted(metric.step[of], data.step[wanted], side="right") - 1
        met = at >= 0
        met[met] = metric.step[of[at[met]]] == data.step[wanted[met]]
        x[wanted[met]] = metric.value[of[at[met]]]
    x[~np.isfinite(x)] = np.nan
    return x
