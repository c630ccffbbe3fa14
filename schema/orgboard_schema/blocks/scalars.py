"""A block of scalars: step, wall time and value, bit for bit, in about 5 octets a point."""

from __future__ import annotations

from ctypes import addressof, c_char
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


def encode_scalars(series: ScalarSeries) -> bytes:
    """Return the payload of a block of scalars."""
    return pack(
        small_ints([series.value.dtype.itemsize])
        + ints(series.step, delta=True)
        + floats(series.wall)
        + floats(series.value)
    )


def pack_scalars(series: ScalarSeries) -> tuple[bytes, BlockSummary]:
    """Return the payload of a block of scalars of one point or more, and what its row says."""
    core = load_core()
    if core is None:
        return encode_scalars(series), summarise_block(series)
    columns = [np.ascontiguousarray(column) for column in (series.step, series.wall, series.value)]
    count, width = len(series), series.value.itemsize
    raw, row = bytearray(28 + count * (16 + width)), bytearray(ROW.size)
    size = core.ob_block(
        *map(address, columns),
        count,
        width,
        addressof(c_char.from_buffer(raw)),
        addressof(c_char.from_buffer(row)),
    )
    return pack(memoryview(raw)[:size]), summary_of(row, count)


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
