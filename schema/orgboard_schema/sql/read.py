"""How points come out: whole series as columns, or streamed piece by piece.

Every function runs inside one snapshot (`engine.begin_read`) and in few statements:
a thousand series cost about as many as one. What may be seen is not asked here: callers
choose the runs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, select

from orgboard_schema.blocks import HeadTable, ScalarSeries, StoredValue, ValueSeries, decode_heads
from orgboard_schema.blocks.heads import empty_heads
from orgboard_schema.blocks.series import Floats, Ints
from orgboard_schema.sql import tables
from orgboard_schema.sql.blobs import StoredBlob, load_blob
from orgboard_schema.sql.dictionary import chunked
from orgboard_schema.sql.engine import IN_BINARY
from orgboard_schema.sql.picture import Picture, ReducedLine
from orgboard_schema.sql.pieces import Piece, SeriesKey, StepRange, find_pieces, iter_pieces
from orgboard_schema.sql.reduced import long_series, reduced_scalars
from orgboard_schema.sql.supersede import Cut, Mask, load_cuts, superseded
from orgboard_schema.types import Kind

__all__ = [
    "HistogramParts",
    "Picture",
    "ReducedLine",
    "SeriesData",
    "SeriesKey",
    "StepRange",
    "StoredBlob",
    "heads",
    "histograms",
    "iter_series",
    "load_blob",
    "long_series",
    "many_scalars",
    "pieces_of",
    "reduced_scalars",
    "restarts",
    "series",
]

_SCALAR: Final[tuple[Kind, ...]] = ("scalar",)

_HISTOGRAM: Final[tuple[Kind, ...]] = ("histogram",)

_T = TypeVar("_T", bound=np.generic)


@dataclass(frozen=True, slots=True, eq=False)
class SeriesData:
    """Points of one series in stored order: by attempt, then as they came. Columns, n long."""

    step: Ints
    wall: npt.NDArray[np.float64]
    value: Floats
    """float32 or float64 as logged (float64 where both were); empty for other kinds."""
    values: tuple[StoredValue, ...]
    """One a point; empty for scalars."""
    attempt: npt.NDArray[np.int32]
    superseded: Mask
    """Whether a later attempt took the place of this point."""

    def __len__(self) -> int:
        return len(self.step)

    def take(self, chosen: npt.NDArray[np.intp]) -> SeriesData:
        """Return the chosen points."""
        return SeriesData(
            self.step[chosen],
            self.wall[chosen],
            self.value[chosen] if len(self.value) else self.value,
            tuple(self.values[at] for at in chosen.tolist()) if self.values else (),
            self.attempt[chosen],
            self.superseded[chosen],
        )


@dataclass(frozen=True, slots=True, eq=False)
class HistogramParts:
    """Histograms of one series in stored order, in the columns that they are stored in."""

    step: Ints
    wall: npt.NDArray[np.float64]
    attempt: npt.NDArray[np.int32]
    superseded: Mask
    parts: tuple[Sequence[StoredValue], ...]
    """One after the other a value a point; most of them are `ProtoHistograms` or
    `TensorHistograms`, of which no histogram is made an object."""

    def __len__(self) -> int:
        return len(self.step)


def series(
    conn: Connection,
    run_id: int,
    keys: Collection[SeriesKey],
    *,
    step_range: StepRange | None = None,
) -> dict[SeriesKey, SeriesData]:
    """Return these series of a run; without those that have no point (in `step_range`)."""
    wanted = set(keys)
    found: dict[SeriesKey, SeriesData] = {}
    for kinds, tag_ids in _by_kinds(wanted).items():
        for some in chunked(tag_ids):
            pieces, cuts = find_pieces(conn, [run_id], some, kinds, step_range)
            for (_, tag_id, kind), mine in _grouped(pieces):
                data = _assemble(mine, cuts[run_id], step_range)
                if data is not None:
                    found[tag_id, kind] = data
    return found


def many_scalars(
    conn: Connection,
    keys: Collection[tuple[int, int]],
    *,
    step_range: StepRange | None = None,
) -> dict[tuple[int, int], SeriesData]:
    """Return scalar series of many runs by (run_id, tag_id), a few statements for all.

    Runs that are asked for the same tags share their statements.
    """
    found: dict[tuple[int, int], SeriesData] = {}
    for key, pieces, cuts in _many(conn, keys, _SCALAR, step_range):
        data = _assemble(pieces, cuts, step_range)
        if data is not None:
            found[key] = data
    return found


def histograms(
    conn: Connection, keys: Collection[tuple[int, int]]
) -> dict[tuple[int, int], HistogramParts]:
    """Return histogram series of many runs by (run_id, tag_id), a few statements for all."""
    found: dict[tuple[int, int], HistogramParts] = {}
    for (run_id, tag_id), pieces, cuts in _many(conn, keys, _HISTOGRAM, None):
        step = _joined([piece.series.step for piece in pieces])
        lengths = [len(piece.series) for piece in pieces]
        attempt = np.repeat(np.array([piece.attempt for piece in pieces], np.int32), lengths)
        found[run_id, tag_id] = HistogramParts(
            step,
            _joined([piece.series.wall for piece in pieces]),
            attempt,
            superseded(cuts, tag_id, "histogram", attempt, step),
            tuple(p.series.values for p in pieces if isinstance(p.series, ValueSeries)),
        )
    return found


def _many(
    conn: Connection,
    keys: Collection[tuple[int, int]],
    kinds: tuple[Kind, ...],
    step_range: StepRange | None,
) -> Iterator[tuple[tuple[int, int], list[Piece], list[Cut]]]:
    """Yield the pieces of each of these series, and the restarts of its run."""
    tags_of: dict[int, set[int]] = {}
    for run_id, tag_id in keys:
        tags_of.setdefault(run_id, set()).add(tag_id)
    runs_of: dict[tuple[int, ...], list[int]] = {}
    for run_id, tag_ids in sorted(tags_of.items()):
        runs_of.setdefault(tuple(sorted(tag_ids)), []).append(run_id)
    for tags, run_ids in runs_of.items():
        for some_runs in chunked(run_ids):
            for some_tags in chunked(tags):
                pieces, cuts = find_pieces(conn, some_runs, some_tags, kinds, step_range)
                for (run_id, tag_id, _), mine in _grouped(pieces):
                    yield (run_id, tag_id), mine, cuts[run_id]


def iter_series(conn: Connection, run_id: int, tag_id: int, kind: Kind) -> Iterator[SeriesData]:
    """Yield a whole series in stored order, a block's worth at a time: memory stays flat."""
    cuts = load_cuts(conn, [run_id])[run_id]
    for piece in iter_pieces(conn, run_id, [(tag_id, kind)]):
        data = _assemble([piece], cuts, None)
        if data is not None:
            yield data


def pieces_of(
    conn: Connection, run_id: int, keys: Collection[SeriesKey]
) -> dict[SeriesKey, list[SeriesData]]:
    """Return these series of a run as `iter_series` yields them, in one pass for all of them.

    One series alone costs a look through everything that waits in the run, so a hundred
    thousand short ones are read together.
    """
    cuts = load_cuts(conn, [run_id])[run_id]
    found: dict[SeriesKey, list[SeriesData]] = {}
    for piece in iter_pieces(conn, run_id, keys):
        data = _assemble([piece], cuts, None)
        if data is not None:
            found.setdefault((piece.tag_id, piece.kind), []).append(data)
    return found


def heads(conn: Connection, run_ids: Collection[int]) -> dict[int, HeadTable]:
    """Return what is known of every series of each of these runs, without reading points."""
    columns = tables.run_head.c
    found = {run_id: empty_heads() for run_id in run_ids}
    for some in chunked(sorted(found)):
        asked = select(columns.run_id, columns.payload).where(columns.run_id.in_(some))
        rows = conn.execute(asked.execution_options(**IN_BINARY))
        found |= {run_id: decode_heads(bytes(payload)) for run_id, payload in rows}
    return found


def restarts(conn: Connection, run_ids: Collection[int]) -> dict[int, list[Cut]]:
    """Return where later attempts supersede earlier ones, of each of these runs."""
    found: dict[int, list[Cut]] = {}
    for some in chunked(sorted(run_ids)):
        found |= load_cuts(conn, some)
    return found


def _by_kinds(keys: Iterable[SeriesKey]) -> dict[tuple[Kind, ...], list[int]]:
    """Group tags by the kinds that are wanted of them: one group in nearly every case."""
    kinds_of: dict[int, list[Kind]] = {}
    for tag_id, kind in sorted(keys):
        kinds_of.setdefault(tag_id, []).append(kind)
    groups: dict[tuple[Kind, ...], list[int]] = {}
    for tag_id, kinds in kinds_of.items():
        groups.setdefault(tuple(kinds), []).append(tag_id)
    return groups


def _grouped(pieces: Sequence[Piece]) -> Iterator[tuple[tuple[int, int, Kind], list[Piece]]]:
    for key, group in groupby(pieces, key=lambda piece: (piece.run_id, piece.tag_id, piece.kind)):
        yield key, list(group)


def _assemble(
    pieces: Sequence[Piece], cuts: Sequence[Cut], step_range: StepRange | None
) -> SeriesData | None:
    step = _joined([piece.series.step for piece in pieces])
    wall = _joined([piece.series.wall for piece in pieces])
    attempt = _attempts(pieces, len(step))
    scalars = [piece.series.value for piece in pieces if isinstance(piece.series, ScalarSeries)]
    value: Floats = _joined(scalars) if scalars else np.empty(0)
    values = tuple(
        stored
        for piece in pieces
        if isinstance(piece.series, ValueSeries)
        for stored in piece.series.values
    )
    if step_range is not None:
        inside = (step >= step_range[0]) & (step <= step_range[1])
        step, wall, attempt = step[inside], wall[inside], attempt[inside]
        value = value[inside] if scalars else value
        values = tuple(values[at] for at in np.flatnonzero(inside).tolist()) if values else ()
    if not len(step):
        return None
    mask = superseded(cuts, pieces[0].tag_id, pieces[0].kind, attempt, step)
    return SeriesData(step, wall, value, values, attempt, mask)


def _attempts(pieces: Sequence[Piece], points: int) -> npt.NDArray[np.int32]:
    """Return each point's attempt; pieces come by theirs, and nearly always have the same."""
    if pieces[0].attempt == pieces[-1].attempt:
        return np.full(points, pieces[0].attempt, np.int32)
    lengths = [len(piece.series) for piece in pieces]
    return np.repeat(np.array([piece.attempt for piece in pieces], np.int32), lengths)


def _joined(parts: Sequence[npt.NDArray[_T]]) -> npt.NDArray[_T]:
    if len(parts) == 1:
        return parts[0]
    dtype = parts[0].dtype
    if all(part.dtype is dtype for part in parts):
        return np.concatenate(parts)
    # Widening float32 to float64, a signalling NaN is no reason to warn.
    with np.errstate(invalid="ignore"):
        return np.concatenate(parts)
