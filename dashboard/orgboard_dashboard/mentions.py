"""People named in a text: `@ana` as it is typed, `<@12:ana>` as it is kept.

    typed ──marked()──▶ kept: the account's id, and what it was called then
    kept ──settled()──▶ those that still stand for somebody, the others as words
    kept ──typed()──▶ what to change in a field: names as they are now

Who is named is asked of the database by whoever writes; that a text says `<@12:ana>` gives it to
nobody. Pure: no database, no HTML.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from orgboard_dashboard.accounts.names import MAX_NAME_CHARS, key_of

__all__ = ["KEPT", "MAX_NAMED", "excerpt_of", "keys_in", "marked", "settled", "typed"]

MAX_NAMED: Final = 20
"""People of one text: who means more means a team, and tells it elsewhere."""

KEPT: Final = re.compile(r"<@([0-9]{1,18}):([^<>:\s]{1,64})>")
"""A name as it is kept: id and name."""

_TYPED: Final = re.compile(r"(?<![\w@.+\\<-])@([^\W_][\w.@+-]*)")
"""Not the end of an address of mail, and not what was escaped."""

_CODE: Final = re.compile(r"(?<!`)(`++)[\s\S]*?(?<!`)\1(?!`)")
"""`@property` names nobody."""

_MAX_EXCERPT: Final = 280

_ENDS: Final = ".@+-"
"""What a name may have, and a sentence may have after it."""


def keys_in(text: str) -> frozenset[str]:
    """Return the keys of all names that a typed text may mean, those of accounts or not."""
    keys: set[str] = set()
    _outside_code(text, lambda found: _note(keys, found))
    return frozenset(keys)


def marked(text: str, known: Mapping[str, tuple[int, str]]) -> tuple[str, frozenset[int]]:
    """Return a typed text as it is kept, and whom it names: `known` are ids and names by key.

    What looks like a name as it is kept, and was typed, stays words: nobody knows an id.
    """
    named: set[int] = set()

    def mark(found: re.Match[str]) -> str:
        for name in _readings(found[1]):
            account = known.get(key_of(name))
            if account is not None and (account[0] in named or len(named) < MAX_NAMED):
                named.add(account[0])
                return f"<@{account[0]}:{account[1]}>{found[1][len(name) :]}"
        return found[0]

    return _outside_code(settled(text, {}), mark), frozenset(named)


def settled(text: str, names: Mapping[int, str]) -> str:
    """Return a kept text in which only those of `names` are named; others are words."""
    return KEPT.sub(lambda found: found[0] if int(found[1]) in names else f"@{found[2]}", text)


def typed(text: str, names: Mapping[int, str]) -> str:
    """Return a kept text as one would type it, with names as they are now."""
    return KEPT.sub(lambda found: f"@{names.get(int(found[1]), found[2])}", text)


def excerpt_of(text: str, names: Mapping[int, str]) -> str:
    """Return how a kept text begins, as one would type it."""
    words = typed(settled(text, names), names)
    return words if len(words) <= _MAX_EXCERPT else f"{words[: _MAX_EXCERPT - 1]}…"


def _note(keys: set[str], found: re.Match[str]) -> str:
    keys.update(map(key_of, _readings(found[1])))
    return found[0]


def _readings(name: str) -> list[str]:
    """Return what a run of a name's characters may mean, the longest first."""
    name = name[:MAX_NAME_CHARS]
    found = [name]
    while name[-1:] in _ENDS and name:
        name = name[:-1]
        found.append(name)
    return [each for each in found if each]


def _outside_code(text: str, put: Callable[[re.Match[str]], str]) -> str:
    """Put `put(name)` in place of each name that is not in code."""
    parts, at = [], 0
    for code in _CODE.finditer(text):
        parts += [_TYPED.sub(put, text[at : code.start()]), code[0]]
        at = code.end()
    return "".join([*parts, _TYPED.sub(put, text[at:])])
