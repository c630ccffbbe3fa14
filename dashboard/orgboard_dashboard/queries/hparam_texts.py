"""One hyperparameter out of the JSON of many runs, without reading the rest of each.

A run's hyperparameters are one flat JSON object. A key in it stands as `"key":` with a quote that
no backslash escapes, and nothing else does; so the value of one key is found by looking for that.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from orgboard_schema.sql.text import from_sql, to_sql

__all__ = ["decode_hparams", "keys_of", "value_of"]

_decode: Final = json.JSONDecoder().raw_decode
_SPACE: Final = " \t\r\n"


def decode_hparams(stored: str | None) -> Mapping[str, Any]:
    """Return all hyperparameters by name, as a run's row holds them."""
    read = json.loads(from_sql(stored)) if stored else {}
    return read if isinstance(read, dict) else {}


def keys_of(name: str) -> tuple[str, ...]:
    """Return how a name may stand as a key: with what is not ASCII escaped, or as it is."""
    return tuple(
        dict.fromkeys(
            to_sql(json.dumps(name, ensure_ascii=ascii_only)) + ":" for ascii_only in (True, False)
        )
    )


def value_of(stored: str, keys: tuple[str, ...], missing: Any = None) -> Any:
    """Return the value under one of `keys`, forms of the same name, or `missing`."""
    for key in keys:
        at = stored.find(key)
        while at > 0:
            # An escaped quote is inside a text, which only looks like a key.
            if stored[at - 1] != "\\":
                return _value_at(stored, at + len(key))
            at = stored.find(key, at + 1)
    return missing


def _value_at(stored: str, at: int) -> Any:
    while stored[at : at + 1] in _SPACE and at < len(stored):
        at += 1
    value, _end = _decode(stored, at)
    return from_sql(value) if isinstance(value, str) else value
