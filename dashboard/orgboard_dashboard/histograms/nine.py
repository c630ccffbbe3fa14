"""The nine percentiles of a distribution, by the straight line through each bucket. numpy alone."""

from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["BANDS", "interpolated"]

Doubles: TypeAlias = NDArray[np.float64]

BANDS: Final = (0.0, 6.68, 15.87, 30.85, 50.0, 69.15, 84.13, 93.32, 100.0)
"""The median, and up to 1.5 standard deviations of a normal distribution around it."""


def interpolated(left: Doubles, right: Doubles, count: Doubles, places: Doubles) -> Doubles:
    """Return where a histogram of at least one bucket has reached these places.

    Places are in hundredths of a percent. Where nothing is counted, it is at its right end.
    """
    # In hundredths of a percent, and in this order: sums round as TensorBoard's do.
    reached = np.cumsum(count * 10_000 / (count.sum() or 1.0))
    at = np.searchsorted(reached, places, side="right")
    inside = at < len(reached)
    at = np.minimum(at, len(reached) - 1)
    before = np.where(at > 0, reached[at - 1], 0.0)
    low = np.where(before > 0, np.maximum(right[at - 1], left[0]), left[0])
    high = np.minimum(right[at], right[-1])
    passed = reached[at] - before
    share = np.divide(places - before, passed, out=np.zeros_like(before), where=passed > 0)
    found: Doubles = np.where(inside, low + share * (high - low), right[-1])
    return found
