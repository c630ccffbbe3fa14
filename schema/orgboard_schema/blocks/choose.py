"""M4 over stretches and points alike: which of them each pixel column shows. Pure.

A unit is a stretch of a series, of which four points are known, or one point, which is all
four of them. A unit belongs to the column that its first point lies in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from orgboard_schema.blocks.pyramid import FIRST, HIGHEST, LAST, LOWEST
from orgboard_schema.blocks.series import Ints

__all__ = ["Units", "choose", "joined", "log10_above_zero"]

_Doubles = npt.NDArray[np.float64]
_Indices = npt.NDArray[np.intp]

# Where points of one unit share their x: the first comes first, the last comes last.
_RANK = np.array([0, 2, 1, 1])


@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """Units with a finite value: columns of four rows (first, last, lowest, highest point).

    Columns of single points have one row, which stands for all four.
    """

    x: _Doubles
    step: Ints
    wall: _Doubles
    value: npt.NDArray[Any]
    attempt: Ints
    place: Ints
    """With the attempt: where a unit begins in stored order."""

    def __len__(self) -> int:
        return len(self.place)


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """Points to draw, by x."""

    x: _Doubles
    step: Ints
    wall: _Doubles
    value: npt.NDArray[Any]


def joined(stretches: Units, points: Units) -> tuple[Units, Units]:
    """Return both with values of one type."""
    dtype = np.result_type(stretches.value, points.value) if len(points) else stretches.value.dtype
    return _typed(stretches, dtype), _typed(points, dtype)


def choose(
    stretches: Units, points: Units, columns: int, low: float | None, high: float | None
) -> Chosen:
    """Return of each column its first, last, lowest and highest point, each once, by x.

    All points are returned when they are no stretches and at most four a column. The
    columns divide `low..high`, or else the range that the units have.
    """
    some = len(stretches)
    slots = [
        np.concatenate([stretches.x[FIRST], points.x[0]]),
        np.concatenate([stretches.x[LAST], points.x[0]]),
        np.concatenate([stretches.value[LOWEST], points.value[0]]),
        np.concatenate([stretches.value[HIGHEST], points.value[0]]),
    ]
    attempt = np.concatenate([stretches.attempt, points.attempt])
    place = np.concatenate([stretches.place, points.place])
    order = _by_x(slots[FIRST], attempt, place)
    if order is not None:
        slots = [slot[order] for slot in slots]
    if some or len(place) > 4 * columns:
        units, rows = _extremes(slots, _starts(slots, columns, low, high))
    else:
        units, rows = np.arange(len(place)), np.zeros(len(place), np.intp)
    at = units if order is None else order[units]
    return _gathered(stretches, points, at, units, rows)


def log10_above_zero(x: _Doubles) -> _Doubles:
    """Return the logarithms; NaN, which is no place, of what has none."""
    with np.errstate(divide="ignore", invalid="ignore"):
        level: _Doubles = np.where(x > 0, np.log10(x), np.nan)
    return level


def _by_x(x: _Doubles, attempt: Ints, place: Ints) -> _Indices | None:
    """Return the order by x and, where that is the same, as stored; None when it is this one."""
    as_stored = (attempt[1:] > attempt[:-1]) | (
        (attempt[1:] == attempt[:-1]) & (place[1:] > place[:-1])
    )
    if np.all((x[1:] > x[:-1]) | ((x[1:] == x[:-1]) & as_stored)):
        return None
    return np.lexsort((place, attempt, x))


def _starts(slots: list[Any], columns: int, low: float | None, high: float | None) -> _Indices:
    """Return where each column begins that has a unit."""
    x = slots[FIRST]
    if not len(x):
        return np.empty(0, np.intp)
    first = float(x[0]) if low is None else low
    last = float(slots[LAST].max()) if high is None else high
    # Halved, because the range of two doubles may not be a double.
    span = last / 2 - first / 2
    if span <= 0:
        return np.zeros(1, np.intp)
    place = (x / 2 - first / 2) / span * columns
    column = np.clip(place, 0, columns - 1).astype(np.int64)
    return np.concatenate(([0], np.flatnonzero(np.diff(column)) + 1))


def _extremes(slots: list[Any], starts: _Indices) -> tuple[_Indices, _Indices]:
    """Return units and which of their points: the four of each column."""
    if not len(starts):
        return np.empty(0, np.intp), np.empty(0, np.intp)
    counts = np.diff(np.append(starts, len(slots[FIRST])))

    def first_equal(row: int, wanted: npt.NDArray[Any]) -> _Indices:
        hits = np.flatnonzero(slots[row] == np.repeat(wanted, counts))
        return hits[np.searchsorted(hits, starts)]

    ends = starts + counts
    latest = np.flatnonzero(
        slots[LAST] == np.repeat(np.maximum.reduceat(slots[LAST], starts), counts)
    )
    units = np.concatenate(
        [
            starts,
            latest[np.searchsorted(latest, ends) - 1],
            first_equal(LOWEST, np.minimum.reduceat(slots[LOWEST], starts)),
            first_equal(HIGHEST, np.maximum.reduceat(slots[HIGHEST], starts)),
        ]
    )
    return units, np.repeat([FIRST, LAST, LOWEST, HIGHEST], len(starts))


def _gathered(
    stretches: Units, points: Units, at: _Indices, units: _Indices, rows: _Indices
) -> Chosen:
    """Fetch the chosen points, sort them by x, and drop those that were chosen twice."""
    some = len(stretches)
    single = at >= some
    picked: list[npt.NDArray[Any]] = []
    for name in ("x", "step", "wall", "value"):
        left, right = getattr(stretches, name), getattr(points, name)
        column = np.empty(len(at), np.result_type(left, right))
        column[~single] = left[rows[~single], at[~single]]
        column[single] = right[0, at[single] - some]
        picked.append(column)
    # A point is itself whichever of the four it is.
    rank = np.where(single, 0, _RANK[rows])
    order = np.lexsort((rank, units, picked[0]))
    picked, units = [column[order] for column in picked], units[order]
    same = units[1:] == units[:-1]
    for column in picked:
        # By their bits: 0.0 is not -0.0.
        whole = column.view(np.int32 if column.dtype.itemsize == 4 else np.int64)
        same &= whole[1:] == whole[:-1]
    kept = np.append(True, ~same) if len(units) else np.empty(0, np.bool_)
    return Chosen(*(column[kept] for column in picked))


def _typed(units: Units, dtype: np.dtype[Any]) -> Units:
    if units.value.dtype == dtype:
        return units
    with np.errstate(invalid="ignore"):
        value = units.value.astype(dtype)
    return Units(units.x, units.step, units.wall, value, units.attempt, units.place)
