"""Several runs as one line with a band: aligned by step, at most four points a pixel column.

Members are aligned on a common grid. It is every place at which one of them has a point
while there are at most four of those a pixel column; else, of each column, the places where
the line itself is first, last, lowest and highest, as of any other line (`reduce`). Where that
is too much to try, it is the last place of each column. A member counts at a place of the
grid from its first point to its last one, with the value that it had at or before that place.
The least and greatest of a place are of all points since the place before, so that the band
from least to greatest holds every spike.

Values that are not finite are left out, and counted. Nothing here knows SQL.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from orgboard_dashboard.quantiles import student_t_975
from orgboard_dashboard.reduce import reduce_line

__all__ = ["BANDS", "CENTRES", "Band", "BandKind", "Centre", "Member", "Window", "combine"]

Floats: TypeAlias = NDArray[np.float64]
Counts: TypeAlias = NDArray[np.int64]

Centre = Literal["mean", "median", "min", "max"]
CENTRES: Final[tuple[Centre, ...]] = get_args(Centre)
BandKind = Literal["minmax", "std", "sem", "ci", "none"]
BANDS: Final[tuple[BandKind, ...]] = get_args(BandKind)

MAX_CELLS: Final = 1_000_000
"""Places times members at which a line is tried out to find its extremes: 0.2 s, 25 MB."""


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """One run's points of the tag, in the order they were logged."""

    x: Floats
    y: NDArray[np.float32] | NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Window:
    """Which part of the axis is drawn, on how many pixel columns."""

    columns: int
    low: float | None = None
    high: float | None = None
    log_x: bool = False
    """The columns are even in the logarithm, and what is not above 0 has no place."""

    def placed(self, x: Floats) -> NDArray[np.bool_]:
        """Tell which places the axis has."""
        return np.isfinite(x) & (x > 0) if self.log_x else np.isfinite(x)

    def begin(self) -> float:
        """Return the least place that is drawn."""
        low = -np.inf if self.low is None else self.low
        return max(low, float(np.nextafter(0.0, 1.0))) if self.log_x else low

    def level(self, x: Floats) -> Floats:
        """Return what the axis is even in. Every place is one that it has."""
        return np.log10(x) if self.log_x else x

    def inside(self, x: Floats) -> NDArray[np.bool_]:
        """Tell which places are drawn."""
        kept = self.placed(x)
        if self.low is not None:
            kept &= x >= self.low
        if self.high is not None:
            kept &= x <= self.high
        return kept


@dataclass(frozen=True, slots=True, eq=False)
class Band:
    """The line of a group. Columns of equal length, by x."""

    x: Floats
    y: Floats
    low: Floats
    high: Floats
    """Equal to `y` where there is no band."""
    runs: Counts
    """Members that count at each place."""
    total: int
    """Points of all members in the window."""
    non_finite: int
    without_x: int
    members: int
    """Members that have a point in the window."""


def combine(
    members: Sequence[Member], window: Window, centre: Centre = "mean", band: BandKind = "minmax"
) -> Band:
    """Return the line and the band of `members`, at most four points a column long.

    The bands `std`, `sem` and `ci` (sample standard deviation, standard error of the mean,
    95 % interval by Student's t) lie around the mean, whatever the line is; of a single
    member they have no width.
    """
    inside = [window.inside(member.x) for member in members]
    finite = [_finite(member) for member in members]
    filled = [(x, y) for x, y in finite if x.size]
    grid, values, least, greatest = _compared(filled, window, centre)
    line, low, high = _summed_up(values, least, greatest, centre, band)
    return Band(
        grid,
        line,
        low,
        high,
        np.count_nonzero(~np.isnan(values), axis=0),
        total=sum(int(np.count_nonzero(part)) for part in inside),
        non_finite=sum(
            int(np.count_nonzero(part & ~np.isfinite(member.y)))
            for member, part in zip(members, inside, strict=True)
        ),
        without_x=sum(int(np.count_nonzero(~window.placed(member.x))) for member in members),
        members=sum(bool(part.any()) for part in inside),
    )


def _finite(member: Member) -> tuple[Floats, Floats]:
    """Return the points that can be drawn, by x; those of equal x as they came."""
    kept = np.isfinite(member.x) & np.isfinite(member.y)
    x, y = member.x[kept], member.y[kept].astype(np.float64)
    if x.size and np.any(x[1:] < x[:-1]):
        order = np.argsort(x, kind="stable")
        return x[order], y[order]
    return x, y


def _compared(
    members: Sequence[tuple[Floats, Floats]], window: Window, centre: Centre
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return the places that are drawn, ascending, and what `_align` gives at them."""
    inside = [x[window.inside(x)] for x, _ in members]
    distinct = [x[np.append(True, x[1:] != x[:-1])] for x in inside if x.size]
    if not distinct:
        return np.empty(0), *_align(members, np.empty(0), window)
    if max(x.size for x in distinct) * len(members) <= MAX_CELLS:
        union = np.unique(np.concatenate(distinct))
        if union.size * len(members) <= MAX_CELLS:
            return _turning_points(members, union, window, centre)
    ends = _ends_of_columns(distinct, window)
    values, least, greatest = _align(members, ends, window)
    kept = ~np.isnan(values).all(axis=0)
    return ends[kept], values[:, kept], least[kept], greatest[kept]


def _turning_points(
    members: Sequence[tuple[Floats, Floats]], places: Floats, window: Window, centre: Centre
) -> tuple[Floats, Floats, Floats, Floats]:
    """Compare at all places, and keep those that a picture of the line needs."""
    values, least, greatest = _align(members, places, window)
    line, _, _ = _summed_up(values, least, greatest, centre, "none")
    kept = reduce_line(
        places,
        # What overflowed has a place, too.
        np.nan_to_num(line),
        columns=window.columns,
        low=window.low,
        high=window.high,
        log_x=window.log_x,
    ).kept
    since = np.append(0, kept[:-1] + 1)
    return (
        places[kept],
        values[:, kept],
        np.minimum.reduceat(least, since),
        np.maximum.reduceat(greatest, since),
    )


def _ends_of_columns(distinct: Sequence[Floats], window: Window) -> Floats:
    """Return the last place of each column."""
    first, last = min(x[0] for x in distinct), max(x[-1] for x in distinct)
    low = first if window.low is None else window.low
    high = last if window.high is None else window.high
    # A log axis begins at its first place when it is to begin where it has none.
    ends_at = np.array([first if window.log_x and low <= 0 else low, high])
    first, last = window.level(ends_at).tolist()
    # Halved, because the range of two doubles may not be a double.
    span = last / 2 - first / 2
    ends = np.full(window.columns, -np.inf)
    for x in distinct:
        place = (window.level(x) / 2 - first / 2) / span * window.columns
        column = np.clip(place, 0, window.columns - 1).astype(np.int64)
        at = np.append(np.flatnonzero(np.diff(column)), column.size - 1)
        ends[column[at]] = np.maximum(ends[column[at]], x[at])
    return ends[ends > -np.inf]


def _align(
    members: Sequence[tuple[Floats, Floats]], grid: Floats, window: Window
) -> tuple[Floats, Floats, Floats]:
    """Return each member's value at each place (NaN where it does not count), least, greatest."""
    values = np.full((len(members), grid.size), np.nan)
    least = np.full(grid.size, np.inf)
    greatest = np.full(grid.size, -np.inf)
    if not grid.size:
        return values, least, greatest
    start = window.begin()
    for row, (x, y) in enumerate(members):
        end = np.searchsorted(x, grid, side="right")
        begin = np.append(np.searchsorted(x, start, side="left"), end[:-1])
        # Begun at or before the place, and not ended before the place's column began.
        counts = (end > 0) & (begin < x.size)
        values[row, counts] = y[end[counts] - 1]
        own = np.flatnonzero(counts & (end > begin))
        if own.size:
            part = slice(None, int(end[own[-1]]))
            lowest = np.minimum.reduceat(y[part], begin[own])
            highest = np.maximum.reduceat(y[part], begin[own])
            least[own] = np.minimum(least[own], lowest)
            greatest[own] = np.maximum(greatest[own], highest)
        carried = counts & (end == begin)
        least[carried] = np.minimum(least[carried], values[row, carried])
        greatest[carried] = np.maximum(greatest[carried], values[row, carried])
    return values, least, greatest


def _summed_up(
    values: Floats, least: Floats, greatest: Floats, centre: Centre, band: BandKind
) -> tuple[Floats, Floats, Floats]:
    """Return the line, and the lower and the upper edge of the band. Every column has a value."""
    n = np.count_nonzero(~np.isnan(values), axis=0)
    # Doubles near the end of their range may overflow; that is what they sum up to.
    with np.errstate(over="ignore", invalid="ignore"):
        mean = _mean(values, n, least, greatest)
        line = {"mean": mean, "min": least, "max": greatest}.get(centre)
        if line is None:
            line = _median(values, n)
        if band == "minmax":
            return line, least, greatest
        if band == "none":
            return line, line, line
        apart = np.where(np.isnan(values), 0.0, values - mean)
        half = np.sqrt((apart * apart).sum(axis=0) / np.maximum(n - 1, 1))
        if band != "std":
            half = half / np.sqrt(n)
        if band == "ci":
            half = half * student_t_975(np.maximum(n - 1, 1))
    return line, mean - half, mean + half


def _mean(values: Floats, n: Counts, least: Floats, greatest: Floats) -> Floats:
    share = np.where(np.isnan(values), 0.0, values / n)
    # Rounding may take the mean of equal values out of their range.
    mean: Floats = np.clip(share.sum(axis=0), least, greatest)
    return mean


def _median(values: Floats, n: Counts) -> Floats:
    # NaN sorts to the end, so the first n are the values.
    ordered = np.sort(values, axis=0)
    column = np.arange(values.shape[1])
    lower, upper = ordered[(n - 1) // 2, column], ordered[n // 2, column]
    middle: Floats = np.where(lower == upper, lower, lower / 2 + upper / 2)
    return middle
