"""A segment: the new points of all series of one run and attempt, in one payload.

Tags logged together share steps and wall times, so all scalars lie one after the other
in common columns; the values of other kinds follow, each series packed by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from orgboard_schema.blocks.columns import Cursor, floats, ints, small_ints, strings
from orgboard_schema.blocks.frame import pack, unpack
from orgboard_schema.blocks.scalars import WIDTHS
from orgboard_schema.blocks.series import Chunk, ScalarSeries, ValueSeries, kind_number
from orgboard_schema.blocks.values import read_values, write_values
from orgboard_schema.errors import CorruptBlock
from orgboard_schema.types import KINDS, Kind

__all__ = ["decode_segment", "encode_segment"]

_VALUES: Final = 0
"""Stands for "no scalars" where a chunk's width is written."""


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
    cursor = Cursor(unpack(payload))
    tags, kinds, widths = cursor.small_ints(), cursor.small_ints(), cursor.small_ints()
    counts = cursor.small_ints()
    steps, walls = cursor.ints(delta=True), cursor.floats(np.float64)
    columns = {width: cursor.floats(dtype) for width, dtype in WIDTHS.items()}
    packed = iter(cursor.strings())
    cursor.finish()
    _check(tags, kinds, widths, counts, len(steps), len(walls), columns)
    wanted = None if only is None else set(only)
    chunks: list[Chunk] = []
    at = 0
    of_width = dict.fromkeys(columns, 0)
    for tag_id, number, width, count in zip(tags, kinds, widths, counts, strict=True):
        key = (tag_id, KINDS[number])
        taken = wanted is None or key in wanted
        if width == _VALUES:
            raw = next(packed, b"")
            if taken:
                chunks.append(Chunk(*key, _sized(read_values(raw), count)))
            continue
        begin = of_width[width]
        if taken:
            value = columns[width][begin : begin + count]
            end = at + count
            chunks.append(Chunk(*key, ScalarSeries(steps[at:end], walls[at:end], value)))
        at += count
        of_width[width] = begin + count
    return chunks


def _check(
    tags: list[int],
    kinds: list[int],
    widths: list[int],
    counts: list[int],
    steps: int,
    walls: int,
    columns: dict[int, npt.NDArray[np.float64]],
) -> None:
    if not len(tags) == len(kinds) == len(widths) == len(counts):
        raise CorruptBlock("columns of different length")
    if any(not 0 <= number < len(KINDS) for number in kinds):
        raise CorruptBlock("a kind that this release does not know")
    if any(count < 0 for count in counts) or not set(widths) <= {_VALUES, *columns}:
        raise CorruptBlock("chunks of impossible size")
    of_width = dict.fromkeys(columns, 0)
    for width, count in zip(widths, counts, strict=True):
        if width != _VALUES:
            of_width[width] += count
    if {width: len(column) for width, column in columns.items()} != of_width:
        raise CorruptBlock("chunks do not add up to their columns")
    if not steps == walls == sum(of_width.values()):
        raise CorruptBlock("columns of different length")


def _width(chunk: Chunk) -> int:
    series = chunk.series
    return series.value.dtype.itemsize if isinstance(series, ScalarSeries) else _VALUES


def _sized(series: ValueSeries, count: int) -> ValueSeries:
    if len(series) != count:
        raise CorruptBlock(f"{count} values promised, {len(series)} there")
    return series


def _joined(parts: Sequence[npt.NDArray[Any]], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    return np.concatenate(parts) if parts else np.empty(0, dtype)
