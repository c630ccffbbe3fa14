"""PNG, without an imaging library."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Pixels: TypeAlias = NDArray[np.uint8]
    """Height, width, channels."""

__all__ = ["encode_png"]

_COLOUR_TYPE: Final = {1: 0, 2: 4, 3: 2, 4: 6}
"""By number of channels: grey, grey and alpha, RGB, RGBA."""

_STRIP_BYTES: Final = 1 << 21
"""Filtered at a time: a filter needs seven times the memory of what it works on."""


def encode_png(pixels: Pixels) -> bytes:
    """Encode 8-bit pixels of 1 to 4 channels as PNG, lossless."""
    height, width, channels = pixels.shape
    head = struct.pack(">IIBBBBB", width, height, 8, _COLOUR_TYPE[channels], 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", head)
        + _chunk(b"IDAT", _compress(pixels))
        + _chunk(b"IEND", b"")
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _compress(pixels: Pixels) -> bytes:
    height, width, channels = pixels.shape
    rows = max(_STRIP_BYTES // (width * channels), 1)
    packer = zlib.compressobj(6)
    strips = (
        packer.compress(_filter_rows(pixels, top, min(top + rows, height)))
        for top in range(0, height, rows)
    )
    return b"".join(strips) + packer.flush()


def _filter_rows(pixels: Pixels, top: int, bottom: int) -> bytes:
    """Store each row as itself, or as the difference to the left or to the row above.

    The one with the smallest sum of differences usually compresses best.
    """
    import numpy as np

    strip = pixels[top:bottom]
    left = strip.copy()
    left[:, 1:] -= strip[:, :-1]
    above = strip.copy()
    above[1:] -= strip[:-1]
    if top:
        above[0] -= pixels[top - 1]
    height = bottom - top
    # In the order of PNG's filter numbers: 0 none, 1 left, 2 above.
    candidates = np.stack([each.reshape(height, -1) for each in (strip, left, above)])
    cost = np.abs(candidates.view(np.int8).astype(np.int16)).sum(axis=2, dtype=np.int64)
    best = cost.argmin(axis=0)
    rows = candidates[best, np.arange(height)]
    return np.concatenate([best[:, np.newaxis].astype(np.uint8), rows], axis=1).tobytes()
