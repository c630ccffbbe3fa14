"""Group one batch by series, in file order. Pure: columns in, columns out.

A batch is cut at every SessionLog START into sections; a section's points may belong
to another attempt than those before it (`orgboard_ingest.attempts` decides). Within a
section the points of one tag and kind are one piece, or several where the float width
changes, because a stored series piece has one dtype.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ctypes import CDLL, addressof, c_char
from dataclasses import dataclass
from struct import Struct
from typing import Final

import numpy as np
from numpy.typing import NDArray

from orgboard_ingest.values import PointSeries, SeriesKey, described, grouped
from orgboard_schema.blocks.columns import address
from orgboard_schema.blocks.series import Extent, ScalarSeries
from orgboard_schema.core.library import load_core
from orgboard_schema.types import Kind, Metadata
from orgboard_schema.wire.batch import FLOAT32, Batch, ScalarColumns

__all__ = ["Piece", "PointSeries", "SeriesKey", "Staged", "stage"]

MOST_COUNTS: Final = 1_000_000
"""Some milliseconds of counting, whatever the number of points."""

_PIECE: Final = Struct("<6q2q5d")
"""What the core's `ob_group` tells of a piece: section, tag, width, start, count, first step,
and its `Extent`."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some consecutive points of one series, and the steps they span."""

    section: int
    """0: before the batch's first START."""
    tag: str
    kind: Kind
    series: ScalarSeries | PointSeries
    first: int
    """Step of the first point in file order."""
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Staged:
    """A batch by series."""

    starts: tuple[int, ...]
    """Step of each START, in file order; section n begins at start n - 1."""
    pieces: tuple[Piece, ...]
    """Of each series in file order; series in order of first appearance, scalars first."""
    metadata: dict[SeriesKey, Metadata]
    """The first that the batch has of each series."""


def stage(batch: Batch) -> Staged:
    """Return the points of `batch` by section and series, nothing lost, order kept."""
    starts = [mark for mark in batch.sessions if mark.status == "start"]
    at = np.array([mark.order for mark in starts], dtype=np.int64)
    metadata: dict[SeriesKey, Metadata] = {
        (tag, "scalar"): value for tag, value in batch.scalars.metadata
    }
    for series, said in described(batch):
        metadata.setdefault(series, said)
    pieces = (*_scalars(batch.scalars, at), *_others(batch, at))
    return Staged(tuple(mark.step for mark in starts), pieces, metadata)


def _scalars(columns: ScalarColumns, starts: NDArray[np.int64]) -> Iterable[Piece]:
    if not columns.tag:
        return ()
    core = load_core()
    # The core counts each section's points by tag: a log that restarts without end, with
    # tags without end, is for the way below.
    if core is None or len(starts) * len(columns.tags) > MOST_COUNTS + len(columns.tag):
        return _grouped(columns, starts)
    return _grouped_by_core(core, columns, starts)


def _grouped_by_core(
    core: CDLL, columns: ScalarColumns, starts: NDArray[np.int64]
) -> Iterator[Piece]:
    count, tags = len(columns.tag), len(columns.tags)
    cuts = np.searchsorted(np.frombuffer(columns.order, np.int64), starts)
    step, wall, value = np.empty(count, np.int64), np.empty(count), np.empty(count)
    narrow, width = np.empty(count, np.float32), np.empty(count, np.int8)
    counts = np.empty(tags + 1, np.int64)
    given = (columns.tag, columns.step, columns.wall, columns.value, columns.dtype)
    made = (counts, step, wall, value, narrow, width)

    def group(room: int) -> tuple[int, bytearray]:
        pieces = bytearray(room * _PIECE.size)
        found = core.ob_group(
            count,
            *(column.buffer_info()[0] for column in given),
            tags,
            address(cuts),
            len(cuts),
            *(address(column) for column in made),
            addressof(c_char.from_buffer(pieces)),
            room,
        )
        return found, pieces

    found, pieces = group(min(count, (len(cuts) + 1) * tags))
    if found * _PIECE.size > len(pieces):
        # Widths change within series: more pieces than series.
        found, pieces = group(found)
    told = _PIECE.iter_unpack(memoryview(pieces)[: found * _PIECE.size])
    for section, tag, size, start, length, first, *rest in told:
        extent: Extent = tuple(rest)
        cut = slice(start, start + length)
        values = narrow[cut] if size == FLOAT32 else value[cut]
        series = ScalarSeries(step[cut], wall[cut], values, extent)
        yield Piece(section, columns.tags[tag], "scalar", series, first, extent[0], extent[1])


def _grouped(columns: ScalarColumns, starts: NDArray[np.int64]) -> Iterator[Piece]:
    """Do as the core does, in numpy."""
    tag = np.frombuffer(columns.tag, dtype=np.int32).astype(np.int64)
    order = np.frombuffer(columns.order, dtype=np.int64)
    section = np.searchsorted(starts, order)
    group = section * len(columns.tags) + tag
    # Stable, so that within a series the points stay in file order.
    sort = np.argsort(group, kind="stable")
    group = group[sort]
    width = np.frombuffer(columns.dtype, dtype=np.int8)[sort]
    step = np.frombuffer(columns.step, dtype=np.int64)[sort]
    wall = np.frombuffer(columns.wall, dtype=np.float64)[sort]
    value = np.frombuffer(columns.value, dtype=np.float64)[sort]
    changes = (np.diff(group) != 0) | (np.diff(width) != 0)
    bounds = np.concatenate(([0], np.flatnonzero(changes) + 1))
    lows = np.minimum.reduceat(step, bounds)
    highs = np.maximum.reduceat(step, bounds)
    narrow = _narrowed(value)
    edges = [*bounds.tolist(), len(group)]
    for n, low, high in zip(range(len(bounds)), lows.tolist(), highs.tolist(), strict=True):
        cut = slice(edges[n], edges[n + 1])
        number, index = divmod(int(group[cut.start]), len(columns.tags))
        values = narrow[cut] if width[cut.start] == FLOAT32 else value[cut]
        series = ScalarSeries(step[cut], wall[cut], values)
        yield Piece(number, columns.tags[index], "scalar", series, int(step[cut.start]), low, high)


def _narrowed(value: NDArray[np.float64]) -> NDArray[np.float32]:
    # Values logged as double may overflow here; those are not taken from this column.
    with np.errstate(over="ignore", invalid="ignore"):
        return value.astype(np.float32)


def _others(batch: Batch, starts: NDArray[np.int64]) -> Iterator[Piece]:
    for (section, tag, kind), series in grouped(batch, starts):
        step = series.step
        first, low, high = int(step[0]), int(step.min()), int(step.max())
        yield Piece(section, tag, kind, series, first, low, high)
