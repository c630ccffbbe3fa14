"""What to say of points without keeping them: per series for heads, per block for its row."""

from __future__ import annotations

import math
from collections.abc import Sequence
from ctypes import addressof, c_char
from struct import Struct
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from orgboard_schema.blocks.columns import address
from orgboard_schema.blocks.heads import HeadTable, row_places, series_key
from orgboard_schema.blocks.series import Chunk, Extent, Ints, ScalarSeries, Series
from orgboard_schema.core.library import load_core

__all__ = [
    "ROW",
    "BlockSummary",
    "add_points",
    "extents_of",
    "summarise_block",
    "summary_of",
]

_Doubles = npt.NDArray[np.float64]
_Mask = npt.NDArray[np.bool_]

ROW: Final = Struct("<5q7d")
"""The core's `ob_row`."""

_EXTENT: Final = np.dtype(
    [
        ("count", "<i8"),
        ("low", "<i8"),
        ("high", "<i8"),
        ("low_wall", "<f8"),
        ("high_wall", "<f8"),
        ("high_value", "<f8"),
        ("least", "<f8"),
        ("most", "<f8"),
    ]
)
"""How many points, and their `Extent`."""


class BlockSummary(NamedTuple):
    """The plain columns of a block's row. None stands where there is no finite number."""

    n: int
    step_min: int
    step_max: int
    wall_min: float | None
    wall_max: float | None
    value_first: float | None
    value_last: float | None
    value_min: float | None
    value_max: float | None
    value_sum: float | None
    non_finite: int


def summarise_block(series: Series) -> BlockSummary:
    """Return the plain columns of a block of one point or more."""
    core = load_core()
    if core is not None and isinstance(series, ScalarSeries):
        row = bytearray(ROW.size)
        # Held until the core is done: of what lies scattered they are copies.
        columns = [
            np.ascontiguousarray(column) for column in (series.step, series.wall, series.value)
        ]
        into = addressof(c_char.from_buffer(row))
        core.ob_summarise(*map(address, columns), len(series), series.value.itemsize, into)
        return summary_of(ROW.unpack(row), len(series))
    wall = series.wall[np.isfinite(series.wall)]
    values = _values(series) if isinstance(series, ScalarSeries) else wall[:0]
    finite = values[np.isfinite(values)]
    some = len(finite) > 0
    return BlockSummary(
        n=len(series),
        step_min=int(series.step.min()),
        step_max=int(series.step.max()),
        wall_min=float(wall.min()) if len(wall) else None,
        wall_max=float(wall.max()) if len(wall) else None,
        value_first=float(finite[0]) if some else None,
        value_last=float(finite[-1]) if some else None,
        value_min=float(finite.min()) if some else None,
        value_max=float(finite.max()) if some else None,
        value_sum=_sum(finite) if some else None,
        non_finite=len(values) - len(finite),
    )


def summary_of(row: tuple[Any, ...], count: int) -> BlockSummary:
    """Return what the core's `ob_row`, unpacked, says of `count` points."""
    low, high, non_finite, finite, walls, *told = row
    wall_min, wall_max, first, last, least, most, total = told
    some = finite > 0
    return BlockSummary(
        n=count,
        step_min=low,
        step_max=high,
        wall_min=wall_min if walls else None,
        wall_max=wall_max if walls else None,
        value_first=first if some else None,
        value_last=last if some else None,
        value_min=least if some else None,
        value_max=most if some else None,
        # The sum of huge values may leave what a double holds.
        value_sum=total if some and math.isfinite(total) else None,
        non_finite=non_finite,
    )


def _sum(finite: _Doubles) -> float | None:
    try:
        return math.fsum(finite.tolist())
    except OverflowError:
        return None


def add_points(
    heads: HeadTable,
    chunks: Sequence[Chunk],
    attempts: Sequence[int],
    superseded: Sequence[_Mask] | None,
) -> HeadTable:
    """Return `heads` with these points counted; one attempt and one mask a chunk,
    no masks where nothing is superseded.

    Waiting counts and metadata are the caller's.
    """
    full = [at for at, chunk in enumerate(chunks) if len(chunk.series)]
    if not full:
        return heads
    keys = [series_key(chunks[at].tag_id, chunks[at].kind) for at in full]
    # Chunks of one series side by side, in their order.
    order = sorted(range(len(full)), key=keys.__getitem__)
    chosen = [full[place] for place in order]
    lengths = np.array([len(chunks[at].series) for at in chosen], np.int64)
    owner = np.array([keys[place] for place in order], np.int64)
    distinct, starts = _groups(owner)
    heads, places = row_places(heads, distinct)
    heads["n_all"][places] += np.add.reduceat(lengths, starts)
    newest = np.maximum.reduceat(np.array([attempts[at] for at in chosen], np.int32), starts)
    heads["attempt"][places] = np.maximum(heads["attempt"][places], newest)
    told = [_extent(chunks[at].series) for at in chosen]
    if superseded is None and None not in told:
        extents = np.array(
            [(int(n), *extent) for n, extent in zip(lengths, told, strict=True) if extent], _EXTENT
        )
        _fold_in_turn(heads, places, starts, extents)
        return heads
    some = [chunks[at].series for at in chosen]
    hidden = None if superseded is None else [superseded[at] for at in chosen]
    visible, extents = _extents(np.repeat(owner, lengths), some, hidden)
    _fold(heads, places[np.isin(distinct, visible)], extents)
    return heads


def _extent(series: Series) -> Extent | None:
    return series.extent if isinstance(series, ScalarSeries) else None


def _groups(owner: Ints) -> tuple[Ints, Ints]:
    """Return the distinct ones of a sorted column, and where each begins."""
    starts = np.flatnonzero(np.concatenate([[True], owner[1:] != owner[:-1]]))
    return owner[starts], starts


def _fold_in_turn(
    heads: HeadTable, places: npt.NDArray[np.intp], starts: Ints, extents: npt.NDArray[np.void]
) -> None:
    """Fold extents, grouped at `starts`, one of each group at a time: their order tells."""
    counts = np.diff(np.append(starts, len(extents)))
    for turn in range(int(counts.max())):
        has_more = counts > turn
        _fold(heads, places[has_more], extents[starts[has_more] + turn])


def _extents(
    owner: Ints, series: Sequence[Series], superseded: Sequence[_Mask] | None
) -> tuple[Ints, npt.NDArray[np.void]]:
    """Return which series have a visible point, and the extents of those."""
    step = np.concatenate([some.step for some in series])
    wall = np.concatenate([some.wall for some in series])
    value = np.concatenate([_values(some) for some in series])
    if superseded is not None:
        visible = ~np.concatenate(superseded)
        owner, step, wall, value = owner[visible], step[visible], wall[visible], value[visible]
    if not len(owner):
        return owner, np.empty(0, _EXTENT)
    distinct, starts = _groups(owner)
    return distinct, extents_of(starts, step, wall, value)


def extents_of(starts: Ints, step: Ints, wall: _Doubles, value: _Doubles) -> npt.NDArray[np.void]:
    """Return, of the points from each of `starts` to the next, how many and their `Extent`."""
    counts = np.diff(np.append(starts, len(step)))
    position = np.arange(len(step))
    extents = np.empty(len(starts), _EXTENT)
    low, high = np.minimum.reduceat(step, starts), np.maximum.reduceat(step, starts)
    first = np.where(step == np.repeat(low, counts), position, len(step))
    last = np.where(step == np.repeat(high, counts), position, -1)
    first, last = np.minimum.reduceat(first, starts), np.maximum.reduceat(last, starts)
    finite = np.isfinite(value)
    least = np.minimum.reduceat(np.where(finite, value, np.inf), starts)
    most = np.maximum.reduceat(np.where(finite, value, -np.inf), starts)
    extents["count"], extents["low"], extents["high"] = counts, low, high
    extents["low_wall"], extents["high_wall"] = wall[first], wall[last]
    extents["high_value"] = value[last]
    extents["least"] = np.where(np.isinf(least), np.nan, least)
    extents["most"] = np.where(np.isinf(most), np.nan, most)
    return extents


def _fold(heads: HeadTable, places: npt.NDArray[np.intp], extents: npt.NDArray[np.void]) -> None:
    """Take extents, one each, into the rows at `places`."""
    rows = heads[places]
    new = rows["n"] == 0
    earlier = new | (extents["low"] < rows["first_step"])
    later = new | (extents["high"] >= rows["last_step"])
    rows["n"] += extents["count"]
    for name, told in (("first_step", "low"), ("first_wall", "low_wall")):
        rows[name] = np.where(earlier, extents[told], rows[name])
    told_last = (("last_step", "high"), ("last_wall", "high_wall"), ("last_value", "high_value"))
    for name, told in told_last:
        rows[name] = np.where(later, extents[told], rows[name])
    # fmin and fmax prefer the number to NaN, which stands for "none yet".
    rows["min_value"] = np.fmin(rows["min_value"], extents["least"])
    rows["max_value"] = np.fmax(rows["max_value"], extents["most"])
    heads[places] = rows


def _values(series: Series) -> _Doubles:
    if isinstance(series, ScalarSeries):
        # A log may hold signalling NaNs: to widen one is no reason to warn.
        with np.errstate(invalid="ignore"):
            return series.value.astype(np.float64)
    return np.full(len(series), np.nan)
