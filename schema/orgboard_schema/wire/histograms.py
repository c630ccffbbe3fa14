"""One view of both kinds of histogram: rows of (left edge, right edge, count)."""

from __future__ import annotations

from orgboard_schema.types import Histogram, ProtoHistogram

__all__ = ["buckets"]


def buckets(histogram: Histogram) -> tuple[tuple[float, float, float], ...]:
    """Return the buckets in the order logged.

    A proto's outermost edges are ±the largest double; like TensorBoard, drop
    empty buckets at both ends and let the rest begin at `min` and end at `max`.
    Limits and counts of unequal number: as many buckets as have both.
    """
    if not isinstance(histogram, ProtoHistogram):
        return histogram.buckets
    size = min(len(histogram.limits), len(histogram.counts))
    filled = [index for index in range(size) if histogram.counts[index] > 0]
    if not filled:
        return ()
    first, last = filled[0], filled[-1]
    inner = histogram.limits[first:last]
    lefts = (histogram.min, *inner)
    rights = (*inner, histogram.max)
    return tuple(zip(lefts, rights, histogram.counts[first : last + 1], strict=True))
