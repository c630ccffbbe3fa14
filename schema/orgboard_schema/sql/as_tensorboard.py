"""What TensorBoard would show of a run: a choice among the stored points, never made in SQL.

Its two readers contradict each other, and both drop what orgboard keeps:

    python        a SessionLog START drops what every series has at its step and after it,
                  but for the run's first START; without `brain.Event:2` at the head of
                  a file, an event whose step is below the last one's drops what its own
                  series have at its step and after it
    data server   in each series a point drops all others at its step and after it; events
                  without a finite time are dropped

    purges = load_purges(conn, [run_id])[run_id]
    kept = kept_by_python(data, purges)         # or kept_by_data_server(data)

Points count in stored order, which is the files' own while one writer logs at a time. Of
files written side by side, each reader takes one after the other or both in turn as they
grow, so that what it shows there depends on when it looked.

TensorBoard still reads the points of files that were thinned here (`sql.thinning`), so those
drop others as they would there. `taken` has them, by attempt; stored points alone are told of.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, select

from orgboard_schema.blocks.series import Ints
from orgboard_schema.blocks.taken import Taken
from orgboard_schema.sql import tables
from orgboard_schema.sql.dictionary import chunked
from orgboard_schema.sql.read import SeriesData, heads, iter_series
from orgboard_schema.sql.recount import series_keys
from orgboard_schema.sql.supersede import Mask, load_cuts
from orgboard_schema.sql.thinning.marks import iter_taken
from orgboard_schema.sql.thinning.rule import places_of
from orgboard_schema.types import Tensor

__all__ = ["Events", "Purges", "kept_by_data_server", "kept_by_python", "load_purges", "ordered"]

_NOTHING: Final = Tensor("float32", (0,), b"")
"""What a value without a payload is stored as."""

NONE_TAKEN: Final[Mapping[int, Taken]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, eq=False)
class Events:
    """The events of a run that have values, in order of time. Columns."""

    wall: npt.NDArray[np.float64]
    step: Ints


@dataclass(frozen=True, slots=True)
class Purges:
    """What of a run makes TensorBoard's Python reader drop points."""

    starts: tuple[tuple[int, int], ...]
    """(attempt, step) of each START that does: all earlier attempts, from its step on."""
    events: Events | None = None
    """Of a run whose files are older than version 2, where steps alone tell of a restart."""


@dataclass(frozen=True, slots=True, eq=False)
class _Points:
    """Points of a series in stored order, those that are not stored any more among them."""

    step: Ints
    wall: npt.NDArray[np.float64]
    attempt: npt.NDArray[np.int32]
    stored: Mask


def kept_by_python(
    data: SeriesData,
    purges: Purges,
    *,
    described: bool = True,
    taken: Mapping[int, Taken] = NONE_TAKEN,
) -> Mask:
    """Tell of each point of a series whether TensorBoard's Python reader keeps it.

    `described`: whether the series has metadata. Without, a value that is nothing at all is
    nothing to TensorBoard either.
    """
    points = _with_taken(data, taken)
    kept = _kept_through_restarts(points, purges)[points.stored]
    if not described and data.values:
        kept &= np.array([value != _NOTHING for value in data.values], np.bool_)
    return kept


def _kept_through_restarts(points: _Points, purges: Purges) -> Mask:
    if purges.events is not None:
        return _never_reached_again(points.step, _is_late(points, purges.events))
    dropped = np.zeros(len(points.step), np.bool_)
    for attempt, step in purges.starts:
        dropped |= (points.attempt < attempt) & (points.step >= step)
    return ~dropped


def kept_by_data_server(data: SeriesData, *, taken: Mapping[int, Taken] = NONE_TAKEN) -> Mask:
    """Tell of each point of a series whether TensorBoard's data server keeps it.

    It samples what it keeps, which is left out here.
    """
    points = _with_taken(data, taken)
    timed = np.isfinite(points.wall)
    return (timed & _never_reached_again(points.step, timed))[points.stored]


def load_purges(conn: Connection, run_ids: Collection[int]) -> dict[int, Purges]:
    """Return what makes TensorBoard drop points of each of these runs."""
    found: dict[int, Purges] = {}
    for some in chunked(sorted(run_ids)):
        cuts = load_cuts(conn, some)
        old = _of_old_version(conn, some)
        for run_id, opened in _opened(conn, some).items():
            starts = [(cut.attempt, cut.step) for cut in cuts[run_id] if cut.kind is None]
            # The run's first START drops nothing, whether or not points came before it.
            counted = tuple(sorted(starts)[0 if opened else 1 :])
            found[run_id] = Purges(counted, _events(conn, run_id) if run_id in old else None)
    return found


def ordered(wall: npt.NDArray[np.float64], step: Ints) -> Events:
    """Return the events that points belong to, given by the columns of all of them."""
    # Several values of one event share its time and its step.
    order = np.lexsort((step, wall))
    wall, step = wall[order], step[order]
    first = np.ones(len(wall), np.bool_)
    first[1:] = (wall[1:] != wall[:-1]) | (step[1:] != step[:-1])
    return Events(wall[first], step[first])


def _never_reached_again(step: Ints, counts: Mask) -> Mask:
    """Tell of each point whether no later one that `counts` has its step or a lower one."""
    top = np.iinfo(np.int64).max
    lowest = np.minimum.accumulate(np.where(counts, step, top)[::-1])[::-1]
    # A step may be the highest there is: that it counts is told apart from that none does.
    any_left = np.logical_or.accumulate(counts[::-1])[::-1]
    kept = np.ones(len(step), np.bool_)
    kept[:-1] = (step[:-1] < lowest[1:]) | ~any_left[1:]
    return kept


def _with_taken(data: SeriesData, taken: Mapping[int, Taken]) -> _Points:
    """Return a series with the points that were taken of it, each in its place."""
    stored = np.ones(len(data), np.bool_)
    if not taken:
        return _Points(data.step, data.wall, data.attempt, stored)
    parts = [_Points(data.step, data.wall, data.attempt, stored)]
    place = np.zeros(len(data), np.int64)
    places = [place]
    for attempt in set(data.attempt.tolist()):
        mine = data.attempt == attempt
        gone_there = taken[attempt].place if attempt in taken else place[:0]
        place[mine] = places_of(int(mine.sum()), gone_there)
    for attempt, gone in taken.items():
        owner, none = np.full(len(gone), attempt, np.int32), np.zeros(len(gone), np.bool_)
        parts.append(_Points(gone.step, gone.wall, owner, none))
        places.append(gone.place)
    attempts = np.concatenate([part.attempt for part in parts])
    order = np.lexsort((np.concatenate(places), attempts))
    return _Points(
        np.concatenate([part.step for part in parts])[order],
        np.concatenate([part.wall for part in parts])[order],
        attempts[order],
        np.concatenate([part.stored for part in parts])[order],
    )


def _is_late(data: _Points, events: Events) -> Mask:
    """Tell of each point whether its event's step is below that of the event before it."""
    # NaN has no place in time: such points are taken for the last.
    place = np.searchsorted(events.wall, data.wall, side="left")
    before = np.maximum(place - 1, 0)
    late: Mask = (place > 0) & (data.step < events.step[before])
    return late


def _opened(conn: Connection, run_ids: Collection[int]) -> dict[int, bool]:
    run = tables.run.c
    query = select(run.run_id, run.opened).where(run.run_id.in_(run_ids))
    return {run_id: bool(opened) for run_id, opened in conn.execute(query)}


def _of_old_version(conn: Connection, run_ids: Collection[int]) -> set[int]:
    """Return the runs none of whose files is of version 2, of those from which points came."""
    file = tables.source_file.c
    query = select(file.run_id, file.file_version).where(file.run_id.in_(run_ids), file.offset > 0)
    newest: dict[int, float] = {}
    for run_id, version in conn.execute(query):
        newest[run_id] = max(newest.get(run_id, -1.0), -1.0 if version is None else version)
    return {run_id for run_id, version in newest.items() if version < 2}


def _events(conn: Connection, run_id: int) -> Events:
    keys = series_keys(heads(conn, [run_id])[run_id])
    parts: Iterable[SeriesData] = (
        data for tag_id, kind in keys for data in iter_series(conn, run_id, tag_id, kind)
    )
    columns = [(data.wall, data.step) for data in parts]
    columns += [(taken.wall, taken.step) for _, taken in iter_taken(conn, run_id)]
    if not columns:
        return Events(np.empty(0, np.float64), np.empty(0, np.int64))
    walls, steps = zip(*columns, strict=True)
    return ordered(np.concatenate(walls), np.concatenate(steps))
