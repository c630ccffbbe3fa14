"""One hyperparameter out of the JSON of many runs, without reading the rest of each.

A run's hyperparameters are one flat JSON object. A key in it stands as `"key":` with a quote that
no backslash escapes, and nothing else does; so the value of one key is found by looking for that,
in the texts of all runs at once.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any, Final

from orgboard_schema.sql.text import from_sql, to_sql

__all__ = ["HparamTexts", "decode_hparams", "keys_of"]

_decode: Final = json.JSONDecoder().raw_decode
_SPACE: Final = " \t\r\n"


def decode_hparams(stored: str | None) -> Mapping[str, Any]:
    """Return all hyperparameters by name, as a run's row holds them."""
    read = json.loads(from_sql(stored)) if stored else {}
    return read if isinstance(read, dict) else {}


class HparamTexts:
    """The hyperparameters of many runs as they are stored, to look for one of them in all."""

    def __init__(self, stored: Sequence[str]) -> None:
        # No key has a line's end: JSON escapes it. One search goes through ten thousand texts in
        # the time of some hundred searches through one each.
        self._all = "\n".join(stored)
        self._ends = list(accumulate(len(each) + 1 for each in stored))

    def values(self, name: str) -> dict[int, Any]:
        """Return the value under that name by the place of its text; without those of null."""
        found: dict[int, Any] = {}
        for key in reversed(keys_of(name)):
            found |= self._under(key)
        return {place: value for place, value in found.items() if value is not None}

    def _under(self, key: str) -> dict[int, Any]:
        """Return the values under a key, which is written in this form."""
        found: dict[int, Any] = {}
        whole, ends, place = self._all, self._ends, 0
        at = whole.find(key)
        while at >= 0:
            place = bisect_right(ends, at, place)
            # An escaped quote is inside a text, which only looks like a key.
            if whole[at - 1] != "\\":
                found[place] = _value_at(whole, at + len(key))
                at = whole.find(key, ends[place])
            else:
                at = whole.find(key, at + 1)
        return found


def keys_of(name: str) -> tuple[str, ...]:
    """Return how a name may stand as a key: with what is not ASCII escaped, or as it is."""
    return tuple(
        dict.fromkeys(
            to_sql(json.dumps(name, ensure_ascii=ascii_only)) + ":" for ascii_only in (True, False)
        )
    )


def _value_at(stored: str, at: int) -> Any:
    while stored[at] in _SPACE:
        at += 1
    value, _end = _decode(stored, at)
    return from_sql(value) if isinstance(value, str) else value
