"""Names of accounts, teams and projects: what may be one, and which are the same."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

__all__ = ["MAX_NAME_CHARS", "key_of", "name_problem", "place_problem"]

MAX_NAME_CHARS: Final = 64

_NAME: Final = re.compile(r"[^\W_][\w.@+-]*")
"""Letters of any script, digits, and what addresses of mail are made of: `@ana` can be found."""


def key_of(name: str) -> str:
    """Return the same for names that look the same: whatever their case, however they are typed."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def name_problem(name: str) -> str | None:
    """Return why this cannot be the name of an account; None when it can."""
    plain = unicodedata.normalize("NFKC", name)
    if not 0 < len(plain) <= MAX_NAME_CHARS:
        return f"A name has 1 to {MAX_NAME_CHARS} characters."
    if plain != name or not _NAME.fullmatch(name):
        return "A name begins with a letter or digit; others may be . _ - + @ too."
    return None


def place_problem(name: str, kind: str = "A team") -> str | None:
    """Return why this cannot be the name of a team or project; None when it can."""
    if not 0 < len(name) <= MAX_NAME_CHARS:
        return f"{kind}'s name has 1 to {MAX_NAME_CHARS} characters."
    if name != name.strip() or "/" in name or not name.isprintable() or name in (".", "..", "*"):
        return f"{kind}'s name is one line: no slash, no blanks at its ends, and not `*` alone."
    return None
