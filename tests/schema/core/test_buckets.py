"""The compiled core makes of points the stretches that numpy makes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgboard_schema.blocks import ScalarSeries, pyramid
from orgboard_schema.blocks.pyramid import Buckets, make_buckets
from orgboard_schema.core.library import load_core
from support.lacking import lack

_ODD = [np.nan, np.inf, -np.inf, 1e308, -1e308, 5e-324, -0.0]


@given(
    st.lists(st.integers(1, 600), min_size=1, max_size=4),
    st.sampled_from([np.float32, np.float64]),
    st.integers(0, 2**32 - 1),
    st.sampled_from([0.0, 0.02, 0.5, 1.0]),
)
def test_any_points_make_the_same_stretches(
    lengths: list[int], dtype: type, seed: int, odd: float
) -> None:
    random = np.random.default_rng(seed)
    blocks = [(seq, _series(random, count, dtype, odd)) for seq, count in enumerate(lengths)]

    compiled, plain = make_buckets(blocks), _plain(blocks)

    for name in Buckets.__dataclass_fields__:
        made, expected = getattr(compiled, name), getattr(plain, name)
        assert made.dtype == expected.dtype, name
        # Equal numbers: of equal extremes numpy may keep the zero of another sign.
        assert np.array_equal(made, expected, equal_nan=made.dtype.kind == "f"), name


def _series(random: np.random.Generator, count: int, dtype: type, odd: float) -> ScalarSeries:
    step = random.integers(-5, 5, count).cumsum()
    wall = 1.7e9 + random.normal(0.5, 0.6, count).cumsum()
    value: npt.NDArray[np.float64] = random.normal(0, 1, count)
    with np.errstate(over="ignore"):
        for column in (wall, value):
            strange = random.random(count) < odd
            column[strange] = random.choice(_ODD, int(strange.sum()))
        return ScalarSeries(step.astype(np.int64), wall, value.astype(dtype))


def _plain(blocks: list[tuple[int, ScalarSeries]]) -> Buckets:
    if load_core() is None:
        lack("no compiled core: there was no C compiler at the installation")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pyramid, "load_core", lambda: None)
        return make_buckets(blocks)
