"""Counting between TensorFlow's edges: what `np.histogram` counts, value by value."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from orgboard._kinds.counting import BLOCK, tally, tensorflow_edges

EDGES = tensorflow_edges()

SPECIAL = [0.0, -0.0, 5e-324, -5e-324, 1e-45, -1e-45, 1e-39, math.inf, -math.inf, math.nan, 3.5e38]

near_edges = st.builds(
    lambda edge, direction, narrow: float(
        np.nextafter(np.float32(edge), np.float32(direction))
        if narrow
        else np.nextafter(edge, direction)
    ),
    st.sampled_from(EDGES.tolist()),
    st.sampled_from([-np.inf, 0.0, np.inf]),
    st.booleans(),
)
any_bits = st.integers(0, (1 << 64) - 1).map(lambda bits: float(np.uint64(bits).view(np.float64)))
narrow_bits = st.integers(0, (1 << 32) - 1).map(
    lambda bits: float(np.uint32(bits).view(np.float32))
)
numbers = st.one_of(
    st.floats(), near_edges, st.sampled_from([*EDGES, *SPECIAL]), any_bits, narrow_bits
)


def by_numpy(values: Any) -> list[int]:
    with np.errstate(all="ignore"):
        counts: list[int] = np.histogram(values, bins=EDGES)[0].tolist()
    return counts


@given(st.lists(numbers, min_size=1, max_size=200).map(np.array))
def test_counts_are_numpys_whatever_the_values(values: Any) -> None:
    assert tally(values).counts.tolist() == by_numpy(values)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
@pytest.mark.parametrize("direction", [None, -np.inf, 0.0, np.inf])
def test_values_on_and_beside_every_edge_are_counted_as_by_numpy(
    dtype: Any, direction: float | None
) -> None:
    with np.errstate(all="ignore"):
        values = EDGES.astype(dtype)
        if direction is not None:
            values = np.nextafter(values, dtype(direction))
    values = np.concatenate([values.astype(np.float64), SPECIAL])

    assert tally(values).counts.tolist() == by_numpy(values)


@given(st.integers(0, 2**32 - 1), npst.floating_dtypes(sizes=(16, 32, 64), endianness="="))
def test_large_samples_of_random_bits_are_counted_as_by_numpy(seed: int, dtype: Any) -> None:
    bits = np.random.default_rng(seed).bytes(20_000 * dtype.itemsize)
    with np.errstate(all="ignore"):
        values = np.frombuffer(bits, dtype).astype(np.float64)

    assert tally(values).counts.tolist() == by_numpy(values)


@pytest.mark.parametrize("size", [BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK])
def test_blocks_add_up(size: int) -> None:
    values = np.random.default_rng(size).standard_normal(size)

    assert tally(values).counts.tolist() == by_numpy(values)


@given(npst.arrays(npst.floating_dtypes(sizes=(16, 32, 64)), st.integers(1, 40)))
def test_the_other_numbers_are_numpys_too(values: Any) -> None:
    with np.errstate(all="ignore"):
        exact = values.astype(np.float64)
        expected = [exact.min(), exact.max(), exact.size, exact.sum(), exact.dot(exact)]

    np.testing.assert_equal(list(tally(values))[1:], expected)


def test_sums_over_blocks_are_numpys_to_the_last_digits() -> None:
    values = np.random.default_rng(0).standard_normal(3 * BLOCK)

    found = tally(values)

    assert found.total == pytest.approx(values.sum(), rel=1e-12)
    assert found.squares == pytest.approx(values.dot(values), rel=1e-12)
    assert (found.minimum, found.maximum) == (values.min(), values.max())


def test_nobody_can_change_the_edges() -> None:
    with pytest.raises(ValueError, match="read-only"):
        EDGES[0] = 0
