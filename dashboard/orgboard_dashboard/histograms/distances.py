"""How far histograms are apart, many pairs at once. Pure.

Both of a pair are cut at the edges of either, so that within a cell each has an even density:
Wasserstein-1 (the area between the two cumulative shares, in units of the value) and the
Jensen-Shannon divergence (in bits, from 0 for equal to 1 for disjoint) are then exact for the
buckets. A histogram of more than `MOST_BUCKETS` buckets is one of so many first: neighbours are
joined where the least is lost, and its edges stay edges that were logged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from orgboard_dashboard.histograms.buckets import Frames

__all__ = [
    "MOST_BUCKETS",
    "Shares",
    "jensen_shannon",
    "joined_shares",
    "shares_of",
    "wasserstein",
]

Doubles: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

MOST_BUCKETS: Final = 64
_AT_ONCE: Final = 1024
"""Pairs that are worked on together: what they need stays in the cache."""


@dataclass(frozen=True, slots=True, eq=False)
class Shares:
    """Histograms as cumulative shares at edges, a row each, all of the same length."""

    edges: Doubles
    reached: Doubles
    """From 0 at the first edge to 1 at the last; NaN in a row without any count."""

    def __len__(self) -> int:
        return len(self.edges)


def shares_of(frames: Frames) -> Shares:
    """Return the cumulative shares of each histogram."""
    n = len(frames)
    most = min(MOST_BUCKETS, int(frames.lengths.max(initial=1)))
    starts, lengths = frames.starts(), frames.lengths
    edges = np.zeros((n, most + 1))
    reached = np.full((n, most + 1), np.nan)
    total = frames.sums(frames.count)
    some = np.flatnonzero((lengths > 0) & (total > 0))
    if not some.size:
        return Shares(edges, reached)
    running = np.cumsum(frames.count)
    before = (running - frames.count)[starts[some]]
    steps = np.arange(1, most + 1)
    # Each row's buckets, the last one again and again where there are fewer.
    at = np.minimum(steps[None, :], lengths[some, None])
    long = lengths[some] > most
    if long.any():
        at[long] = _joined_at(frames, some[long], most, running)
    last = starts[some, None] + at - 1
    edges[some, 0] = frames.left[starts[some]]
    edges[some, 1:] = np.maximum.accumulate(frames.right[last], axis=1)
    reached[some, 0] = 0.0
    reached[some, 1:] = np.clip((running[last] - before[:, None]) / total[some, None], 0.0, 1.0)
    return Shares(edges, reached)


def joined_shares(parts: Sequence[Shares]) -> Shares:
    """Return all of them as one."""
    most = max((part.edges.shape[1] for part in parts), default=2)
    wide = [_widened(part, most - part.edges.shape[1]) for part in parts]
    nothing = np.empty((0, most))
    return Shares(
        np.concatenate([nothing, *(part.edges for part in wide)]),
        np.concatenate([nothing, *(part.reached for part in wide)]),
    )


def _widened(part: Shares, by: int) -> Shares:
    pad = ((0, 0), (0, by))
    return Shares(np.pad(part.edges, pad, mode="edge"), np.pad(part.reached, pad, mode="edge"))


def _joined_at(frames: Frames, rows: Ints, most: int, running: Doubles) -> Ints:
    """Return after which buckets each row is cut: evenly by what is reached, and at its ends."""
    starts, lengths = frames.starts()[rows], frames.lengths[rows]
    before = running[starts] - frames.count[starts]
    total = running[starts + lengths - 1] - before
    wanted = before[:, None] + total[:, None] * (np.arange(1, most) / most)
    # What is counted ascends through all rows: one search finds all cuts.
    cuts = np.searchsorted(running, wanted.ravel()).reshape(wanted.shape) - starts[:, None] + 1
    cuts = np.clip(cuts, 1, lengths[:, None])
    return np.concatenate([cuts, lengths[:, None]], axis=1)


def wasserstein(shares: Shares, one: Ints, other: Ints) -> Doubles:
    """Return the Wasserstein-1 distance of each pair of rows."""
    found = np.full(len(one), np.nan)
    for some in _batches(len(one)):
        at, first, second = _cells(shares, one[some], other[some])
        width = np.diff(at, axis=1)
        apart = first - second
        low, high = apart[:, :-1], apart[:, 1:]
        area = np.abs(low) + np.abs(high)
        # A line that crosses 0 has two triangles.
        crosses = low * high < 0
        area[crosses] = (low[crosses] ** 2 + high[crosses] ** 2) / area[crosses]
        found[some] = (area * width).sum(axis=1) / 2
    return found


def jensen_shannon(shares: Shares, one: Ints, other: Ints) -> Doubles:
    """Return the Jensen-Shannon divergence of each pair of rows."""
    found = np.full(len(one), np.nan)
    for some in _batches(len(one)):
        at, first, second = _cells(shares, one[some], other[some])
        # What happens at one place, as in a bucket without a width, is put into one cell.
        begun = _begun(at)
        first, second = _taken(first, begun), _taken(second, begun)
        p, q = np.diff(first, axis=1), np.diff(second, axis=1)
        both = p + q
        # Zero where one has no share: x * log2(x / m) goes to 0.
        with np.errstate(divide="ignore", invalid="ignore"):
            parts = np.where(p > 0, p * np.log2(2 * p / both), 0.0)
            parts += np.where(q > 0, q * np.log2(2 * q / both), 0.0)
        found[some] = np.where(np.isnan(both).any(axis=1), np.nan, parts.sum(axis=1) / 2)
    clipped: Doubles = np.clip(found, 0.0, 1.0)
    return clipped


def _batches(n: int) -> list[slice]:
    return [slice(begin, begin + _AT_ONCE) for begin in range(0, n, _AT_ONCE)]


def _cells(shares: Shares, one: Ints, other: Ints) -> tuple[Doubles, Doubles, Doubles]:
    """Return the edges of both of each pair in order, and what each has reached there."""
    edges = np.concatenate([shares.edges[one], shares.edges[other]], axis=1)
    own = shares.edges.shape[1]
    order = np.argsort(edges, axis=1, kind="stable")
    at = _taken(edges, order)
    passed = np.cumsum(order < own, axis=1)
    # Those of the other are what is left.
    rest = np.arange(1, at.shape[1] + 1) - passed
    return at, _reached(shares, one, at, passed), _reached(shares, other, at, rest)


def _taken(rows: Doubles, columns: Ints) -> Doubles:
    """Return of each row the values in these columns; several times as quick as take_along_axis."""
    n, width = rows.shape
    found: Doubles = rows.ravel().take(columns + (np.arange(n) * width)[:, None])
    return found


def _begun(at: Doubles) -> Ints:
    """Return of each place where the places that equal it begin; of the last of them itself."""
    places = np.arange(at.shape[1])
    new = np.ones(at.shape, np.bool_)
    new[:, 1:] = at[:, 1:] > at[:, :-1]
    last = np.ones(at.shape, np.bool_)
    last[:, :-1] = new[:, 1:]
    begun = np.maximum.accumulate(np.where(new, places, 0), axis=1)
    return np.where(last, places, begun)


def _reached(shares: Shares, rows: Ints, at: Doubles, passed: Ints) -> Doubles:
    """Return what the rows have reached at each place: on the line between two of their edges."""
    edges, reached = shares.edges[rows], shares.reached[rows]
    width = np.diff(edges, axis=1)
    rise = np.zeros_like(edges)
    np.divide(np.diff(reached, axis=1), width, out=rise[:, :-1], where=width > 0)
    low = np.maximum(passed - 1, 0)
    found = _taken(reached, low) + _taken(rise, low) * (at - _taken(edges, low))
    # Before the first edge there is nothing yet.
    found[(passed == 0) & ~np.isnan(found)] = 0.0
    np.clip(found, 0.0, 1.0, out=found)
    return found
