"""What metrics were at some moment, run by run: the mean of their last points, the value at a step.

    mean10:val/loss    the mean of the last ten points that are finite
    at1000:val/loss    the value at step 1000, or at the last step before it

The runs' heads do not say it: points are read, of each series the last ones alone, and a column
is kept (`kept_columns`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, case, func, select

from orgboard_dashboard.queries.errors import TooMuch
from orgboard_dashboard.queries.heads import runs_having
from orgboard_dashboard.queries.kept_columns import Candidates, kept_columns
from orgboard_dashboard.queries.metrics import chosen_parts
from orgboard_dashboard.queries.names import Part, ProjectNames
from orgboard_dashboard.queries.visible import ProjectRef, visible_runs
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.sql import tables
from orgboard_schema.sql.dictionary import chunked
from orgboard_schema.sql.last import LastPoints, last_scalars

__all__ = ["MOST_POINTS", "Moment", "MomentColumn", "moment_of_key", "read_moments"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_MEANT: Final = 100_000
"""Points of one mean."""

MOST_POINTS: Final = 20_000_000
"""Points of the runs that one question may make the server look through: some seconds of work.
A long run counts as little as its last blocks do."""

_LONG_RUN: Final = 100_000
"""Points of a run from which on its series lie in blocks, of which only the last are read."""

_INT64: Final = np.iinfo(np.int64)
_KEY: Final = re.compile(r"(?:mean([0-9]{1,6})|at(-?[0-9]{1,19})):(.+)", re.ASCII | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Moment:
    """Which points of a series are meant."""

    tag_id: int
    """Below 0: of a metric (`ProjectNames.series_id`)."""
    what: Literal["mean", "at"]
    number: int
    """How many points, or the step."""


@dataclass(frozen=True, slots=True, eq=False)
class MomentColumn:
    """What a metric was in each run; a value at a step may be NaN, a mean is one of finite ones."""

    present: NDArray[np.bool_]
    value: Floats


def moment_of_key(key: str, names: ProjectNames) -> Moment | None:
    """Return what a key such as `mean10:val/loss` means; None: nothing here."""
    found = _KEY.fullmatch(key)
    tag_id = names.series_id(found[3]) if found else None
    if found is None or tag_id is None:
        return None
    if found[1] is not None:
        count = int(found[1])
        return Moment(tag_id, "mean", count) if 0 < count <= MOST_MEANT else None
    step = int(found[2])
    return Moment(tag_id, "at", step) if _INT64.min <= step <= _INT64.max else None


def read_moments(
    viewer: Viewer,
    conn: Connection,
    project: ProjectRef,
    names: ProjectNames,
    runs: Candidates,
    moments: Sequence[Moment],
) -> dict[Moment, MomentColumn]:
    """Return a column of each for these runs, which `viewer` may see.

    Raises:
        TooMuch: the runs have too many points to look through.
    """
    found: dict[Moment, MomentColumn] = {}
    for moment in dict.fromkeys(moments):
        merged = MomentColumn(np.zeros(len(runs), np.bool_), np.full(len(runs), np.nan))
        for part, rows in _parts(names, runs, moment):
            of = replace(moment, tag_id=part.tag_id)
            column = _read_tag(viewer, conn, project, names, runs.some(rows), of)
            merged.present[rows] = column.present
            with np.errstate(over="ignore"):
                merged.value[rows] = column.value * part.scale
        found[moment] = merged
    return found


def _parts(names: ProjectNames, runs: Candidates, moment: Moment) -> Iterable[tuple[Part, Ints]]:
    if moment.tag_id < 0:
        return chosen_parts(names, runs, names.parts_of(moment.tag_id))
    return [(Part(moment.tag_id, 1.0), np.arange(len(runs)))]


def _read_tag(
    viewer: Viewer,
    conn: Connection,
    project: ProjectRef,
    names: ProjectNames,
    runs: Candidates,
    moment: Moment,
) -> MomentColumn:
    kept = kept_columns(conn.engine)
    values = np.full((len(runs), 2), np.nan)
    values[:, 0] = 0
    having = runs_having(names, runs, moment.tag_id)
    missing = kept.fill((project.project_id, moment), runs, having, values)
    if len(missing):
        values[missing] = _read(viewer, conn, runs.run_id[missing], moment)
        kept.keep((project.project_id, moment), runs, missing, values[missing])
    return MomentColumn(values[:, 0] > 0, values[:, 1])


def _read(viewer: Viewer, conn: Connection, run_ids: Ints, moment: Moment) -> Floats:
    """Return a row of each run: whether there is a value, and it."""
    told: list[tuple[bool, float]] = []
    _refuse_too_much(viewer, conn, run_ids.tolist())
    for some in chunked(run_ids.tolist()):
        keys = {(run_id, moment.tag_id) for run_id in some}
        if moment.what == "mean":
            found = last_scalars(conn, keys, count=moment.number)
            told += (_mean(found.get((run_id, moment.tag_id))) for run_id in some)
        else:
            found = last_scalars(conn, keys, count=1, upto=moment.number)
            told += (_only(found.get((run_id, moment.tag_id))) for run_id in some)
    return np.array(told, np.float64).reshape(-1, 2)


def _mean(points: LastPoints | None) -> tuple[bool, float]:
    if points is None:
        return False, np.nan
    finite = points.value[np.isfinite(points.value)].astype(np.float64)
    return (True, float(finite.mean())) if finite.size else (False, np.nan)


def _only(points: LastPoints | None) -> tuple[bool, float]:
    return (False, np.nan) if points is None else (True, float(points.value[0]))


def _refuse_too_much(viewer: Viewer, conn: Connection, run_ids: Sequence[int]) -> None:
    run = tables.run.c
    points = 0
    for some in chunked(run_ids):
        among = case((run.points > _LONG_RUN, _LONG_RUN), else_=run.points)
        asked = select(func.sum(among)).where(run.run_id.in_(some), visible_runs(viewer))
        points += int(conn.execute(asked).scalar() or 0)
    if points > MOST_POINTS:
        raise TooMuch(
            f"The last points of {len(run_ids)} runs lie among {points} others."
            " Let a query leave fewer runs first."
        )
