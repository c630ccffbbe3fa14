"""Scalar points that were read, with their place in stored order. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from orgboard_schema.blocks.choose import Units
from orgboard_schema.blocks.series import Floats, Ints, ScalarSeries

__all__ = [
    "PLACES",
    "WAITING",
    "Points",
    "as_points",
    "concat",
    "distinct",
    "in_stored_order",
    "no_points",
    "units",
]

PLACES: Final = 12
"""Bits of a place inside a block: four times as many as a block has."""

WAITING: Final = 1 << 50
"""Stands for the number of what is in no block yet: it comes after every block."""

_Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Columns, one entry a point."""

    attempt: Ints
    place: Ints
    """The block's number and the place in the block, as one number."""
    step: Ints
    wall: _Doubles
    value: Floats

    def take(self, chosen: Any) -> Points:
        """Return the chosen points."""
        return Points(*(getattr(self, name)[chosen] for name in Points.__dataclass_fields__))


def as_points(attempt: int, seq: int, series: ScalarSeries, start: int = 0) -> Points:
    """Return the points of a block of that number, the first of them at `start` in it."""
    count = len(series)
    return Points(
        np.full(count, attempt, np.int64),
        (seq << PLACES) + start + np.arange(count),
        series.step,
        series.wall,
        series.value,
    )


def no_points(dtype: npt.DTypeLike) -> Points:
    """Return none."""
    none = np.empty(0, np.int64)
    return Points(none, none, none, np.empty(0), np.empty(0, dtype))


def concat(parts: Sequence[Points]) -> Points:
    """Join one part or more."""
    if len(parts) == 1:
        return parts[0]
    # Widening float32 to float64, a signalling NaN is no reason to warn.
    with np.errstate(invalid="ignore"):
        return Points(
            *(
                np.concatenate([getattr(part, name) for part in parts])
                for name in Points.__dataclass_fields__
            )
        )


def in_stored_order(points: Points) -> Points:
    """Return the points by attempt and then as they came."""
    attempt, place = points.attempt, points.place
    later = (attempt[1:] > attempt[:-1]) | (
        (attempt[1:] == attempt[:-1]) & (place[1:] > place[:-1])
    )
    return points if later.all() else points.take(np.lexsort((place, attempt)))


def units(points: Points, x: _Doubles) -> Units:
    """Return each point as a unit of its own, with its x."""
    return Units(
        x[None],
        points.step[None],
        points.wall[None],
        points.value[None],
        points.attempt,
        points.place,
    )


def distinct(attempts: Ints) -> list[int]:
    """Return each of these attempts once; they come in long runs."""
    if not len(attempts):
        return []
    return sorted({*attempts[:1].tolist(), *attempts[1:][np.diff(attempts) != 0].tolist()})
