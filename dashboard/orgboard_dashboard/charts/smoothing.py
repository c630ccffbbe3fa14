"""Smoothing: the exponential moving average without the bias of its start, as TensorBoard's.

Twin of `assets/ob/smooth.js`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = ["smooth"]


def smooth(values: Sequence[float], weight: float) -> list[float]:
    """Smooth `values` by `weight` in [0, 1).

    A constant series comes back untouched. Values that are not finite pass through and
    do not count.
    """
    is_constant = all(value == values[0] for value in values)
    if is_constant or weight <= 0:
        return list(values)
    smoothed: list[float] = []
    total, decay = 0.0, 1.0
    for value in values:
        if math.isfinite(value):
            total = total * weight + (1 - weight) * value
            decay *= weight
            smoothed.append(total / (1 - decay))
        else:
            smoothed.append(value)
    return smoothed
