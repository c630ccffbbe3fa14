"""Where every metric of some runs stands, from the runs' heads: no point is touched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import Connection

from orgboard_dashboard.queries.dictionary import Dictionary, read_dictionary
from orgboard_dashboard.queries.directions import Direction
from orgboard_dashboard.queries.tags import PartRow
from orgboard_dashboard.queries.visible import find_project, find_runs
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.blocks.series import kind_number
from orgboard_schema.sql import read
from orgboard_schema.sql.dictionary import tag_names

__all__ = ["MAX_METRICS", "MetricRow", "Standing", "list_metrics"]

MAX_METRICS: Final = 2000
"""Tags of one answer: those that most of the runs have."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one metric of one run stands; of what is visible. NaN where nothing is finite."""

    last: float
    min: float
    max: float


@dataclass(frozen=True, slots=True)
class MetricRow:
    """A scalar tag, and where it stands in each run that has it, by uid."""

    id: int
    name: str
    runs: Mapping[str, Standing]
    best: Direction | None = None
    unit: str = ""
    metric: str = ""
    """The metric of the dictionary that it means; "" where it means none, or is one itself."""
    of: tuple[PartRow, ...] = ()
    """Of a metric: its tags that are here, in the order in which a run's is chosen."""


def list_metrics(
    viewer: Viewer,
    conn: Connection,
    team: str,
    project: str,
    uids: Sequence[str],
    *,
    by_metric: bool = False,
) -> tuple[MetricRow, ...]:
    """Return the metrics of these runs, by name.

    By metric, one of the dictionary stands in the place of its tags, called `metric:NAME`.

    Raises:
        NotFound: there is no such project, or `viewer` may not see it.
    """
    found = find_project(viewer, conn, team, project)
    runs = find_runs(viewer, conn, found, tuple(uids))
    heads = read.heads(conn, runs.values())
    standing: dict[int, dict[str, Standing]] = {}
    for uid, run_id in runs.items():
        table = heads[run_id]
        table = table[(table["kind"] == kind_number("scalar")) & (table["n"] > 0)]
        columns = (table[name].tolist() for name in ("last_value", "min_value", "max_value"))
        for tag_id, last, low, high in zip(table["tag_id"].tolist(), *columns, strict=True):
            standing.setdefault(tag_id, {})[uid] = Standing(last, low, high)
    most = sorted(standing, key=lambda tag_id: (-len(standing[tag_id]), tag_id))[:MAX_METRICS]
    names = tag_names(conn, most)
    dictionary = read_dictionary(conn)
    rows = [
        _told(MetricRow(tag_id, names[tag_id], standing[tag_id]), dictionary)
        for tag_id in most
        if tag_id in names
    ]
    if by_metric:
        rows = _by_metric(rows, dictionary)
    # Metrics that have a name come first.
    return tuple(sorted(rows, key=lambda row: (row.id > 0, row.name)))


def _told(row: MetricRow, dictionary: Dictionary) -> MetricRow:
    """Add what the dictionary says of a tag."""
    metric, _ = dictionary.by_tag.get(row.name, (None, 1.0))
    best, unit = dictionary.better(row.name), dictionary.unit(row.name)
    return replace(row, best=best, unit=unit, metric=metric.name if metric else "")


def _by_metric(rows: Sequence[MetricRow], dictionary: Dictionary) -> list[MetricRow]:
    """Put metrics in the place of their tags; of a run the first of them counts."""
    called = {row.name: row for row in rows}
    found = [row for row in rows if not row.metric]
    for metric in dictionary.metrics:
        here = [each for each in metric.aliases if each.tag in called]
        if not here or metric.key in called:
            found += [called[each.tag] for each in here]
            continue
        runs: dict[str, Standing] = {}
        for each in reversed(here):
            of_tag = called[each.tag].runs
            runs |= {uid: _scaled(standing, each.scale) for uid, standing in of_tag.items()}
        of = tuple(PartRow(called[each.tag].id, each.tag, each.scale) for each in here)
        best = dictionary.better(metric.key)
        found.append(MetricRow(-metric.id, metric.key, runs, best=best, unit=metric.unit, of=of))
    return found


def _scaled(of: Standing, scale: float) -> Standing:
    low, high = (of.min, of.max) if scale > 0 else (of.max, of.min)
    return Standing(of.last * scale, low * scale, high * scale)
