"""Fewer points for a picture, and no spike lost: M4.

A line of a million points on 500 pixel columns needs, of each column, only the first,
the last, the lowest and the highest point: joined up, they paint the same pixels. Points
without a finite value cannot be drawn as a line; they are carried beside it as marks.

Nothing here knows where the columns come from.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from orgboard_schema.blocks.choose import log10_above_zero

__all__ = ["MAX_MARKS", "Reduced", "m4", "reduce_line"]

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

MAX_MARKS: Final = 100
"""Marks carried one by one; beyond, only their number is."""

_NO_MARKS: Final[Indices] = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class Reduced:
    """Which points of a series to draw. Indices into the columns that were given."""

    kept: Indices
    """In the order of x, of points with a finite value."""
    marks: Indices
    """Points with a value that is not finite, in the order of x, the first ones."""
    total: int
    """Points in range, marks included."""
    non_finite: int
    without_x: int
    """Points that have no place on the axis: a wall time that is not a number."""
    is_all: bool = False
    """Whether all points are kept, in the order that they were given in."""


def reduce_line(
    x: Floats,
    y: NDArray[np.float32] | NDArray[np.float64],
    *,
    columns: int,
    low: float | None = None,
    high: float | None = None,
    log_x: bool = False,
) -> Reduced:
    """Choose the points of one line in `low <= x <= high` for `columns` pixel columns.

    Points are taken in the order of `x`, those of equal `x` in the order given. All are
    kept while there are at most four a column, which is what M4 may keep anyway. With
    `log_x` the columns are even in the logarithm, and what is not above 0 has no place.
    """
    is_all = low is None and high is None and not log_x and x.size <= 4 * columns
    if is_all and _is_plain(x, y):
        return Reduced(np.arange(x.size), _NO_MARKS, x.size, 0, 0, is_all=True)
    place = x
    if log_x:
        x, low, high = log10_above_zero(x), _level(low), _level(high)
    has_place = np.isfinite(x)
    inside = has_place.copy()
    if low is not None:
        inside &= x >= low
    if high is not None:
        inside &= x <= high
    order = np.flatnonzero(inside)
    xs = x[order]
    if xs.size and np.any(xs[1:] < xs[:-1]):
        order = order[np.argsort(xs, kind="stable")]
    finite = np.isfinite(y[order])
    line, marks = order[finite], order[~finite]
    if line.size > 4 * columns:
        line = line[m4(x[line], y[line], columns=columns, low=low, high=high)]
    if log_x:
        # Places that are apart may have one logarithm.
        line = line[np.argsort(place[line], kind="stable")]
    return Reduced(
        kept=line,
        marks=marks[:MAX_MARKS],
        total=int(order.size),
        non_finite=int(marks.size),
        without_x=int(x.size - np.count_nonzero(has_place)),
    )


def _is_plain(x: Floats, y: NDArray[np.float32] | NDArray[np.float64]) -> bool:
    """Tell whether all points are finite and lie in the order of `x`, as those of most series."""
    ends = x[[0, -1]] if x.size else x
    return bool(np.isfinite(ends).all() and (x[1:] >= x[:-1]).all() and np.isfinite(y).all())


def _level(limit: float | None) -> float | None:
    return math.log10(limit) if limit is not None and limit > 0 else None


def m4(
    x: Floats,
    y: NDArray[np.float32] | NDArray[np.float64],
    *,
    columns: int,
    low: float | None = None,
    high: float | None = None,
) -> Indices:
    """Return, ascending, the indices of each pixel column's first, last, lowest and highest point.

    `x` ascends, both are finite. The columns divide `low..high`, or else the range of `x`.
    Of equal extremes the first is kept.
    """
    if x.size == 0:
        return np.empty(0, np.int64)
    starts = _column_starts(x, columns, low, high)
    ends = np.append(starts[1:], x.size) - 1
    lowest = _first_equal(y, np.minimum.reduceat(y, starts), starts, ends)
    highest = _first_equal(y, np.maximum.reduceat(y, starts), starts, ends)
    return np.unique(np.concatenate((starts, ends, lowest, highest)))


def _column_starts(x: Floats, columns: int, low: float | None, high: float | None) -> Indices:
    first = float(x[0]) if low is None else low
    last = float(x[-1]) if high is None else high
    # Halved, because the range of two doubles may not be a double.
    span = last / 2 - first / 2
    if span <= 0:
        return np.zeros(1, np.int64)
    place = (x / 2 - first / 2) / span * columns
    column = np.clip(place, 0, columns - 1).astype(np.int64)
    return np.concatenate(([0], np.flatnonzero(np.diff(column)) + 1)).astype(np.int64)


def _first_equal(
    y: NDArray[np.float32] | NDArray[np.float64],
    wanted: NDArray[np.float32] | NDArray[np.float64],
    starts: Indices,
    ends: Indices,
) -> Indices:
    """Return, of each column, the first index whose value is the wanted one."""
    hits = np.flatnonzero(y == np.repeat(wanted, ends - starts + 1))
    return hits[np.searchsorted(hits, starts)]
