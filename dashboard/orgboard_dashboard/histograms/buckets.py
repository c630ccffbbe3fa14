"""Exact buckets of many histograms as columns, and what of them cannot be drawn. Pure.

Old histograms (HistogramProto) have right edges only. Their buckets are read as TensorBoard
reads them: empty buckets at both ends are left out, the first one left begins at `min` and the
last one ends at `max`. Histogram tensors say both edges of each bucket, and keep all of them.

A bucket that is unsound has no place in a picture: it is left out, and `faults` says why.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from orgboard_schema.blocks.buckets import TensorHistograms
from orgboard_schema.blocks.columns import address
from orgboard_schema.blocks.protos import ProtoHistograms
from orgboard_schema.blocks.value_columns import as_columns
from orgboard_schema.core.library import load_core
from orgboard_schema.types import ProtoHistogram, TensorHistogram

__all__ = [
    "FAULTS",
    "Frames",
    "ends_of",
    "frames_in_order",
    "frames_of",
    "joined",
    "spread_index",
    "summed",
]

Doubles: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Mask: TypeAlias = NDArray[np.bool_]

FAULTS: Final = (
    "an edge that is no number",
    "edges that go back",
    "an infinite edge",
    "a count that is no number",
    "a negative count",
    "not as many counts as edges",
    "a total that its counts do not come to",
    "a least and greatest value that its buckets contradict",
)
"""What can be wrong with a histogram. The position is a bit of `Frames.faults`."""

_EDGE_NAN, _BACKWARDS, _INFINITE, _COUNT_NAN, _NEGATIVE, _UNEVEN, _TOTAL, _RANGE = (
    1 << bit for bit in range(len(FAULTS))
)
_TOTAL_APART: Final = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Frames:
    """Histograms one after the other. Of the buckets only those that can be drawn."""

    lengths: Ints
    """How many buckets each histogram has here."""
    left: Doubles
    right: Doubles
    count: Doubles
    moments: Doubles
    """A row each: min, max, num, sum, sum of squares; NaN where none was logged."""
    faults: NDArray[np.uint8]
    left_out: Ints
    """How many buckets of each are not here, since they are unsound."""

    def __len__(self) -> int:
        return len(self.lengths)

    def starts(self) -> Ints:
        """Return where the buckets of each begin."""
        return ends_of(self.lengths) - self.lengths

    def owners(self) -> Ints:
        """Return of each bucket which histogram it is of."""
        return np.repeat(np.arange(len(self)), self.lengths)

    def take(self, chosen: Ints) -> Frames:
        """Return these histograms, in this order."""
        at = spread_index(self.starts()[chosen], self.lengths[chosen])
        return Frames(
            self.lengths[chosen],
            *(self.left[at], self.right[at], self.count[at]),
            self.moments[:, chosen],
            self.faults[chosen],
            self.left_out[chosen],
        )

    def sums(self, values: Doubles) -> Doubles:
        """Return what `values`, one a bucket, come to in each histogram."""
        return summed(values, self.lengths)


def frames_of(parts: Sequence[Sequence[Any]], chosen: Ints | None = None) -> Frames:
    """Return the histograms at these places of all parts, taken one after the other.

    Anything in `parts` that is no histogram is one without buckets.
    """
    begun = 0
    made = []
    for part in parts:
        mine = None
        if chosen is not None:
            mine = chosen[(chosen >= begun) & (chosen < begun + len(part))] - begun
            if np.array_equal(mine, np.arange(len(part))):
                mine = None
        begun += len(part)
        made += [_frames(alike, mine) for alike, mine in _alike(part, mine)]
    return joined(made)


def frames_in_order(parts: Sequence[Sequence[Any]], chosen: Ints) -> Frames:
    """Return these histograms in this order, which need not be the stored one."""
    order = np.argsort(chosen, kind="stable")
    frames = frames_of(parts, chosen[order])
    if np.all(order[1:] > order[:-1]):
        return frames
    return frames.take(np.argsort(order, kind="stable"))


def joined(frames: Sequence[Frames]) -> Frames:
    """Return all of them as one."""
    if len(frames) == 1:
        return frames[0]
    none = Frames(
        np.empty(0, np.int64),
        *(np.empty(0), np.empty(0), np.empty(0)),
        np.empty((5, 0)),
        np.empty(0, np.uint8),
        np.empty(0, np.int64),
    )
    all_of = (none, *frames)
    return Frames(
        np.concatenate([each.lengths for each in all_of]),
        np.concatenate([each.left for each in all_of]),
        np.concatenate([each.right for each in all_of]),
        np.concatenate([each.count for each in all_of]),
        np.concatenate([each.moments for each in all_of], axis=1),
        np.concatenate([each.faults for each in all_of]),
        np.concatenate([each.left_out for each in all_of]),
    )


def summed(values: Doubles, lengths: Ints) -> Doubles:
    """Return what each part comes to, of parts so long one after the other."""
    found = np.zeros(len(lengths))
    some = lengths > 0
    if some.any():
        found[some] = np.add.reduceat(values, (ends_of(lengths) - lengths)[some])
    return found


def ends_of(lengths: Ints) -> Ints:
    """Return where each part ends, of parts so long one after the other."""
    return np.cumsum(lengths)


def spread_index(starts: Ints, lengths: Ints) -> Ints:
    """Return the places of parts that begin at `starts` and are so long, one after the other."""
    if not len(lengths):
        return np.empty(0, np.int64)
    within = np.arange(int(lengths.sum())) - np.repeat(ends_of(lengths) - lengths, lengths)
    return cast("Ints", np.repeat(starts, lengths) + within)


def _alike(part: Sequence[Any], chosen: Ints | None) -> list[tuple[Sequence[Any], Ints | None]]:
    """Split a part into columns of one form each."""
    if isinstance(part, ProtoHistograms | TensorHistograms):
        return [(part, chosen)]
    values = list(part) if chosen is None else [part[at] for at in chosen.tolist()]
    sound = [v if isinstance(v, ProtoHistogram | TensorHistogram) else _NOTHING for v in values]
    return [(as_columns(tuple(alike)), None) for _, alike in groupby(sound, type)]


_NOTHING: Final = TensorHistogram("float64", ())


def _frames(part: Sequence[Any], chosen: Ints | None) -> Frames:
    if isinstance(part, ProtoHistograms):
        return _of_protos(part, chosen)
    return _of_tensors(cast("TensorHistograms", part), chosen)


def _of_tensors(part: TensorHistograms, chosen: Ints | None) -> Frames:
    lengths, rows = part.lengths, part.rows
    if chosen is not None:
        rows = rows[spread_index((ends_of(lengths) - lengths)[chosen], lengths[chosen])]
        lengths = lengths[chosen]
    nothing = np.zeros(len(lengths), np.uint8)
    moments = np.full((5, len(lengths)), np.nan)
    left, right, count = (np.ascontiguousarray(rows[:, at]) for at in range(3))
    return _sound(lengths, left, right, count, moments, nothing)


def _of_protos(part: ProtoHistograms, chosen: Ints | None) -> Frames:
    lengths, of, counts, moments = part.lengths, part.of, part.counts, part.moments
    if chosen is not None:
        counts = counts[spread_index((ends_of(lengths) - lengths)[chosen], lengths[chosen])]
        lengths, of, moments = lengths[chosen], of[chosen], moments[:, chosen]
    edges = np.concatenate(part.limits) if part.limits else np.empty(0)
    known = np.array([len(each) for each in part.limits], np.int64)
    if _plain(edges, known, of, lengths, counts, moments):
        return _of_plain(edges, known, of, lengths, counts, moments)
    faults = np.where(known[of] != lengths, _UNEVEN, 0).astype(np.uint8)
    faults |= _totals(lengths, counts, moments)
    owner = np.repeat(np.arange(len(lengths)), lengths)
    # Counts beyond the last edge are of no bucket.
    within = np.arange(len(counts)) - (ends_of(lengths) - lengths)[owner]
    has_edge = within < known[of[owner]]
    owner, within, count = owner[has_edge], within[has_edge], counts[has_edge]
    begun = (ends_of(known) - known)[of]
    right = edges[begun[owner] + within]
    left = np.where(within > 0, edges[np.maximum(begun[owner] + within - 1, 0)], -np.inf)
    faults |= _of_edges(owner, len(lengths), left, right, count, outer=True)
    kept, first, last = _inner(owner, len(lengths), count)
    left, right, range_faults = _ended(left, right, moments, first, last)
    faults |= range_faults
    owner = owner[kept]
    lengths = np.bincount(owner, minlength=len(lengths)).astype(np.int64)
    return _sound(lengths, left[kept], right[kept], count[kept], moments, faults)


def _plain(
    edges: Doubles, known: Ints, of: Ints, lengths: Ints, counts: Doubles, moments: Doubles
) -> bool:
    """Tell whether nothing can be wrong with any of them, but what they say of their ends."""
    if not (known[of] == lengths).all() or not len(counts):
        return False
    # A NaN is not above or below anything.
    if not (counts.min() >= 0 and counts.max() < np.inf and np.isfinite(moments[:2]).all()):
        return False
    ascend = edges[1:] >= edges[:-1]
    # From one set of edges to the next they may do anything; a set may have none.
    last = ends_of(known) - 1
    ascend[last[(last >= 0) & (last < len(ascend))]] = True
    return bool(ascend.all() and edges[0] > -np.inf and edges.max() < np.inf)


def _of_plain(
    edges: Doubles, known: Ints, of: Ints, lengths: Ints, counts: Doubles, moments: Doubles
) -> Frames:
    """Return plain histograms: the same as for all others, in a fifth of the time."""
    first, last, left, right, count = _inner_buckets(edges, known, of, lengths, counts)
    inner = last - first + 1
    some = inner > 0
    faults = _totals(lengths, counts, moments)
    own_first, own_last = np.full(len(lengths), -1), np.full(len(lengths), -2)
    own_first[some] = (ends_of(inner) - inner)[some]
    own_last[some] = (ends_of(inner) - 1)[some]
    left, right, range_faults = _ended(left, right, moments, own_first, own_last)
    faults |= range_faults
    if range_faults.any():
        return _sound(inner, left, right, count, moments, faults)
    return Frames(inner, left, right, count, moments, faults, np.zeros(len(lengths), np.int64))


def _inner_buckets(
    edges: Doubles, known: Ints, of: Ints, lengths: Ints, counts: Doubles
) -> tuple[Ints, Ints, Doubles, Doubles, Doubles]:
    """Return between which counts those of each stand that are not empty; and left, right and
    count of these buckets. The first of all edges is open to the left."""
    edge_at = (ends_of(known) - known)[of]
    core = load_core()
    if core is None:
        return _inner_in_numpy(edges, edge_at, lengths, counts)
    edges, counts = np.ascontiguousarray(edges), np.ascontiguousarray(counts)
    lengths = np.ascontiguousarray(lengths)
    first, last = np.empty(len(lengths), np.int64), np.empty(len(lengths), np.int64)
    told = (address(counts), address(lengths), len(lengths), address(first), address(last))
    made = np.empty((3, core.ob_inner_buckets(*told)))
    core.ob_plain_buckets(address(edges), address(edge_at), *told, *map(address, made))
    return first, last, made[0], made[1], made[2]


def _inner_in_numpy(
    edges: Doubles, edge_at: Ints, lengths: Ints, counts: Doubles
) -> tuple[Ints, Ints, Doubles, Doubles, Doubles]:
    full = np.flatnonzero(counts > 0)
    ends = ends_of(lengths)
    starts = ends - lengths
    before, upto = np.searchsorted(full, starts), np.searchsorted(full, ends)
    some = upto > before
    first = np.zeros(len(lengths), np.int64)
    last = first - 1
    first[some] = full[before[some]] - starts[some]
    last[some] = full[upto[some] - 1] - starts[some]
    inner = last - first + 1
    at = spread_index(edge_at + first, inner)
    right, left = edges[at], edges[np.maximum(at - 1, 0)]
    # What is left of the first edge has no edge of its own.
    left[(ends_of(inner) - inner)[some & (first == 0)]] = -np.inf
    return first, last, left, right, counts[spread_index(starts + first, inner)]


def _totals(lengths: Ints, counts: Doubles, moments: Doubles) -> NDArray[np.uint8]:
    apart = np.abs(summed(counts, lengths) - moments[2])
    with np.errstate(invalid="ignore"):
        differs = ~(apart <= _TOTAL_APART * np.maximum(1.0, np.abs(moments[2])))
    return np.where(differs, _TOTAL, 0).astype(np.uint8)


def _inner(owner: Ints, n: int, count: Doubles) -> tuple[Mask, Ints, Ints]:
    """Return which buckets stand between the outermost ones that are not empty, and those."""
    full = np.flatnonzero(count > 0)
    first, last = np.full(n, -1), np.full(n, -2)
    # Of several to one place the last one stays.
    first[owner[full[::-1]]] = full[::-1]
    last[owner[full]] = full
    at = np.arange(len(count))
    kept = (at >= first[owner]) & (at <= last[owner])
    return kept, first, last


def _ended(
    left: Doubles, right: Doubles, moments: Doubles, first: Ints, last: Ints
) -> tuple[Doubles, Doubles, NDArray[np.uint8]]:
    """Let the first bucket begin at the least value, and the last one end at the greatest.

    These edges are put into the columns themselves.
    """
    some = np.flatnonzero(first >= 0)
    low, high = moments[0, some], moments[1, some]
    first, last = first[some], last[some]
    own_left, own_right = left[first].copy(), right[last].copy()
    alone = first == last
    fits_low = np.isfinite(low) & (low <= np.where(alone, high, right[first]))
    fits_high = np.isfinite(high) & (high >= np.where(alone, low, left[last]))
    left[first] = np.where(fits_low, low, own_left)
    right[last] = np.where(fits_high, high, own_right)
    faults = np.zeros(moments.shape[1], np.uint8)
    faults[some[~(fits_low & fits_high)]] = _RANGE
    return left, right, faults


def _of_edges(
    owner: Ints, n: int, left: Doubles, right: Doubles, count: Doubles, *, outer: bool
) -> NDArray[np.uint8]:
    """Return what is wrong with the buckets of each histogram. `outer`: ends may be infinite."""
    at_end = np.zeros(len(owner), np.bool_)
    if outer and len(owner):
        at_end[np.flatnonzero(np.append(owner[1:] != owner[:-1], True))] = True
    low_infinite = np.isinf(left) & (left < 0) & outer
    wrong = {
        _EDGE_NAN: np.isnan(left) | np.isnan(right),
        _BACKWARDS: left > right,
        _INFINITE: (np.isinf(left) & ~low_infinite) | (np.isinf(right) & ~at_end),
        _COUNT_NAN: ~np.isfinite(count),
        _NEGATIVE: count < 0,
    }
    faults = np.zeros(n, np.uint8)
    for bit, of in wrong.items():
        faults[owner[of]] |= bit
    return faults


def _sound(
    lengths: Ints,
    left: Doubles,
    right: Doubles,
    count: Doubles,
    moments: Doubles,
    faults: NDArray[np.uint8],
) -> Frames:
    """Leave out what cannot be drawn; a bucket that is open at one side lies at its other edge."""
    owner = np.repeat(np.arange(len(lengths)), lengths)
    faults = faults | _of_edges(owner, len(lengths), left, right, count, outer=False)
    left = np.where(np.isinf(left) & np.isfinite(right), right, left)
    right = np.where(np.isinf(right) & np.isfinite(left), left, right)
    sound = np.isfinite(left) & np.isfinite(right) & (left <= right)
    sound &= np.isfinite(count) & (count >= 0)
    if sound.all():
        return Frames(
            lengths, left, right, count, moments, faults, np.zeros(len(lengths), np.int64)
        )
    kept = np.bincount(owner[sound], minlength=len(lengths)).astype(np.int64)
    return Frames(kept, left[sound], right[sound], count[sound], moments, faults, lengths - kept)
