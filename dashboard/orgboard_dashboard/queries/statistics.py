"""Statistics of the last histograms of runs, run by run: `hist:layer1/kernel:std`.

The runs' heads say at which step a series' last histogram is; the histogram is then read, and
with it the others of its block. So a first question costs by how many lie there, some
microseconds each; what was told is kept until the run changes (`kept_columns`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from orgboard_dashboard.histograms.buckets import Frames, frames_of
from orgboard_dashboard.histograms.percentiles import STATISTICS, Statistic, percentiles, statistic
from orgboard_dashboard.queries.errors import TooMuch
from orgboard_dashboard.queries.heads import read_heads, runs_having
from orgboard_dashboard.queries.kept_columns import Candidates, kept_columns
from orgboard_dashboard.queries.names import ProjectNames
from orgboard_dashboard.queries.visible import ProjectRef
from orgboard_schema.blocks.buckets import TensorHistograms
from orgboard_schema.blocks.protos import ProtoHistograms
from orgboard_schema.sql.dictionary import IDS_PER_QUERY
from orgboard_schema.sql.last import last_histograms
from orgboard_schema.sql.packing import BLOCK_POINTS

__all__ = [
    "MOST_HISTOGRAMS",
    "PREFIX",
    "HistogramStatistic",
    "read_statistics",
    "split_statistic",
    "statistic_of_key",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PREFIX: Final = "hist:"

MOST_HISTOGRAMS: Final = 2_000_000
"""That one question may make the server unpack, all of a block for its last one: some seconds of
work, in which to open a run's block is as much as `_OF_A_RUN` of them."""
_OF_A_RUN: Final = 100

_AT_ONCE: Final = 20_000
"""Histograms that are in memory together, except where one block has more."""

_GROUPS: Final[tuple[tuple[Statistic, ...], ...]] = (
    tuple(each for each in STATISTICS if not each.startswith("p")),
    tuple(each for each in STATISTICS if each.startswith("p")),
)
"""What is worked out and kept together: who looks at one of them looks at others. Percentiles
apart, since they are a walk through the buckets of each histogram."""
_PERCENTILES: Final = 1
"""The place of theirs."""


@dataclass(frozen=True, slots=True)
class HistogramStatistic:
    """Which number of a series' last histogram is meant."""

    tag_id: int
    of: Statistic


def split_statistic(key: str) -> tuple[str, Statistic] | None:
    """Return the tag and the statistic that `hist:TAG:STATISTIC` names; None: none."""
    name, _, of = key.removeprefix(PREFIX).rpartition(":")
    if not key.startswith(PREFIX) or not name or of not in STATISTICS:
        return None
    return name, of


def statistic_of_key(key: str, names: ProjectNames) -> HistogramStatistic | None:
    """Return what a key such as `hist:layer1/kernel:std` means; None: nothing here."""
    split = split_statistic(key)
    tag_id = names.histogram_id(split[0]) if split else None
    return None if split is None or tag_id is None else HistogramStatistic(tag_id, split[1])


def read_statistics(
    conn: Connection,
    project: ProjectRef,
    names: ProjectNames,
    runs: Candidates,
    wanted: Sequence[HistogramStatistic],
) -> dict[HistogramStatistic, Floats]:
    """Return a column of each for these runs, which were chosen by who may see them.

    NaN where a run has no such histogram, or its last one has no such number.

    Raises:
        TooMuch: there are too many histograms to look through.
    """
    kept = kept_columns(conn.engine)
    columns: dict[tuple[int, int], Floats] = {}
    for tag_id, group in dict.fromkeys((each.tag_id, _group(each.of)) for each in wanted):
        values = np.full((len(runs), len(_GROUPS[group])), np.nan)
        key = (project.project_id, "histogram", tag_id, group)
        having = runs_having(names, runs, tag_id, "histogram")
        missing = kept.fill(key, runs, having, values)
        for rows, frames in _last_frames(conn, names, runs, tag_id, missing):
            values[rows] = _told(frames, group)
        kept.keep(key, runs, missing, values[missing])
        columns[tag_id, group] = values
    return {each: _column(columns, each) for each in wanted}


def _told(frames: Frames, group: int) -> Floats:
    names = _GROUPS[group]
    if group == _PERCENTILES:
        return percentiles(frames, [float(name[1:]) for name in names])
    return np.stack([statistic(frames, name) for name in names], axis=1)


def _group(of: Statistic) -> int:
    return int(of in _GROUPS[_PERCENTILES])


def _column(columns: Mapping[tuple[int, int], Floats], wanted: HistogramStatistic) -> Floats:
    group = _group(wanted.of)
    column: Floats = columns[wanted.tag_id, group][:, _GROUPS[group].index(wanted.of)]
    return column


def _last_frames(
    conn: Connection, names: ProjectNames, runs: Candidates, tag_id: int, rows: Ints
) -> Iterator[tuple[Ints, Frames]]:
    """Yield rows of `runs` and the last histogram of each, for those of `rows` that have one."""
    last = np.zeros(len(runs), np.int64)
    points = np.zeros(len(runs), np.int64)
    for _tag, some, heads in read_heads(conn, names, runs, {tag_id: rows}, "histogram"):
        last[some] = heads["last_step"]
        points[some] = np.where(heads["n"] > 0, heads["n_all"], 0)
    having = rows[points[rows] > 0]
    among = np.minimum(points, BLOCK_POINTS)
    every = int(among[having].sum())
    if every + _OF_A_RUN * len(having) > MOST_HISTOGRAMS:
        raise TooMuch(
            f"The last histograms of {len(having)} runs lie among {every} in all."
            " Let a query leave fewer runs first."
        )
    # Those that ended alike have the same blocks to be read.
    having = having[np.argsort(last[having], kind="stable")]
    for some in _shared_out(having, among):
        row_of = dict(zip(runs.run_id[some].tolist(), some.tolist(), strict=True))
        steps = dict(zip(row_of, last[some].tolist(), strict=True))
        found = last_histograms(conn, tag_id, steps)
        yield from _by_form([(row_of[run_id], value) for run_id, value in found.items()])


def _shared_out(rows: Ints, among: Ints) -> Iterator[Ints]:
    """Yield the rows in parts that are few enough, and whose histograms are."""
    part = np.cumsum(among[rows]) // _AT_ONCE
    for some in np.split(rows, np.flatnonzero(np.diff(part)) + 1):
        for at in range(0, len(some), IDS_PER_QUERY):
            yield some[at : at + IDS_PER_QUERY]


def _by_form(found: Sequence[tuple[int, Sequence[Any]]]) -> Iterator[tuple[Ints, Frames]]:
    """Yield the histograms of each form as one column: far fewer steps than one at a time."""
    rest: list[tuple[int, Sequence[Any]]] = []
    protos: list[tuple[int, ProtoHistograms]] = []
    tensors: list[tuple[int, TensorHistograms]] = []
    for row, value in found:
        if isinstance(value, ProtoHistograms):
            protos.append((row, _with_own_edges(value)))
        elif isinstance(value, TensorHistograms):
            tensors.append((row, value))
        else:
            rest.append((row, value))
    parts: list[tuple[list[int], Sequence[Any]]] = [([row], value) for row, value in rest]
    if protos:
        column: Sequence[Any] = ProtoHistograms.joined([value for _, value in protos])
        parts.append(([row for row, _ in protos], column))
    if tensors:
        column = TensorHistograms.joined([value for _, value in tensors])
        parts.append(([row for row, _ in tensors], column))
    for rows, each in parts:
        yield np.array(rows, np.int64), frames_of([each])


def _with_own_edges(value: ProtoHistograms) -> ProtoHistograms:
    """Return one histogram of a column without the edges of the others."""
    (of,) = cast("list[int]", value.of.tolist())
    own = np.zeros(1, np.int64)
    return ProtoHistograms((value.limits[of],), own, value.lengths, value.counts, value.moments)
