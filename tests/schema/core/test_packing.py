"""The compiled core packs columns into the octets that numpy makes, and back."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from orgboard_schema.blocks import ScalarSeries, columns, histograms, scalars, summary
from orgboard_schema.blocks.columns import Cursor, floats, ints
from orgboard_schema.blocks.histograms import write_protos
from orgboard_schema.blocks.scalars import pack_scalars
from orgboard_schema.core.library import load_core
from orgboard_schema.types import ProtoHistogram
from support.lacking import lack

_any_ints = arrays.arrays(np.int64, st.integers(0, 60), elements=st.integers(-(2**63), 2**63 - 1))
_any_floats = st.sampled_from([np.float32, np.float64]).flatmap(
    lambda dtype: arrays.arrays(np.uint8, st.integers(0, 30).map(lambda n: n * 8)).map(
        lambda octets: octets.view(dtype)
    )
)


@given(_any_ints, st.booleans())
def test_integers_pack_the_same(values: npt.NDArray[np.int64], delta: bool) -> None:
    compiled, plain = _both(lambda: ints(values, delta=delta))

    assert compiled == plain
    for read in _both(lambda: Cursor(plain).ints(delta=delta)):
        assert np.array_equal(read, values)


@given(_any_floats, st.booleans())
def test_floats_pack_the_same(values: npt.NDArray[Any], delta: bool) -> None:
    compiled, plain = _both(lambda: floats(values, delta=delta))

    assert compiled == plain
    for read in _both(lambda: Cursor(plain).floats(values.dtype, delta=delta)):
        assert read.tobytes() == values.tobytes()


_counts = st.lists(st.integers(0, 9).map(float), max_size=5) | st.lists(
    st.sampled_from(
        [0.0, -0.0, 1.0, -3.0, 0.5, 2.0**53, 2.0**53 - 1, -(2.0**53), math.nan, math.inf]
    )
    | st.floats(),
    max_size=5,
)


@given(_counts)
def test_counts_are_whole_the_same(counts: list[float]) -> None:
    value = ProtoHistogram(0.0, 0.0, 0.0, 0.0, 0.0, (), tuple(counts))
    compiled, plain = _both(lambda: write_protos([value]))

    assert compiled == plain


@given(
    arrays.arrays(np.int64, st.integers(1, 40), elements=st.integers(-(2**63), 2**63 - 1)),
    st.sampled_from([np.float32, np.float64]),
    st.data(),
)
def test_blocks_pack_the_same_and_their_rows_say_the_same(
    step: npt.NDArray[np.int64], dtype: type, data: st.DataObject
) -> None:
    count = len(step)
    octets = arrays.arrays(np.uint8, 8 * count)
    wall = data.draw(octets).view(np.float64)
    value: npt.NDArray[Any] = data.draw(octets).view(dtype)[:count]
    series = ScalarSeries(step, wall, value)

    each = data.draw(st.integers(1, count + 5))

    compiled, plain = _both(lambda: pack_scalars(series, each))

    assert [payload for payload, _ in compiled] == [payload for payload, _ in plain]
    assert [row.n for _, row in compiled] == [
        len(step[at : at + each]) for at in range(0, count, each)
    ]
    for (_, row), (_, plainly) in zip(compiled, plain, strict=True):
        told, expected = row._asdict(), plainly._asdict()
        total, exact = told.pop("value_sum"), expected.pop("value_sum")
        assert told == expected
        if total is not None and exact is not None:
            largest = float(np.abs(value[np.isfinite(value)].astype(np.float64)).max())
            assert math.isclose(total, exact, rel_tol=1e-12, abs_tol=largest * 1e-12)


def test_a_strided_column_packs_like_a_whole_one() -> None:
    table = np.arange(40, dtype=np.float64).reshape(10, 4)

    assert floats(table[:, 1]) == floats(table[:, 1].copy())


def test_a_block_is_told_of_the_same_when_its_columns_lie_scattered() -> None:
    step, wall = np.arange(4000)[::2], np.arange(4000, dtype=np.float64)[::-2]
    series = ScalarSeries(step, wall, np.arange(4000, dtype=np.float32)[1::2])

    compiled, plain = _both(lambda: summary.summarise_block(series))

    assert compiled == plain
    assert (compiled.step_max, compiled.wall_max, compiled.value_max) == (3998, 3999.0, 3999.0)


def _both(work: Any) -> tuple[Any, Any]:
    if load_core() is None:
        lack("no compiled core: there was no C compiler at the installation")
    with pytest.MonkeyPatch.context() as patch:
        for module in (columns, histograms, scalars, summary):
            patch.setattr(module, "load_core", lambda: None)
        plain = work()
    return work(), plain
