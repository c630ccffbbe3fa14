"""Values of any array library as plain numbers and numpy arrays, by what they can do.

No array library is imported here; numpy is, at the first value that is an array. What a call
was given is copied before the call returns, because training goes on to change it in place.
What cannot be changed is not copied, and what is on a device is sent for and read later:

    take      on the training thread: a numpy array, or `Late`
    settle    on the background thread: a numpy array
    snapshot  both at once, for who needs the numbers now
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from orgboard._encoding.protobuf import INT64_MAX, INT64_MIN
from orgboard._values import jax_arrays, tensorflow_tensors, torch_tensors
from orgboard._values.families import Family, family_of
from orgboard._values.late import Late, settle

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["numbers", "snapshot", "take", "take_any", "to_float", "to_number", "to_step"]

DEEPEST: Final = 64
"""numpy's own bound of dimensions."""


def to_number(value: Any) -> float | Late:
    """Read a number, or an array or tensor of exactly one element; from a device, later.

    Raises:
        TypeError, ValueError: it is neither.
    """
    # A text that is a number, too: torch's writer takes it, and scripts read such from files.
    if isinstance(value, (int, float, str)):
        return float(value)
    family = family_of(type(value))
    if family is Family.TORCH and not torch_tensors.is_elsewhere(value):
        return float(value.item())
    if family is Family.OTHER:
        if hasattr(value, "item"):
            return _real(value.item())
        if not isinstance(value, (list, tuple)):
            return _real(value)
    taken = take(value)
    if taken.size != 1:
        raise ValueError(f"a scalar has one element, got shape {taken.shape}")
    return taken if isinstance(taken, Late) else _one(taken)


def to_float(value: Any) -> float:
    """Read a number now, which may wait for a device.

    Raises:
        TypeError, ValueError: it is none.
    """
    number = to_number(value)
    return _one(numbers(number.read())) if isinstance(number, Late) else number


def to_step(value: Any) -> int:
    """Read a step. None means 0, as with torch's writer.

    Raises:
        TypeError, ValueError: it is no int64.
    """
    step = 0 if value is None else int(value)
    if not INT64_MIN <= step <= INT64_MAX:
        raise ValueError(f"a step has at most 64 bits, got one of {step.bit_length() + 1}")
    return step


def snapshot(value: Any) -> NDArray[np.generic]:
    """Copy an array, tensor or nested list into a numpy array that nobody else changes.

    bfloat16 and float8, which numpy does not know, become float32; no value changes by it.

    Raises:
        TypeError: it has no array of real numbers to give.
    """
    return numbers(settle(take(value)))


def take(value: Any) -> NDArray[np.generic] | Late:
    """Keep an array's values as they are now, without waiting for a device.

    Takes numpy arrays, tensors of torch, jax, TensorFlow and Keras, nested lists, numbers,
    pandas' and others' columns, and whatever has `__array__` or `__dlpack__`.

    Raises:
        TypeError, ValueError: it has no array of real numbers to give.
    """
    return _checked(take_any(value))


def take_any(value: Any) -> NDArray[np.generic] | Late:
    """Keep an array as it is now, of whatever type of element.

    Raises:
        TypeError: it has no values yet, or none here.
    """
    import numpy as np

    if isinstance(value, np.ndarray):
        return _own(value)
    value = tensorflow_tensors.unwrapped(value)
    family = family_of(type(value))
    if family is Family.TORCH:
        return torch_tensors.take(value)
    if family is Family.JAX:
        return jax_arrays.take(value)
    if family is Family.TENSORFLOW:
        return tensorflow_tensors.take(value)
    if family is Family.TRACED:
        raise TypeError(
            "inside a function that jax traces there are no numbers yet: "
            "return the value and log it outside, or log it from jax.debug.callback"
        )
    if family is Family.SYMBOLIC:
        raise TypeError(
            f"a {type(value).__name__} has no numbers yet: log outside the tf.function or "
            "model that computes it"
        )
    return _of_others(value)


def numbers(array: NDArray[np.generic]) -> NDArray[np.generic]:
    """Give an array of real numbers, of a type that numpy itself knows.

    Raises:
        TypeError: it holds something else: complex numbers, text, dates, records.
    """
    import numpy as np

    kind = array.dtype.kind
    if kind in "biuf":
        return array
    if kind == "O":
        # Decimals, fractions, large ints: what each says for itself.
        flat = [_real(element) for element in array.ravel().tolist()]
        return np.array(flat, np.float64).reshape(array.shape)
    # bfloat16, float8 and int4 of jax are types of their own, with kind "V".
    if kind == "V" and array.dtype.names is None and array.dtype.type is not np.void:
        return array.astype(np.float32)
    raise TypeError(f"expected an array of real numbers, got {array.dtype} elements")


def _real(element: Any) -> float:
    if isinstance(element, (str, bytes, bytearray)) or not hasattr(element, "__float__"):
        raise TypeError(f"expected a real number, got a {type(element).__name__}")
    return float(element)


def _checked(taken: NDArray[np.generic] | Late) -> NDArray[np.generic] | Late:
    if not isinstance(taken, Late):
        return numbers(taken)
    read = taken.read
    return taken._replace(read=lambda: numbers(read()))


def _one(array: NDArray[np.generic]) -> float:
    if array.size != 1:
        raise ValueError(f"a scalar has one element, got shape {array.shape}")
    return float(array.reshape(-1)[0])


def _own(array: NDArray[np.generic]) -> NDArray[np.generic]:
    """Copy an array, unless nothing can change it: neither it nor what it is a view of."""
    import numpy as np

    whole: Any = array
    while isinstance(whole, np.ndarray) and not whole.flags.writeable:
        whole = whole.base
    is_constant = whole is None or isinstance(whole, bytes)
    return array if is_constant else np.array(array, copy=True, subok=False)


def _of_others(value: Any) -> NDArray[np.generic] | Late:
    import numpy as np

    if hasattr(value, "__cuda_array_interface__") and callable(getattr(value, "get", None)):
        return np.array(value.get(), copy=True)  # CuPy
    if callable(getattr(value, "asnumpy", None)):
        return np.array(value.asnumpy(), copy=True)  # MXNet
    if hasattr(value, "__dlpack__") and not hasattr(value, "__array__"):
        return np.array(np.from_dlpack(value), copy=True)
    if isinstance(value, (list, tuple)) and hasattr(_first_leaf(value), "shape"):
        # Tensors, perhaps of a device, or with a history: numpy alone would refuse them.
        return _stacked([take(element) for element in value])
    array = np.array(value, copy=True)
    to_numpy = getattr(value, "to_numpy", None)
    if array.dtype.kind == "O" and callable(to_numpy):
        return np.array(to_numpy(dtype="float64", na_value=math.nan))  # pandas, with gaps
    return array


def _stacked(parts: list[NDArray[np.generic] | Late]) -> NDArray[np.generic] | Late:
    import numpy as np

    if not any(isinstance(part, Late) for part in parts):
        return np.stack([settle(part) for part in parts])
    if len({part.shape for part in parts}) > 1:
        raise ValueError(f"arrays of one shape, got {[part.shape for part in parts]}")
    return Late(
        lambda: np.stack([settle(part) for part in parts]),
        (len(parts), *parts[0].shape),
        sum(part.nbytes for part in parts),
    )


def _first_leaf(value: Any) -> Any:
    # Bounded: a list may hold itself.
    for _ in range(DEEPEST):
        if not isinstance(value, (list, tuple)) or not value:
            break
        value = value[0]
    return value
