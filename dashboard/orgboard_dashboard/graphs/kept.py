"""The last few things that were made, and are asked for again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

__all__ = ["Kept"]

_Key = TypeVar("_Key", bound=Hashable)
_Value = TypeVar("_Value")


class Kept(Generic[_Key, _Value]):
    """Values by key; what was not asked for the longest goes first."""

    def __init__(self, most: int, most_weight: int, weigh: Callable[[_Value], int]) -> None:
        self._most = most
        self._most_weight = most_weight
        self._weigh = weigh
        self._kept: OrderedDict[_Key, _Value] = OrderedDict()
        self._lock = Lock()

    def get(self, key: _Key, make: Callable[[], _Value]) -> _Value:
        """Return the value of a key, which is made when it is not here."""
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None:
                self._kept.move_to_end(key)
                return kept
        made = make()
        with self._lock:
            self._kept[key] = made
            while len(self._kept) > 1 and self._is_full():
                self._kept.popitem(last=False)
        return made

    def _is_full(self) -> bool:
        weight = sum(self._weigh(value) for value in self._kept.values())
        return len(self._kept) > self._most or weight > self._most_weight
