"""How many bytes of answers are made and not taken by their clients yet, of one process. Pure.

An answer is made whole before it is sent; whoever does not take it leaves it in the memory of
everybody. So each who asks may leave so much, and all together so much.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from orgboard_dashboard.accounts.delays import network_of
from orgboard_dashboard.turns import Full
from orgboard_dashboard.viewer import Viewer

__all__ = ["Room", "Unsent", "asker_of"]


@dataclass(frozen=True, slots=True)
class Room:
    """How many bytes at once, of one who asks and of all."""

    each: int = 96 * 1024 * 1024
    """Six pictures of 16 MB, as a browser fetches them side by side."""
    together: int = 256 * 1024 * 1024


EACH: Final = Room()


class Unsent:
    """The bytes of one web process. Belongs to the event loop."""

    def __init__(self, room: Room = EACH) -> None:
        self._room = room
        self._held: Counter[str] = Counter()

    def together(self) -> int:
        """Return how many bytes wait for their clients."""
        return self._held.total()

    def full(self, asker: str, size: int) -> Full:
        """Say whose room is too small for so much more: nobody's, one's own, that of all.

        What is larger than all of it is answered while nothing else waits.
        """
        held, together = self._held[asker], self._held.total()
        if asker and held and held + size > self._room.each:
            return "yours"
        return "all" if together and together + size > self._room.together else ""

    @contextmanager
    def holding(self, asker: str, size: int) -> Iterator[None]:
        """Count bytes for the block."""
        self._held[asker] += size
        try:
            yield
        finally:
            self._held[asker] -= size
            if not self._held[asker]:
                del self._held[asker]


def asker_of(scope: Mapping[str, Any]) -> str:
    """Return as whom a request counts; "" for who is on the machine alone."""
    viewer: Viewer | None = scope.get("state", {}).get("viewer")
    if viewer is None:
        client = scope.get("client")
        return f"network {network_of(str(client[0]))}" if client else ""
    if viewer.account_id is not None:
        return f"account {viewer.account_id}"
    return f"{viewer.via} {network_of(viewer.address)}" if viewer.kind == "share" else ""
