"""A query as a tree of frozen values, and how it is written.

    Or ─< And ─< Not ─ Test, Has, Text

`write` gives the shortest text with the same tree: `parse(write(node)) == node`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias, get_args

from orgboard_dashboard.histograms.percentiles import Statistic

__all__ = [
    "AGGREGATES",
    "KEYWORDS",
    "NUMBER",
    "OPERATORS",
    "SOURCES",
    "Aggregate",
    "And",
    "FieldName",
    "Has",
    "Node",
    "Not",
    "Operator",
    "Or",
    "Source",
    "Test",
    "Text",
    "Value",
    "write",
]

Operator: TypeAlias = Literal["=", "!=", "<", "<=", ">", ">=", "~", "!~", "in"]
OPERATORS: Final[tuple[Operator, ...]] = get_args(Operator)

Aggregate: TypeAlias = Literal["last", "min", "max", "best"]
AGGREGATES: Final[tuple[Aggregate, ...]] = get_args(Aggregate)

Source: TypeAlias = Literal["", "hp", "metric", "hist"]
SOURCES: Final = ("hp", "metric")
"""That stand before a name alone; after `hist` and the name stands the statistic."""

KEYWORDS: Final = ("and", "or", "not", "in")
"""In any case. Meant as a name or a value, they stand in quotes."""

NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)

_PLAIN: Final = re.compile("[^\\s()=!<>~,:\"'\\x00-\\x1f]+")
"""Text that needs no quotes."""


@dataclass(frozen=True, slots=True)
class Value:
    """What a field is compared with."""

    text: str
    quoted: bool = False
    """In quotes it is text, and never a number."""
    at: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class FieldName:
    """A field as it was named; what it means depends on the project."""

    name: str
    source: Source = ""
    """Which of the fields of that name; "" when it was not said."""
    aggregate: Aggregate | None = None
    """Of a metric: which of its values."""
    statistic: Statistic | None = None
    """Of histograms: which number of the last one."""
    at: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)
    named: tuple[int, int] = field(default=(0, 0), compare=False)
    """Where the name itself begins and ends."""


@dataclass(frozen=True, slots=True)
class Test:
    """A field compared with a value; with `in`, with several."""

    field: FieldName
    operator: Operator
    values: tuple[Value, ...]
    __test__ = False  # pytest takes whatever is named so for a test


@dataclass(frozen=True, slots=True)
class Has:
    """The run has this field at all."""

    field: FieldName


@dataclass(frozen=True, slots=True)
class Text:
    """A word by itself: RE2 on the run's name."""

    value: Value


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: Node


@dataclass(frozen=True, slots=True)
class And:
    """Every part holds; two or more."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Some part holds; two or more."""

    parts: tuple[Node, ...]


Node: TypeAlias = Test | Has | Text | Not | And | Or


def write(node: Node) -> str:
    """Write a tree as a query."""
    match node:
        case Or(parts):
            return " or ".join(_inner(part, Or) for part in parts)
        case And(parts):
            return " and ".join(_inner(part, Or, And) for part in parts)
        case Not(part):
            return f"not {_inner(part, Or, And)}"
        case Has(named):
            return f"has:{_field(named)}"
        case Text(value):
            return _value(value)
        case Test(named, "in", values):
            return f"{_field(named)} in ({', '.join(map(_value, values))})"
        case Test(named, operator, values):
            return f"{_field(named)} {operator} {_value(values[0])}"


def _inner(node: Node, *in_brackets: type) -> str:
    return f"({write(node)})" if isinstance(node, in_brackets) else write(node)


def _field(named: FieldName) -> str:
    name = named.name if _is_plain(named.name) else _quoted(named.name)
    sourced = f"{named.source}:{name}" if named.source else name
    if named.statistic:
        sourced += f":{named.statistic}"
    return f"{named.aggregate}({sourced})" if named.aggregate else sourced


def _value(value: Value) -> str:
    return _quoted(value.text) if value.quoted or not _is_plain(value.text) else value.text


def _is_plain(text: str) -> bool:
    return _PLAIN.fullmatch(text) is not None and text.lower() not in KEYWORDS


def _quoted(text: str) -> str:
    """Put text in quotes. A backslash before anything but a quote or the end is itself."""
    escaped = re.sub(r'(\\*)("|\Z)', lambda found: found[1] * 2 + (r"\"" if found[2] else ""), text)
    return f'"{escaped}"'
