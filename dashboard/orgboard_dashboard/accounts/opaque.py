"""Secrets that a program makes: sessions, links, tokens. Shown once, and kept as their SHA-256.

256 random bits need no slow hash: nobody tries them all.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Final

__all__ = ["TOKEN_PREFIX", "csrf_of", "digest", "new_secret", "new_token"]

TOKEN_PREFIX: Final = "ob_pat_"  # noqa: S105  # what all begin with, so that scanners know one
"""What a token begins with, so that who scans texts for secrets can know one."""

_BYTES: Final = 32


def new_secret() -> str:
    """Return 43 characters that nobody can guess, for addresses and cookies."""
    return secrets.token_urlsafe(_BYTES)


def new_token(token_id: str) -> str:
    """Return a token: its prefix, its id, and a secret."""
    return f"{TOKEN_PREFIX}{token_id}_{new_secret()}"


def digest(secret: str) -> bytes:
    """Return what the database keeps of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


def csrf_of(session_secret: str) -> str:
    """Return what pages of a session send beside its cookie, which other sites' cannot know."""
    return hmac.new(session_secret.encode(), b"orgboard csrf", hashlib.sha256).hexdigest()
