"""jax's arrays (`Family.JAX`): immutable, computed in the background, and sometimes given away.

A reference is not enough to read one later: a jitted step may be given the array's memory
(`donate_argnums`), as most training steps are. A view, or a copy put into the device's queue, is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orgboard._values.late import Late

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["copied", "is_on_accelerator", "take"]


def is_on_accelerator(array: Any) -> bool:
    """Tell whether an array is somewhere else than in this machine's memory."""
    return any(device.platform != "cpu" for device in array.devices())


def take(array: Any) -> NDArray[np.generic] | Late:
    """Give an array's values without waiting for a device, now or later.

    Raises:
        TypeError: parts of it are in other processes.
    """
    import numpy as np

    array = _here(array)
    if not is_on_accelerator(array) and array.is_ready():
        # A view of memory that jax then neither frees nor gives away.
        return np.asarray(array)
    copy = copied(array)
    return Late(lambda: np.asarray(copy), tuple(array.shape), int(array.nbytes))


def copied(array: Any) -> Any:
    """Put a copy into the device's queue, which a donation of the original leaves alone."""
    return _here(array).copy()


def _here(array: Any) -> Any:
    if array.is_fully_addressable:
        return array
    if array.is_fully_replicated:
        return array.addressable_data(0)
    raise TypeError(
        "of this jax array only a part is in this process: "
        "log multihost_utils.process_allgather(array)"
    )
