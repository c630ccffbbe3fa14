"""Which runs of a logdir are whose, when several processes read it.

Rendezvous hashing: each process gives each run a number, and the highest has it. Everybody
who knows the processes comes to the same answer, and when one of them goes only its runs
change hands.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

__all__ = ["EVERY_RUN", "Share", "owner_of"]


def owner_of(run: str, owners: Sequence[str]) -> str:
    """Return which of the owners has the run: the same answer in each of them."""
    return max(owners, key=lambda owner: _weight(run, owner))


def _weight(run: str, owner: str) -> bytes:
    text = f"{owner}\0{run}".encode("utf-8", "surrogateescape")
    return blake2b(text, digest_size=8).digest()


class Share:
    """The part of a logdir's runs that one of its owners reads."""

    def __init__(self, owner: str, owners: Sequence[str]) -> None:
        self.owners = tuple(owners)
        self._owner = owner
        self._known: dict[str, bool] = {}

    def __contains__(self, run: str) -> bool:
        if len(self.owners) <= 1:
            return True
        known = self._known.get(run)
        if known is None:
            known = self._known[run] = owner_of(run, self.owners) == self._owner
        return known


EVERY_RUN: Final = Share("", ())
"""Of a process that shares with nobody."""
