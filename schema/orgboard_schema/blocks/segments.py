"""A segment: the new points of all series of one run and attempt, in one payload.

Tags logged together share steps and wall times, so all scalars lie one after the other
in common columns; the values of other kinds follow, each series packed by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from orgboard_schema.blocks.columns import Cursor, floats, ints, small_ints, strings
from orgboard_schema.blocks.frame import pack, unpack
from orgboard_schema.blocks.scalars import WIDTHS
from orgboard_schema.blocks.series import (
    Chunk,
    Floats,
    Ints,
    ScalarSeries,
    ValueSeries,
    kind_number,
)
from orgboard_schema.blocks.values import read_values, write_values
from orgboard_schema.errors import CorruptBlock
from orgboard_schema.types import KINDS, Kind

__all__ = [
    "ScalarColumns",
    "decode_segment",
    "encode_segment",
    "pick_series",
    "scalar_columns",
]

Doubles: TypeAlias = npt.NDArray[np.float64]

_VALUES: Final = 0
"""Stands for "no scalars" where a chunk's width is written."""

_SCALAR: Final[Kind] = "scalar"


def encode_segment(chunks: Sequence[Chunk]) -> bytes:
    """Return the payload of a segment. A series may have several chunks; order is kept."""
    scalars = [chunk.series for chunk in chunks if isinstance(chunk.series, ScalarSeries)]
    values = [chunk.series for chunk in chunks if isinstance(chunk.series, ValueSeries)]
    return pack(
        b"".join(
            [
                small_ints(chunk.tag_id for chunk in chunks),
                small_ints(kind_number(chunk.kind) for chunk in chunks),
                small_ints(map(_width, chunks)),
                small_ints(len(chunk.series) for chunk in chunks),
                ints(_joined([series.step for series in scalars], np.int64), delta=True),
                floats(_joined([series.wall for series in scalars], np.float64)),
                *(
                    floats(_joined([s.value for s in scalars if s.value.dtype == dtype], dtype))
                    for dtype in WIDTHS.values()
                ),
                strings([write_values(series) for series in values]),
            ]
        )
    )


def decode_segment(payload: bytes, only: Collection[tuple[int, Kind]] | None = None) -> list[Chunk]:
    """Return the chunks of a segment in order; with `only`, those of these series.

    Raises:
        CorruptBlock: The payload is not what was written.
    """
    read = _read(payload)
    packed = iter(read.packed)
    wanted = None if only is None else set(only)
    chunks: list[Chunk] = []
    at = 0
    of_width = dict.fromkeys(read.columns, 0)
    for tag_id, number, width, count in zip(*read.about(), strict=True):
        key = (tag_id, KINDS[number])
        taken = wanted is None or key in wanted
        if width == _VALUES:
            raw = next(packed, b"")
            if taken:
                chunks.append(Chunk(*key, _sized(read_values(raw), count)))
            continue
        begin = of_width[width]
        if taken:
            value = read.columns[width][begin : begin + count]
            end = at + count
            chunks.append(Chunk(*key, ScalarSeries(read.steps[at:end], read.walls[at:end], value)))
        at += count
        of_width[width] = begin + count
    return chunks


@dataclass(frozen=True, slots=True, eq=False)
class ScalarColumns:
    """Scalars of one width of a segment, as they lie there: an entry a point."""

    tags: Ints
    step: Ints
    wall: Doubles
    value: Floats


def scalar_columns(payload: bytes) -> tuple[ScalarColumns, ...] | None:
    """Return the scalars of a segment, by width; None where something else has a width, too.

    Merged segments have a chunk for each flush: one by one they cost more than their points.

    Raises:
        CorruptBlock: The payload is not what was written.
    """
    read = _read(payload)
    scalar = read.widths != _VALUES
    if (read.kinds[scalar] != kind_number(_SCALAR)).any():
        return None
    tags = np.repeat(read.tags[scalar], read.counts[scalar])
    there = [width for width, column in read.columns.items() if len(column)]
    if len(there) == 1:
        return (ScalarColumns(tags, read.steps, read.walls, read.columns[there[0]]),)
    widths = np.repeat(read.widths[scalar], read.counts[scalar])
    return tuple(
        ScalarColumns(tags[mine], read.steps[mine], read.walls[mine], read.columns[width])
        for width, mine in ((width, widths == width) for width in there)
    )


def pick_series(parts: Sequence[ScalarColumns], wanted: Collection[int]) -> list[Chunk] | None:
    """Return the points of these tags, those of each in one chunk and in the order of `parts`.

    None where a tag has points of both widths: their order is not known here.
    """
    chunks: list[Chunk] = []
    for dtype in WIDTHS.values():
        mine = [part for part in parts if part.value.dtype == dtype]
        if mine:
            chunks += _by_series(mine, wanted)
    return chunks if len({chunk.tag_id for chunk in chunks}) == len(chunks) else None


def _by_series(parts: Sequence[ScalarColumns], wanted: Collection[int]) -> Iterator[Chunk]:
    tags = _joined([part.tags for part in parts], np.int64)
    step = _joined([part.step for part in parts], np.int64)
    wall = _joined([part.wall for part in parts], np.float64)
    value = _joined([part.value for part in parts], np.float64)
    if (tags[1:] < tags[:-1]).any():
        order = np.argsort(tags, kind="stable")
        tags, step, wall, value = tags[order], step[order], wall[order], value[order]
    asked = sorted(wanted)
    begins, ends = (np.searchsorted(tags, asked, side).tolist() for side in ("left", "right"))
    for tag_id, begin, end in zip(asked, begins, ends, strict=True):
        if begin < end:
            cut = slice(begin, end)
            yield Chunk(tag_id, _SCALAR, ScalarSeries(step[cut], wall[cut], value[cut]))


@dataclass(frozen=True, slots=True, eq=False)
class _Read:
    """What a payload holds, as it lies there."""

    tags: Ints
    kinds: Ints
    widths: Ints
    counts: Ints
    steps: Ints
    walls: Doubles
    columns: dict[int, Floats]
    """Values by their width."""
    packed: list[bytes]

    def about(self) -> Iterator[list[int]]:
        """Yield what is said of the chunks: tags, kinds, widths, counts."""
        for column in (self.tags, self.kinds, self.widths, self.counts):
            yield column.tolist()


def _read(payload: bytes) -> _Read:
    cursor = Cursor(unpack(payload))
    read = _Read(
        cursor.ints(),
        cursor.ints(),
        cursor.ints(),
        cursor.ints(),
        cursor.ints(delta=True),
        cursor.floats(np.float64),
        {width: cursor.floats(dtype) for width, dtype in WIDTHS.items()},
        cursor.strings(),
    )
    cursor.finish()
    _check(read)
    return read


def _check(read: _Read) -> None:
    tags, kinds, widths, counts = read.tags, read.kinds, read.widths, read.counts
    if not len(tags) == len(kinds) == len(widths) == len(counts):
        raise CorruptBlock("columns of different length")
    if ((kinds < 0) | (kinds >= len(KINDS))).any():
        raise CorruptBlock("a kind that this release does not know")
    if (counts < 0).any() or not set(widths.tolist()) <= {_VALUES, *read.columns}:
        raise CorruptBlock("chunks of impossible size")
    for width, column in read.columns.items():
        if sum(counts[widths == width].tolist()) != len(column):
            raise CorruptBlock("chunks do not add up to their columns")
    if not len(read.steps) == len(read.walls) == sum(map(len, read.columns.values())):
        raise CorruptBlock("columns of different length")


def _width(chunk: Chunk) -> int:
    series = chunk.series
    return series.value.dtype.itemsize if isinstance(series, ScalarSeries) else _VALUES


def _sized(series: ValueSeries, count: int) -> ValueSeries:
    if len(series) != count:
        raise CorruptBlock(f"{count} values promised, {len(series)} there")
    return series


def _joined(parts: Sequence[npt.NDArray[Any]], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    if len(parts) == 1:
        return parts[0]
    return np.concatenate(parts) if parts else np.empty(0, dtype)
