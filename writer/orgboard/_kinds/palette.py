"""Colours of a frame as a palette of at most 256: exact when there are no more.

Otherwise the colours are counted in 65 536 cells and the cells split into groups, again and
again those with the largest error, at the mean of their widest channel; each group's mean is
a colour of the palette, and each cell takes the nearest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Pixels: TypeAlias = NDArray[np.uint8]
    """Height, width, 3."""
    Colours: TypeAlias = NDArray[np.integer[Any]]
    """0xRRGGBB, ascending."""

__all__ = [
    "MAX_COLOURS",
    "Indexed",
    "exact_colours",
    "index_exactly",
    "palette_rows",
    "quantise",
    "shared_colours",
]

MAX_COLOURS: Final = 256
_CELLS: Final = 1 << 16
_SAMPLED: Final = 4096


class Indexed(NamedTuple):
    """Pixels as indices into a palette of rows of red, green, blue."""

    palette: NDArray[np.uint8]
    indices: NDArray[np.uint8]


def shared_colours(frames: NDArray[np.uint8]) -> Colours | None:
    """List the colours of all frames, or None when there are more than a palette holds."""
    import numpy as np

    known: Colours = np.empty(0, np.uint32)
    for frame in frames:
        colours = exact_colours(frame)
        if colours is None:
            return None
        known = np.union1d(known, colours)
        if len(known) > MAX_COLOURS:
            return None
    return known


def exact_colours(pixels: Pixels) -> Colours | None:
    """List the colours of a frame, or None when there are more than a palette holds."""
    import numpy as np

    numbers = _numbers(pixels).reshape(-1)
    # A part of the frame tells quickly when there are far too many.
    if len(np.unique(numbers[:: len(numbers) // _SAMPLED + 1])) > MAX_COLOURS:
        return None
    colours = np.unique(numbers)
    return colours if len(colours) <= MAX_COLOURS else None


def index_exactly(pixels: Pixels, colours: Colours) -> Indexed:
    """Index a frame by a palette that holds all its colours."""
    import numpy as np

    indices = np.searchsorted(colours, _numbers(pixels)).astype(np.uint8)
    return Indexed(palette_rows(colours), indices)


def quantise(pixels: Pixels) -> Indexed:
    """Index a frame by the palette made for it."""
    import numpy as np

    red, green, blue = (pixels[..., channel].astype(np.uint16) for channel in range(3))
    cells = (red >> 3) << 11 | (green >> 2) << 5 | blue >> 3
    flat = cells.reshape(-1)
    counts = np.bincount(flat, minlength=_CELLS)
    used = np.flatnonzero(counts)
    weights = counts[used].astype(float)
    sums = [
        np.bincount(flat, each.reshape(-1), minlength=_CELLS)[used] for each in (red, green, blue)
    ]
    means = np.stack(sums, axis=1) / weights[:, np.newaxis]
    groups = _nearest(means, _group_means(means, weights, _split(means, weights)))
    palette = _group_means(means, weights, groups)
    lookup = np.zeros(_CELLS, np.uint8)
    lookup[used] = groups
    return Indexed(palette.round().astype(np.uint8), lookup[cells])


def palette_rows(colours: Colours) -> NDArray[np.uint8]:
    """Give colours as rows of red, green, blue."""
    import numpy as np

    return np.stack([colours >> 16, colours >> 8 & 255, colours & 255], axis=1).astype(np.uint8)


def _numbers(pixels: Pixels) -> Colours:
    import numpy as np

    wide = pixels.astype(np.uint32)
    numbers: Colours = wide[..., 0] << 16 | wide[..., 1] << 8 | wide[..., 2]
    return numbers


def _split(means: NDArray[Any], weights: NDArray[Any]) -> NDArray[Any]:
    """Group cells: in each round the half of the groups with the largest error is split."""
    import numpy as np

    groups = np.zeros(len(means), np.intp)
    number = 1
    while number < MAX_COLOURS:
        mass = np.bincount(groups, weights, number)
        centre = _group_means(means, weights, groups)
        spread = np.stack(
            [
                np.bincount(groups, weights * (means[:, c] - centre[groups, c]) ** 2, number)
                for c in range(3)
            ],
            axis=1,
        )
        error = np.where(mass > 0, spread.sum(axis=1), 0)
        room = min(-(-number // 2), MAX_COLOURS - number)
        worst = np.argsort(error)[::-1][:room]
        worst = worst[error[worst] > 0]
        if not len(worst):
            break
        new_name = np.full(number, -1)
        new_name[worst] = np.arange(number, number + len(worst))
        widest = spread.argmax(axis=1)[groups]
        cell = np.arange(len(means))
        above = means[cell, widest] > centre[groups, widest]
        moves = above & (new_name[groups] >= 0)
        groups[moves] = new_name[groups[moves]]
        number += len(worst)
    return groups


def _group_means(means: NDArray[Any], weights: NDArray[Any], groups: NDArray[Any]) -> NDArray[Any]:
    import numpy as np

    # Groups that lost all their cells to nearer ones keep a colour that nothing uses.
    mass = np.maximum(np.bincount(groups, weights), 1e-9)
    sums = [np.bincount(groups, weights * means[:, channel]) for channel in range(3)]
    return np.stack(sums, axis=1) / mass[:, np.newaxis]


def _nearest(means: NDArray[Any], palette: NDArray[Any]) -> NDArray[Any]:
    import numpy as np

    # Without a matrix product: that would wake a pool of threads beside a training's own.
    # The square of a cell itself is the same for every colour; float32 is twice as fast.
    red, green, blue = (-2 * palette.T).astype(np.float32)
    lengths = (palette**2).sum(axis=1).astype(np.float32)
    narrow = means.astype(np.float32)
    nearest = np.empty(len(means), np.intp)
    for at in range(0, len(narrow), 256):
        part = narrow[at : at + 256]
        distance = part[:, :1] * red
        distance += part[:, 1:2] * green
        distance += part[:, 2:] * blue
        distance += lengths
        nearest[at : at + 256] = distance.argmin(axis=1)
    return nearest
