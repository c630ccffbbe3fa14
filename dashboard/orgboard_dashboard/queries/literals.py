"""What the values in a query mean beside a field: numbers, moments, lengths of time."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from orgboard_dashboard.queries.errors import BadQuery
from orgboard_dashboard.queries.language import Operator, QueryProblem, Value
from orgboard_dashboard.queries.language.problems import shown
from orgboard_dashboard.queries.language.tree import NUMBER
from orgboard_dashboard.queries.patterns import matcher

__all__ = [
    "compare",
    "hparam_test",
    "metric_test",
    "moment",
    "number",
    "pattern",
    "span",
    "spelled",
]

_INT64: Final = 2**63

_ORDERED: Final[dict[Operator, Callable[[Any, Any], Any]]] = {
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}

_ODD: Final = {"nan": math.nan, "inf": math.inf, "+inf": math.inf, "-inf": -math.inf}
"""What a metric may be and no other number is."""

_UNITS_S: Final = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_SPAN: Final = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(s|min|h|d|w)", re.ASCII)

_NUMBERS: Final = (int, float)
"""What JSON's numbers are read as; true and false, which are ints as well, are no numbers here."""

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def compare(operator: Operator, left: Any, right: Any) -> Any:
    """Return `left < right` and so on, of numbers, arrays or columns in SQL."""
    return _ORDERED[operator](left, right)


def number(value: Value) -> int | float | None:
    """Return the number that a value is; None when it is none, as all that is in quotes."""
    if value.quoted or NUMBER.fullmatch(value.text) is None:
        return None
    real = float(value.text)
    if not math.isfinite(real) or not real.is_integer() or abs(real) >= _INT64:
        return real
    # Digits alone say more than a double holds.
    return int(value.text) if value.text.lstrip("+-").isdigit() else int(real)


def span(value: Value) -> float:
    """Return a length of time in seconds: `90s`, `5min`, `2h`, `3d`, `1w`, or seconds.

    Raises:
        QueryProblem: it is none.
    """
    if found := _SPAN.fullmatch(value.text):
        return float(found[1]) * _UNITS_S[found[2]]
    seconds = number(value)
    if seconds is None:
        raise _no(value, "a length of time, such as 90s, 5min, 2h or 3d")
    return float(seconds)


def moment(value: Value, now: float) -> float:
    """Return a moment in epoch seconds: `2024-05-01` in UTC, or `-2d`, that long ago.

    Raises:
        QueryProblem: it is none.
    """
    if value.text.startswith("-") and _SPAN.fullmatch(value.text):
        return now + span(value)
    try:
        read = datetime.fromisoformat(value.text)
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise _no(
            value, 'a date, such as 2024-05-01 or "2024-05-01 12:30", or a time ago, such as -2d'
        ) from None


def pattern(value: Value) -> Callable[[str], bool]:
    """Return the test of a regular expression.

    Raises:
        QueryProblem: RE2 does not understand it.
    """
    try:
        return matcher(value.text)
    except BadQuery as error:
        raise QueryProblem(str(error), value.at, value.end) from error


def hparam_test(operator: Operator, values: tuple[Value, ...]) -> Callable[[Any], bool]:
    """Return the test of a hyperparameter's value: a number, a text, true or false.

    Raises:
        QueryProblem: these values cannot be compared so.
    """
    if operator in _ORDERED:
        bound = number(values[0])
        if bound is None:
            raise _no(values[0], f"a number: `{operator}` compares numbers")
        holds = _ORDERED[operator]
        return lambda held: held.__class__ in _NUMBERS and holds(held, bound)
    if operator in ("~", "!~"):
        matches = pattern(values[0])
        return lambda held: matches(spelled(held)) == (operator == "~")
    texts = frozenset(value.text for value in values)
    numbers = frozenset(read for value in values if (read := number(value)) is not None)
    quoted = frozenset(value.text for value in values if value.quoted)
    wanted = operator != "!="
    return lambda held: _is_one(held, texts, numbers, quoted) == wanted


def _is_one(
    held: Any, texts: frozenset[str], numbers: frozenset[float], quoted: frozenset[str]
) -> bool:
    """Tell whether a value is one of those listed; what is in quotes is told by its spelling."""
    if isinstance(held, str):
        return held in texts
    if isinstance(held, bool):
        return spelled(held) in texts
    return held in numbers or (bool(quoted) and spelled(held) in quoted)


def metric_test(operator: Operator, values: tuple[Value, ...]) -> Callable[[Floats], Bools]:
    """Return the test of a column of a metric's values.

    Raises:
        QueryProblem: these values cannot be compared so.
    """
    if operator in ("~", "!~"):
        raise QueryProblem(
            "A metric is a number: compare it with =, !=, <, <=, > or >=.",
            values[0].at,
            values[0].end,
        )
    literals = [_metric_literal(value) for value in values]
    if operator in _ORDERED:
        return lambda held: np.asarray(compare(operator, held, literals[0]), np.bool_)
    wanted = operator != "!="
    return lambda held: np.asarray(_equals_some(held, literals) == wanted, np.bool_)


def spelled(held: Any) -> str:
    """Return a hyperparameter's value as it is written: 64, 0.1, true, adam."""
    if isinstance(held, bool):
        return "true" if held else "false"
    if isinstance(held, float) and held.is_integer() and abs(held) < 1e15:
        return str(int(held))
    return str(held)


def _equals_some(held: Floats, literals: list[float]) -> Bools:
    found = np.zeros(held.shape, np.bool_)
    for literal in literals:
        if math.isnan(literal):
            found |= np.isnan(held)
            continue
        # Most values were logged as float32: 0.1 is equal to what 0.1 became there.
        with np.errstate(over="ignore"):
            found |= (held == literal) | (held == np.float64(np.float32(literal)))
    return found


def _metric_literal(value: Value) -> float:
    if not value.quoted and value.text.lower() in _ODD:
        return _ODD[value.text.lower()]
    read = number(value)
    if read is None:
        raise _no(value, "a number: metrics are compared with numbers, nan or inf")
    return float(read)


def _no(value: Value, expected: str) -> QueryProblem:
    return QueryProblem(f"{shown(value.text)} is not {expected}.", value.at, value.end)
