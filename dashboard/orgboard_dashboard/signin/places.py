"""Where the sign-in is, and where one goes after it. Pure; the gate and the pages read it."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote, unquote, urlsplit

__all__ = [
    "BACK",
    "SHARED",
    "SIGN_IN",
    "TO_PROVIDER",
    "WELCOME",
    "checked_next",
    "sign_in_address",
    "welcome_address",
]

SIGN_IN: Final = "/sign-in"
TO_PROVIDER: Final = SIGN_IN + "/provider"
BACK: Final = SIGN_IN + "/back"
"""Where the provider sends people back to; it is told to by this very address."""
WELCOME: Final = "/welcome"
SHARED: Final = "/s"

_MAX_NEXT_CHARS: Final = 8000
_KNOWN: Final = re.compile(r"/(p/[^/]+/[^/]+(/[a-z]+)?|r/[0-9A-Za-z]+|account|admin(/[a-z]+)?)?")
_PLAIN: Final = re.compile(r"[!#-\[\]-~]*")
"""ASCII without blanks, quotes, backslashes and control characters: addresses are escaped."""


def sign_in_address(asked: str, base: str = "/") -> str:
    """Return the address of the sign-in that leads on to what was asked for.

    Addresses are as browsers have them: below `base`, which the board is mounted at.
    """
    to, page = checked_next(asked, base), base[:-1] + SIGN_IN
    return page if to == base else f"{page}?next={quote(to, safe='/')}"


def checked_next(asked: str, base: str = "/") -> str:
    """Return a page of this board to go on to: `asked`, or the first one when it is none."""
    if len(asked) > _MAX_NEXT_CHARS or not _PLAIN.fullmatch(asked) or asked.startswith("//"):
        return base
    parts = urlsplit(asked)
    is_ours = not parts.scheme and not parts.netloc and parts.path.startswith(base)
    # Browsers take these for a way up, written as they are or by their numbers.
    leads_up = not {".", ".."}.isdisjoint(unquote(parts.path).split("/"))
    is_page = is_ours and not leads_up and _KNOWN.fullmatch(parts.path[len(base) - 1 :])
    return asked if is_page else base


def welcome_address(base: str, secret: str) -> str:
    """Return a one-time link. Browsers keep what follows the # to themselves: no log has it."""
    return f"{base}{WELCOME}#{secret}"
