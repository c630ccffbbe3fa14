"""Hyperparameters beside where each metric stands: one row a run that logged any."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, select

from orgboard_dashboard.queries.errors import TooMuch
from orgboard_dashboard.queries.homes import homes_of
from orgboard_dashboard.queries.matching import matching_runs
from orgboard_dashboard.queries.names import ProjectNames
from orgboard_dashboard.queries.runs import RunRow, project_revision, rows_of
from orgboard_dashboard.queries.visible import find_project
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.blocks.heads import decode_heads
from orgboard_schema.blocks.series import kind_number
from orgboard_schema.sql import tables
from orgboard_schema.sql.dictionary import chunked, tag_names

__all__ = ["HparamsRow", "HparamsTable", "Metric", "hparams_table"]

_MAX_RUNS: Final = 5000
_MAX_METRICS: Final = 50
"""Columns of metrics: the tags that most of the runs have."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A scalar tag, as a column."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class HparamsRow:
    """One run; `metrics` holds the last visible value by tag id."""

    run: RunRow
    metrics: Mapping[int, float]


@dataclass(frozen=True, slots=True)
class HparamsTable:
    """Names of hyperparameters by code point, metrics by name, runs by name."""

    revision: int
    names: tuple[str, ...]
    metrics: tuple[Metric, ...]
    rows: tuple[HparamsRow, ...]


def hparams_table(
    viewer: Viewer,
    conn: Connection,
    team: str,
    project: str,
    q: str,
    now: float,
    *,
    archived: bool = False,
) -> HparamsTable:
    """Return the table of the runs that `q` lets through and that logged hyperparameters.

    Raises:
        NotFound: there is no such project, or `viewer` may not see it.
        BadQuery: `q` is no query.
        TooMuch: there are more than some thousand such runs.
    """
    found = find_project(viewer, conn, team, project)
    matched = matching_runs(viewer, conn, found, q=q, now=now, archived=archived).page
    having = ProjectNames(viewer, conn, found).having_hparams
    run_ids = [run_id for run_id in matched if run_id in having]
    if len(run_ids) > _MAX_RUNS:
        raise TooMuch(f"{len(run_ids)} runs match; {_MAX_RUNS} can be compared. Filter them.")
    rows = rows_of(viewer, conn, run_ids, now, homes_of(conn, found))
    last = _last_values(conn, run_ids)
    counts = Counter(tag for values in last.values() for tag in values)
    tags = tag_names(conn, [tag for tag, _ in counts.most_common(_MAX_METRICS)])
    metrics = sorted((Metric(tag, name) for tag, name in tags.items()), key=lambda m: m.name)
    listed = (
        HparamsRow(row, {tag: value for tag, value in last.get(run_id, {}).items() if tag in tags})
        for run_id, row in rows.items()
    )
    return HparamsTable(
        revision=project_revision(viewer, conn, found),
        names=tuple(sorted({name for row in rows.values() for name in row.hparams})),
        metrics=tuple(metrics),
        rows=tuple(sorted(listed, key=lambda row: row.run.shown_name)),
    )


def _last_values(conn: Connection, run_ids: list[int]) -> dict[int, dict[int, float]]:
    head = tables.run_head.c
    scalar = kind_number("scalar")
    last: dict[int, dict[int, float]] = {}
    for some in chunked(run_ids):
        asked = select(head.run_id, head.payload).where(head.run_id.in_(some))
        for run_id, payload in conn.execute(asked):
            heads = decode_heads(payload)
            heads = heads[(heads["kind"] == scalar) & (heads["n"] > 0)]
            pairs = zip(heads["tag_id"].tolist(), heads["last_value"].tolist(), strict=True)
            last[run_id] = dict(pairs)
    return last
