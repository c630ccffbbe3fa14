"""Passwords: which are good enough, and their argon2id hashes.

A hash takes 64 MiB and some 50 ms on purpose, so only as many are made at once as there are
cores. Who is not known costs as much as who is: the answer's time tells nobody which it was.
"""

from __future__ import annotations

import os
import unicodedata
from threading import BoundedSemaphore
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from orgboard_dashboard.accounts.guessable import guesses
from orgboard_dashboard.accounts.names import key_of

__all__ = ["MAX_CHARS", "MIN_CHARS", "hash_of", "is_right", "needs_rehash", "password_problem"]

MIN_CHARS: Final = 12
MAX_CHARS: Final = 256
"""More is no stronger, and hashing reads all of it."""

_hasher: Final = PasswordHasher()
_at_once: Final = BoundedSemaphore(os.cpu_count() or 1)
_NOBODYS: Final = (
    "$argon2id$v=19$m=65536,t=3,p=4$mNnLxaFV5vxKSyTIxZdgkA$"
    "6KnMd6rhs0WQhjz6NTrCMcOEcjfwDfapSbn9pkU5Ti4"
)
"""Of a password that nobody knows, made as today's are, so that it takes as long."""

_LEAST_GUESSES: Final = 6
_LEAST_DIFFERENT: Final = 5


def password_problem(password: str, name: str) -> str | None:
    """Return why this cannot be the password of the account `name`; None when it can."""
    if len(password) < MIN_CHARS:
        return f"A password has at least {MIN_CHARS} characters; a sentence is a good one."
    if len(password) > MAX_CHARS:
        return f"A password has at most {MAX_CHARS} characters."
    typed = key_of(password)
    if len(set(typed)) < _LEAST_DIFFERENT or guesses(typed, key_of(name)) < _LEAST_GUESSES:
        return "This password is among the first that anybody would guess. Take a sentence."
    return None


def hash_of(password: str) -> str:
    """Return the hash to keep. Takes long: not for the event loop."""
    with _at_once:
        return _hasher.hash(_typed(password))


def is_right(kept: str | None, password: str) -> bool:
    """Tell whether this is the password of which `kept` is the hash; None: there is none.

    Takes long, and just as long when there is none: not for the event loop.
    """
    with _at_once:
        try:
            _hasher.verify(_NOBODYS if kept is None else kept, _typed(password))
        except (VerificationError, InvalidHashError):
            return False
    return kept is not None and len(password) <= MAX_CHARS


def needs_rehash(kept: str) -> bool:
    """Tell whether a hash was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(kept)


def _typed(password: str) -> str:
    """Return the same however a keyboard composes an accent."""
    return unicodedata.normalize("NFC", password[: MAX_CHARS + 1])
