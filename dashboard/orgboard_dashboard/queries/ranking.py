"""Standings: which settings do best by a metric, project by project, over their seeds.

Runs of one group are taken for repetitions of one experiment. Without a grouping these are the
runs of a project whose settings are the same but for the seed. A metric is what the runs' heads
say of it: no point is read.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, select

from orgboard_dashboard.queries.beside import settings_beside
from orgboard_dashboard.queries.directions import Direction
from orgboard_dashboard.queries.errors import BadQuery
from orgboard_dashboard.queries.groups import group_runs
from orgboard_dashboard.queries.homes import HERE, homes_of
from orgboard_dashboard.queries.hparam_texts import decode_hparams
from orgboard_dashboard.queries.literals import spelled
from orgboard_dashboard.queries.matching import candidates_of, matching_runs
from orgboard_dashboard.queries.metrics import read_metrics
from orgboard_dashboard.queries.names import ProjectNames
from orgboard_dashboard.queries.order import tag_of_key
from orgboard_dashboard.queries.visible import ProjectRef, find_project, runs_of, visible_runs
from orgboard_dashboard.ranking import Place, ranked
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.sql import tables, text
from orgboard_schema.sql.dictionary import chunked

__all__ = ["GroupPlace", "StandingsAnswer", "StandingsQuery", "Task", "standings"]

MAX_RUNS: Final = 20_000
"""Runs of one answer, the newest."""
_MAX_PLACES: Final = 200
"""Groups of a project in one answer, the best."""
_MAX_LISTED: Final = 100
"""Runs of a group that are named."""
_NAME_CHARS: Final = 200
_WITHOUT: Final = "no settings logged"
_ALIKE: Final = "all runs"


@dataclass(frozen=True, slots=True)
class StandingsQuery:
    """Which runs, by which value of which metric, and what makes them a group."""

    key: str
    """As columns have it: `best:metric:accuracy`, `last:val/loss`."""
    q: str = ""
    by: str = ""
    """As in `group_runs`; "": by all settings but the seed."""
    archived: bool = False


@dataclass(frozen=True, slots=True)
class GroupPlace:
    """A group in the standings, with its runs."""

    place: Place
    uids: tuple[str, ...]
    """Of the runs that have a finite value, as many as are named."""
    names: tuple[str, ...]
    values: tuple[float, ...]
    best_run: str
    """Its uid."""
    best_name: str
    seeds: int | None
    """How many different ones; None: the runs do not say."""
    without: int
    """Runs of the group without a finite value."""


@dataclass(frozen=True, slots=True)
class Task:
    """The standings of a project."""

    place: str
    """TEAM/PROJECT; "" where only one is looked at."""
    groups: tuple[GroupPlace, ...]
    left_out: int
    """Groups behind those."""


@dataclass(frozen=True, slots=True)
class StandingsAnswer:
    """The standings of each project that is looked at."""

    matching: int
    runs: int
    """How many of them were looked at."""
    better: Direction
    is_guess: bool
    """Nobody says which values are better, so that the greatest come first."""
    unit: str
    tasks: tuple[Task, ...]


@dataclass(frozen=True, slots=True)
class _Run:
    uid: str
    name: str
    home: str
    hparams: Mapping[str, Any]
    value: float | None


def standings(
    viewer: Viewer, conn: Connection, team: str, project: str, asked: StandingsQuery, now: float
) -> StandingsAnswer:
    """Return how groups of runs stand by a metric.

    Raises:
        NotFound: there is no such project, or `viewer` may not see it.
        BadQuery: the query or the grouping is none, or there is no such metric here.
    """
    found = find_project(viewer, conn, team, project)
    names = ProjectNames(viewer, conn, found)
    word, _, name = asked.key.partition(":")
    says = names.dictionary.better(name)
    # Where nobody says which is better there is no best value either; the last one stands in.
    key = f"last:{name}" if word == "best" and says is None else asked.key
    tag = tag_of_key(key, names)
    if tag is None:
        raise BadQuery("No run here has such a metric: give last:, min:, max: or best: and one.")
    matched = matching_runs(
        *(viewer, conn, found),
        q=asked.q,
        sort="-started",
        now=now,
        page=slice(0, MAX_RUNS),
        archived=asked.archived,
        names=names,
    )
    runs = _runs(viewer, conn, found, names, matched.page, tag)
    grouped = _grouped(viewer, conn, team, project, runs, asked.by)
    better = says or "max"
    return StandingsAnswer(
        matching=matched.matching,
        runs=len(runs),
        better=better,
        is_guess=says is None,
        unit=names.dictionary.unit(name),
        tasks=tuple(_task(home, groups, better) for home, groups in sorted(grouped.items())),
    )


def _runs(
    viewer: Viewer,
    conn: Connection,
    project: ProjectRef,
    names: ProjectNames,
    run_ids: Sequence[int],
    tag: tuple[int, Any],
) -> list[_Run]:
    candidates = candidates_of(viewer, conn, run_ids)
    tag_id, aggregate = tag
    column = read_metrics(conn, project, names, candidates, [tag_id])[tag_id]
    told = zip(
        *(candidates.run_id.tolist(), column.of(aggregate).tolist()),
        column.has(aggregate).tolist(),
        strict=True,
    )
    values = {run_id: value for run_id, value, is_there in told if is_there}
    run, homes = tables.run.c, homes_of(conn, project)
    columns = (run.run_id, run.project_id, run.uid, run.name, run.display_name, run.hparams)
    rows: dict[int, Any] = {}
    for some in chunked(run_ids):
        asked = select(*columns).where(run.run_id.in_(some), visible_runs(viewer))
        rows |= {row.run_id: row for row in conn.execute(asked)}
    beside = settings_beside(viewer, conn, runs_of(viewer, project))
    return [
        _Run(
            uid=row.uid,
            name=text.from_sql(row.display_name or row.name),
            home=homes.get(row.project_id, HERE).place,
            hparams=beside[run_id].hparams if run_id in beside else decode_hparams(row.hparams),
            value=values.get(run_id),
        )
        for run_id in run_ids
        if (row := rows.get(run_id)) is not None
    ]


def _grouped(
    viewer: Viewer, conn: Connection, team: str, project: str, runs: Sequence[_Run], by: str
) -> dict[str, dict[str, list[_Run]]]:
    """Return the runs by project and by the name of their group."""
    if by:
        groups = group_runs(viewer, conn, team, project, [run.uid for run in runs], by)
        called = {uid: group.name for group in groups for uid in group.runs}
    else:
        called = _by_settings(runs)
    found: dict[str, dict[str, list[_Run]]] = {}
    for run in runs:
        if run.uid in called:
            found.setdefault(run.home, {}).setdefault(called[run.uid], []).append(run)
    return found


def _by_settings(runs: Sequence[_Run]) -> dict[str, str]:
    """Name the group of each run: what is set otherwise in other groups, but for the seed."""
    settings = {
        run.uid: {name: spelled(value) for name, value in run.hparams.items() if not _is_seed(name)}
        for run in runs
    }
    with_settings = [held for held in settings.values() if held]
    seen: dict[str, set[str]] = {}
    having: Counter[str] = Counter()
    for held in with_settings:
        for name, value in held.items():
            seen.setdefault(name, set()).add(value)
            having[name] += 1
    differs = [
        name for name in sorted(seen) if len(seen[name]) > 1 or having[name] < len(with_settings)
    ]
    has_any = {run.uid: bool(run.hparams) for run in runs}
    return {
        uid: _called({name: held[name] for name in differs if name in held}, has_any[uid])
        for uid, held in settings.items()
    }


def _called(told: Mapping[str, str], has_settings: bool) -> str:
    if not has_settings:
        return _WITHOUT
    name = " · ".join(f"{each} {value}" for each, value in told.items())
    if len(name) <= _NAME_CHARS:
        return name or _ALIKE
    # Names that are cut may be the same: what follows tells them apart.
    mark = text.sha256(json.dumps(told, sort_keys=True)).hex()[:6]
    return f"{name[: _NAME_CHARS - 8]}… {mark}"


def _is_seed(name: str) -> bool:
    return name.lower().rpartition("/")[2].rpartition(".")[2].endswith("seed")


def _task(home: str, groups: Mapping[str, Sequence[_Run]], better: Direction) -> Task:
    kept = {name: [run for run in runs if run.value is not None] for name, runs in groups.items()}
    values = {name: [run.value or 0.0 for run in runs] for name, runs in kept.items()}
    places = ranked(values, better)
    told = tuple(
        _told(place, kept[place.group], len(groups[place.group])) for place in places[:_MAX_PLACES]
    )
    return Task(home, told, len(places) - len(told))


def _told(place: Place, runs: Sequence[_Run], of: int) -> GroupPlace:
    best = runs[place.best_at]
    listed = runs[:_MAX_LISTED]
    seeds = [_seed(run.hparams) for run in runs]
    return GroupPlace(
        place=place,
        uids=tuple(run.uid for run in listed),
        names=tuple(run.name for run in listed),
        values=tuple(run.value or 0.0 for run in listed),
        best_run=best.uid,
        best_name=best.name,
        seeds=None if None in seeds else len(set(seeds)),
        without=of - place.n,
    )


def _seed(hparams: Mapping[str, Any]) -> str | None:
    told = {name: spelled(value) for name, value in hparams.items() if _is_seed(name)}
    return json.dumps(told, sort_keys=True) if told else None
