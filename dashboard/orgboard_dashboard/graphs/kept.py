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
        self._making: dict[_Key, Lock] = {}
        self._lock = Lock()

    def get(self, key: _Key, make: Callable[[], _Value]) -> _Value:
        """Return the value of a key, which is made when it is not here.

        A page asks for several things of a graph at once: the first makes it, the others wait.
        """
        with self._lock:
            if (kept := self._known(key)) is not None:
                return kept
            making = self._making.setdefault(key, Lock())
        with making:
            with self._lock:
                if (kept := self._known(key)) is not None:
                    return kept
            try:
                made = make()
                with self._lock:
                    self._keep(key, made)
            finally:
                with self._lock:
                    self._making.pop(key, None)
        return made

    def _known(self, key: _Key) -> _Value | None:
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
        return kept

    def _keep(self, key: _Key, made: _Value) -> None:
        self._kept[key] = made
        while len(self._kept) > 1 and self._is_full():
            self._kept.popitem(last=False)

    def _is_full(self) -> bool:
        weight = sum(self._weigh(value) for value in self._kept.values())
        return len(self._kept) > self._most or weight > self._most_weight
