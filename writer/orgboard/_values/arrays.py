"""Values of any array library as plain numbers and numpy arrays, by what they can do.

No array library is imported here; numpy is, at the first value that is an array. What a call
was given is copied before the call returns, because training goes on to change it in place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["snapshot", "to_float", "to_step"]


def to_float(value: Any) -> float:
    """Read a number, or an array or tensor of exactly one element.

    Raises:
        TypeError, ValueError: it is neither.
    """
    if isinstance(value, (str, bytes, bytearray)):
        # float() would read "0.5"; a string here is a mistake of the caller.
        raise TypeError(f"a scalar must be a number, got {type(value).__name__}")
    if isinstance(value, (int, float)):
        return float(value)
    if hasattr(value, "item"):
        return float(value.item())
    if hasattr(value, "__float__"):
        return float(value)
    return float(snapshot(value).astype(float).item())


def to_step(value: Any) -> int:
    """Read a step. None means 0, as with torch's writer."""
    return 0 if value is None else int(value)


def snapshot(value: Any) -> NDArray[np.generic]:
    """Copy an array, tensor or nested list into a numpy array that nobody else can change.

    bfloat16 tensors, which numpy does not know, become float32; no value changes by it.

    Raises:
        TypeError: it has no array of numbers to give.
    """
    import numpy as np

    if callable(getattr(value, "detach", None)):
        value = value.detach().cpu()
        if str(value.dtype) == "torch.bfloat16":
            value = value.float()
        value = value.numpy()
    elif callable(getattr(value, "numpy", None)):
        value = value.numpy()
    array = np.array(value, copy=True)
    if array.dtype.kind not in "biufV":
        raise TypeError(f"expected an array of real numbers, got {array.dtype} elements")
    # jax's bfloat16 and float8 are dtypes of their own, with kind "V".
    return array.astype(np.float32) if array.dtype.kind == "V" else array
