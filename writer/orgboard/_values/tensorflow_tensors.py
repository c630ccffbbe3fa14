"""TensorFlow's tensors and variables, and Keras's variables over any backend."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from orgboard._values.late import Late

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["take", "unwrapped"]


def unwrapped(value: Any) -> Any:
    """Give what a Keras variable holds, of its backend's kind; anything else as it is."""
    if type(value).__name__ != "Variable":
        return value
    inner = getattr(value, "value", None)
    return value if inner is None or callable(inner) else inner


def take(value: Any) -> NDArray[np.generic] | Late:
    """Read a tensor, or a variable by its value of now; what is immutable, later."""
    import numpy as np

    read_value = getattr(value, "read_value", None)
    tensor: Any = read_value() if callable(read_value) else value
    if type(tensor).__name__ != "EagerTensor":
        return np.array(tensor.numpy(), copy=True)
    shape = tuple(tensor.shape)
    if not shape and "CPU" in tensor.device:
        return np.asarray(tensor.numpy())
    # An eager tensor is immutable, so that it may be read whenever it is there.
    nbytes = math.prod(shape) * int(tensor.dtype.size)
    return Late(lambda: np.asarray(tensor.numpy()), shape, nbytes)
