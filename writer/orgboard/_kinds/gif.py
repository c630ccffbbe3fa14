"""Animated GIF, without an imaging library.

    header · colours of all frames, if they fit · loop for ever · frame, frame…

A frame holds the rectangle in which it differs from the one before. Frames of at most 256
colours come back exactly; others get a palette of their own.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from orgboard._kinds.lzw import compress, compress_runs
from orgboard._kinds.palette import (
    Indexed,
    exact_colours,
    index_exactly,
    palette_rows,
    quantise,
    shared_colours,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from orgboard._kinds.palette import Colours

    Frames: TypeAlias = NDArray[np.uint8]
    """Time, height, width, 3."""

__all__ = ["encode_gif"]

_LARGEST_SIDE: Final = 0xFFFF
_LONGEST_DELAY: Final = 0xFFFF
_SHORTEST_DELAY: Final = 2
"""Hundredths of a second. Browsers show what asks for less at a tenth of a second."""

_DICTIONARY_PIXELS: Final = 1 << 20
"""Changed pixels of a clip up to which time is spent on making it small."""

_LOOP: Final = b"\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00"
_KEEP: Final = 1 << 2
"""What a frame does not cover stays as the frame before left it."""
_SEEN_THROUGH: Final = 1
"""Colour 0 leaves what is there."""
_HAS_COLOURS: Final = 0x80

_UNCHANGED: Final = (
    struct.pack("<BHHHHB", 0x2C, 0, 0, 1, 1, _HAS_COLOURS) + bytes(6) + b"\x02\x02D\x01\0"
)
"""A frame has one pixel at least: here one of colour 0, of two."""


class _Patch(NamedTuple):
    """The rectangle in which a frame differs from the one before."""

    top: int
    left: int
    pixels: NDArray[np.uint8]


def encode_gif(frames: Frames, fps: float) -> bytes:
    """Encode RGB frames as a GIF that is repeated for ever.

    Raises:
        ValueError: a side is longer than a GIF can say, or `fps` is no frame rate.
    """
    number, height, width, _ = frames.shape
    if max(height, width) > _LARGEST_SIDE:
        raise ValueError(f"a GIF is at most {_LARGEST_SIDE} pixels wide and high")
    shared = shared_colours(frames)
    table = b"" if shared is None else _colour_table(palette_rows(shared))
    flags = _table_size(table) | _HAS_COLOURS if table else 0
    patches = [_patch(frames, at) for at in range(number)]
    changed = sum(patch.pixels.size // 3 for patch in patches if patch)
    pack = compress if changed <= _DICTIONARY_PIXELS else compress_runs
    parts = [b"GIF89a" + struct.pack("<HHBBB", width, height, flags, 0, 0) + table + _LOOP]
    for patch, delay in zip(patches, _delays(number, fps), strict=True):
        how = _KEEP if patch else _KEEP | _SEEN_THROUGH
        parts.append(struct.pack("<BBBBHBB", 0x21, 0xF9, 4, how, delay, 0, 0))
        parts.append(_frame(patch, shared, pack) if patch else _UNCHANGED)
    parts.append(b"\x3b")
    return b"".join(parts)


def _frame(patch: _Patch, shared: Colours | None, pack: Callable[[Any, int], bytes]) -> bytes:
    indexed = _index(patch.pixels) if shared is None else index_exactly(patch.pixels, shared)
    own = _colour_table(indexed.palette) if shared is None else b""
    flags = _table_size(own) | _HAS_COLOURS if own else 0
    rows, columns, _ = patch.pixels.shape
    place = struct.pack("<BHHHHB", 0x2C, patch.left, patch.top, columns, rows, flags)
    return place + own + pack(indexed.indices, (len(indexed.palette) - 1).bit_length())


def _delays(number: int, fps: float) -> list[int]:
    """Give each frame's time in hundredths of a second; rounding does not add up."""
    if not 0 < fps < float("inf"):
        raise ValueError(f"fps must be a positive number, got {fps!r}")
    ends = [round(100 * at / fps) for at in range(number + 1)]
    return [
        min(max(after - before, _SHORTEST_DELAY), _LONGEST_DELAY)
        for before, after in pairwise(ends)
    ]


def _patch(frames: Frames, at: int) -> _Patch | None:
    import numpy as np

    frame = frames[at]
    if not at:
        return _Patch(0, 0, frame)
    differs = (frame != frames[at - 1]).any(axis=2)
    rows, columns = np.flatnonzero(differs.any(axis=1)), np.flatnonzero(differs.any(axis=0))
    if not rows.size:
        return None
    top, left = int(rows[0]), int(columns[0])
    return _Patch(top, left, frame[top : rows[-1] + 1, left : columns[-1] + 1])


def _index(pixels: NDArray[np.uint8]) -> Indexed:
    colours = exact_colours(pixels)
    return quantise(pixels) if colours is None else index_exactly(pixels, colours)


def _colour_table(palette: NDArray[np.uint8]) -> bytes:
    bits = max((len(palette) - 1).bit_length(), 1)
    return palette.tobytes().ljust(3 << bits, b"\0")


def _table_size(table: bytes) -> int:
    """Give the size of a colour table as GIF says it: the number of index bits less one."""
    return max((len(table) // 3).bit_length() - 2, 0)
