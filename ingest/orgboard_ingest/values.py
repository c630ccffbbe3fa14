"""Group the values of one batch that are no scalars by series, in file order. Pure.

What the compiled core took in stays columns on the way: of a series of histograms the counts
are copied once, out of the bytes that were read, and no object stands for each.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from orgboard_schema.blocks.buckets import TensorHistograms
from orgboard_schema.blocks.protos import ProtoHistograms
from orgboard_schema.blocks.series import Ints
from orgboard_schema.blocks.value_columns import as_columns, join_values
from orgboard_schema.types import KINDS, Kind, Metadata, Point, Value
from orgboard_schema.wire.batch import Batch
from orgboard_schema.wire.points import (
    BUCKET_DTYPES,
    BUCKETS,
    FORM_KINDS,
    HISTOGRAM,
    TakenValues,
    rows_of,
    value_of,
)

__all__ = ["PointSeries", "SeriesKey", "described", "grouped"]

SeriesKey: TypeAlias = tuple[str, Kind]
"""Tag and kind: what tells the series of one run apart."""

_Key: TypeAlias = tuple[int, str, Kind]
"""Section, tag and kind."""

_Rows: TypeAlias = NDArray[Any]

_ROW: Final = np.dtype(
    [
        ("step", "<i8"),
        ("wall", "<f8"),
        ("at", "<i8"),
        ("size", "<i8"),
        ("counts", "<i8"),
        ("counts_size", "<i8"),
        ("moments", "<f8", 5),
        ("order", "<i8"),
        ("tag", "<i4"),
        ("same", "<i4"),
        ("width", "<i4"),
        ("height", "<i4"),
        ("form", "<i4"),
        ("has_metadata", "<i4"),
        ("rank", "<i4"),
        ("spare", "<i4"),
    ]
)
"""`Row`, as the core packs it."""

_KINDS: Final = np.array([KINDS.index(kind) for kind in FORM_KINDS])
"""By form; that of no form is never asked for."""


@dataclass(frozen=True, slots=True, eq=False)
class PointSeries:
    """Points of one tag and one kind other than scalar, in file order. Columns of one length."""

    step: Ints
    wall: NDArray[np.float64]
    values: Sequence[Value]

    def __len__(self) -> int:
        return len(self.step)


def grouped(batch: Batch, starts: Ints) -> Iterator[tuple[_Key, PointSeries]]:
    """Yield the points of each section and series, series in order of first appearance.

    Section n begins at the order `starts[n - 1]`.
    """
    parsed = _parsed(batch, starts)
    columns = batch.points.columns
    taken = {} if columns is None else dict(_taken(columns, starts))
    firsts = {key: points[0][0] for key, points in parsed.items()}
    for key, rows in taken.items():
        first = int(rows["order"][0])
        firsts[key] = min(first, firsts.get(key, first))
    for key in sorted(firsts, key=firsts.__getitem__):
        yield key, _series(columns, parsed.get(key, []), taken.get(key))


def described(batch: Batch) -> Iterator[tuple[SeriesKey, Metadata]]:
    """Yield what values of the batch came with, the first of each series before its others."""
    said: list[tuple[int, SeriesKey, Metadata]] = [
        (order, (point.tag, point.kind), point.metadata)
        for order, point in batch.points.parsed
        if point.metadata is not None
    ]
    columns = batch.points.columns
    if columns is not None:
        rows = np.frombuffer(columns.rows, _ROW)
        rows = rows[(rows["form"] > 0) & (rows["has_metadata"] > 0)]
        kinds = _KINDS[rows["form"]]
        _, first = np.unique(rows["tag"] * len(KINDS) + kinds, return_index=True)
        for at in first.tolist():
            row = rows[at]
            metadata = columns.metadata[row["tag"]]
            if metadata is not None:
                key = (columns.tags[row["tag"]], KINDS[kinds[at]])
                said.append((int(row["order"]), key, metadata))
        said.sort(key=lambda each: each[0])
    return ((key, metadata) for _, key, metadata in said)


def _parsed(batch: Batch, starts: Ints) -> dict[_Key, list[tuple[int, Point]]]:
    groups: dict[_Key, list[tuple[int, Point]]] = {}
    for order, point in batch.points.parsed:
        section = int(np.searchsorted(starts, order)) if len(starts) else 0
        groups.setdefault((section, point.tag, point.kind), []).append((order, point))
    return groups


def _taken(columns: TakenValues, starts: Ints) -> Iterator[tuple[_Key, _Rows]]:
    """Yield the rows of each section and series."""
    rows = np.frombuffer(columns.rows, _ROW)
    rows = rows[rows["form"] > 0]
    section = np.searchsorted(starts, rows["order"])
    group = (section * len(columns.tags) + rows["tag"]) * len(KINDS) + _KINDS[rows["form"]]
    # Stable, so that within a series the rows stay in file order.
    sort = np.argsort(group, kind="stable")
    rows, group = rows[sort], group[sort]
    bounds = [0, *(np.flatnonzero(np.diff(group)) + 1).tolist(), len(rows)]
    for begin, end in pairwise(bounds):
        series, kind = divmod(int(group[begin]), len(KINDS))
        number, tag = divmod(series, len(columns.tags))
        yield (number, columns.tags[tag], KINDS[kind]), rows[begin:end]


def _series(
    columns: TakenValues | None, points: Sequence[tuple[int, Point]], rows: _Rows | None
) -> PointSeries:
    """Return what was parsed of one series and what the core took in, in file order."""
    if columns is None or rows is None:
        return _of_points(points)
    if points and points[-1][0] > rows["order"][0]:
        both = [*points, *map(columns.point, rows_of(rows.tobytes()))]
        return _of_points(sorted(both, key=lambda each: each[0]))
    taken = PointSeries(rows["step"].copy(), rows["wall"].copy(), _values(columns, rows))
    if not points:
        return taken
    before = _of_points(points)
    return PointSeries(
        np.concatenate([before.step, taken.step]),
        np.concatenate([before.wall, taken.wall]),
        join_values([before.values, taken.values]),
    )


def _of_points(points: Sequence[tuple[int, Point]]) -> PointSeries:
    return PointSeries(
        np.array([point.step for _, point in points], np.int64),
        np.array([point.wall_time for _, point in points], np.float64),
        as_columns(tuple(point.value for _, point in points)),
    )


def _values(columns: TakenValues, rows: _Rows) -> Sequence[Value]:
    if np.all(rows["form"] == HISTOGRAM):
        return _histograms(columns.data, rows)
    if np.all(rows["form"] == BUCKETS):
        return _buckets(columns.data, rows)
    return tuple(value_of(columns.data, row) for row in rows_of(rows.tobytes()))


def _histograms(data: bytes, rows: _Rows) -> ProtoHistograms:
    limits: dict[bytes, int] = {}
    numbers: dict[int, int] = {}
    places = zip(rows["same"].tolist(), rows["at"].tolist(), rows["size"].tolist(), strict=True)
    for same, at, size in places:
        # Of rows with the same limits the first stands for all.
        if same not in numbers:
            numbers[same] = limits.setdefault(data[at : at + size], len(limits))
    return ProtoHistograms(
        limits=tuple(np.frombuffer(each, np.float64) for each in limits),
        of=np.array([numbers[same] for same in rows["same"].tolist()], np.int64),
        lengths=rows["counts_size"] // 8,
        counts=np.frombuffer(_cut_out(data, rows["counts"], rows["counts_size"]), np.float64),
        moments=np.ascontiguousarray(rows["moments"].T),
    )


def _buckets(data: bytes, rows: _Rows) -> TensorHistograms:
    parts = []
    # Stretches of one width: mostly there is one.
    width = rows["width"]
    bounds = [0, *(np.flatnonzero(np.diff(width)) + 1).tolist(), len(rows)]
    for begin, end in pairwise(bounds):
        some, dtype = rows[begin:end], BUCKET_DTYPES[int(width[begin])]
        octets = _cut_out(data, some["at"], some["size"])
        # A log may hold signalling NaNs: to widen one is no reason to warn.
        with np.errstate(invalid="ignore"):
            doubles = np.frombuffer(octets, dtype).astype(np.float64).reshape(-1, 3)
        lengths = some["size"] // (3 * width[begin])
        parts.append(TensorHistograms((dtype,), np.zeros(len(some), np.int64), lengths, doubles))
    return TensorHistograms.joined(parts)


def _cut_out(data: bytes, begin: Ints, size: Ints) -> bytes:
    """Return these stretches of the data, one after the other."""
    view = memoryview(data)
    places = zip(begin.tolist(), (begin + size).tolist(), strict=True)
    return b"".join([view[start:end] for start, end in places])
