"""Dictionaries, as far as they are some."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["items_of"]


def items_of(given: Any, what: str) -> list[tuple[Any, Any]]:
    """List what a mapping holds, as it is now.

    Raises:
        TypeError: it is none; the message calls it `what`.
    """
    if not isinstance(given, Mapping) and not callable(getattr(given, "items", None)):
        raise TypeError(f"{what} must be a dict, got {type(given).__name__}")
    return list(given.items())
