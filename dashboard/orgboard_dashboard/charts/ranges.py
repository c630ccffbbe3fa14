"""How far the axes of a figure reach, and how a value becomes a height. Pure.

A level is what an axis is even in: the value itself, or its logarithm. Ranges are levels.
Twin of `assets/ob/ranges.js`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

from orgboard_dashboard.view_state import ViewState

__all__ = ["Drawn", "Range", "YRange", "level_of", "sym_ticks", "x_range", "y_range"]

Range: TypeAlias = tuple[float, float]

METRIC: Final = "metric:"
"""Before the names of metrics of the dictionary, which are a section of their own."""

_PADDING: Final = 0.06
"""Part of the axis left free above and below the lines."""

_OUTLYING: Final = 0.05
"""TensorBoard's: the range is from the 5th to the 95th percentile."""

_NEAR_SPANS: Final = 1
"""What lies beyond it by no more than its own length is no outlier: a noise's tails, the steep
start of a loss. With 0 it would be TensorBoard's to the letter."""

_SYM_DECADES: Final = 3
"""Powers of ten between the greatest value of a symlog axis and where it becomes linear."""


class Drawn(Protocol):
    """A line, its places, and its raw and smoothed values."""

    @property
    def x(self) -> Sequence[float]:
        """Return the places."""
        ...

    @property
    def y(self) -> Sequence[float]:
        """Return the values."""
        ...


@dataclass(frozen=True, slots=True)
class YRange:
    """The vertical range in levels."""

    limits: Range
    unit: float
    """Where a symlog axis becomes linear; 1 on others."""
    clipped: int
    """How many drawn points lie outside."""


def level_of(kind: str, unit: float) -> Callable[[float], float]:
    """Return what gives the level of a value on an axis of that kind."""
    if kind == "log":
        return math.log10
    if kind == "sym":
        return lambda value: math.copysign(math.log10(1 + abs(value) / unit), value)
    return lambda value: value


def x_range(places: Iterable[float], view: ViewState) -> Range:
    """Return the horizontal range in levels; on a log axis only what is above 0 counts."""
    known = [x for x in places if math.isfinite(x) and (x > 0 or not view.log_x)]
    low, high = (min(known), max(known)) if known else (math.inf, -math.inf)
    if view.zoom is not None and (view.zoom[1] > 0 or not view.log_x):
        high = view.zoom[1]
        if view.zoom[0] > 0 or not view.log_x:
            low = view.zoom[0]
        elif not low < high:
            low = high / 1000
    if low > high:
        return 0, 1
    if low == high:
        return (math.log10(low) - 1, math.log10(high) + 1) if view.log_x else (low - 1, high + 1)
    return (math.log10(low), math.log10(high)) if view.log_x else (low, high)


def y_range(
    lines: Sequence[Drawn], smoothed: Sequence[Sequence[float]], view: ViewState, tag: str = ""
) -> YRange:
    """Return the vertical range. Only what is drawn counts.

    `tag` may have a range of its own, or have that of its section.
    """
    heights = list(_heights(lines, smoothed, view))
    unit = _sym_unit(heights) if view.y_axis == "sym" else 1.0
    level = level_of(view.y_axis, unit)
    automatic = _padded(_extremes(heights, view.outliers_clipped, level))
    fixed = _fixed(view, tag, level, automatic)
    low, high = automatic if fixed is None else fixed
    raw = _heights(lines, [()] * len(lines), view)
    clipped = sum(not low <= level(y) <= high for y in raw) if heights else 0
    return YRange((low, high), unit, clipped)


def sym_ticks(limits: Range, unit: float) -> dict[str, list[float] | list[str]]:
    """Return the ticks of a symlog axis: 0, and powers of ten to both sides."""
    level = level_of("sym", unit)
    reach = math.ceil(max(map(abs, limits)))
    powers = [10.0**power * unit for power in range(1, reach + 1)]
    values = [*(-value for value in reversed(powers)), 0.0, *powers]
    inside = [value for value in values if limits[0] <= level(value) <= limits[1]]
    return {"tickvals": [*map(level, inside)], "ticktext": [f"{value:g}" for value in inside]}


def _heights(
    lines: Sequence[Drawn], smoothed: Sequence[Sequence[float]], view: ViewState
) -> Iterator[float]:
    for line, values in zip(lines, smoothed, strict=True):
        for column in (line.y, values) if view.smoothing > 0 else (line.y,):
            for x, y in zip(line.x, column, strict=False):
                is_inside = view.zoom is None or view.zoom[0] <= x <= view.zoom[1]
                if math.isfinite(y) and is_inside and (y > 0 or view.y_axis != "log"):
                    yield y


def _extremes(heights: list[float], clipped: bool, level: Callable[[float], float]) -> Range | None:
    """Return the levels of the ends; without outliers, when that leaves a range."""
    if not heights:
        return None
    levels = [level(height) for height in sorted(heights)]
    last = len(levels) - 1
    low, high = levels[math.floor(last * _OUTLYING)], levels[math.ceil(last * (1 - _OUTLYING))]
    if clipped and low < high:
        near = _NEAR_SPANS * (high - low)
        levels = [at for at in levels if low - near <= at <= high + near]
    return levels[0], levels[-1]


def _padded(limits: Range | None) -> Range:
    if limits is None:
        return 0, 1
    low, high = limits
    room = (abs(low) * 0.1 or 1) if low == high else (high - low) * _PADDING
    return low - room, high + room


def _fixed(
    view: ViewState, tag: str, level: Callable[[float], float], automatic: Range
) -> Range | None:
    """Return the range that somebody set, of the card, its section or the page.

    A lower end without a logarithm is not set.
    """
    section = METRIC if tag.startswith(METRIC) else tag.rpartition("/")[0]
    own = {name: (low, high) for name, low, high in view.card_ranges}
    of_section = {name: (low, high) for name, low, high in view.section_ranges}
    given = own.get(tag) or of_section.get(section) or view.y_range
    if given is None or (view.y_axis == "log" and given[1] <= 0):
        return None
    top = level(given[1])
    if view.y_axis == "log" and given[0] <= 0:
        return min(automatic[0], top - 1), top
    return level(given[0]), top


def _sym_unit(heights: Sequence[float]) -> float:
    most = max(map(abs, heights), default=0.0)
    return 10.0 ** (math.floor(math.log10(most)) - _SYM_DECADES) if most > 0 else 1.0
