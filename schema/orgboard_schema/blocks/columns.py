"""Columns of numbers and strings as bytes that compress well; lossless to the bit.

A column of n integers is its length, then n times 8 octets: differences (where a
neighbour foretells the next), zigzag (small means few octets, whatever the sign), and
shuffled, first all lowest octets, then all next. Floats go by their bits. The compiled core
does this where it is there; numpy gives the same octets.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterable, Sequence
from ctypes import addressof, c_char
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from orgboard_schema.blocks.series import Floats, Ints
from orgboard_schema.core.library import load_core
from orgboard_schema.errors import CorruptBlock

__all__ = ["Cursor", "address", "floats", "ints", "small_ints", "strings"]

_COUNT: Final = struct.Struct("<I")
_FIRST: Final = struct.Struct("<IQ")
"""How a column begins that has a number."""
_NONE: Final = _COUNT.pack(0)
_ONE: Final = _COUNT.pack(1)
_INT32: Final = np.dtype(np.int32)
_INT64: Final = np.dtype(np.int64)


def ints(values: npt.ArrayLike, *, delta: bool = False) -> bytes:
    """Return a column of any int64; `delta` when neighbours are alike. Read it the same way."""
    return _column(np.ascontiguousarray(values, np.int64), delta=delta)


def floats(values: Floats, *, delta: bool = True) -> bytes:
    """Return a column of float32 or float64, NaN payloads included."""
    signed = np.int32 if values.dtype == np.float32 else np.int64
    return _column(np.ascontiguousarray(values).view(signed), delta=delta)


def small_ints(values: Iterable[int]) -> bytes:
    """Return a column of a few integers that are not in an array."""
    numbers = array("q", values)
    if len(numbers) <= 1:
        return _single(numbers[0], numbers.itemsize) if numbers else _NONE
    return ints(np.frombuffer(numbers, np.int64))


def strings(values: Sequence[bytes]) -> bytes:
    """Return a column of byte strings."""
    return small_ints(map(len, values)) + b"".join(values)


class Cursor:
    """Reads columns in the order they were written; never past the end."""

    __slots__ = ("_at", "_raw")

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._at = 0

    def ints(self, *, delta: bool = False) -> Ints:
        """Read a column of `ints`."""
        column: Ints = self._column(_INT64, delta=delta)
        return column

    def small_ints(self) -> list[int]:
        """Read a column of `small_ints`."""
        at = self._at
        if at + _FIRST.size <= len(self._raw):
            # A hundred thousand series of one point each have a million such columns.
            count, coded = _FIRST.unpack_from(self._raw, at)
            if count <= 1:
                self._at = at + (_FIRST.size if count else _COUNT.size)
                return [(coded >> 1) ^ -(coded & 1)] if count else []
        return list(self.ints().tolist())

    def floats(self, dtype: npt.DTypeLike, *, delta: bool = True) -> Any:
        """Read a column of `floats` of that type."""
        wanted = np.dtype(dtype)
        signed = _INT32 if wanted.itemsize == 4 else _INT64
        return self._column(signed, delta=delta).view(wanted)

    def strings(self) -> list[bytes]:
        """Read a column of `strings`."""
        lengths = self.small_ints()
        if lengths and min(lengths) < 0:
            raise CorruptBlock("a string of negative length")
        return [self.take(length) for length in lengths]

    def take(self, count: int) -> bytes:
        """Read that many octets."""
        end = self._at + count
        if count < 0 or end > len(self._raw):
            raise CorruptBlock(f"{count} bytes wanted, {len(self._raw) - self._at} left")
        taken = self._raw[self._at : end]
        self._at = end
        return taken

    def finish(self) -> None:
        """Check that nothing is left."""
        if self._at != len(self._raw):
            raise CorruptBlock(f"{len(self._raw) - self._at} bytes too many")

    def _column(self, dtype: np.dtype[Any], *, delta: bool) -> Any:
        (count,) = _COUNT.unpack(self.take(_COUNT.size))
        octets = self.take(count * dtype.itemsize)
        if count <= 1:
            return np.array([_only(octets)] if count else [], dtype)
        core = load_core()
        if core is None:
            return _unpacked(octets, count, dtype, delta=delta)
        numbers = np.empty(count, dtype)
        core.ob_unpack(octets, count, dtype.itemsize, delta, address(numbers))
        return numbers


def _column(values: npt.NDArray[Any], *, delta: bool) -> bytes:
    size, count = values.itemsize, len(values)
    if count <= 1:
        return _single(int(values[0]), size) if count else _NONE
    core = load_core()
    if core is None:
        return _packed(values, delta=delta)
    column = bytearray(_COUNT.size + count * size)
    _COUNT.pack_into(column, 0, count)
    into = addressof(c_char.from_buffer(column, _COUNT.size))
    core.ob_pack(address(values), count, size, delta, into)
    return bytes(column)


def _single(number: int, size: int) -> bytes:
    """Return a column of one, which differences and planes leave as it is."""
    coded = ((number << 1) ^ (number >> (8 * size - 1))) & ((1 << 8 * size) - 1)
    return _ONE + coded.to_bytes(size, "little")


def _only(octets: bytes) -> int:
    """Return the number of a column of one."""
    coded = int.from_bytes(octets, "little")
    return (coded >> 1) ^ -(coded & 1)


def address(array: npt.NDArray[Any]) -> int:
    """Return where the numbers of an array lie, for the compiled core."""
    # A third of what the array itself would take to say it, and columns are many and short.
    memory: Any = array
    try:
        return addressof(c_char.from_buffer(memory))
    except (TypeError, ValueError):
        pass  # Empty, in steps, or only to be read.
    # Of rows with fields it would describe each field first.
    plain = array if array.dtype.names is None else array.view(np.uint8)
    return int(plain.__array_interface__["data"][0])


def _packed(values: npt.NDArray[Any], *, delta: bool) -> bytes:
    """Return the column that the core's `ob_pack` makes."""
    size = values.dtype.itemsize
    if delta and len(values):
        # Differences wrap around, and so does their sum.
        values = np.diff(values, prepend=values.dtype.type(0))
    coded = ((values << 1) ^ (values >> (8 * size - 1))).astype(f"<i{size}", copy=False)
    planes = coded.view(np.uint8).reshape(-1, size).T
    return _COUNT.pack(len(values)) + planes.tobytes()


def _unpacked(octets: bytes, count: int, dtype: np.dtype[Any], *, delta: bool) -> Any:
    """Return the numbers that the core's `ob_unpack` makes."""
    planes = np.frombuffer(octets, np.uint8).reshape(dtype.itemsize, count)
    coded = np.ascontiguousarray(planes.T).reshape(-1).view(f"<u{dtype.itemsize}")
    plain = (coded >> 1).view(dtype) ^ -(coded & 1).view(dtype)
    return np.cumsum(plain, dtype=dtype) if delta else plain
