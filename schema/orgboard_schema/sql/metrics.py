"""What one series is at in every run: for a run table that is sorted or filtered by it.

Of ten thousand runs only the asked numbers are unpacked. Where a series lies in a run's
heads follows from the run's set of series, which thousands of runs share.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sqlalchemy import ColumnElement, Connection, select

from orgboard_schema.blocks import decode_tag_set
from orgboard_schema.blocks.heads import heads_at
from orgboard_schema.blocks.series import Ints
from orgboard_schema.sql import tables
from orgboard_schema.sql.dictionary import chunked
from orgboard_schema.sql.engine import IN_BINARY
from orgboard_schema.types import Kind

__all__ = ["Metric", "find_metric"]

RUNS_AT_ONCE: Final = 200
"""Rows fetched at once: half a megabyte of heads, which a processor's cache holds."""

_Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Metric:
    """A series in all runs that have a visible point of it: columns, one entry a run."""

    run_id: Ints
    n: Ints
    last_step: Ints
    last: _Doubles
    least: _Doubles
    """Of the finite values; NaN where there is none."""
    most: _Doubles


def find_metric(
    conn: Connection, where: ColumnElement[bool], tag_id: int, kind: Kind = "scalar"
) -> Metric:
    """Return what the series is at in the runs for which `where` (on `tables.run`) holds."""
    run, head = tables.run.c, tables.run_head.c
    places = _places(conn, where, tag_id, kind)
    asked = (
        select(head.run_id, run.tag_set_id, head.payload)
        .join(tables.run, run.run_id == head.run_id)
        .where(where)
        .execution_options(**IN_BINARY)
    )
    run_ids: list[int] = []
    parts: list[npt.NDArray[Any]] = []
    rows = conn.execution_options(yield_per=RUNS_AT_ONCE).execute(asked)
    for some in rows.partitions():
        mine = [(run_id, places[of], payload) for run_id, of, payload in some if of in places]
        run_ids += [run_id for run_id, _, _ in mine]
        payloads = [payload for _, _, payload in mine]
        parts.append(heads_at(payloads, [place for _, place, _ in mine]))
    found = np.concatenate(parts) if parts else heads_at([], [])
    numbers = np.array(run_ids, np.int64)
    seen = found["n"] > 0
    found = found[seen]
    return Metric(
        numbers[seen],
        found["n"],
        found["last_step"],
        found["last_value"],
        found["min_value"],
        found["max_value"],
    )


def _places(
    conn: Connection, where: ColumnElement[bool], tag_id: int, kind: Kind
) -> dict[int, int]:
    """Return where the series lies in the heads of runs, by their tag set."""
    columns = tables.tag_set.c
    sets = [
        of for of in conn.scalars(select(tables.run.c.tag_set_id).where(where).distinct()) if of
    ]
    places: dict[int, int] = {}
    for some in chunked(sorted(sets)):
        asked = select(columns.tag_set_id, columns.payload).where(columns.tag_set_id.in_(some))
        for tag_set_id, payload in conn.execute(asked):
            # Heads are sorted as a set is: by kind and tag.
            series = decode_tag_set(bytes(payload))
            if (tag_id, kind) in series:
                places[tag_set_id] = series.index((tag_id, kind))
    return places
