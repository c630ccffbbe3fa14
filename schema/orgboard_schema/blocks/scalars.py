"""A block of scalars: step, wall time and value, bit for bit, in about 5 octets a point."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from orgboard_schema.blocks.columns import Cursor, address, floats, ints, small_ints
from orgboard_schema.blocks.frame import pack, unpack
from orgboard_schema.blocks.series import ScalarSeries
from orgboard_schema.blocks.summary import ROW, BlockSummary, summarise_block, summary_of
from orgboard_schema.core.library import load_core
from orgboard_schema.errors import CorruptBlock

__all__ = ["WIDTHS", "decode_scalars", "encode_scalars", "pack_scalars"]

WIDTHS: Final[dict[int, np.dtype[Any]]] = {4: np.dtype(np.float32), 8: np.dtype(np.float64)}
"""Octets of a value, and its type."""

_HEADS: Final = 24
"""What four columns take besides their numbers, and the first with its one."""


def encode_scalars(series: ScalarSeries) -> bytes:
    """Return the payload of a block of scalars."""
    return pack(
        small_ints([series.value.dtype.itemsize])
        + ints(series.step, delta=True)
        + floats(series.wall)
        + floats(series.value),
        quick=True,
    )


def pack_scalars(series: ScalarSeries, each: int) -> list[tuple[bytes, BlockSummary]]:
    """Return the payload of each block of so many scalars, the last one of what is left, and
    what its row says."""
    core, count = load_core(), len(series)
    if core is None or not count:
        return [_packed(series, start, start + each) for start in range(0, count, each)]
    columns = [np.ascontiguousarray(column) for column in (series.step, series.wall, series.value)]
    width = series.value.itemsize
    starts = range(0, count, each)
    # As the core lays them out.
    sizes = [_HEADS + (min(start + each, count) - start) * (16 + width) for start in starts]
    raw, rows = np.empty(sum(sizes), np.uint8), np.empty(len(starts) * ROW.size, np.uint8)
    core.ob_blocks(*map(address, columns), count, each, width, address(raw), address(rows))
    view, at, made = raw.data, 0, []
    for start, size, row in zip(starts, sizes, ROW.iter_unpack(rows.data), strict=True):
        payload = pack(view[at : at + size], quick=True)
        made.append((payload, summary_of(row, min(each, count - start))))
        at += size
    return made


def _packed(series: ScalarSeries, start: int, end: int) -> tuple[bytes, BlockSummary]:
    """Do as the core does, for one block."""
    step, wall, value = series.step[start:end], series.wall[start:end], series.value[start:end]
    part = ScalarSeries(step, wall, value)
    return encode_scalars(part), summarise_block(part)


def decode_scalars(payload: bytes) -> ScalarSeries:
    """Return the points of a block of scalars.

    Raises:
        CorruptBlock: The payload is not what was written.
    """
    cursor = Cursor(unpack(payload))
    (width,) = cursor.small_ints()[:1] or (0,)
    if width not in WIDTHS:
        raise CorruptBlock(f"scalars of {width} bytes")
    series = ScalarSeries(
        cursor.ints(delta=True), cursor.floats(np.float64), cursor.floats(WIDTHS[width])
    )
    cursor.finish()
    if not len(series.step) == len(series.wall) == len(series.value):
        raise CorruptBlock("columns of different length")
    return series
