"""Which library's manners a value has, by its class.

By the class and not by the value: some libraries answer for an attribute that a tensor does not
have with a search for similar names, and a stranger's object may do anything.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

__all__ = ["Family", "family_of"]

SYMBOLIC: Final = frozenset({"SymbolicTensor", "KerasTensor"})
"""What stands for a tensor while a `tf.function` is traced or a Keras model is built."""


class Family(Enum):
    """How a value's numbers are got at."""

    TORCH = 1
    """By `detach()`: tensors that may have a history, torch's and Paddle's."""
    JAX = 2
    """By `np.asarray`, on one device or many."""
    TENSORFLOW = 3
    """By `numpy()`."""
    TRACED = 4
    """Not at all: jax is tracing the function it is in."""
    SYMBOLIC = 5
    """Not at all: TensorFlow or Keras is."""
    OTHER = 6
    """As numpy gets at whatever there is."""


_known: dict[type, Family] = {}

KNOWN_KEPT: Final = 1024
"""Bounds memory when a script makes classes without end."""


def family_of(kind: type) -> Family:
    """Tell a class's manners."""
    family = _known.get(kind)
    if family is None:
        if len(_known) >= KNOWN_KEPT:
            _known.clear()
        family = _known[kind] = _look_at(kind)
    return family


def _look_at(kind: type) -> Family:
    if callable(getattr(kind, "detach", None)):
        return Family.TORCH
    if any(base.__name__ == "Tracer" and base.__module__[:3] == "jax" for base in kind.__mro__):
        return Family.TRACED
    if hasattr(kind, "is_fully_addressable") and hasattr(kind, "addressable_data"):
        return Family.JAX
    if kind.__name__ in SYMBOLIC:
        return Family.SYMBOLIC
    if callable(getattr(kind, "numpy", None)):
        return Family.TENSORFLOW
    return Family.OTHER
