"""Values that are not on the host yet: asked for now, read later on the background thread."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias, TypeVar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[np.generic]

__all__ = ["Late", "library_of", "settle"]

T = TypeVar("T")

NOT_OF_A_LIBRARY: Final = frozenset({"abc", "builtins", "collections", "typing"})


class Late(NamedTuple):
    """A copy of an array that its device still makes, or may yet have to send."""

    read: Callable[[], Array]
    """Waits for the device and gives the array. Called once, on the background thread."""
    shape: tuple[int, ...]
    nbytes: int
    """What it will take on the host."""

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        number = 1
        for length in self.shape:
            number *= length
        return number


def settle(value: T | Late) -> T | Array:
    """Give the array that was asked for. May wait for a device: not for the training thread."""
    return value.read() if isinstance(value, Late) else value


def library_of(value: Any) -> Any:
    """Give the imported library that a value's class comes from, or None.

    A subclass in a script (or torch's own `Parameter`) is its base class's library's.
    """
    for kind in reversed(type(value).__mro__):
        root = str(kind.__module__).partition(".")[0]
        if root not in NOT_OF_A_LIBRARY:
            return sys.modules.get(root)
    return None
