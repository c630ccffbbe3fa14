"""Numbers and names as text: the shortest that gives the stored value again. Pure."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

__all__ = ["as_json", "cell", "csv_quoted", "guarded", "json_list", "number", "numbers", "spelled"]

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_SPECIAL: Final = frozenset('",\r\n')


def number(value: float) -> str:
    """Return a double as text; what is not finite as `NaN`, `Infinity`, `-Infinity`."""
    if math.isfinite(value):
        return repr(value)
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def numbers(column: npt.NDArray[np.floating[Any]], *, quote: str = "") -> list[str]:
    """Return a column of doubles as text, what is not finite between `quote`s."""
    # Widening float32 to float64, a signalling NaN is no reason to warn.
    with np.errstate(invalid="ignore"):
        wide = column.astype(np.float64, copy=False)
    texts = list(map(repr, wide.tolist()))
    for at in np.flatnonzero(~np.isfinite(wide)).tolist():
        texts[at] = f"{quote}{number(wide[at])}{quote}"
    return texts


def json_list(values: Iterable[float]) -> str:
    """Return doubles as a JSON array, what is not finite as a string."""
    texts = list(map(repr, values))
    # Of all doubles only these have the letter.
    return f"[{','.join(_named(text) if 'n' in text else text for text in texts)}]"


def csv_quoted(text: str) -> str:
    """Return a field of CSV, quoted where RFC 4180 asks for it."""
    if _SPECIAL.isdisjoint(text):
        return text
    return '"' + text.replace('"', '""') + '"'


def guarded(text: str) -> str:
    """Return text that a table program takes for no formula. Twin of `guarded` (savetable.js)."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def cell(value: Any) -> str:
    """Return any value as a field of CSV; nothing is an empty one."""
    if value is None:
        return ""
    if isinstance(value, float):
        return number(value)
    if isinstance(value, dict):
        return csv_quoted(
            json.dumps(spelled(value), allow_nan=False, ensure_ascii=False, sort_keys=True)
        )
    return csv_quoted(str(value))


def as_json(value: Any) -> str:
    """Return `value` as strict JSON, ASCII only."""
    return json.dumps(spelled(value), allow_nan=False, separators=(",", ":"), ensure_ascii=True)


def spelled(value: Any) -> Any:
    """Return `value` with the numbers that JSON lacks as the words that everybody reads."""
    if isinstance(value, float) and not math.isfinite(value):
        return number(value)
    if isinstance(value, dict):
        return {key: spelled(part) for key, part in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [spelled(part) for part in value]
    return value


def _named(text: str) -> str:
    return f'"{number(float(text))}"'
