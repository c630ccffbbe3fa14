"""How far histograms are apart, many pairs at once. Pure.

Both of a pair are cut at the edges of either, so that within a cell each has an even density:
Wasserstein-1 (the area between the two cumulative shares, in units of the value) and the
Jensen-Shannon divergence (in bits, from 0 for equal to 1 for disjoint) are then exact for the
buckets. A histogram of more than `MOST_BUCKETS` buckets is one of so many first: neighbours are
joined where the least is lost, and its edges stay edges that were logged. The compiled core does
this where it is there; numpy gives the same bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from orgboard_dashboard.histograms.buckets import Frames, summed
from orgboard_schema.blocks.columns import address
from orgboard_schema.core.library import load_core

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
    core = load_core()
    if core is not None:
        shares = Shares(np.empty((n, most + 1)), np.empty((n, most + 1)))
        columns = [frames.left, frames.right, frames.count, frames.lengths]
        columns = [np.ascontiguousarray(column) for column in columns]
        made = (address(shares.edges), address(shares.reached))
        if not core.ob_shares(*map(address, columns), n, most, *made):
            return shares
    edges = np.zeros((n, most + 1))
    reached = np.full((n, most + 1), np.nan)
    running = _running(frames)
    lengths = frames.lengths
    some = np.flatnonzero(running[:, -1] > 0)
    if not some.size:
        return Shares(edges, reached)
    total = running[some, -1, None]
    # Each row's buckets, the last one again and again where there are fewer.
    at = np.minimum(np.arange(1, most + 1)[None, :], lengths[some, None])
    long = np.flatnonzero(lengths[some] > most)
    for row in long.tolist():
        at[row, :-1] = _cuts(running[some[row], : lengths[some[row]]], most)
        at[row, -1] = lengths[some[row]]
    starts = frames.starts()[some]
    edges[some, 0] = frames.left[starts]
    edges[some, 1:] = np.maximum.accumulate(frames.right[starts[:, None] + at - 1], axis=1)
    reached[some, 0] = 0.0
    reached[some, 1:] = np.clip(running[some[:, None], at - 1] / total, 0.0, 1.0)
    return Shares(edges, reached)


def _running(frames: Frames) -> Doubles:
    """Return what is counted up to each bucket, a row each histogram, its end again at the end."""
    within = np.arange(int(frames.lengths.max(initial=1))) < frames.lengths[:, None]
    counts = np.zeros(within.shape)
    counts[within] = frames.count
    running: Doubles = np.cumsum(counts, axis=1)
    return running


def _cuts(running: Doubles, most: int) -> Ints:
    """Return after which buckets a row is cut: evenly by what is reached."""
    wanted = running[-1] * (np.arange(1, most) / most)
    cuts: Ints = np.minimum(np.searchsorted(running, wanted) + 1, len(running))
    return cuts


def joined_shares(parts: Sequence[Shares]) -> Shares:
    """Return all of them as one."""
    most = max((part.edges.shape[1] for part in parts), default=2)
    rows = sum(map(len, parts))
    joined = Shares(np.empty((rows, most)), np.empty((rows, most)))
    end = 0
    for part in parts:
        here, own = slice(end, end + len(part)), part.edges.shape[1]
        for to, of in ((joined.edges, part.edges), (joined.reached, part.reached)):
            to[here, :own] = of
            to[here, own:] = of[:, -1:]
        end += len(part)
    return joined


def wasserstein(shares: Shares, one: Ints, other: Ints) -> Doubles:
    """Return the Wasserstein-1 distance of each pair of rows."""
    found = np.full(len(one), np.nan)
    core = load_core()
    if core is not None:
        asked = _Asked(shares, one, other)
        core.ob_wasserstein(*asked.told(slice(0, len(one))), address(found))
        return found
    for some in _batches(len(one)):
        at, first, second = _cells(shares, one[some], other[some])
        width = np.diff(at, axis=1)
        apart = first - second
        low, high = apart[:, :-1], apart[:, 1:]
        area = np.abs(low) + np.abs(high)
        # A line that crosses 0 has two triangles.
        crosses = low * high < 0
        area[crosses] = (low[crosses] ** 2 + high[crosses] ** 2) / area[crosses]
        # One cell after the other, as the core adds.
        found[some] = np.cumsum(area * width, axis=1)[:, -1] / 2
    return found


def jensen_shannon(shares: Shares, one: Ints, other: Ints) -> Doubles:
    """Return the Jensen-Shannon divergence of each pair of rows."""
    found = np.full(len(one), np.nan)
    asked = _Asked(shares, one, other)
    for some in _batches(len(one)):
        p, q, cells = asked.cells(some)
        both = p + q
        # Zero where one has no share: x * log2(x / m) goes to 0.
        with np.errstate(divide="ignore", invalid="ignore"):
            parts = np.where(p > 0, p * np.log2(2 * p / both), 0.0)
            parts += np.where(q > 0, q * np.log2(2 * q / both), 0.0)
        found[some] = summed(parts, cells) / 2
    # A row without any count is not apart from anything.
    found[np.isnan(shares.reached[one, 0] + shares.reached[other, 0])] = np.nan
    clipped: Doubles = np.clip(found, 0.0, 1.0)
    return clipped


class _Asked:
    """Pairs of rows, and room to work on them."""

    def __init__(self, shares: Shares, one: Ints, other: Ints) -> None:
        self._shares = shares
        self._one, self._other = np.ascontiguousarray(one), np.ascontiguousarray(other)
        self._width = shares.edges.shape[1]
        self._space = np.empty(8 * self._width)
        most = min(_AT_ONCE, len(one))
        self._room = np.empty((2, most * (2 * self._width - 1)))

    def told(self, some: slice) -> tuple[int, ...]:
        """Return what the core is told of some of the pairs."""
        one, other = self._one[some], self._other[some]
        rows = address(self._shares.edges), address(self._shares.reached), self._width
        return (*rows, address(one), address(other), len(one), address(self._space))

    def cells(self, some: slice) -> tuple[Doubles, Doubles, Ints]:
        """Return the shares of both in each cell in which one has any, and how many cells each."""
        core = load_core()
        if core is None:
            return _shares_in_cells(self._shares, self._one[some], self._other[some])
        cells = np.empty(len(self._one[some]), np.int64)
        made = core.ob_cells(*self.told(some), *map(address, self._room), address(cells))
        return self._room[0, :made], self._room[1, :made], cells


def _shares_in_cells(shares: Shares, one: Ints, other: Ints) -> tuple[Doubles, Doubles, Ints]:
    at, first, second = _cells(shares, one, other)
    # What happens at one place, as in a bucket without a width, is put into one cell.
    begun = _begun(at)
    p, q = (np.diff(_taken(line, begun), axis=1) for line in (first, second))
    has_any = (p > 0) | (q > 0)
    return p[has_any], q[has_any], has_any.sum(axis=1)


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
