"""All cases, family by family."""

from __future__ import annotations

from collections.abc import Iterator

from support.peers import distributions, facades, media, numbers, structures
from support.peers.cases import Case

__all__ = ["every_case"]


def every_case() -> Iterator[Case]:
    """Give the cases of every method."""
    for family in (numbers, distributions, media, structures, facades):
        yield from family.cases()
