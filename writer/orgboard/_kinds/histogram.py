"""Histograms as torch's and tensorboardX's writers make them: the same limits, the same counts.

Counting is `np.histogram` on the edges asked for. What is stored begins with one empty bucket,
because the wire format names right edges only and the left edge of the first full bucket must
be known too, and ends with the last full bucket.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from orgboard._encoding import protobuf as pb
from orgboard._encoding.records import summary_body
from orgboard._kinds.counting import sum_of_squares, tally, tensorflow_edges
from orgboard._values.arrays import numbers
from orgboard._values.device_counts import Tally, count_later, tally_of_rows
from orgboard._values.late import Late, settle

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[np.generic]
    Floats: TypeAlias = NDArray[np.float64]

__all__ = [
    "TENSORFLOW",
    "Counted",
    "RawHistogram",
    "Sample",
    "counted_body",
    "counted_on_device",
]
__all__ += ["histogram_body", "raw_histogram_body", "tensorflow_edges", "trim"]

TENSORFLOW: Final = "tensorflow"
"""The name of the edges that torch's and tensorboardX's writers use unless told otherwise."""


class Sample(NamedTuple):
    """The values of one histogram, and how to count them."""

    values: Array | Late
    bins: Any
    """"tensorflow", or what `np.histogram` takes: a rule's name, a number of bins, edges."""
    max_bins: int | None


class Counted(NamedTuple):
    """The values of one histogram, counted between TensorFlow's edges on their device."""

    rows: Late
    number: int
    max_bins: int | None


class RawHistogram(NamedTuple):
    """A histogram that the caller counted: numbers, right edges, and as many counts."""

    statistics: tuple[Any, ...]
    """min, max, num, sum, sum of squares."""
    limits: Array | Late
    counts: Array | Late


class Buckets(NamedTuple):
    """Right edges, and as many counts."""

    limits: list[float]
    counts: list[float]


def counted_on_device(values: Any, bins: Any, max_bins: int | None) -> Counted | None:
    """Have the device that holds the values count them; None when the host is to count."""
    if not (isinstance(bins, str) and bins == TENSORFLOW):
        return None
    rows = count_later(values, tensorflow_edges())
    if rows is None:
        return None
    number = 1
    for length in values.shape:
        number *= int(length)
    return Counted(rows, number, max_bins)


def histogram_body(tag: str, sample: Sample) -> bytes:
    """Count a sample and encode the body that holds it.

    Raises:
        ValueError: the sample is empty, or numpy refuses the bins.
    """
    import numpy as np

    given = settle(sample.values)
    if not given.size:
        raise ValueError("a histogram needs at least one value")
    if isinstance(sample.bins, str) and sample.bins == TENSORFLOW:
        return _tally_body(tag, tally(given), sample.max_bins)
    with np.errstate(all="ignore"):
        values = np.ascontiguousarray(given, np.float64).reshape(-1)
        counts, edges = np.histogram(values, bins=sample.bins)
        statistics = (
            float(values.min()),
            float(values.max()),
            float(values.size),
            float(values.sum()),
            sum_of_squares(values),
        )
    return _body(tag, statistics, trim(counts, edges, sample.max_bins))


def counted_body(tag: str, counted: Counted) -> bytes:
    """Encode the body of a histogram that a device counted, once it has."""
    return _tally_body(tag, tally_of_rows(settle(counted.rows), counted.number), counted.max_bins)


def raw_histogram_body(tag: str, raw: RawHistogram) -> bytes:
    """Encode the body of a histogram as the caller counted it."""
    import numpy as np

    statistics = [float(numbers(np.asarray(settle(n))).item()) for n in raw.statistics]
    limits, counts = (
        np.asarray(settle(side), np.float64).reshape(-1).tolist()
        for side in (raw.limits, raw.counts)
    )
    return _body(tag, tuple(statistics), Buckets(limits, counts))


def trim(counts: NDArray[Any], edges: Floats, max_bins: int | None) -> Buckets:
    """Leave out empty buckets at either end, and merge the others to about `max_bins`."""
    import numpy as np

    if max_bins is not None and len(counts) > max_bins:
        counts, edges = _merge(counts, edges, len(counts) // max_bins)
    full = np.flatnonzero(counts)
    if not full.size:
        return Buckets([], [])
    first, last = int(full[0]), int(full[-1])
    kept = counts[first : last + 1].tolist()
    return Buckets(edges[first : last + 2].tolist(), [0.0, *kept])


def _merge(counts: NDArray[Any], edges: Floats, width: int) -> tuple[NDArray[Any], Floats]:
    import numpy as np

    starts = np.arange(0, len(counts), width)
    return np.add.reduceat(counts, starts), np.append(edges[starts], edges[-1])


def _tally_body(tag: str, found: Tally, max_bins: int | None) -> bytes:
    counts, smallest, largest, number, total, squares = found
    statistics = smallest, largest, float(number), total, squares
    return _body(tag, statistics, trim(counts, tensorflow_edges(), max_bins))


def _body(tag: str, statistics: tuple[float, ...], buckets: Buckets) -> bytes:
    histogram = b"".join(pb.double(1 + place, number) for place, number in enumerate(statistics))
    histogram += pb.packed_doubles(6, buckets.limits) + pb.packed_doubles(7, buckets.counts)
    return summary_body(pb.text(1, tag) + pb.blob(5, histogram, always=True))
