"""Where every metric of some runs stands, from the runs' heads: no point is touched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

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


def list_metrics(
    viewer: Viewer, conn: Connection, team: str, project: str, uids: Sequence[str]
) -> tuple[MetricRow, ...]:
    """Return the metrics of these runs, by name.

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
    rows = (
        MetricRow(tag_id, names[tag_id], standing[tag_id]) for tag_id in most if tag_id in names
    )
    return tuple(sorted(rows, key=lambda row: row.name))
