"""The points of series that come last: of long ones only the blocks that hold them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby
from typing import Final

import numpy as np
from sqlalchemy import Connection, bindparam, select

from orgboard_schema.blocks import StoredValue, ValueSeries
from orgboard_schema.blocks.series import Floats, Ints, kind_number
from orgboard_schema.sql import tables
from orgboard_schema.sql.dictionary import chunked
from orgboard_schema.sql.pieces import StepRange, find_pieces
from orgboard_schema.sql.read import SeriesData, many_scalars, series
from orgboard_schema.sql.supersede import superseded
from orgboard_schema.types import Kind

__all__ = ["LastPoints", "last_histograms", "last_scalars"]

_HISTOGRAM: Final[tuple[Kind, ...]] = ("histogram",)

_STEPS: Final = np.iinfo(np.int64)

_SHORT_BLOCKS: Final = 4
"""A series of no more blocks is read whole, together with others."""

_WIDER: Final = 8
"""So many times the points are read when some of the last ones turned out to be replaced."""

_block = tables.block.c
_FIND_EXTENTS: Final = (
    select(_block.run_id, _block.tag_id, _block.step_max, _block.step_min, _block.n)
    .where(
        _block.run_id.in_(bindparam("runs", expanding=True)),
        _block.tag_id.in_(bindparam("tags", expanding=True)),
        _block.kind == kind_number("scalar"),
        _block.level == 0,
        _block.step_min <= bindparam("upto"),
    )
    .order_by(_block.run_id, _block.tag_id, _block.step_max.desc())
)


@dataclass(frozen=True, slots=True, eq=False)
class LastPoints:
    """Points of a series that no restart replaced, by step; columns."""

    step: Ints
    value: Floats


def last_scalars(
    conn: Connection, keys: Collection[tuple[int, int]], *, count: int, upto: int | None = None
) -> dict[tuple[int, int], LastPoints]:
    """Return the `count` last visible points of each series (run, tag), at or before step `upto`.

    In the order of steps, those of one step as they came. Fewer where there are no more; a
    series without any is not in the answer.
    """
    last = int(_STEPS.max) if upto is None else upto
    begins = _begins(conn, keys, count, last)
    whole = many_scalars(conn, set(keys) - begins.keys(), step_range=(int(_STEPS.min), last))
    found = {key: _last_of(data, count) for key, data in whole.items()}
    for (run_id, tag_id), ranges in begins.items():
        found[run_id, tag_id] = _first_enough(conn, run_id, tag_id, ranges, count)
    return {key: points for key, points in found.items() if len(points.step)}


def last_histograms(
    conn: Connection, tag_id: int, last_step: Mapping[int, int]
) -> dict[int, Sequence[StoredValue]]:
    """Return the last visible histogram of a tag in each of these runs, in the columns it lies in.

    The runs' heads say at which step it is, which is given here; of several at one step it is the
    one that came last. Only blocks that have such a step are read, so runs that ended alike cost
    least together. Give at most as many runs as one IN list takes.
    """
    if not last_step:
        return {}
    steps = min(last_step.values()), max(last_step.values())
    pieces, cuts = find_pieces(conn, sorted(last_step), [tag_id], _HISTOGRAM, steps)
    found: dict[int, Sequence[StoredValue]] = {}
    for piece in pieces:
        run_id, points = piece.run_id, piece.series
        if not isinstance(points, ValueSeries):
            continue
        hidden = superseded(cuts[run_id], tag_id, "histogram", piece.attempt, points.step)
        at = np.flatnonzero((points.step == last_step[run_id]) & ~hidden)
        if at.size:
            # Pieces are in the stored order: a later one has what came later.
            found[run_id] = points.values[int(at[-1]) : int(at[-1]) + 1]
    return found


def _begins(
    conn: Connection, keys: Collection[tuple[int, int]], count: int, last: int
) -> dict[tuple[int, int], list[StepRange]]:
    """Return of long series which steps to read, first few and then ever more."""
    found: dict[tuple[int, int], list[StepRange]] = {}
    for runs in chunked(sorted({run_id for run_id, _ in keys})):
        for tags in chunked(sorted({tag_id for _, tag_id in keys})):
            rows = conn.execute(_FIND_EXTENTS, {"runs": runs, "tags": tags, "upto": last}).all()
            for key, blocks in groupby(rows, key=lambda row: (row[0], row[1])):
                extents = [(row.step_min, row.n) for row in blocks]
                if key in keys and len(extents) > _SHORT_BLOCKS:
                    firsts = [_first_step(extents, count * by) for by in (1, _WIDER)]
                    found[key] = [(first, last) for first in (*firsts, int(_STEPS.min))]
    return found


def _first_step(extents: Sequence[tuple[int, int]], count: int) -> int:
    """Return the least step of the last blocks that hold so many points together."""
    first = int(_STEPS.max)
    for (step_min, _), points in zip(extents, accumulate(n for _, n in extents), strict=True):
        first = min(first, step_min)
        if points >= count:
            return first
    return int(_STEPS.min)


def _first_enough(
    conn: Connection, run_id: int, tag_id: int, ranges: Sequence[StepRange], count: int
) -> LastPoints:
    points = _last_of(None, count)
    for steps in ranges:
        data = series(conn, run_id, [(tag_id, "scalar")], step_range=steps)
        points = _last_of(data.get((tag_id, "scalar")), count)
        if len(points.step) == count:
            break
    return points


def _last_of(data: SeriesData | None, count: int) -> LastPoints:
    if data is None:
        return LastPoints(np.empty(0, np.int64), np.empty(0))
    shown = np.flatnonzero(~data.superseded)
    last = shown[np.argsort(data.step[shown], kind="stable")][-count:]
    return LastPoints(data.step[last], data.value[last])
