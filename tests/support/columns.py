"""Whether a reduced line looks, in each pixel column, as all of its points would."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

__all__ = ["unlike_columns"]

Floats = NDArray[np.float64]
Line = tuple[Floats, Floats]


def unlike_columns(raw: Line, drawn: Line, columns: int) -> list[str]:
    """Say where a drawn line is not as the raw one; both are (x, y) with ascending x.

    An edge may lie half a column aside, as where the screen's is.
    """
    (raw_x, raw_y), (line_x, line_y) = raw, drawn
    unlike = []
    if (line_x[0], line_x[-1]) != (raw_x[0], raw_x[-1]):
        unlike.append(f"ends at {line_x[[0, -1]]} and not at {raw_x[[0, -1]]}")
    if (line_y.min(), line_y.max()) != (raw_y.min(), raw_y.max()):
        unlike.append("another range of values")
    edges = np.linspace(raw_x[0], raw_x[-1], columns + 1)
    half = (edges[1] - edges[0]) / 2 * 1.000001
    for left, right in itertools.pairwise(edges):
        if not _between(raw, left, right).size:
            continue
        near = _between(drawn, left - half, right + half)
        inner = _between(raw, left + half, right - half)
        far = _between(raw, left - 2 * half, right + 2 * half)
        lacks = inner.size and not (near.size and _holds(near, inner))
        # And nothing that is not there.
        if lacks or (near.size and not _holds(far, near)):
            unlike.append(f"{left:g} to {right:g}")
    return unlike


def _between(line: Line, left: float, right: float) -> Floats:
    """Give the values from one place to another, both included."""
    x, y = line
    return y[np.searchsorted(x, left) : np.searchsorted(x, right, side="right")]


def _holds(wide: Floats, narrow: Floats) -> bool:
    return bool(wide.min() <= narrow.min() and wide.max() >= narrow.max())
