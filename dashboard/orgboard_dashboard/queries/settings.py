"""Values of settings and metrics over many runs, as columns, and which settings go with a metric.

One question gives what the page of settings draws: a column for each axis, the names that other
axes could have, and the ranked list. No point is read: metrics are what the runs' heads say.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

import numpy as np
from sqlalchemy import Connection, select

from orgboard_dashboard.importance import Importance, importance
from orgboard_dashboard.queries.beside import settings_beside
from orgboard_dashboard.queries.dictionary import PREFIX
from orgboard_dashboard.queries.directions import Direction
from orgboard_dashboard.queries.errors import BadQuery
from orgboard_dashboard.queries.fields import FIELDS
from orgboard_dashboard.queries.homes import HERE, Home, homes_of
from orgboard_dashboard.queries.hparam_texts import decode_hparams
from orgboard_dashboard.queries.kept_columns import Candidates
from orgboard_dashboard.queries.literals import spelled
from orgboard_dashboard.queries.matching import candidates_of, matching_runs
from orgboard_dashboard.queries.metrics import read_metrics
from orgboard_dashboard.queries.names import ProjectNames
from orgboard_dashboard.queries.order import tag_of_key
from orgboard_dashboard.queries.visible import (
    ProjectRef,
    find_project,
    find_runs,
    runs_of,
    visible_runs,
)
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.sql import tables, text
from orgboard_schema.sql.dictionary import chunked, tag_names

__all__ = [
    "MAX_DRAWN",
    "Column",
    "Ranked",
    "RunMark",
    "SettingsAnswer",
    "SettingsQuery",
    "settings_of",
]

MAX_DRAWN: Final = 20_000
"""Runs of one answer, the newest: more lines than that are a film and no chart."""
MAX_COLUMNS: Final = 16
_MAX_NAMES: Final = 500
"""Settings, and metrics, that are offered: those that most runs have."""
_MAX_CATEGORIES: Final = 24
"""Values of a text that have a place of their own; the rest share one."""
_CATEGORY_CHARS: Final = 200
_USUAL_AXES: Final = 5
"""Settings that are axes when nobody has chosen, beside the metric."""
_MAX_RANKED: Final = 200

Kind: TypeAlias = Literal["number", "category"]


@dataclass(frozen=True, slots=True)
class SettingsQuery:
    """Which runs, which axes, and the metric that settings are held against."""

    q: str = ""
    archived: bool = False
    uids: tuple[str, ...] | None = None
    """Only these runs; None: all that match."""
    axes: tuple[str, ...] | None = None
    """Keys of columns; None: what suits these runs."""
    besides: tuple[str, ...] = ()
    """Columns that are wanted and are no axes: what colours follow."""
    target: str = ""
    """Empty: the metric that most runs have and whose name says what is better."""


@dataclass(frozen=True, slots=True)
class RunMark:
    """What is needed of a run to draw and to name it."""

    uid: str
    name: str
    color: int | str


@dataclass(frozen=True, slots=True)
class Column:
    """One value a run: a number, the place of a text among `categories`, or None."""

    key: str
    kind: Kind
    values: tuple[float | int | None, ...]
    categories: tuple[str, ...] = ()
    """The most frequent first to be kept, then in order."""
    others: int = 0
    """Values without a place of their own; they share the one after the last."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A setting and how it goes with the metric."""

    name: str
    kind: Kind
    of: Importance


@dataclass(frozen=True, slots=True)
class SettingsAnswer:
    """What the page of settings draws."""

    matching: int
    runs: tuple[RunMark, ...]
    axes: tuple[str, ...]
    columns: tuple[Column, ...]
    target: str
    """"" when no run here has logged a scalar."""
    better: Direction | None
    settings: tuple[tuple[str, int], ...]
    """Names of hyperparameters, and how many values each has here."""
    metrics: tuple[tuple[str, Direction | None], ...]
    ranked: tuple[Ranked, ...]
    alike: int
    """Settings that are the same in all of these runs."""


def settings_of(
    viewer: Viewer, conn: Connection, team: str, project: str, asked: SettingsQuery, now: float
) -> SettingsAnswer:
    """Return columns and importance for the runs that `asked` is about, the newest first.

    Raises:
        NotFound: there is no such project, or `viewer` may not see it.
        BadQuery: the query is none, or too many axes are asked for.
    """
    if len(asked.axes or ()) + len(asked.besides) > MAX_COLUMNS:
        raise BadQuery(f"At most {MAX_COLUMNS} axes can be asked for.")
    found = find_project(viewer, conn, team, project)
    names = ProjectNames(viewer, conn, found)
    table = _Table(viewer, conn, found, names, *_runs(viewer, conn, found, asked, now), now)
    target = asked.target or table.usual_target()
    ranked = table.ranked(target) if target else ()
    varying = [name for name, values in table.distinct.items() if values > 1]
    usual = [f"hp:{one.name}" for one in ranked] + [f"hp:{name}" for name in varying]
    axes = asked.axes
    if axes is None:
        first = tuple(dict.fromkeys(usual))[:_USUAL_AXES]
        axes = (*first, target) if target else first
    keys = dict.fromkeys((*axes, *asked.besides, *((target,) if target else ())))
    return SettingsAnswer(
        matching=table.matching,
        runs=table.marks,
        axes=axes,
        columns=tuple(table.column(key) for key in keys),
        target=target,
        better=names.dictionary.better(target.partition(":")[2]),
        settings=tuple(list(table.distinct.items())[:_MAX_NAMES]),
        metrics=tuple((name, names.dictionary.better(name)) for name in table.metrics),
        ranked=ranked,
        alike=len(table.distinct) - len(varying),
    )


def _runs(
    viewer: Viewer, conn: Connection, project: ProjectRef, asked: SettingsQuery, now: float
) -> tuple[list[int], int]:
    if asked.uids is not None:
        chosen = list(find_runs(viewer, conn, project, asked.uids).values())
        return chosen[:MAX_DRAWN], len(chosen)
    page = slice(0, MAX_DRAWN)
    matched = matching_runs(
        viewer,
        conn,
        project,
        q=asked.q,
        sort="-started",
        now=now,
        page=page,
        archived=asked.archived,
    )
    return matched.page, matched.matching


class _Table:
    """The runs of an answer, and what is known of them: read once, column by column."""

    def __init__(
        self,
        viewer: Viewer,
        conn: Connection,
        project: ProjectRef,
        names: ProjectNames,
        run_ids: Sequence[int],
        matching: int,
        now: float,
    ) -> None:
        self._viewer, self._conn, self._project = viewer, conn, project
        self._names, self._now, self.matching = names, now, matching
        self._ids = run_ids
        rows = self._rows(run_ids)
        self._ids = [run_id for run_id in run_ids if run_id in rows]
        kept = [rows[run_id] for run_id in self._ids]
        homes = homes_of(self._conn, self._project)
        self.marks = tuple(_mark(row, homes.get(row.project_id, HERE)) for row in kept)
        beside = settings_beside(viewer, conn, runs_of(viewer, project))
        self._hparams = [
            beside[row.run_id].hparams if row.run_id in beside else decode_hparams(row.hparams)
            for row in kept
        ]
        self.distinct = self._count()
        self._runs: Candidates | None = None

    def _rows(self, run_ids: Sequence[int]) -> Mapping[int, Any]:
        run = tables.run.c
        columns = (run.run_id, run.project_id, run.uid, run.name, run.display_name)
        rows: dict[int, Any] = {}
        for some in chunked(run_ids):
            asked = select(*columns, run.color, run.chosen_color, run.hparams).where(
                run.run_id.in_(some), visible_runs(self._viewer)
            )
            rows |= {row.run_id: row for row in self._conn.execute(asked)}
        return rows

    def _count(self) -> dict[str, int]:
        """Count the values of each setting, one more where some runs with settings lack it.

        Those of most runs come first.
        """
        seen: dict[str, set[str]] = {}
        runs: Counter[str] = Counter()
        for held in self._hparams:
            for name, value in held.items():
                seen.setdefault(name, set()).add(spelled(value))
                runs[name] += 1
        every = sum(map(bool, self._hparams))
        order = sorted(runs, key=lambda name: (-runs[name], name))
        return {name: len(seen[name]) + (runs[name] < every) for name in order}

    @property
    def metrics(self) -> tuple[str, ...]:
        most = self._names.runs_of_tag("scalar").most_common(_MAX_NAMES)
        named = tag_names(self._conn, [tag_id for tag_id, _ in most])
        tags = (named[tag_id] for tag_id, _ in most if tag_id in named)
        # What teams have one name for comes first: it is of the most runs.
        return (*(PREFIX + name for name in self._names.metrics), *tags)

    def usual_target(self) -> str:
        """Choose a metric of the runs with settings: of validation, with a direction, of most runs.

        A script may log its settings in a run beside the curves, with a few metrics of its own.
        """

        def rank(at: int) -> tuple[bool, bool, bool, int]:
            name = metrics[at]
            return (
                2 * having[name] < most,
                better(name) is None,
                not any(part in name for part in ("val", "eval", "test")),
                at,
            )

        metrics, better = self.metrics, self._names.dictionary.better
        if not metrics:
            return ""
        having = self._having(metrics)
        most = max(having.values())
        name = metrics[min(range(len(metrics)), key=rank)]
        return f"{'best' if better(name) else 'last'}:{name}"

    def _having(self, metrics: Sequence[str]) -> dict[str, int]:
        """Count the runs with settings that have logged each metric."""
        runs = self._candidates()
        with_settings = {
            run_id for run_id, held in zip(self._ids, self._hparams, strict=True) if held
        }
        sets = Counter(
            tag_set_id
            for run_id, tag_set_id in zip(
                runs.run_id.tolist(), runs.tag_set_id.tolist(), strict=True
            )
            if run_id in with_settings
        )
        return {name: sum(sets[each] for each in self._sets_with(name)) for name in metrics}

    def _sets_with(self, name: str) -> frozenset[int]:
        """Return the sets of tags of those runs that have logged a metric."""
        names, series_id = self._names, self._names.series_id(name)
        if series_id is None:
            return frozenset()
        parts = [series_id] if series_id > 0 else [p.tag_id for p in names.parts_of(series_id)]
        return frozenset(each for tag_id in parts for each in names.places_of(tag_id))

    def _candidates(self) -> Candidates:
        if self._runs is None:
            self._runs = candidates_of(self._viewer, self._conn, self._ids)
        return self._runs

    def ranked(self, target: str) -> tuple[Ranked, ...]:
        metric = np.array(
            [math.nan if value is None else value for value in self._numbers(target)], np.float64
        )
        listed = []
        for name, values in list(self.distinct.items())[:_MAX_NAMES]:
            if values < 2:
                continue
            kind, held = self._setting(name)
            if of := importance(held, metric):
                listed.append(Ranked(name, kind, of))
        listed.sort(key=lambda one: (not one.of.sure, -one.of.strength, one.name))
        return tuple(listed[:_MAX_RANKED])

    def column(self, key: str) -> Column:
        """Return the values under a key; one that nothing here has is None throughout."""
        if key.startswith("hp:"):
            kind, held = self._setting(key[3:])
        elif field := FIELDS.get(key):
            kind, held = self._field(key, field.kind)
        else:
            return Column(key, "number", tuple(self._numbers(key)))
        if kind == "number":
            return Column(key, kind, tuple(held))
        return _categories(key, held)

    def _setting(self, name: str) -> tuple[Kind, list[Any]]:
        held = [hparams.get(name) for hparams in self._hparams]
        if all(value is None or _is_number(value) for value in held):
            return "number", [None if value is None else _float(value) for value in held]
        return "category", [None if value is None else spelled(value) for value in held]

    def _field(self, key: str, kind: str) -> tuple[Kind, list[Any]]:
        run = tables.run.c
        found: dict[int, Any] = {}
        for some in chunked(self._ids):
            asked = select(run.run_id, FIELDS[key].column(self._now)).where(run.run_id.in_(some))
            found |= {row[0]: row[1] for row in self._conn.execute(asked)}
        held = [found.get(run_id) for run_id in self._ids]
        if kind in ("text", "tags"):
            return "category", [None if one is None else text.from_sql(one) for one in held]
        return "number", [None if one is None else float(one) for one in held]

    def _numbers(self, key: str) -> list[float | None]:
        tag = tag_of_key(key, self._names)
        if tag is None or not self._ids:
            return [None] * len(self._ids)
        runs = self._candidates()
        tag_id, aggregate = tag
        column = read_metrics(self._conn, self._project, self._names, runs, [tag_id])[tag_id]
        values, has = column.of(aggregate).tolist(), column.has(aggregate).tolist()
        rows = zip(runs.run_id.tolist(), values, has, strict=True)
        told = {run_id: value for run_id, value, is_there in rows if is_there}
        return [told.get(run_id) for run_id in self._ids]


def _mark(row: Any, home: Home) -> RunMark:
    name = text.from_sql(row.display_name or row.name)
    shown = "(root)" if name == "." else name
    named = f"{home.place}: {shown}" if home.place else shown
    return RunMark(row.uid, named, row.chosen_color or row.color + home.shift)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        # An integer of more than 308 digits.
        return math.inf if value > 0 else -math.inf


def _categories(key: str, held: Sequence[str | None]) -> Column:
    """Give each frequent text a place; the others share the one after them."""
    counts = Counter(value for value in held if value is not None)
    frequent = sorted(counts, key=lambda value: (-counts[value], value))
    kept = [value for value in frequent if len(value) <= _CATEGORY_CHARS][:_MAX_CATEGORIES]
    places = {value: at for at, value in enumerate(sorted(kept))}
    codes = tuple(None if value is None else places.get(value, len(kept)) for value in held)
    return Column(key, "category", codes, tuple(sorted(kept)), len(counts) - len(kept))
