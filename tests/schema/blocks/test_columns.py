"""Columns of none and of one number, which are read and written without numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from orgboard_schema.blocks import columns
from orgboard_schema.blocks.columns import Cursor, floats, ints, small_ints
from orgboard_schema.errors import CorruptBlock

INT64 = (0, 1, -1, 2**63 - 1, -(2**63), 1_700_000_000)


@pytest.mark.parametrize("number", INT64)
@pytest.mark.parametrize("delta", [False, True])
def test_a_column_of_one_is_what_numpy_makes_of_it(number: int, delta: bool) -> None:
    packed = columns._packed(np.array([number]), delta=delta)

    assert ints([number], delta=delta) == packed
    assert small_ints([number]) == packed
    assert Cursor(packed).ints(delta=delta).tolist() == [number]
    assert Cursor(packed).small_ints() == [number]
    assert Cursor(packed + b"more").small_ints() == [number]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("bits", [0, 1, 0x7FC00001, 0xFF800000, 0x80000000])
def test_one_float_keeps_its_bits(dtype: type[np.floating[Any]], bits: int) -> None:
    value: npt.NDArray[np.floating[Any]] = np.array(
        [bits], np.uint32 if dtype is np.float32 else np.uint64
    ).view(dtype)
    signed = np.int32 if dtype is np.float32 else np.int64

    packed = floats(value)

    assert packed == columns._packed(value.view(signed), delta=True)
    assert Cursor(packed).floats(dtype).tobytes() == value.tobytes()


def test_an_empty_column_is_a_count() -> None:
    nothing = columns._packed(np.empty(0, np.int64), delta=True)

    assert small_ints([]) == ints([], delta=True) == floats(np.empty(0)) == nothing
    assert Cursor(nothing).small_ints() == []
    assert Cursor(nothing).floats(np.float32).dtype == np.float32


@pytest.mark.parametrize("length", [0, 3, 4, 11])
def test_a_column_that_breaks_off_is_corrupt(length: int) -> None:
    with pytest.raises(CorruptBlock):
        Cursor(small_ints([7])[:length]).small_ints()
