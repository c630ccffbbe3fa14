"""Whom an organisation's provider says somebody is. Pure."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from orgboard_dashboard.accounts.names import MAX_NAME_CHARS, name_problem

__all__ = ["Provided", "names_for"]

_OTHERS: Final = re.compile(r"[^\w.@+-]+")
_MOST_TRIES: Final = 50


@dataclass(frozen=True, slots=True)
class Provided:
    """A person, as the provider tells."""

    issuer: str
    subject: str
    """With the issuer, who it is: what it is called and its address change, and go to others."""
    email: str
    """For people to recognise, and for nothing else."""
    names: tuple[str, ...]
    groups: frozenset[str] | None
    """None: the provider is not asked for them."""
    signed_in_at: float | None
    """When it last asked who it is, if it tells."""

    @property
    def sha256(self) -> bytes:
        """Return what the identity is found by."""
        return hashlib.sha256(f"{self.issuer}\0{self.subject}".encode("utf-8", "replace")).digest()


def names_for(person: Provided) -> Iterator[str]:
    """Give names that an account of this person could have, the likeliest first."""
    wishes = [name for wish in person.names if (name := _as_name(wish))] or ["person"]
    yield from wishes
    for number in range(2, _MOST_TRIES):
        yield f"{wishes[0][: MAX_NAME_CHARS - 3]}{number}"


def _as_name(wish: str) -> str:
    local = wish.partition("@")[0]
    plain = _OTHERS.sub(".", unicodedata.normalize("NFKC", local)).strip(".@+-_")
    name = plain[:MAX_NAME_CHARS]
    return "" if name_problem(name) else name
