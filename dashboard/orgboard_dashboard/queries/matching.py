"""Which runs a query lets through, in the order asked for.

What SQL can answer and order alone, it does, and gives the one page. Otherwise it narrows the
runs down, orders them by name, and the rest is looked at here: names by RE2, hyperparameters as
they were logged, metrics by the runs' heads. Points are read only for an order
by what a metric was at some moment, and of the passing runs alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_, attrgetter, or_
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, Select, case, func, select

from orgboard_dashboard.queries.conditions import (
    All,
    InSql,
    Negated,
    OnHparam,
    OnMetric,
    OnText,
    Plan,
    Some,
    leaves,
    plan_of,
)
from orgboard_dashboard.queries.fields import FIELDS
from orgboard_dashboard.queries.kept_columns import Candidates
from orgboard_dashboard.queries.language import is_query
from orgboard_dashboard.queries.metrics import MetricColumn, read_metrics
from orgboard_dashboard.queries.moments import read_moments
from orgboard_dashboard.queries.names import ProjectNames
from orgboard_dashboard.queries.order import ByMetric, ByMoment, InSqlOrder, Order, order_of
from orgboard_dashboard.queries.patterns import matcher
from orgboard_dashboard.queries.visible import ProjectRef, visible_runs
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.sql import tables
from orgboard_schema.sql.dictionary import chunked
from orgboard_schema.sql.text import from_sql

__all__ = ["Matched", "candidates_of", "matching_runs"]

Bools = NDArray[np.bool_]

_NO_SET: Final = 0
"""Of a run without tags; no set has this number."""


@dataclass(frozen=True, slots=True)
class Matched:
    """How many runs match, and the ids of those on the page."""

    matching: int
    page: list[int]


def matching_runs(
    viewer: Viewer,
    conn: Connection,
    project: ProjectRef,
    *,
    q: str = "",
    sort: str = "name",
    now: float,
    page: slice = slice(None),
    archived: bool = True,
) -> Matched:
    """Return the runs of the project that `q` lets through; all of them when it is empty.

    Without `archived` those that were put aside are not among them.

    Raises:
        BadQuery: the query or the order is none, or names what the project does not have.
    """
    names = ProjectNames(viewer, conn, project)
    plan = _plan(q, names, now)
    order = order_of(sort, names, now)
    here = (tables.run.c.project_id == project.project_id) & visible_runs(viewer)
    if not archived:
        here &= tables.run.c.archived_at.is_(None)
    if isinstance(order, InSqlOrder) and (plan is None or isinstance(plan, InSql)):
        return _in_sql(conn, here if plan is None else here & plan.condition, order, page)
    pushed, rest = _parted(plan)
    looked = _Looked(viewer, conn, project, names, here & pushed if pushed is not None else here)
    return looked.matched(rest, order, page)


def candidates_of(viewer: Viewer, conn: Connection, run_ids: Sequence[int]) -> Candidates:
    """Return those of these runs that `viewer` may see, to look at their metrics."""
    run = tables.run.c
    rows: list[Any] = []
    for some in chunked(run_ids):
        asked = select(run.run_id, run.tag_set_id, run.revision, run.touched_ms)
        rows.extend(conn.execute(asked.where(run.run_id.in_(some), visible_runs(viewer))).all())
    return _candidates(rows)


def _plan(q: str, names: ProjectNames, now: float) -> Plan | None:
    if not q.strip():
        return None
    return plan_of(q, names, now) if is_query(q) else OnText(matcher(q))


def _in_sql(
    conn: Connection, condition: ColumnElement[bool], order: InSqlOrder, page: slice
) -> Matched:
    run = tables.run
    count = conn.execute(select(func.count()).select_from(run).where(condition)).scalar_one()
    ids = select(run.c.run_id).where(condition).order_by(*order.by)
    start, stop, _ = page.indices(int(count))
    return Matched(int(count), list(conn.scalars(ids.slice(start, stop))) if stop > start else [])


def _parted(plan: Plan | None) -> tuple[ColumnElement[bool] | None, Plan | None]:
    """Return what SQL can leave out beforehand, and what is then left to look at."""
    if isinstance(plan, InSql):
        return plan.condition, None
    if isinstance(plan, All) and isinstance(plan.parts[0], InSql):
        rest = plan.parts[1:]
        return plan.parts[0].condition, rest[0] if len(rest) == 1 else All(rest)
    return None, plan


class _Looked:
    """The runs that are left after SQL, and what is known of them: a column for each thing."""

    def __init__(
        self,
        viewer: Viewer,
        conn: Connection,
        project: ProjectRef,
        names: ProjectNames,
        condition: ColumnElement[bool],
    ) -> None:
        self._viewer, self._conn, self._project, self._names = viewer, conn, project, names
        self._condition = condition
        # Texts beside the names are read only where a query looks into them.
        self._texts: tuple[ColumnElement[Any], ...] = ()
        self._rows: Sequence[Any] = ()
        self._runs = _candidates(())
        self._told: Mapping[int, Bools] = {}
        self._metrics: Mapping[int, MetricColumn] = {}

    def matched(self, plan: Plan | None, order: Order, page: slice) -> Matched:
        asked = list(leaves(plan)) if plan is not None else []
        in_sql = [leaf for leaf in asked if isinstance(leaf, InSql)]
        looked_into = {leaf.field for leaf in asked if isinstance(leaf, OnText)} - {"name"}
        self._texts = tuple(
            FIELDS[name].column(0.0).label(_label(name)) for name in sorted(looked_into)
        )
        tags = [leaf.tag_id for leaf in asked if isinstance(leaf, OnMetric)]
        tags += [order.tag_id] if isinstance(order, ByMetric) else []
        heads = bool(tags) or isinstance(order, ByMoment)
        self._rows = self._conn.execute(self._statement(in_sql, order, heads)).all()
        self._told = {
            id(leaf): np.array([row[_FIRST_TOLD + at] for row in self._rows], np.bool_)
            for at, leaf in enumerate(in_sql)
        }
        if heads:
            self._runs = _candidates(self._rows)
        if tags:
            self._metrics = read_metrics(
                self._viewer, self._conn, self._project, self._names, self._runs, tags
            )
        passing = np.flatnonzero(self._mask(plan))
        ordered = passing[self._ranks(order, passing)]
        ids: list[int] = [self._rows[at].run_id for at in ordered[page].tolist()]
        return Matched(len(passing), ids)

    def _statement(self, in_sql: Sequence[InSql], order: Order, heads: bool) -> Select[Any]:
        run = tables.run.c
        by = order.by if isinstance(order, InSqlOrder) else (run.name, run.run_id)
        told = [case((leaf.condition, 1), else_=0) for leaf in in_sql]
        of_heads = (run.tag_set_id, run.revision, run.touched_ms) if heads else ()
        columns = (run.run_id, run.name, run.display_name, *told, *self._texts, *of_heads)
        return select(*columns).where(self._condition).order_by(*by)

    def _mask(self, plan: Plan | None) -> Bools:
        match plan:
            case None:
                return np.ones(len(self._rows), np.bool_)
            case All(parts):
                return reduce(and_, map(self._mask, parts))
            case Some(parts):
                return reduce(or_, map(self._mask, parts))
            case Negated(part):
                return ~self._mask(part)
            case InSql():
                return self._told[id(plan)]
            case OnText(matches, field):
                names = ("name", "display_name") if field == "name" else (_label(field),)
                return reduce(or_, (self._matching(matches, name) for name in names))
            case OnHparam(name, passes):
                held = self._held(name)
                return np.array([each is not None and passes(each) for each in held], np.bool_)
            case OnMetric(tag_id, aggregate, passes):
                column = self._metrics[tag_id]
                values = column.of(aggregate)
                return column.has(aggregate) & passes(values)

    def _at(self, order: ByMoment, passing: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return what a metric was in the passing runs; of the others no point is read."""
        runs = self._runs
        some = Candidates(runs.run_id[passing], runs.tag_set_id[passing], runs.stamp[passing])
        at = (self._viewer, self._conn, self._project, self._names)
        return read_moments(*at, some, [order.moment])[order.moment].value

    def _held(self, hparam: str) -> list[Any]:
        values = self._names.hparam(hparam)
        return [values.get(row[0]) for row in self._rows]

    def _matching(self, matches: Callable[[str], bool], name: str) -> Bools:
        """Tell in which rows the text of that name matches."""
        texts = map(attrgetter(name), self._rows)
        return np.array([text is not None and matches(from_sql(text)) for text in texts], np.bool_)

    def _ranks(self, order: Order, passing: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return the order of the passing rows, which are by name where SQL did not order them."""
        if isinstance(order, InSqlOrder):
            return np.arange(len(passing))
        if isinstance(order, ByMetric):
            column = self._metrics[order.tag_id]
            values = column.of(order.aggregate)[passing]
            return _ascending(-values if order.descending else values)
        if isinstance(order, ByMoment):
            values = self._at(order, passing)
            return _ascending(-values if order.descending else values)
        held = self._held(order.name)
        return order.ranks([held[at] for at in passing.tolist()])


def _ascending(values: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the order of values; NaN, which is missing or as good as, comes last."""
    return np.argsort(values, kind="stable")


def _label(field: str) -> str:
    """Return what a text of a run is called among the columns of a statement."""
    return f"text_{field}"


_FIRST_TOLD: Final = 3
"""Columns of a statement before the conditions."""


def _candidates(rows: Sequence[Any]) -> Candidates:
    """Make columns of rows that end with tag set, revision and time of the newest commit."""
    if not rows:
        return Candidates(*(np.zeros(0, np.int64) for _ in range(3)))
    columns = list(zip(*rows, strict=True))
    ids, (sets, revisions, touched) = columns[0], columns[-3:]
    # A commit counts up the one and seldom leaves the other: together they are never the same.
    stamps = (np.array(touched, np.int64) << 20) ^ np.array(revisions, np.int64)
    tagged = np.array([tag_set_id or _NO_SET for tag_set_id in sets], np.int64)
    return Candidates(np.array(ids, np.int64), tagged, stamps)
