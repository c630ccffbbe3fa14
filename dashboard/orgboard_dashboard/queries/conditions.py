"""A query's tree and what it asks of one project: conditions that can be looked at.

    tree ── the project's names ─▶ plan: InSql, OnText, OnHparam, … under All, Some, Negated

A run that lacks the value fulfils no condition on it; `not has:NAME` finds those that do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, cast, get_args

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import BigInteger, ColumnElement, Float, and_, func, literal, or_

from orgboard_dashboard.histograms.percentiles import Statistic
from orgboard_dashboard.queries.dictionary import PREFIX
from orgboard_dashboard.queries.fields import (
    FIELDS,
    STATUS_WORDS,
    Field,
    Status,
    has_tag,
    status_rank,
)
from orgboard_dashboard.queries.language import (
    Aggregate,
    And,
    FieldName,
    Has,
    Node,
    Not,
    Or,
    QueryProblem,
    Test,
    Text,
    UnknownField,
    Value,
    parse,
)
from orgboard_dashboard.queries.language.problems import shown
from orgboard_dashboard.queries.literals import (
    compare,
    hparam_test,
    metric_test,
    moment,
    number,
    pattern,
    span,
)
from orgboard_dashboard.queries.names import ProjectNames
from orgboard_dashboard.queries.statistics import HistogramStatistic
from orgboard_schema.sql import tables
from orgboard_schema.sql.text import to_sql

__all__ = [
    "All",
    "InSql",
    "Leaf",
    "Negated",
    "OnHparam",
    "OnMetric",
    "OnStatistic",
    "OnText",
    "Plan",
    "Some",
    "leaves",
    "plan_of",
]


@dataclass(frozen=True, slots=True)
class InSql:
    """A condition that SQL answers; never NULL."""

    condition: ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class OnText:
    """A regular expression on a field of text, which SQL does not have; `name` is either name."""

    matches: Callable[[str], bool]
    field: str = "name"


@dataclass(frozen=True, slots=True)
class OnHparam:
    """A hyperparameter that the run has, and that passes."""

    name: str
    passes: Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class OnMetric:
    """A metric that the run has, and whose value passes; tested for many runs at once."""

    tag_id: int
    """Below 0: of a metric (`ProjectNames.series_id`)."""
    aggregate: Aggregate
    passes: MetricTest


@dataclass(frozen=True, slots=True)
class OnStatistic:
    """A number of the run's last histogram of a tag, that passes; tested for many at once."""

    statistic: HistogramStatistic
    passes: MetricTest


@dataclass(frozen=True, slots=True)
class All:
    """Every part holds."""

    parts: tuple[Plan, ...]


@dataclass(frozen=True, slots=True)
class Some:
    """Some part holds."""

    parts: tuple[Plan, ...]


@dataclass(frozen=True, slots=True)
class Negated:
    """The part does not hold."""

    part: Plan


MetricTest: TypeAlias = Callable[[NDArray[np.float64]], NDArray[np.bool_]]

_ORDERED: Final = ("<", "<=", ">", ">=")

Leaf: TypeAlias = InSql | OnText | OnHparam | OnMetric | OnStatistic
Plan: TypeAlias = Leaf | All | Some | Negated


def plan_of(text: str, names: ProjectNames, now: float) -> Plan:
    """Return what a query asks.

    Raises:
        QueryProblem: it is none, or asks for what the project does not have.
    """
    return _plan(parse(text), names, now)


def leaves(plan: Plan) -> Iterator[Leaf]:
    """Yield the conditions of a plan, from left to right."""
    match plan:
        case All(parts) | Some(parts):
            for part in parts:
                yield from leaves(part)
        case Negated(part):
            yield from leaves(part)
        case leaf:
            yield leaf


def _plan(node: Node, names: ProjectNames, now: float) -> Plan:
    match node:
        case And(parts):
            return _joined(All, tuple(_plan(part, names, now) for part in parts))
        case Or(parts):
            return _joined(Some, tuple(_plan(part, names, now) for part in parts))
        case Not(part):
            inner = _plan(part, names, now)
            return InSql(~inner.condition) if isinstance(inner, InSql) else Negated(inner)
        case Text(value):
            return OnText(pattern(value))
        case Has(named):
            return _has(named, names, now)
        case Test():
            return _test(node, names, now)


def _joined(kind: type[All | Some], parts: tuple[Plan, ...]) -> Plan:
    """Return the parts as one; what is all in SQL is one condition there."""
    in_sql = [part.condition for part in parts if isinstance(part, InSql)]
    if not in_sql:
        return kind(parts)
    one = InSql(and_(*in_sql) if kind is All else or_(*in_sql))
    others = tuple(part for part in parts if not isinstance(part, InSql))
    return kind((one, *others)) if others else one


def _has(named: FieldName, names: ProjectNames, now: float) -> Plan:
    if field := _built_in(named):
        return InSql(field.column(now).is_not(None))
    if named.statistic:
        return OnStatistic(_statistic(named, named.statistic, names), _all_of)
    if leaf := _metric(named, names, lambda: _all_of):
        return Some((leaf, OnHparam(named.name, _always))) if _is_either(named, names) else leaf
    if _is_hparam(named, names):
        return OnHparam(named.name, _always)
    raise _unknown(named, names)


def _test(node: Test, names: ProjectNames, now: float) -> Plan:
    named = node.field
    if field := _built_in(named):
        return _on_field(field, node, now)
    if named.statistic:
        passes = metric_test(node.operator, node.values)
        return OnStatistic(_statistic(named, named.statistic, names), passes)
    if _is_hparam(named, names):
        return OnHparam(named.name, hparam_test(node.operator, node.values))
    if leaf := _metric(named, names, lambda: metric_test(node.operator, node.values)):
        return leaf
    raise _unknown(named, names)


def _built_in(named: FieldName) -> Field | None:
    return None if named.source or named.aggregate else FIELDS.get(named.name)


def _is_hparam(named: FieldName, names: ProjectNames) -> bool:
    """Tell whether a hyperparameter is meant: of two of a name it is the nearer one."""
    if named.source == "metric" or named.aggregate:
        if named.source == "hp":
            raise QueryProblem(
                "A hyperparameter has one value in a run: leave the brackets away.",
                named.at,
                named.end,
            )
        return False
    return bool(names.hparam(named.name))


def _is_either(named: FieldName, names: ProjectNames) -> bool:
    return not named.source and _is_hparam(named, names)


def _metric(
    named: FieldName, names: ProjectNames, passes: Callable[[], MetricTest]
) -> OnMetric | None:
    """Return the condition on the metric that is meant; None when there is none of that name."""
    if named.source == "hp":
        return None
    series_id, key = _series(named, names)
    if series_id is None:
        return None
    aggregate = named.aggregate or "last"
    if aggregate == "best":
        direction = names.dictionary.better(key)
        if direction is None:
            raise QueryProblem(
                f"Neither the name {shown(named.name)} nor the dictionary of metrics says whether"
                " less or more is better: write min(…) or max(…).",
                named.at,
                named.end,
            )
        aggregate = direction
    return OnMetric(series_id, aggregate, passes())


def _series(named: FieldName, names: ProjectNames) -> tuple[int | None, str]:
    """Return the series that is meant, and its key: a metric of the dictionary, or a tag.

    After `metric:` the dictionary's comes first; a bare name is one only where no tag is called so.
    """
    tag_id = names.scalar_id(named.name)
    if tag_id is None or named.source == "metric":
        metric_id = names.metric_id(named.name)
        if metric_id is not None:
            return metric_id, PREFIX + named.name
    return tag_id, named.name


def _statistic(named: FieldName, of: Statistic, names: ProjectNames) -> HistogramStatistic:
    """Return which statistic is meant."""
    if named.aggregate:
        raise QueryProblem(
            "A statistic is of the last histogram: leave the brackets away.", named.at, named.end
        )
    tag_id = names.histogram_id(named.name)
    if tag_id is None:
        near = names.histograms_like(named.name)
        raise UnknownField(f"There are no histograms {shown(named.name)} here.", *named.named, near)
    return HistogramStatistic(tag_id, of)


def _all_of(held: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.ones(held.shape, np.bool_)


def _always(_held: Any) -> bool:
    return True


def _unknown(named: FieldName, names: ProjectNames) -> UnknownField:
    near = names.like(named.name)
    what = {"hp": "hyperparameter", "metric": "metric"}.get(named.source, "field")
    if named.aggregate and not named.source:
        what = "metric"
    return UnknownField(f"There is no {what} {shown(named.name)} here.", named.at, named.end, near)


def _on_field(field: Field, node: Test, now: float) -> Plan:
    """Return the condition on a field that every run has."""
    column = field.column(now)
    if node.operator in ("~", "!~"):
        if field.kind != "text":
            raise _cannot(node, field, "matched: only text can")
        named = OnText(pattern(node.values[0]), field.name)
        if node.operator == "~":
            return named
        return All((InSql(column.is_not(None)), Negated(named)))
    if field.kind == "text":
        return _on_text(column, node, field)
    if field.kind == "tags":
        return _on_tags(node, field, now)
    if field.kind == "status":
        return _on_status(node, field, now)
    return _on_number(column, node, field, now)


def _on_text(column: ColumnElement[Any], node: Test, field: Field) -> Plan:
    if node.operator not in ("=", "!=", "in"):
        raise _cannot(node, field, "ordered: use =, !=, ~, !~ or in")
    wanted = [to_sql(value.text) for value in node.values]
    if field.name == "name":
        run = tables.run.c
        found = or_(run.name.in_(wanted), func.coalesce(run.display_name, "").in_(wanted))
    else:
        found = func.coalesce(column, "").in_(wanted)
    return InSql(and_(column.is_not(None), ~found) if node.operator == "!=" else found)


def _on_tags(node: Test, field: Field, now: float) -> Plan:
    if node.operator not in ("=", "!=", "in"):
        raise _cannot(node, field, "ordered: use =, != or in")
    found = has_tag(value.text for value in node.values)
    some = field.column(now).is_not(None)
    return InSql(and_(some, ~found) if node.operator == "!=" else found)


def _on_status(node: Test, field: Field, now: float) -> Plan:
    if node.operator not in ("=", "!=", "in"):
        raise _cannot(node, field, "ordered: use =, != or in")
    found = or_(*(_has_status(value, now) for value in node.values))
    return InSql(~found if node.operator == "!=" else found)


def _has_status(value: Value, now: float) -> ColumnElement[bool]:
    word = value.text.lower()
    if word not in STATUS_WORDS:
        near = tuple(each for each in STATUS_WORDS if each[:1] == word[:1])
        raise QueryProblem(
            f"{shown(value.text)} is no status: {', '.join(STATUS_WORDS)}.",
            value.at,
            value.end,
            near,
        )
    if word in get_args(Status):
        return status_rank(now, cast("Status", word))
    return tables.run.c.gaps > 0


def _on_number(column: ColumnElement[Any], node: Test, field: Field, now: float) -> Plan:
    if field.kind == "time" and node.operator in ("=", "!=", "in"):
        raise _cannot(node, field, "equal to a date: use <, <=, > or >=")
    bounds = [_bound(field, value, now) for value in node.values]
    if node.operator in _ORDERED:
        held = compare(node.operator, column, bounds[0])
    else:
        held = or_(*(column == bound for bound in bounds))
    # NULL, which is neither true nor false, would come through a `not`.
    condition = ~held if node.operator == "!=" else held
    return InSql(and_(column.is_not(None), condition))


def _bound(field: Field, value: Value, now: float) -> ColumnElement[Any]:
    if field.kind == "time":
        return literal(moment(value, now), Float(53))
    if field.kind == "span":
        return literal(span(value), Float(53))
    read = number(value)
    if read is None:
        raise QueryProblem(
            f"`{field.name}` is a number; {shown(value.text)} is none.", value.at, value.end
        )
    return literal(read, BigInteger() if isinstance(read, int) else Float(53))


def _cannot(node: Test, field: Field, why: str) -> QueryProblem:
    return QueryProblem(f"`{field.name}` cannot be {why}.", node.field.at, node.values[-1].end)
