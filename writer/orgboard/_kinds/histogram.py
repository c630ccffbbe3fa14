"""Histograms as torch's and tensorboardX's writers make them: the same limits, the same counts.

Counting is `np.histogram` on the edges asked for. What is stored begins with one empty bucket,
because the wire format names right edges only and the left edge of the first full bucket must
be known too, and ends with the last full bucket.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from orgboard._encoding import protobuf as pb
from orgboard._encoding.records import summary_body

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]

__all__ = ["Sample", "count", "histogram_body", "tensorflow_edges"]


class Sample(NamedTuple):
    """The values of one histogram, and how to count them."""

    values: NDArray[np.generic]
    bins: Any
    """"tensorflow", or what `np.histogram` takes: a rule's name, a number of bins, edges."""
    max_bins: int | None


class Buckets(NamedTuple):
    """Right edges, and as many counts."""

    limits: list[float]
    counts: list[float]


def histogram_body(tag: str, sample: Sample) -> bytes:
    """Count a sample and encode the body that holds it.

    Raises:
        ValueError: the sample is empty, or numpy refuses the bins.
    """
    import numpy as np

    values = sample.values.astype(np.float64).reshape(-1)
    if not values.size:
        raise ValueError("a histogram needs at least one value")
    limits, counts = count(values, sample.bins, sample.max_bins)
    # An infinity makes the sums infinite or NaN: that is the truth, and no reason to warn.
    with np.errstate(all="ignore"):
        histogram = (
            pb.double(1, float(values.min()))
            + pb.double(2, float(values.max()))
            + pb.double(3, float(values.size))
            + pb.double(4, float(values.sum()))
            + pb.double(5, float(values.dot(values)))
        )
    histogram += pb.packed_doubles(6, limits) + pb.packed_doubles(7, counts)
    return summary_body(pb.text(1, tag) + pb.blob(5, histogram, always=True))


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
    return np.concatenate([-above[::-1], [0.0], above])


def count(values: Floats, bins: Any, max_bins: int | None) -> Buckets:
    """Count values into buckets, at most about `max_bins`, without empty ones at either end.

    Values beyond all edges, and NaN, are in no bucket; if nothing is left, there are no buckets.
    """
    import numpy as np

    if isinstance(bins, str) and bins == "tensorflow":
        bins = tensorflow_edges()
    counts, edges = np.histogram(values, bins=bins)
    if max_bins is not None and len(counts) > max_bins:
        counts, edges = _merge(counts, edges, len(counts) // max_bins)
    full = np.flatnonzero(counts)
    if not full.size:
        return Buckets([], [])
    first, last = int(full[0]), int(full[-1])
    kept = counts[first : last + 1].tolist()
    return Buckets(edges[first : last + 2].tolist(), [0.0, *kept])


def _merge(counts: NDArray[Any], edges: NDArray[Any], width: int) -> tuple[NDArray[Any], Floats]:
    import numpy as np

    starts = np.arange(0, len(counts), width)
    return np.add.reduceat(counts, starts), np.append(edges[starts], edges[-1])
