"""Tensors with their own type, to the bit: for what is stored whole and not only counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from orgboard._values import tensorflow_tensors, torch_tensors
from orgboard._values.arrays import take, take_any
from orgboard._values.families import Family, family_of
from orgboard._values.late import Late

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Whole", "take_whole"]


class Whole(NamedTuple):
    """A tensor as it was given. Of a type that numpy lacks, `array` holds integers of its bits."""

    dtype: str
    """numpy's name of the type, "bfloat16" and the like, or "str"."""
    shape: tuple[int, ...]
    array: NDArray[np.generic] | Late
    nbytes: int


def take_whole(value: Any) -> Whole:
    """Keep a tensor of numbers, truth values or text as it is now, without waiting for a device.

    Raises:
        TypeError, ValueError: there is no tensor, or it holds something else.
    """
    value = tensorflow_tensors.unwrapped(value)
    if family_of(type(value)) is Family.TORCH:
        plain = torch_tensors.detached(value)
        array = torch_tensors.take(value, bits=True)
        return Whole(torch_tensors.dtype_name(plain), tuple(plain.shape), array, array.nbytes)
    array = take_any(value)
    if isinstance(array, Late):
        name = "str" if value.dtype.name == "string" else str(value.dtype.name)
        read = array.read
        bits = array._replace(read=lambda: _named(read()).array)  # type: ignore[arg-type,return-value]
        return Whole(name, array.shape, bits, array.nbytes)
    return _named(array)


def _named(array: NDArray[Any]) -> Whole:
    import numpy as np

    kind, name = array.dtype.kind, array.dtype.name
    if kind in "US":
        return _whole("str", array)
    if kind == "O":
        if all(isinstance(element, (str, bytes)) for element in array.ravel().tolist()):
            return _whole("str", array)
        return _whole("float64", np.asarray(take(array), np.float64))
    if name.startswith(("int", "uint")) and kind == "V":
        # jax's int4 and the like: TensorBoard reads none narrower than a byte.
        wider = name.rstrip("0123456789") + "8"
        return _whole(wider, array.astype(wider))
    if kind == "V" and array.dtype.names is None and array.dtype.type is not np.void:
        return _whole(name, array.view(f"u{array.dtype.itemsize}"))
    if kind == "f" and array.dtype.itemsize > np.dtype(np.float64).itemsize:
        return _whole("float64", array.astype(np.float64))
    return _whole(name, array)


def _whole(name: str, array: NDArray[Any]) -> Whole:
    size = array.nbytes
    if name == "str":
        size = sum(map(len, array.ravel().tolist()))
    return Whole(name, array.shape, array, size)
