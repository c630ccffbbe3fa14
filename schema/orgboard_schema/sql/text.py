"""Text that a log controls, in a form that both engines store.

PostgreSQL refuses NUL and lone surrogates (which Python makes of bytes that are not
UTF-8, in file names); SQLite takes them or not, by driver. Each such character c is
stored as U+F0000 + c, in private use. What stood there already gets an escape before
it, so that the way back is exact.

    to_sql("a\\0b")        == "a\\U000f0000b"
    to_sql("\\U000f0000")  == "\\U000f0001\\U000f0000"
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

__all__ = ["from_sql", "sha256", "to_sql"]

_SHIFT: Final = 0xF0000
_ESCAPE: Final = "\U000f0001"
_REFUSED: Final = re.compile("[\x00\ud800-\udfff\U000f0000\U000f0001\U000fd800-\U000fdfff]")
_STORED: Final = re.compile(
    f"{_ESCAPE}([\U000f0000\U000f0001\U000fd800-\U000fdfff])|[\U000f0000\U000fd800-\U000fdfff]"
)


def to_sql(text: str) -> str:
    """Return `text` without NUL and lone surrogates, so that `from_sql` gives it back."""
    return _REFUSED.sub(_shifted, text)


def from_sql(text: str) -> str:
    """Return what `to_sql` was given."""
    # Most names are; a list of runs asks this of each.
    return text if text.isascii() else _STORED.sub(_unshifted, text)


def sha256(text: str) -> bytes:
    """Return the key that `text` is found by: the hash of the original, before `to_sql`."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _shifted(match: re.Match[str]) -> str:
    char = match.group()
    return chr(ord(char) + _SHIFT) if ord(char) < _SHIFT else _ESCAPE + char


def _unshifted(match: re.Match[str]) -> str:
    escaped: str | None = match.group(1)
    return escaped if escaped is not None else chr(ord(match.group()) - _SHIFT)
