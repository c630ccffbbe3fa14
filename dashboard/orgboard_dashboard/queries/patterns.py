"""Filters that people type. RE2, because no pattern can make it slow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import re2  # type: ignore[import-untyped]  # its stubs are not published

from orgboard_dashboard.queries.errors import BadQuery

__all__ = ["matcher"]

_MAX_CHARS: Final = 1000
_MAX_MEMORY_BYTES: Final = 8 << 20
"""What one compiled pattern may take."""


def matcher(pattern: str) -> Callable[[str], bool]:
    """Return a test that is true for text in which `pattern` occurs; for all when it is empty.

    Raises:
        BadQuery: when RE2 does not understand it.
    """
    if not pattern:
        return lambda _text: True
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
    return lambda text: compiled.search(_bytes(text)) is not None


def _bytes(text: str) -> bytes:
    # A file name need not be UTF-8; what is not shows as the escape that it is printed with.
    return text.encode("utf-8", "backslashreplace")
