"""The elements of a stored tensor as numbers, whatever their type on the wire. Pure."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from orgboard_schema.types import Tensor
from orgboard_schema.wire.numbers import to_scalar

__all__ = ["doubles", "elements"]

_LIKE: Final[dict[str, str]] = {
    "qint8": "int8",
    "quint8": "uint8",
    "qint16": "int16",
    "quint16": "uint16",
    "qint32": "int32",
    "int4": "int8",
    "uint4": "uint8",
    "int2": "int8",
    "uint2": "uint8",
}
"""Types that numpy does not have, and how their elements are kept."""

_PLAIN: Final = frozenset(
    f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)
) | frozenset({"bool", "float16", "float32", "float64", "complex64", "complex128"})


def elements(tensor: Tensor) -> npt.NDArray[Any]:
    """Return the elements of a numeric tensor in C order, as numbers that numpy has.

    Raises:
        TypeError: It is a tensor of strings.
    """
    if not isinstance(tensor.data, bytes):
        raise TypeError("strings are no numbers")
    name = _LIKE.get(tensor.dtype, tensor.dtype)
    if name in _PLAIN:
        return np.frombuffer(tensor.data, np.dtype(name).newbyteorder("<"))
    if name == "bfloat16":
        # The upper half of a float32.
        return (np.frombuffer(tensor.data, "<u2").astype(np.uint32) << 16).view(np.float32)
    return _small_floats(name)[np.frombuffer(tensor.data, np.uint8)]


def doubles(tensor: Tensor) -> npt.NDArray[np.float64] | None:
    """Return the elements as doubles; None where a double is not the same number."""
    found = elements(tensor)
    if found.dtype.kind == "c":
        return None
    with np.errstate(invalid="ignore"):
        wide = found.astype(np.float64)
    if found.dtype.kind in "iu" and found.dtype.itemsize == 8:
        # Between 2^53 and 2^63 a double has gaps, and its neighbours overflow an int64.
        exact = [int(number) for number in wide.tolist()] == found.tolist()
        return wide if exact else None
    return wide


@cache
def _small_floats(name: str) -> npt.NDArray[np.float64]:
    """Return what each of the 256 bytes stands for in a float type of at most 8 bits."""
    numbers = [to_scalar(Tensor(name, (), bytes([octet]))) for octet in range(256)]
    return np.array([np.nan if number is None else number[0] for number in numbers])
