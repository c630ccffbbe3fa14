"""Where the best of some runs stands: of those that a team's feed says have started.

By the metric of the dictionary that most of them have, or else by a tag whose name tells which of
its values are good, one of a validation first. Read from the runs' heads, and no point.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from sqlalchemy import Connection, select

from orgboard_dashboard.queries.directions import Direction
from orgboard_dashboard.queries.kept_columns import Candidates
from orgboard_dashboard.queries.matching import candidates_of
from orgboard_dashboard.queries.metrics import read_metrics
from orgboard_dashboard.queries.names import ProjectNames
from orgboard_dashboard.queries.visible import ProjectRef, find_project
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.sql import tables
from orgboard_schema.sql.dictionary import tag_names

__all__ = ["Best", "Started", "best_of"]

_MOST_RUNS: Final = 1000
"""Whose heads are read for one answer; what is older says nothing of its best."""
_MOST_TAGS: Final = 500

_HELD_OUT: Final = re.compile(r"(?:^|[^a-z])(?:val|valid|validation|eval|test|dev)", re.IGNORECASE)

_run = tables.run.c


@dataclass(frozen=True, slots=True)
class Started:
    """Runs of a project that started on one day, of one person."""

    team: str
    project: str
    run_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Best:
    """The best run of some, by a metric."""

    metric: str
    value: float
    unit: str
    run: str
    """Uid."""


@dataclass(frozen=True, slots=True)
class _Measure:
    """By what runs of a project are compared."""

    series: int
    """A tag's number or, below 0, a metric's."""
    name: str
    unit: str
    better: Direction


def best_of(viewer: Viewer, conn: Connection, groups: Mapping[int, Started]) -> dict[int, Best]:
    """Return the best run of each group that has one, the first groups first.

    All of them are in projects that `viewer` may see.
    """
    places: dict[tuple[str, str], dict[int, Started]] = {}
    left = _MOST_RUNS
    for key, group in groups.items():
        if len(group.run_ids) <= left:
            left -= len(group.run_ids)
            places.setdefault((group.team, group.project), {})[key] = group
    found: dict[int, Best] = {}
    for place, some in places.items():
        found |= _best_in(viewer, conn, find_project(viewer, conn, *place), some)
    return found


def _best_in(
    viewer: Viewer, conn: Connection, project: ProjectRef, groups: Mapping[int, Started]
) -> dict[int, Best]:
    names = ProjectNames(viewer, conn, project)
    group_of = {run_id: key for key, group in groups.items() for run_id in group.run_ids}
    runs = candidates_of(viewer, conn, sorted(group_of))
    measure = _measure(conn, names, runs)
    if measure is None:
        return {}
    column = read_metrics(conn, project, names, runs, [measure.series])[measure.series]
    values, has = column.of(measure.better), column.has(measure.better)
    order = np.argsort(values if measure.better == "min" else -values, kind="stable")
    first: dict[int, tuple[int, float]] = {}
    for at in order[has[order]].tolist():
        run_id = int(runs.run_id[at])
        first.setdefault(group_of[run_id], (run_id, float(values[at])))
    chosen = select(_run.run_id, _run.uid).where(_run.run_id.in_(run for run, _ in first.values()))
    uids = {row.run_id: row.uid for row in conn.execute(chosen)}
    return {
        key: Best(measure.name, value, measure.unit, uids[run_id])
        for key, (run_id, value) in first.items()
    }


def _measure(conn: Connection, names: ProjectNames, runs: Candidates) -> _Measure | None:
    dictionary = names.dictionary
    known = sorted(names.metrics.items(), key=lambda each: (-each[1], each[0]))
    for name, _runs in known:
        series, key = names.metric_id(name), dictionary.by_name[name].key
        better = dictionary.better(key)
        if series is not None and better is not None and _has_any(names, runs, series):
            return _Measure(series, name, dictionary.unit(key), better)
    counted: Counter[int] = Counter()
    for tag_set_id, n in Counter(runs.tag_set_id.tolist()).items():
        counted.update(dict.fromkeys(_tags(names, tag_set_id), n))
    called = tag_names(conn, [tag_id for tag_id, _n in counted.most_common(_MOST_TAGS)])
    good: list[tuple[bool, int, str, int, Direction]] = []
    for tag_id, name in called.items():
        better = dictionary.better(name)
        if better is not None:
            good.append((not _HELD_OUT.search(name), -counted[tag_id], name, tag_id, better))
    if not good:
        return None
    _, _, name, tag_id, better = min(good)
    return _Measure(tag_id, name, dictionary.unit(name), better)


def _has_any(names: ProjectNames, runs: Candidates, series: int) -> bool:
    sets = {each for part in names.parts_of(series) for each in names.places_of(part.tag_id)}
    return bool(np.isin(runs.tag_set_id, sorted(sets)).any())


def _tags(names: ProjectNames, tag_set_id: int) -> Sequence[int]:
    found = names.tags_of_set("scalar").get(tag_set_id)
    return [] if found is None else found[1].tolist()
