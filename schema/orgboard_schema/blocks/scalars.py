"""A block of scalars: step, wall time and value, bit for bit, in about 5 octets a point."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from orgboard_schema.blocks.columns import Cursor, floats, ints, small_ints
from orgboard_schema.blocks.frame import pack, unpack
from orgboard_schema.blocks.series import ScalarSeries
from orgboard_schema.errors import CorruptBlock

__all__ = ["WIDTHS", "decode_scalars", "encode_scalars"]

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
