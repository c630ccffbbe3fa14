"""Which runs a query lets through, in the order asked for.

What SQL can answer and order alone, it does, and gives the one page. Otherwise it narrows the
runs down, orders them by name, and the rest is looked at here: names by RE2, hyperparameters as
they were logged, metrics by the runs' heads. Points are read only for an order by what a metric
was at some moment, and of the passing runs alone; histograms, of the runs that nothing else
decides, the last.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
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
    Leaf,
    Negated,
    OnHparam,
    OnMetric,
    OnStatistic,
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
from orgboard_dashboard.queries.order import (
    ByMetric,
    ByMoment,
    ByStatistic,
    InSqlOrder,
    Order,
    order_of,
)
from orgboard_dashboard.queries.patterns import matcher
from orgboard_dashboard.queries.statistics import HistogramStatistic, read_statistics
from orgboard_dashboard.queries.visible import ProjectRef, runs_of, visible_runs
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
    names: ProjectNames | None = None,
) -> Matched:
    """Return the runs of the project that `q` lets through; all of them when it is empty.

    Without `archived` those that were put aside are not among them. `names` are the project's,
    where the caller has them.

    Raises:
        BadQuery: the query or the order is none, or names what the project does not have.
    """
    names = names or ProjectNames(viewer, conn, project)
    plan = _plan(q, names, now)
    order = order_of(sort, names, now)
    here = runs_of(viewer, project)
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
    """The runs that are left after SQL, and what is known of them: a column for each thing.

    What costs more is asked later, and only of the runs that are not decided by then.
    """

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
        self._rows: Sequence[Any] = ()
        self._runs = _candidates(())
        self._known: dict[int, Bools] = {}
        """Where a leaf of the plan, by its identity, holds; of decided runs it may say anything."""

    def matched(self, plan: Plan | None, order: Order, page: slice) -> Matched:
        asked = list(leaves(plan)) if plan is not None else []
        self._look(asked, order)
        self._know_metrics(plan, [leaf for leaf in asked if isinstance(leaf, OnMetric)])
        self._know_statistics(plan, [leaf for leaf in asked if isinstance(leaf, OnStatistic)])
        passing = np.flatnonzero(self._bounds(plan)[0])
        ordered = passing[self._ranks(order, passing)]
        ids: list[int] = [self._rows[at].run_id for at in ordered[page].tolist()]
        return Matched(len(passing), ids)

    def _look(self, asked: Sequence[Leaf], order: Order) -> None:
        """Read the rows, and what they say by themselves."""
        in_sql = [leaf for leaf in asked if isinstance(leaf, InSql)]
        heads = isinstance(order, ByMetric | ByMoment | ByStatistic) or any(
            isinstance(leaf, OnMetric | OnStatistic) for leaf in asked
        )
        on_text = [leaf for leaf in asked if isinstance(leaf, OnText)]
        statement = self._statement(in_sql, {leaf.field for leaf in on_text}, order, heads)
        self._rows = self._conn.execute(statement).all()
        if heads:
            self._runs = _candidates(self._rows)
        for at, told in enumerate(in_sql, 1):
            self._known[id(told)] = np.array([row[at] for row in self._rows], np.bool_)
        for text in on_text:
            columns = (self._matching(text.matches, label) for label in _labels(text.field))
            self._known[id(text)] = reduce(or_, columns)
        for leaf in asked:
            if isinstance(leaf, OnHparam):
                passes, held = leaf.passes, self._held(leaf.name)
                mask = [each is not None and passes(each) for each in held]
                self._known[id(leaf)] = np.array(mask, np.bool_)

    def _statement(
        self, in_sql: Sequence[InSql], fields: Collection[str], order: Order, heads: bool
    ) -> Select[Any]:
        run = tables.run.c
        by = order.by if isinstance(order, InSqlOrder) else (run.name, run.run_id)
        told = [case((leaf.condition, 1), else_=0) for leaf in in_sql]
        # A column of ten thousand rows that nobody looks at costs as much as any other.
        texts = [
            column.label(label)
            for field in sorted(fields)
            for label, column in zip(_labels(field), _columns(field), strict=True)
        ]
        of_heads = (run.tag_set_id, run.revision, run.touched_ms) if heads else ()
        columns = (run.run_id, *told, *texts, *of_heads)
        return select(*columns).where(self._condition).order_by(*by)

    def _know_metrics(self, plan: Plan | None, asked: Sequence[OnMetric]) -> None:
        if not asked:
            return
        undecided = self._undecided(plan)
        columns = self._read_metrics(undecided, [leaf.tag_id for leaf in asked])
        for leaf in asked:
            column = columns[leaf.tag_id]
            mask = np.zeros(len(self._rows), np.bool_)
            mask[undecided] = column.has(leaf.aggregate) & leaf.passes(column.of(leaf.aggregate))
            self._known[id(leaf)] = mask

    def _know_statistics(self, plan: Plan | None, asked: Sequence[OnStatistic]) -> None:
        if not asked:
            return
        undecided = self._undecided(plan)
        columns = self._read_statistics(undecided, [leaf.statistic for leaf in asked])
        for leaf in asked:
            values = columns[leaf.statistic]
            mask = np.zeros(len(self._rows), np.bool_)
            mask[undecided] = ~np.isnan(values) & leaf.passes(values)
            self._known[id(leaf)] = mask

    def _read_statistics(
        self, places: NDArray[np.intp], wanted: Sequence[HistogramStatistic]
    ) -> Mapping[HistogramStatistic, NDArray[np.float64]]:
        return read_statistics(self._conn, self._project, self._names, self._some(places), wanted)

    def _read_metrics(
        self, places: NDArray[np.intp], tag_ids: Sequence[int]
    ) -> Mapping[int, MetricColumn]:
        return read_metrics(self._conn, self._project, self._names, self._some(places), tag_ids)

    def _some(self, places: NDArray[np.intp]) -> Candidates:
        return self._runs.some(places)

    def _undecided(self, plan: Plan | None) -> NDArray[np.intp]:
        """Return the rows that pass or do not by what is not known yet."""
        surely, perhaps = self._bounds(plan)
        return np.flatnonzero(perhaps & ~surely)

    def _bounds(self, plan: Plan | None) -> tuple[Bools, Bools]:
        """Tell which rows pass whatever is not known yet, and which may."""
        match plan:
            case None:
                every = np.ones(len(self._rows), np.bool_)
                return every, every
            case All(parts) | Some(parts):
                joined = and_ if isinstance(plan, All) else or_
                each = [self._bounds(part) for part in parts]
                surely = reduce(joined, (bounds[0] for bounds in each))
                return surely, reduce(joined, (bounds[1] for bounds in each))
            case Negated(part):
                surely, perhaps = self._bounds(part)
                return ~perhaps, ~surely
            case leaf if id(leaf) in self._known:
                return self._known[id(leaf)], self._known[id(leaf)]
            case _:
                none = np.zeros(len(self._rows), np.bool_)
                return none, ~none

    def _at(self, order: ByMoment, passing: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return what a metric was in the passing runs; of the others no point is read."""
        at = (self._viewer, self._conn, self._project, self._names, self._some(passing))
        return read_moments(*at, [order.moment])[order.moment].value

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
            values = self._read_metrics(passing, [order.tag_id])[order.tag_id].of(order.aggregate)
            return _ascending(-values if order.descending else values)
        if isinstance(order, ByMoment):
            values = self._at(order, passing)
            return _ascending(-values if order.descending else values)
        if isinstance(order, ByStatistic):
            values = self._read_statistics(passing, [order.statistic])[order.statistic]
            return _ascending(-values if order.descending else values)
        held = self._held(order.name)
        return order.ranks([held[at] for at in passing.tolist()])


def _ascending(values: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the order of values; NaN, which is missing or as good as, comes last."""
    return np.argsort(values, kind="stable")


def _labels(field: str) -> tuple[str, ...]:
    """Return what the texts of a field are called among the columns of a statement."""
    return ("text_name", "text_display_name") if field == "name" else (f"text_{field}",)


def _columns(field: str) -> tuple[ColumnElement[Any], ...]:
    run = tables.run.c
    return (run.name, run.display_name) if field == "name" else (FIELDS[field].column(0.0),)


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
