"""Names of accounts, teams and projects: what may be one, and which are the same."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

__all__ = ["MAX_NAME_CHARS", "key_of", "name_problem", "place_problem", "scripts_of"]

MAX_NAME_CHARS: Final = 64

_NAME: Final = re.compile(r"[^\W_][\w.@+-]*")
"""Letters of any script, digits, and what addresses of mail are made of: `@ana` can be found."""

_RESERVED: Final = frozenset({"host", "guest"})
"""What the audit log calls who has the host, and who comes by a share link."""

_FAMILY: Final = {
    # Written together, each in what it is there for.
    **dict.fromkeys(
        ("CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "HANGUL", "BOPOMOFO", "IDEOGRAPHIC"),
        "EAST ASIAN",
    ),
    **dict.fromkeys(("ARABIC-INDIC", "EXTENDED"), "ARABIC"),
}
"""By the first word of a character's name, where that is not the script."""


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
    if len(scripts_of(name)) > 1:
        return "A name is written in one script: letters of several look alike."
    if key_of(name) in _RESERVED:
        return "The board calls somebody else that: take another name."
    return None


def scripts_of(name: str) -> frozenset[str]:
    """Return the scripts that letters and digits of a name belong to; 0 to 9 are of all."""
    written = (unicodedata.name(char, "?") for char in name if char.isalnum() and char > "9")
    return frozenset(_FAMILY.get(first, first) for first in (full.split()[0] for full in written))


def place_problem(name: str, kind: str = "A team") -> str | None:
    """Return why this cannot be the name of a team or project; None when it can."""
    if not 0 < len(name) <= MAX_NAME_CHARS:
        return f"{kind}'s name has 1 to {MAX_NAME_CHARS} characters."
    if name != name.strip() or "/" in name or not name.isprintable() or name in (".", "..", "*"):
        return f"{kind}'s name is one line: no slash, no blanks at its ends, and not `*` alone."
    return None
