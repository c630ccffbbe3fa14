"""Pictures of another size: Lanczos' filter, to the same 8-bit numbers as Pillow's.

Each axis is done by itself, rows first, with weights in fixed point and the result clipped to
8 bits in between. Alpha weighs the colours meanwhile, so that what cannot be seen has no say.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from orgboard_schema.wire.frames import MAX_RECORD_BYTES

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Pixels: TypeAlias = NDArray[np.uint8]
    """Height, width, channels."""

__all__ = ["resize"]

_SUPPORT: Final = 3.0
_FRACTION_BITS: Final = 22

_AT_ONCE: Final = 1 << 20
"""Samples made at a time; each takes twelve bytes meanwhile."""


def resize(pixels: Pixels, width: int, height: int) -> Pixels:
    """Give the picture in another size.

    Raises:
        ValueError: no pixel would be left.
    """
    if min(width, height) < 1:
        raise ValueError(f"rescaled, the picture would have {width} x {height} pixels")
    if height * width * pixels.shape[2] > MAX_RECORD_BYTES:
        raise ValueError(f"rescaled, the picture would have {width} x {height} pixels: too many")
    if pixels.shape[:2] == (height, width):
        return pixels
    has_alpha = pixels.shape[2] in (2, 4)
    work = _weigh(pixels) if has_alpha else pixels
    # Across first, then down, as Pillow did it always before 13, which takes the cheaper way.
    work = _along(work, 1, width)
    work = _along(work, 0, height)
    return _unweigh(work) if has_alpha else work


def _along(pixels: Pixels, axis: int, size: int) -> Pixels:
    import numpy as np

    if pixels.shape[axis] == size:
        return pixels
    first, weights = _weights(pixels.shape[axis], size)
    source = np.moveaxis(pixels, axis, 0)
    result = np.empty((size, *source.shape[1:]), np.uint8)
    lines = max(_AT_ONCE // result[0].size, 1)
    for begin in range(0, size, lines):
        part = slice(begin, begin + lines)
        total = np.full(result[part].shape, 1 << (_FRACTION_BITS - 1), np.int32)
        for tap in range(weights.shape[1]):
            at = np.minimum(first[part] + tap, len(source) - 1)
            total += weights[part, tap, np.newaxis, np.newaxis] * source[at].astype(np.int32)
        result[part] = (total >> _FRACTION_BITS).clip(0, 255)
    return np.moveaxis(result, 0, axis)


def _weights(old: int, new: int) -> tuple[NDArray[Any], NDArray[np.int32]]:
    """Give, for each new pixel, the first old one it looks at, and the weights from there on."""
    import numpy as np

    ratio = old / new
    stretch = max(ratio, 1.0)
    reach = _SUPPORT * stretch
    centre = (np.arange(new) + 0.5) * ratio
    first = np.maximum((centre - reach + 0.5).astype(int), 0)
    last = np.minimum((centre + reach + 0.5).astype(int), old)
    taps = np.arange(math.ceil(reach) * 2 + 1)
    distance = (taps + first[:, np.newaxis] - centre[:, np.newaxis] + 0.5) / stretch
    weights = np.where(np.abs(distance) < _SUPPORT, np.sinc(distance) * np.sinc(distance / 3), 0)
    weights[taps >= (last - first)[:, np.newaxis]] = 0
    weights /= weights.sum(axis=1, keepdims=True)
    fixed = weights * (1 << _FRACTION_BITS)
    return first, np.trunc(fixed + np.copysign(0.5, fixed)).astype(np.int32)


def _weigh(pixels: Pixels) -> Pixels:
    import numpy as np

    alpha = pixels[..., -1:].astype(np.uint32)
    product = pixels[..., :-1] * alpha + 128
    colours = ((product >> 8) + product >> 8).astype(np.uint8)
    return np.concatenate([colours, pixels[..., -1:]], axis=2)


def _unweigh(pixels: Pixels) -> Pixels:
    import numpy as np

    alpha = pixels[..., -1:].astype(np.uint32)
    colours = (255 * pixels[..., :-1].astype(np.uint32) // np.maximum(alpha, 1)).clip(0, 255)
    # Fully seen or not at all: the colours are as they are.
    plain = (alpha == 0) | (alpha == 255)
    colours = np.where(plain, pixels[..., :-1], colours).astype(np.uint8)
    return np.concatenate([colours, pixels[..., -1:]], axis=2)
