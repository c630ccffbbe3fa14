"""Group one batch by series, in file order. Pure: columns in, columns out.

A batch is cut at every SessionLog START into sections; a section's points may belong
to another attempt than those before it (`orgboard_ingest.attempts` decides). Within a
section the points of one tag and kind are one piece, or several where the float width
changes, because a stored series piece has one dtype.
"""

from __future__ import annotations

from collections.abc import Iterator
from ctypes import CDLL
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from orgboard_ingest.values import PointSeries, SeriesKey, described, grouped
from orgboard_schema.blocks.columns import address
from orgboard_schema.blocks.series import ScalarSeries
from orgboard_schema.blocks.summary import extents_of
from orgboard_schema.blocks.table import NO_SCALARS, PIECE, ScalarTable, series_of
from orgboard_schema.core.library import load_core
from orgboard_schema.types import Kind, Metadata
from orgboard_schema.wire.batch import Batch, ScalarColumns
from orgboard_schema.wire.compiled import HeldColumns

__all__ = ["Piece", "PointSeries", "SeriesKey", "Staged", "stage"]

MOST_COUNTS: Final = 1_000_000
"""Some milliseconds of counting, whatever the number of points."""


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
    scalars: ScalarTable
    others: tuple[Piece, ...]
    """Of each series of another kind in file order; series in order of first appearance."""
    metadata: dict[SeriesKey, Metadata]
    """The first that the batch has of each series."""

    @property
    def pieces(self) -> Iterator[Piece]:
        """Yield those of the scalars one by one, then the others."""
        for section, tag, series in series_of(self.scalars):
            low, high = series.extent[:2] if series.extent is not None else (0, 0)
            yield Piece(section, tag, "scalar", series, int(series.step[0]), low, high)
        yield from self.others

    @property
    def sections(self) -> list[int]:
        """Return the sections that have points, in order."""
        return sorted({*self.scalars.pieces["section"].tolist(), *(o.section for o in self.others)})


def stage(batch: Batch) -> Staged:
    """Return the points of `batch` by section and series, nothing lost, order kept."""
    starts = [mark for mark in batch.sessions if mark.status == "start"]
    at = np.array([mark.order for mark in starts], dtype=np.int64)
    metadata: dict[SeriesKey, Metadata] = {
        (tag, "scalar"): value for tag, value in batch.scalars.metadata
    }
    for series, said in described(batch):
        metadata.setdefault(series, said)
    others = tuple(_others(batch, at))
    steps = tuple(mark.step for mark in starts)
    return Staged(steps, _scalars(batch.scalars, at), others, metadata)


def _scalars(columns: ScalarColumns | HeldColumns, starts: NDArray[np.int64]) -> ScalarTable:
    if not len(columns):
        return NO_SCALARS
    core = load_core()
    # The core counts each section's points by tag: a log that restarts without end, with
    # tags without end, is for the way below.
    if core is None or len(starts) * len(columns.tags) > MOST_COUNTS + len(columns):
        return _grouped(columns, starts)
    return _grouped_by_core(core, columns, starts)


def _grouped_by_core(
    core: CDLL, columns: ScalarColumns | HeldColumns, starts: NDArray[np.int64]
) -> ScalarTable:
    count, tags = len(columns), len(columns.tags)
    # Without a START nobody asks what came before what.
    cuts = starts
    if len(starts):
        cuts = np.searchsorted(np.frombuffer(columns.order, np.int64), starts)
    step, wall, value = np.empty(count, np.int64), np.empty(count), np.empty(count)
    narrow, width = np.empty(count, np.float32), np.empty(count, np.int8)
    counts = np.empty(tags + 1, np.int64)
    made = (counts, step, wall, value, narrow, width)
    found, pieces = 0, np.empty(min(count, (len(cuts) + 1) * tags), PIECE)
    while not found:
        found = core.ob_group(
            count,
            *columns.addresses(),
            tags,
            address(cuts),
            len(cuts),
            *(address(column) for column in (*made, pieces)),
            len(pieces),
        )
        if found < 0:
            raise MemoryError
        if found > len(pieces):
            # Widths change within series: once more, with room for them.
            found, pieces = 0, np.empty(found, PIECE)
    return ScalarTable(columns.tags, pieces[:found], step, wall, value, narrow)


def _grouped(columns: ScalarColumns | HeldColumns, starts: NDArray[np.int64]) -> ScalarTable:
    """Do as the core does, in numpy."""
    tag = np.frombuffer(columns.tag, dtype=np.int32).astype(np.int64)
    order = np.frombuffer(columns.order, dtype=np.int64)
    section = np.searchsorted(starts, order)
    group = section * len(columns.tags) + tag
    # Stable, so that within a series the points stay in file order.
    sort = np.argsort(group, kind="stable")
    width = np.frombuffer(columns.dtype, dtype=np.int8)[sort]
    step = np.frombuffer(columns.step, dtype=np.int64)[sort]
    wall = np.frombuffer(columns.wall, dtype=np.float64)[sort]
    value = np.frombuffer(columns.value, dtype=np.float64)[sort]
    changes = (np.diff(group[sort]) != 0) | (np.diff(width) != 0)
    at = np.concatenate(([0], np.flatnonzero(changes) + 1))
    pieces = np.empty(len(at), PIECE)
    pieces["section"], pieces["tag"] = section[sort][at], tag[sort][at]
    pieces["width"], pieces["start"], pieces["first"] = width[at], at, step[at]
    extents = extents_of(at, step, wall, value)
    for name in extents.dtype.names or ():
        pieces[name] = extents[name]
    return ScalarTable(columns.tags, pieces, step, wall, value, _narrowed(value))


def _narrowed(value: NDArray[np.float64]) -> NDArray[np.float32]:
    # Values logged as double may overflow here; those are not taken from this column.
    with np.errstate(over="ignore", invalid="ignore"):
        return value.astype(np.float32)


def _others(batch: Batch, starts: NDArray[np.int64]) -> Iterator[Piece]:
    for (section, tag, kind), series in grouped(batch, starts):
        step = series.step
        first, low, high = int(step[0]), int(step.min()), int(step.max())
        yield Piece(section, tag, kind, series, first, low, high)
