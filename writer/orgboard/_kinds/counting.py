"""How many values lie between TensorFlow's edges, exactly as `np.histogram` counts, faster.

`np.histogram` sorts everything. Here the first 16 bits of each value's float32 (its sign,
exponent and upper mantissa) name one of 65 536 cells. A cell is some twelve times narrower than
a bucket, so nearly all cells lie within one and only need counting; the values of the few cells
that an edge goes through, about one in sixteen, are sorted and compared as float64.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from orgboard._values.device_counts import Tally

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]
    Counts: TypeAlias = NDArray[np.int64]

__all__ = ["sum_of_squares", "tally", "tensorflow_edges"]

DOT_VALUES: Final = 8192

BLOCK: Final = 1 << 17
"""Values looked at together: what is made of them on the way stays in the processor's cache."""

MOSTLY_ZERO: Final = 7 / 8
"""Of a block; then it is worth while to count zeros apart, as in sparse gradients."""

CELLS: Final = 1 << 16

NOT_FINITE: Final = 0x7F80
"""Bits of a cell that make it infinite or NaN, whatever the others are."""


class Cells(NamedTuple):
    """What is known of each cell."""

    bucket: NDArray[np.intp]
    """The bucket it lies in, from 1; 0 and the last are for what is below and above all edges."""
    is_cut: NDArray[np.bool_]
    """Whether an edge goes through it."""


@cache
def tensorflow_edges() -> Floats:
    """Compute TensorFlow's edges: ±1e-12 * 1.1^k below 1e20, and 0 between them."""
    import numpy as np

    positive = []
    edge = 1e-12
    while edge < 1e20:
        positive.append(edge)
        # Multiplied step by step, as others do: a power would differ in the last bit.
        edge *= 1.1
    above = np.array(positive)
    edges = np.concatenate([-above[::-1], [0.0], above])
    edges.flags.writeable = False
    return edges


def tally(values: NDArray[np.generic]) -> Tally:
    """Count real values into the buckets between TensorFlow's edges, and sum them up, as float64.

    The counts are those of `np.histogram(values, bins=tensorflow_edges())`: a value on an edge
    belongs to the bucket on its right, one on the last edge to the last bucket, NaN to none.

    Raises:
        ValueError: there are none.
    """
    import numpy as np

    flat: NDArray[Any] = values.reshape(-1)
    edges, cells = tensorflow_edges(), _cells()
    in_cell = np.zeros(CELLS, np.int64)
    unsure = [np.empty(0)]
    smallest: list[float] = []
    largest: list[float] = []
    sums: list[float] = []
    squares: list[float] = []
    # What float32 cannot hold becomes infinite or zero: a cell beyond all edges, or a cut one.
    # An infinity makes the sums infinite or NaN: that is the truth, and no reason to warn.
    with np.errstate(all="ignore"):
        for start in range(0, flat.size, BLOCK):
            given = flat[start : start + BLOCK]
            zeros = given.size - np.count_nonzero(given)
            if zeros == given.size and not np.signbit(given).any():
                in_cell[0] += zeros
                for totals in (smallest, largest, sums, squares):
                    totals.append(0.0)
                continue
            block = given.astype(np.float64)
            smallest.append(block.min())
            largest.append(block.max())
            sums.append(block.sum())
            squares.append(sum_of_squares(block))
            if zeros > MOSTLY_ZERO * given.size:
                in_cell[0] += zeros
                block = block[block != 0]
            cell = block.astype("<f4").view("<u2")[1::2].astype(np.intp)
            in_cell += np.bincount(cell, minlength=CELLS)
            unsure.append(block[cells.is_cut.take(cell)])
        in_cell[cells.is_cut] = 0
        # Counts are below 2**53, so that their sums as floats are exact.
        sure = np.bincount(cells.bucket, weights=in_cell, minlength=edges.size + 1)
        counts = sure[1:-1].astype(np.int64)
        counts += _count_sorted(np.sort(np.concatenate(unsure)), edges)
        ends = float(np.min(smallest)), float(np.max(largest))
        return Tally(counts, *ends, flat.size, float(np.sum(sums)), float(np.sum(squares)))


def sum_of_squares(values: Floats) -> float:
    """Sum up squares on this thread alone.

    In parts, because BLAS multiplies longer vectors on threads of its own, which take the
    processor from the training and then wait, busy, for more.
    """
    parts = (values[at : at + DOT_VALUES] for at in range(0, values.size, DOT_VALUES))
    return float(sum(part.dot(part) for part in parts))


def _count_sorted(values: Floats, edges: Floats) -> Counts:
    import numpy as np

    below = values.searchsorted(edges, "left")
    below[-1] = values.searchsorted(edges[-1], "right")
    return np.diff(below)


@cache
def _cells() -> Cells:
    import numpy as np

    edges = tensorflow_edges()
    first_bits = np.arange(CELLS, dtype=np.uint32) << 16
    ends = np.stack([first_bits, first_bits | 0xFFFF]).view(np.float32)
    is_finite = (first_bits >> 16) & NOT_FINITE != NOT_FINITE
    ends[:, ~is_finite] = np.inf
    # A float64 may have been rounded into the cell from the neighbouring float32 on each side.
    with np.errstate(all="ignore"):
        low = np.nextafter(ends.min(axis=0), np.float32(-np.inf)).astype(np.float64)
        high = np.nextafter(ends.max(axis=0), np.float32(np.inf)).astype(np.float64)
    # Rounding keeps the sign. Zeros are too many, as in sparse gradients, to be compared.
    low[0] = 0.0
    bucket = edges.searchsorted(low, "right")
    is_cut = is_finite & (bucket != edges.searchsorted(high, "right"))
    bucket[~is_finite] = edges.size
    return Cells(bucket, is_cut)
