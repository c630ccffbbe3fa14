"""Arithmetic on tags: `train/loss - val/loss; log("lr-Adam")`. A parser, and numpy.

    chart      = expression { ";" expression }
    expression = term { ( "+" | "-" ) term }
    term       = factor { ( "*" | "/" ) factor }
    factor     = "-" factor | number | tag | function "(" expression { "," expression } ")"
               | "(" expression ")"

A tag stands as it is while it is words joined by `/`, `.` or `:`, without blanks; any other
tag stands in quotes, in which a backslash takes the next character as it is. So `a/b` is a
tag and `a / b` a quotient. Nothing here knows SQL.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "FUNCTIONS",
    "MAX_CHARS",
    "Call",
    "Expression",
    "ExpressionError",
    "Number",
    "Tag",
    "calls_of",
    "evaluate",
    "parse_chart",
    "quoted",
    "tags_of",
]

Floats: TypeAlias = NDArray[np.float64]

MAX_CHARS: Final = 2000
_MAX_DEPTH: Final = 50
_MAX_PARTS: Final = 12
"""Expressions of one chart."""
_MAX_CALLS: Final = 100
"""Operators and functions of one expression."""

FUNCTIONS: Final[Mapping[str, Callable[..., Floats]]] = {
    "abs": np.abs,
    "log": np.log,
    "min": lambda *values: np.minimum.reduce(values),
    "max": lambda *values: np.maximum.reduce(values),
}
_OPERATORS: Final[Mapping[str, Callable[[Floats, Floats], Floats]]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
}

_TOKEN: Final = re.compile(
    r"""\s*(?:
        (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
      | (?P<name>[^\W\d]\w*(?:[./:]\w+)*)
      | "(?P<quoted>(?:[^"\\]|\\.)*)"
      | (?P<sign>[-+*/(),;])
      | (?P<end>$)
    )""",
    re.VERBOSE | re.DOTALL,
)
_PLAIN: Final = re.compile(r"[^\W\d]\w*(?:[./:]\w+)*")


class ExpressionError(ValueError):
    """A text is no expression. The message says where and why."""


@dataclass(frozen=True, slots=True)
class Number:
    """A constant."""

    value: float


@dataclass(frozen=True, slots=True)
class Tag:
    """The values of a tag."""

    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function, or an operator, of other expressions."""

    name: str
    arguments: tuple[Expression, ...]


Expression: TypeAlias = "Number | Tag | Call"


def parse_chart(text: str) -> tuple[tuple[str, Expression], ...]:
    """Read the expressions of a chart, each with the text that it was read from.

    Raises:
        ExpressionError: it is none, or longer than what is sensible.
    """
    if len(text) > MAX_CHARS:
        raise ExpressionError(f"An expression has at most {MAX_CHARS} characters.")
    parser = _Parser(text)
    parts = []
    while True:
        start = parser.at
        expression = parser.expression(0)
        if next(tags_of(expression), None) is None:
            raise ExpressionError("An expression has at least one tag.")
        parts.append((text[start : parser.start].strip(), expression))
        parser.calls = 0
        if parser.kind == "end":
            break
        parser.take(";")
    if len(parts) > _MAX_PARTS:
        raise ExpressionError(f"A chart has at most {_MAX_PARTS} expressions.")
    return tuple(parts)


def tags_of(expression: Expression) -> Iterator[str]:
    """Give the tags of an expression, from left to right; one that stands twice, twice."""
    if isinstance(expression, Tag):
        yield expression.name
    elif isinstance(expression, Call):
        for argument in expression.arguments:
            yield from tags_of(argument)


def calls_of(expression: Expression) -> int:
    """Return how many functions and operators there are to work out."""
    if not isinstance(expression, Call):
        return 0
    return 1 + sum(map(calls_of, expression.arguments))


def quoted(tag: str) -> str:
    """Write a tag as it stands in an expression."""
    if _PLAIN.fullmatch(tag):
        return tag
    return '"' + re.sub(r'(["\\])', r"\\\1", tag) + '"'


def evaluate(expression: Expression, values: Mapping[str, Floats]) -> Floats:
    """Return the value at each place. `values` holds all tags, equally long."""
    if isinstance(expression, Number):
        size = next(iter(values.values())).size if values else 0
        return np.full(size, expression.value)
    if isinstance(expression, Tag):
        return values[expression.name]
    arguments = [evaluate(argument, values) for argument in expression.arguments]
    # What has no value is NaN or infinite, and drawn as such.
    with np.errstate(all="ignore"):
        if expression.name in _OPERATORS:
            left, right = arguments
            return _OPERATORS[expression.name](left, right)
        return FUNCTIONS[expression.name](*arguments)


class _Parser:
    """Recursive descent with one part of foresight."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.start = 0
        self.kind = ""
        self.part = ""
        self.calls = 0
        self._next = 0
        self._read()

    def expression(self, depth: int) -> Expression:
        """Read sums."""
        if depth > _MAX_DEPTH:
            raise ExpressionError("The parentheses are nested too deep.")
        left = self._term(depth)
        while self.part in ("+", "-") and self.kind == "sign":
            name = self.part
            self._read()
            left = self._made(name, left, self._term(depth))
        return left

    def take(self, sign: str) -> None:
        """Step over a sign that must stand here."""
        if self.kind != "sign" or self.part != sign:
            raise self._unexpected()
        self._read()

    def _term(self, depth: int) -> Expression:
        left = self._factor(depth)
        while self.part in ("*", "/") and self.kind == "sign":
            name = self.part
            self._read()
            left = self._made(name, left, self._factor(depth))
        return left

    def _factor(self, depth: int) -> Expression:
        kind, part = self.kind, self.part
        if kind == "sign" and part == "-":
            if depth > _MAX_DEPTH:
                raise ExpressionError("There are too many signs in a row.")
            self._read()
            return self._made("-", Number(0.0), self._factor(depth + 1))
        if kind == "sign" and part == "(":
            self._read()
            inner = self.expression(depth + 1)
            self.take(")")
            return inner
        if kind not in ("number", "name", "quoted"):
            raise self._unexpected()
        self._read()
        if kind == "number":
            return Number(float(part))
        if kind == "name" and self.kind == "sign" and self.part == "(":
            return self._call(part, depth)
        return Tag(part)

    def _call(self, name: str, depth: int) -> Expression:
        if name not in FUNCTIONS:
            known = ", ".join(FUNCTIONS)
            raise ExpressionError(f"There is no function {name[:40]}; there are {known}.")
        self.take("(")
        arguments = [self.expression(depth + 1)]
        while self.kind == "sign" and self.part == ",":
            self._read()
            arguments.append(self.expression(depth + 1))
        self.take(")")
        if name in ("abs", "log") and len(arguments) != 1:
            raise ExpressionError(f"{name} takes one value, not {len(arguments)}.")
        return self._made(name, *arguments)

    def _made(self, name: str, *arguments: Expression) -> Call:
        self.calls += 1
        if self.calls > _MAX_CALLS:
            raise ExpressionError(f"An expression has at most {_MAX_CALLS} operators.")
        return Call(name, arguments)

    def _read(self) -> None:
        found = _TOKEN.match(self.text, self._next)
        self.at = self._next
        if found is None or found.lastgroup is None:
            rest = self.text[self._next :].lstrip()
            place = len(self.text) - len(rest) + 1
            why = "This quote is not closed" if rest.startswith('"') else "Not understood"
            raise ExpressionError(f"{why}: {rest[:20]} (character {place}).")
        self.kind, part = found.lastgroup, found.group(found.lastgroup)
        self.part = (
            re.sub(r"\\(.)", r"\1", part, flags=re.DOTALL) if self.kind == "quoted" else part
        )
        self.start = found.start(found.lastgroup) - (self.kind == "quoted")
        self._next = found.end()

    def _unexpected(self) -> ExpressionError:
        if self.kind == "end":
            return ExpressionError("The expression ends where a tag or a number should stand.")
        return ExpressionError(f"{self.part[:40]} does not fit here (character {self.start + 1}).")
