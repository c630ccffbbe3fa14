"""How many of something long may go on side by side, so that nobody's fill the house. Pure.

Each who asks has so many, all sessions of an account together so many, and a process bears so
many. Beyond that one is told to come back: nobody waits in a queue that somebody else fills.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Final, Literal

from orgboard_dashboard.accounts.delays import network_of
from orgboard_dashboard.viewer import Viewer

__all__ = ["OF_EXPORTS", "OF_STREAMS", "AtOnce", "Full", "Lanes", "Turns"]

Full = Literal["", "yours", "all"]
"""Whose turns are all taken: nobody's, one's own, those of the process."""


@dataclass(frozen=True, slots=True)
class AtOnce:
    """How many at once: of a session, token or guest, of an account or link, of a process."""

    each: int
    account: int
    together: int


OF_EXPORTS: Final = AtOnce(each=3, account=4, together=6)
"""Files that are being made. A very long run holds one of the fifteen connections of a process
for as long as it is read: most are left to questions."""

OF_STREAMS: Final = AtOnce(each=30, account=100, together=1000)
"""Pages that hear of news, each of which holds a connection: more tabs than anybody looks at, and
an account that many screens are signed in as."""


class Turns:
    """The turns of one web process. Belongs to the event loop."""

    def __init__(self, of: AtOnce) -> None:
        self._of = of
        self._taken: Counter[tuple[str, str]] = Counter()
        self._together = 0

    def together(self) -> int:
        """Return how many turns are taken."""
        return self._together

    @contextmanager
    def taken(self, viewer: Viewer) -> Iterator[Full]:
        """Take a turn for the block, and give "", or say whose are all taken and take none."""
        keys = tuple(self._keys(viewer))
        full: Full = "all" if self._together >= self._of.together else ""
        if any(self._taken[key] >= most for key, most in keys):
            full = "yours"
        if full:
            yield full
            return
        self._count(keys, 1)
        try:
            yield ""
        finally:
            self._count(keys, -1)

    def _count(self, keys: tuple[tuple[tuple[str, str], int], ...], by: int) -> None:
        self._together += by
        for key, _ in keys:
            self._taken[key] += by
            if not self._taken[key]:
                del self._taken[key]

    def _keys(self, viewer: Viewer) -> Iterator[tuple[tuple[str, str], int]]:
        if viewer.kind == "share":
            # Many people may hold one link; those of one network count as one.
            yield ("share", f"{viewer.via} {network_of(viewer.address)}"), self._of.each
            yield ("all of share", viewer.via), self._of.account
        elif viewer.kind in ("account", "token"):
            yield (viewer.kind, viewer.via), self._of.each
            yield ("all of", str(viewer.account_id)), self._of.account


class Lanes:
    """Lets a few of something short go on at once. Belongs to the event loop."""

    def __init__(self, each: int = 2, together: int = 3) -> None:
        self._each = each
        self._all = asyncio.Semaphore(together)
        self._own: dict[str, asyncio.Semaphore] = {}
        self._there: Counter[str] = Counter()

    @asynccontextmanager
    async def lane(self, viewer: Viewer) -> AsyncIterator[None]:
        """Wait until `viewer`, and then the process, has a lane free, for the block."""
        key = f"account {viewer.account_id}" if viewer.account_id is not None else ""
        if viewer.kind == "share":
            key = f"{viewer.via} {network_of(viewer.address)}"
        own = self._own.setdefault(key, asyncio.Semaphore(self._each))
        self._there[key] += 1
        try:
            async with own, self._all:
                yield
        finally:
            self._there[key] -= 1
            if not self._there[key]:
                del self._there[key], self._own[key]
