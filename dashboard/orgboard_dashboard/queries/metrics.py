"""Where metrics stand, run by run: from the runs' heads, never from points.

A column of a metric is what the heads of many runs say of one tag. It is kept (`kept_columns`). A
metric of the dictionary is put together of the columns of its tags.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from orgboard_dashboard.queries.heads import read_heads, runs_having
from orgboard_dashboard.queries.kept_columns import Candidates, kept_columns
from orgboard_dashboard.queries.language import Aggregate
from orgboard_dashboard.queries.names import Part, ProjectNames
from orgboard_dashboard.queries.visible import ProjectRef
from orgboard_schema.blocks.heads import HeadTable

__all__ = ["MetricColumn", "chosen_parts", "read_metrics"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class MetricColumn:
    """What a tag is in each of the candidates; NaN in `last` may also be a value."""

    present: NDArray[np.bool_]
    last: Floats
    min: Floats
    max: Floats

    def of(self, aggregate: Aggregate) -> Floats:
        """Return the last, smallest or largest values; NaN where there is none."""
        return {"last": self.last, "min": self.min, "max": self.max}[aggregate]

    def has(self, aggregate: Aggregate) -> NDArray[np.bool_]:
        """Tell where there is one; a last value may be NaN, the others are of finite ones."""
        return self.present if aggregate == "last" else self.present & ~np.isnan(self.of(aggregate))


def read_metrics(
    conn: Connection,
    project: ProjectRef,
    names: ProjectNames,
    runs: Candidates,
    tag_ids: Sequence[int],
) -> dict[int, MetricColumn]:
    """Return a column of each tag for these runs, which were chosen by who may see them.

    A number below 0 is that of a metric (`ProjectNames.series_id`).
    """
    parts = {wanted: names.parts_of(wanted) for wanted in tag_ids if wanted < 0}
    tags = [wanted for wanted in tag_ids if wanted > 0]
    tags += [part.tag_id for each in parts.values() for part in each]
    columns = _read_tags(conn, project, names, runs, tags)
    return {
        **columns,
        **{wanted: _merged(names, runs, each, columns) for wanted, each in parts.items()},
    }


def _read_tags(
    conn: Connection,
    project: ProjectRef,
    names: ProjectNames,
    runs: Candidates,
    tag_ids: Sequence[int],
) -> dict[int, MetricColumn]:
    kept = kept_columns(conn.engine)
    columns: dict[int, Floats] = {}
    missing: dict[int, Ints] = {}
    for tag_id in dict.fromkeys(tag_ids):
        columns[tag_id] = np.full((len(runs), 4), np.nan)
        columns[tag_id][:, 0] = 0
        having = runs_having(names, runs, tag_id)
        missing[tag_id] = kept.fill((project.project_id, tag_id), runs, having, columns[tag_id])
    for tag_id, rows, heads in read_heads(conn, names, runs, missing):
        columns[tag_id][rows] = _values_of(heads)
    for tag_id, rows in missing.items():
        kept.keep((project.project_id, tag_id), runs, rows, columns[tag_id][rows])
    return {tag_id: _column(values) for tag_id, values in columns.items()}


def _merged(
    names: ProjectNames,
    runs: Candidates,
    parts: Sequence[Part],
    columns: Mapping[int, MetricColumn],
) -> MetricColumn:
    """Return the column of a metric: in each run that of the first of its tags that is there."""
    merged = MetricColumn(np.zeros(len(runs), np.bool_), *np.full((3, len(runs)), np.nan))
    for part, rows in chosen_parts(names, runs, parts):
        of, scale = columns[part.tag_id], part.scale
        # What counts the other way round has its least values where the greatest are.
        low, high = (of.min, of.max) if scale > 0 else (of.max, of.min)
        merged.present[rows] = of.present[rows]
        with np.errstate(over="ignore"):
            for into, values in ((merged.last, of.last), (merged.min, low), (merged.max, high)):
                into[rows] = values[rows] * scale
    return merged


def chosen_parts(
    names: ProjectNames, runs: Candidates, parts: Sequence[Part]
) -> Iterator[tuple[Part, Ints]]:
    """Yield each tag of a metric, and the rows of the runs in which it is the one that counts."""
    left = np.ones(len(runs), np.bool_)
    for part in parts:
        here = left & runs_having(names, runs, part.tag_id)
        left &= ~here
        yield part, np.flatnonzero(here)


def _column(values: Floats) -> MetricColumn:
    return MetricColumn(values[:, 0] > 0, values[:, 1], values[:, 2], values[:, 3])


def _values_of(heads: HeadTable) -> Floats:
    told = [heads[name] for name in ("n", "last_value", "min_value", "max_value")]
    return np.stack(told, axis=1).astype(np.float64)
