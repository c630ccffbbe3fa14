"""Bucket edges that many histograms share, known by a number and not stored again.

TensorFlow, torch and tensorboardX all draw from one table, whose edges grow by a tenth:
1e-12 times 1.1, again and again, up to 1e20, both signs, zero, and (TensorFlow only)
the largest double. The recurrence gives the same bits everywhere. A histogram names a
stretch of it, or several where empty buckets were merged.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from orgboard_schema.blocks.columns import Cursor, floats, ints, small_ints
from orgboard_schema.errors import CorruptBlock

__all__ = ["read_edges", "tenfold_table", "write_edges"]

MOST_REMEMBERED: Final = 128
"""Sets of edges whose bytes are remembered, some kilobytes each: a run's histograms share few."""

_WHOLE: Final = 0
_TENTHS: Final = 1

_Edges = npt.NDArray[np.float64]


@cache
def tenfold_table() -> _Edges:
    """Return all edges of the known table, in order."""
    positive = np.array([*_growing(), np.finfo(np.float64).max])
    return np.concatenate([-positive[::-1], [0.0], positive])


def write_edges(limits: _Edges) -> bytes:
    """Return `limits` as stretches of the known table where all are in it, else whole."""
    return _written(limits.tobytes())


@lru_cache(maxsize=MOST_REMEMBERED)
def _written(octets: bytes) -> bytes:
    limits = np.frombuffer(octets, np.float64)
    stretches = _stretches(limits)
    if stretches is None:
        return small_ints([_WHOLE]) + floats(limits)
    starts, lengths = stretches
    return small_ints([_TENTHS]) + ints(starts) + ints(lengths)


def read_edges(cursor: Cursor) -> _Edges:
    """Return what `write_edges` was given."""
    (form,) = cursor.small_ints()
    if form == _WHOLE:
        whole: _Edges = cursor.floats(np.float64)
        return whole
    if form != _TENTHS:
        raise CorruptBlock(f"histogram edges of unknown form {form}")
    table = tenfold_table()
    limits: list[_Edges] = []
    for start, length in zip(cursor.small_ints(), cursor.small_ints(), strict=True):
        if start < 0 or length < 0 or start + length > len(table):
            raise CorruptBlock("histogram edges outside of their table")
        limits.append(table[start : start + length])
    return np.concatenate(limits) if limits else np.empty(0)


def _growing() -> Iterator[float]:
    edge = 1e-12
    while edge < 1e20:
        yield edge
        edge *= 1.1


def _stretches(limits: _Edges) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]] | None:
    table = tenfold_table()
    at = np.searchsorted(table, limits).clip(max=len(table) - 1)
    # By their bits: -0.0 is not the table's zero.
    if not len(limits) or not np.array_equal(table[at].view(np.int64), limits.view(np.int64)):
        return None
    breaks = np.flatnonzero(np.diff(at) != 1) + 1
    bounds = np.concatenate([[0], breaks, [len(at)]])
    return at[bounds[:-1]], np.diff(bounds)
