"""What to say of points without keeping them: per series for heads, per block for its row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from orgboard_schema.blocks.heads import HeadTable, row_places, series_key
from orgboard_schema.blocks.series import Chunk, Ints, ScalarSeries, Series

__all__ = ["BlockSummary", "add_points", "summarise_block"]

_Doubles = npt.NDArray[np.float64]
_Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class BlockSummary:
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
    wall = series.wall[np.isfinite(series.wall)]
    values = _values(series) if isinstance(series, ScalarSeries) else wall[:0]
    finite = values[np.isfinite(values)]
    with np.errstate(over="ignore", invalid="ignore"):
        total = finite.sum()
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
        # The sum of huge values may leave what a double holds.
        value_sum=float(total) if some and np.isfinite(total) else None,
        non_finite=len(values) - len(finite),
    )


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
    # Chunks of one series side by side, in their order.
    keys = [series_key(chunks[at].tag_id, chunks[at].kind) for at in full]
    order = sorted(range(len(full)), key=keys.__getitem__)
    chosen = [full[place] for place in order]
    lengths = [len(chunks[at].series) for at in chosen]
    owner = np.repeat(np.array([keys[place] for place in order], np.int64), lengths)
    distinct, counts = np.unique(owner, return_counts=True)
    heads, places = row_places(heads, distinct)
    heads["n_all"][places] += counts
    newest: dict[int, int] = {}
    for place, at in zip(order, chosen, strict=True):
        newest[keys[place]] = max(newest.get(keys[place], 0), attempts[at])
    of_key = np.array([newest[key] for key in distinct.tolist()], np.int32)
    heads["attempt"][places] = np.maximum(heads["attempt"][places], of_key)

    step = np.concatenate([chunks[at].series.step for at in chosen])
    wall = np.concatenate([chunks[at].series.wall for at in chosen])
    value = np.concatenate([_values(chunks[at].series) for at in chosen])
    if superseded is not None:
        visible = ~np.concatenate([superseded[at] for at in chosen])
        owner, step, wall, value = owner[visible], step[visible], wall[visible], value[visible]
    if len(owner):
        _merge(heads, places[np.isin(distinct, owner)], owner, step, wall, value)
    return heads


def _merge(
    heads: HeadTable,
    places: npt.NDArray[np.intp],
    owner: Ints,
    step: Ints,
    wall: _Doubles,
    value: _Doubles,
) -> None:
    """Fold points, grouped by `owner`, into the rows at `places`, one row a group."""
    starts = np.concatenate([[0], np.flatnonzero(np.diff(owner)) + 1])
    counts = np.diff(np.append(starts, len(owner)))
    position = np.arange(len(owner))
    low, high = np.minimum.reduceat(step, starts), np.maximum.reduceat(step, starts)
    first = np.where(step == np.repeat(low, counts), position, len(owner))
    last = np.where(step == np.repeat(high, counts), position, -1)
    first, last = np.minimum.reduceat(first, starts), np.maximum.reduceat(last, starts)
    finite = np.isfinite(value)
    least = np.minimum.reduceat(np.where(finite, value, np.inf), starts)
    most = np.maximum.reduceat(np.where(finite, value, -np.inf), starts)
    old = heads[places]
    new = old["n"] == 0
    earlier = new | (low < old["first_step"])
    later = new | (high >= old["last_step"])
    rows = old.copy()
    rows["n"] += counts
    rows["first_step"] = np.where(earlier, low, old["first_step"])
    rows["first_wall"] = np.where(earlier, wall[first], old["first_wall"])
    rows["last_step"] = np.where(later, high, old["last_step"])
    rows["last_wall"] = np.where(later, wall[last], old["last_wall"])
    rows["last_value"] = np.where(later, value[last], old["last_value"])
    # fmin and fmax prefer the number to NaN, which stands for "none yet".
    rows["min_value"] = np.fmin(old["min_value"], np.where(np.isinf(least), np.nan, least))
    rows["max_value"] = np.fmax(old["max_value"], np.where(np.isinf(most), np.nan, most))
    heads[places] = rows


def _values(series: Series) -> _Doubles:
    if isinstance(series, ScalarSeries):
        # A log may hold signalling NaNs: to widen one is no reason to warn.
        with np.errstate(invalid="ignore"):
            return series.value.astype(np.float64)
    return np.full(len(series), np.nan)
