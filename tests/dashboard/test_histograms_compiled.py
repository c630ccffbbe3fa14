"""What the compiled core makes of histograms is what numpy makes of them, to the bit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from orgboard_dashboard.histograms import buckets, distances
from orgboard_dashboard.histograms.buckets import Frames, frames_of
from orgboard_dashboard.histograms.distances import (
    MOST_BUCKETS,
    Shares,
    jensen_shannon,
    shares_of,
    wasserstein,
)
from orgboard_schema.blocks.value_columns import as_columns
from orgboard_schema.core.library import load_core
from orgboard_schema.types import ProtoHistogram
from support.lacking import lack

_seeds = st.integers(0, 2**32 - 1)
_lengths = st.lists(st.integers(0, 3) | st.integers(0, 3 * MOST_BUCKETS), max_size=6)


@given(_seeds, _lengths)
@example(0, [0, 1])
@example(0, [2, 0])
def test_buckets_of_old_histograms_are_the_same(seed: int, lengths: list[int]) -> None:
    random = np.random.default_rng(seed)
    part = as_columns(tuple(_proto(random, length) for length in lengths))
    chosen = np.flatnonzero(random.integers(0, 4, len(lengths)))

    for some in (None, chosen):
        compiled = frames_of([part], some)
        with _no_core():
            plain = frames_of([part], some)
        assert _octets(compiled) == _octets(plain)


@given(_seeds, _lengths)
def test_shares_and_distances_are_the_same(seed: int, lengths: list[int]) -> None:
    random = np.random.default_rng(seed)
    frames = _frames(random, lengths)
    pairs = random.integers(0, max(1, len(lengths)), (2, 9 if lengths else 0))

    compiled = shares_of(frames)
    apart = _apart(compiled, pairs)
    with _no_core():
        plain = shares_of(frames)
        plainly_apart = _apart(plain, pairs)

    assert compiled.edges.tobytes() == plain.edges.tobytes()
    assert np.array_equal(compiled.reached, plain.reached, equal_nan=True)
    for one, other in zip(apart, plainly_apart, strict=True):
        assert np.array_equal(one, other, equal_nan=True)
        # A NaN is of a row without a count, and of nothing else.
        empty = np.isnan(plain.reached[:, 0])
        assert np.array_equal(np.isnan(one), empty[pairs[0]] | empty[pairs[1]])


def _apart(shares: Shares, pairs: np.ndarray) -> list[np.ndarray]:
    return [wasserstein(shares, *pairs), jensen_shannon(shares, *pairs)]


def _octets(frames: Frames) -> list[bytes]:
    names = ("lengths", "left", "right", "count", "moments", "faults", "left_out")
    return [np.ascontiguousarray(getattr(frames, name)).tobytes() for name in names]


def _proto(random: np.random.Generator, length: int) -> ProtoHistogram:
    """Make one that is mostly plain, many of its buckets empty, some as wide as nothing."""
    limits = np.cumsum(random.integers(0, 3, length) / 8) - 2
    counts = np.maximum(0, random.integers(-8, 9, length)).astype(np.float64)
    low, high = limits[[0, -1]] + [-1, 0] if length else (0.0, 0.0)
    if not random.integers(5):
        low, high = high, low
    return ProtoHistogram(
        *(float(low), float(high), float(counts.sum()), 0.0, 0.0),
        tuple(limits.tolist()),
        tuple(counts.tolist()),
    )


def _frames(random: np.random.Generator, lengths: list[int]) -> Frames:
    """Make histograms with gaps, overlaps and buckets without a width; counts of any size."""
    n, total = len(lengths), sum(lengths)
    left = np.concatenate(
        [np.empty(0), *(np.cumsum(random.integers(0, 3, each) / 4) for each in lengths)]
    )
    right = left + random.integers(0, 3, total) / 4
    count: Any = np.maximum(0.0, random.normal(0, 1, total)) * 10.0 ** random.integers(-3, 6, total)
    return Frames(
        np.array(lengths, np.int64),
        *(left, right, count),
        np.full((5, n), np.nan),
        np.zeros(n, np.uint8),
        np.zeros(n, np.int64),
    )


@contextmanager
def _no_core() -> Iterator[None]:
    if load_core() is None:
        lack("no compiled core: there was no C compiler at the installation")
    with pytest.MonkeyPatch.context() as patch:
        for module in (buckets, distances):
            patch.setattr(module, "load_core", lambda: None)
        yield
