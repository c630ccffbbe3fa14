"""Values of any library, by what they can do; nothing is imported for them."""

from __future__ import annotations

import array
import decimal
import fractions
import math
import re
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from orgboard._values.arrays import snapshot, take, to_float, to_number
from orgboard._values.families import KNOWN_KEPT, Family, family_of
from orgboard._values.late import Late, settle

real_arrays = npst.arrays(
    st.one_of(
        npst.boolean_dtypes(),
        npst.integer_dtypes(endianness="?"),
        npst.unsigned_integer_dtypes(endianness="?"),
        npst.floating_dtypes(endianness="?", sizes=(16, 32, 64)),
    ),
    npst.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
)


@given(real_arrays)
def test_an_array_is_copied_as_it_is(given_array: Any) -> None:
    taken = snapshot(given_array)

    assert taken.dtype == given_array.dtype
    np.testing.assert_array_equal(taken, given_array)
    assert not np.shares_memory(taken, given_array)


def test_a_constant_array_is_not_copied() -> None:
    constant = np.arange(3.0)
    constant.flags.writeable = False
    of_bytes = np.frombuffer(b"abcd", np.uint8)

    assert take(constant) is constant
    assert take(constant[1:].base) is constant
    assert take(of_bytes) is of_bytes


def test_a_read_only_view_of_what_may_change_is_copied() -> None:
    base = np.arange(3.0)
    view = base[:2]
    view.flags.writeable = False

    taken = settle(take(view))
    base[:] = 7

    assert taken.tolist() == [0.0, 1.0]
    assert settle(take(np.broadcast_to(base, (2, 3)))).base is None


def _shown(value: object) -> str:
    """Show a value, but not where it lies: a test has one name wherever it runs."""
    return re.sub(" at 0x[0-9a-f]+", "", repr(value))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([1, 2.5], [1.0, 2.5]),
        ((1, 2), [1, 2]),
        ([[1, 2], [3, 4]], [[1, 2], [3, 4]]),
        (range(3), [0, 1, 2]),
        (3, 3),
        (True, True),
        (np.bool_(True), True),
        (np.float16(0.5), 0.5),
        ([np.float32(0.5), np.float32(1)], [0.5, 1.0]),
        ([np.array([1.0]), np.array([2.0])], [[1.0], [2.0]]),
        ([[np.array(1.0)], [np.array(2.0)]], [[1.0], [2.0]]),
        (decimal.Decimal("0.5"), 0.5),
        ([decimal.Decimal("0.5"), 1], [0.5, 1.0]),
        ([fractions.Fraction(1, 4)], [0.25]),
        ([1 << 70], [float(1 << 70)]),
        (array.array("f", [1.5]), [1.5]),
        (memoryview(b"\1\2"), [1, 2]),
        (np.ma.masked_array([1.0, 2.0], mask=[False, True]), [1.0, 2.0]),
    ],
    ids=_shown,
)
def test_what_holds_numbers_becomes_an_array(value: object, expected: object) -> None:
    taken = snapshot(value)

    assert type(taken) is np.ndarray
    assert taken.tolist() == expected


RECURSIVE: list[Any] = []
RECURSIVE.append(RECURSIVE)


@pytest.mark.parametrize(
    "value",
    [
        "text",
        ["a", "b"],
        b"bytes",
        None,
        [None],
        [1.0, None],
        {},
        {1, 2},
        object(),
        iter([1.0]),
        1j,
        [1j],
        [decimal.Decimal(1), "2"],
        [[1, 2], [3]],
        RECURSIVE,
        np.array(["2020-01-01"], "datetime64[D]"),
        np.zeros(2, [("a", "f4")]),
        np.zeros(2, "V4"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_holds_other_things_is_refused(value: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        snapshot(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (decimal.Decimal("0.5"), 0.5),
        (fractions.Fraction(1, 4), 0.25),
        ([0.5], 0.5),
        (np.array(0.5), 0.5),
        (np.array([[0.5]], np.float16), 0.5),
        (np.longdouble(0.5), 0.5),
        (True, 1.0),
    ],
)
def test_one_number_in_any_wrapping_is_a_scalar(value: object, expected: float) -> None:
    assert to_number(value) == expected
    assert to_float(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        [1, 2],
        [],
        np.zeros(0),
        np.zeros(2),
        np.array("1"),
        np.str_("one"),
        np.complex64(1),
        object(),
    ],
    ids=_shown,
)
def test_what_is_not_one_number_is_no_scalar(value: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        to_number(value)


class CuPy:
    """An array of a GPU library: only `get` gives it."""

    __cuda_array_interface__: Any = None

    def get(self) -> Any:
        return np.array([1.0, 2.0])

    def __array__(self, *_: object, **__: object) -> Any:
        raise TypeError("implicit conversion is not allowed")


class Exchanged:
    """An array that can be had by DLPack alone."""

    def __dlpack__(self, **_: Any) -> Any:
        return np.array([1.0, 2.0]).__dlpack__()

    def __dlpack_device__(self) -> tuple[int, int]:
        return (1, 0)


class ArrayLike:
    """An array by numpy's protocol."""

    def __array__(self, *_: object, **__: object) -> Any:
        return np.array([1.0, 2.0])


class MXNet:
    """An array with MXNet's method."""

    def asnumpy(self) -> Any:
        return np.array([1.0, 2.0])


class Column:
    """A column of a table with gaps, as pandas has them."""

    def __array__(self, *_: object, **__: object) -> Any:
        return np.array([1.0, None], object)

    def to_numpy(self, dtype: str, na_value: float) -> Any:
        return np.array([1.0, na_value], dtype)


@pytest.mark.parametrize("kind", [CuPy, Exchanged, ArrayLike, MXNet])
def test_an_array_of_another_library_is_read_by_what_it_can_do(kind: type) -> None:
    assert snapshot(kind()).tolist() == [1.0, 2.0]


def test_gaps_in_a_column_are_nan() -> None:
    first, gap = snapshot(Column()).tolist()

    assert first == 1.0
    assert math.isnan(gap)


class Jax:
    """A jax array, on the CPU unless said otherwise."""

    dtype = np.dtype(np.float32)
    shape = (2,)
    nbytes = 8
    is_fully_addressable = True
    is_fully_replicated = False

    def __init__(self, platform: str = "cpu", *, is_ready: bool = True) -> None:
        self._platform, self._is_ready = platform, is_ready
        self.copies = 0

    def addressable_data(self, _index: int) -> Any:
        return Jax()

    def devices(self) -> set[Any]:
        return {type("Device", (), {"platform": self._platform})()}

    def is_ready(self) -> bool:
        return self._is_ready

    def copy(self) -> Any:
        self.copies += 1
        return self

    def __array__(self, *_: object, **__: object) -> Any:
        return np.array([1.0, 2.0], np.float32)


def test_a_jax_array_that_is_ready_is_not_copied() -> None:
    ready = Jax()

    assert settle(take(ready)).tolist() == [1.0, 2.0]
    assert ready.copies == 0


@pytest.mark.parametrize("computing", [Jax("gpu"), Jax(is_ready=False)])
def test_a_jax_array_under_way_is_copied_and_read_later(computing: Jax) -> None:
    taken = take(computing)

    assert isinstance(taken, Late)
    assert computing.copies == 1
    assert settle(taken).tolist() == [1.0, 2.0]


def test_of_a_jax_array_in_many_processes_only_a_whole_copy_is_taken() -> None:
    elsewhere = Jax()
    elsewhere.is_fully_addressable = False
    with pytest.raises(TypeError, match="process_allgather"):
        take(elsewhere)

    elsewhere.is_fully_replicated = True
    assert settle(take(elsewhere)).tolist() == [1.0, 2.0]


class Tracer:
    """A value that jax traces."""

    __module__ = "jax._src.core"

    def __float__(self) -> float:
        raise AssertionError("asked for its number")


class SymbolicTensor:
    """A value that TensorFlow traces."""


@pytest.mark.parametrize("kind", [Tracer, SymbolicTensor])
def test_a_value_that_is_only_traced_is_refused_with_what_to_do(kind: type) -> None:
    for read in (to_number, take):
        with pytest.raises(TypeError, match="outside"):
            read(kind())


def test_classes_without_end_take_no_memory_without_end() -> None:
    for number in range(2 * KNOWN_KEPT):
        assert family_of(type(f"Class{number}", (), {})) is Family.OTHER


def test_no_library_is_imported_for_a_number() -> None:
    program = (
        "import sys; from orgboard._values.arrays import to_number; to_number(1.0);"
        "sys.exit('numpy' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
