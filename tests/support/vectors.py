"""Cases that Python and the browser share, and numbers that JSON has no word for."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

__all__ = ["plain", "read_vectors"]

_FOLDER = Path(__file__).parents[1] / "dashboard" / "vectors"
_SPELLED = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_NUMBERS = ("values", "smoothed")
"""Lists in which a word is a number; elsewhere "NaN" may be a mark's name."""


def read_vectors(name: str) -> list[dict[str, Any]]:
    """Read `tests/dashboard/vectors/NAME.json`."""
    text = (_FOLDER / f"{name}.json").read_text(encoding="utf-8")
    cases: list[dict[str, Any]] = json.loads(text)
    for case in cases:
        for key in _NUMBERS:
            if key in case:
                case[key] = [_SPELLED.get(value, value) for value in case[key]]
    return cases


def plain(value: Any) -> Any:
    """Round numbers to nine digits and make tuples lists, so that twins compare equal."""
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(f"{value:.9g}")
    return value
