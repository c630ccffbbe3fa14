"""Filters that people type. RE2, because no pattern can make it slow."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

import re2  # type: ignore[import-untyped]  # its stubs are not published

from orgboard_dashboard.queries.errors import BadQuery

__all__ = ["capturer", "matcher"]

_MAX_CHARS: Final = 1000
_MAX_MEMORY_BYTES: Final = 8 << 20
"""What one compiled pattern may take."""

_PLAIN: Final = re.compile(r"[A-Za-z0-9_/,:= -]+")
"""Stands for nothing but itself."""


def matcher(pattern: str) -> Callable[[str], bool]:
    """Return a test that is true for text in which `pattern` occurs; for all when it is empty.

    Raises:
        BadQuery: when RE2 does not understand it.
    """
    if not pattern:
        return lambda _text: True
    compiled = _compiled(pattern)
    if _PLAIN.fullmatch(pattern):
        # A tenth of what RE2 takes to be asked, and most filters are a part of a name.
        part = _bytes(pattern)
        return lambda text: pattern in text if text.isascii() else part in _bytes(text)
    return lambda text: compiled.search(_bytes(text)) is not None


def capturer(pattern: str) -> Callable[[str], str | None]:
    """Return what gives the part of a text that `pattern` finds; None where it finds nothing.

    The part is what the parentheses captured, joined by blanks, or else the whole match.

    Raises:
        BadQuery: when RE2 does not understand it.
    """
    compiled = _compiled(pattern)

    def captured(text: str) -> str | None:
        found = compiled.search(_bytes(text))
        if found is None:
            return None
        groups = [part for part in found.groups() if part is not None]
        part = b" ".join(groups) if found.groups() else found.group()
        return str(part.decode("utf-8", "backslashreplace"))

    return captured


def _compiled(pattern: str) -> Any:
    if len(pattern) > _MAX_CHARS:
        raise BadQuery(f"The filter is longer than {_MAX_CHARS} characters.")
    options = re2.Options()
    options.max_mem = _MAX_MEMORY_BYTES
    options.log_errors = False
    try:
        compiled = re2.compile(_bytes(pattern), options)
    except re2.error as error:
        reason = error.args[0].decode() if isinstance(error.args[0], bytes) else str(error)
        raise BadQuery(
            f"The filter is not a regular expression that RE2 knows: {reason}."
        ) from error
    return compiled


def _bytes(text: str) -> bytes:
    # A file name need not be UTF-8; what is not shows as the escape that it is printed with.
    return text.encode("utf-8", "backslashreplace")
