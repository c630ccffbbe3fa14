"""Other bins for a picture. Pure: what is drawn has the areas of what was logged.

Each bucket's count is spread evenly over its width, and goes into the bins that it lies in by
their shares of it. A bucket without a width goes whole into the bin that holds it. What lies
outside of the bins is left out, and nothing else. Twin of `assets/ob/histbins.js`.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["resample"]

Doubles: TypeAlias = NDArray[np.float64]


def resample(left: Doubles, right: Doubles, count: Doubles, edges: Doubles) -> Doubles:
    """Return what falls between each two neighbours of `edges`, which ascend."""
    bins = np.zeros(len(edges) - 1)
    width = right - left
    wide = width > 0
    # What lies left of each edge, bucket by bucket; neighbours differ by what lies between.
    inside = np.clip(edges[None, :] - left[wide, None], 0.0, width[wide, None])
    share = inside / width[wide, None]
    bins += count[wide] @ np.diff(share, axis=1)
    thin, n = left[~wide], len(bins)
    at = np.searchsorted(edges, thin, side="right") - 1
    # The last bin holds its right edge, too.
    at = np.where(thin == edges[-1], n - 1, at)
    held = (at >= 0) & (at < n)
    np.add.at(bins, at[held], count[~wide][held])
    return bins
