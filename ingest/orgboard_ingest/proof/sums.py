"""Points as sums of hashes: equal sums mean equal points, whatever their order. Pure.

    a point  = step, wall time, value (two words: bits and width, or a 128-bit hash)
    its hash = two lanes of 64 bits, keyed anew in each process
    a series = how many points, and the sums of their hashes modulo 2^64

Adding keeps doubled and lost points apart, where xor would let a pair vanish. The keys are
random, so that no file can be made whose points collide: two unlike series have equal sums
by chance alone, one in 2^128. Sums over steps alone, and over steps with wall times, tell
which column differs.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from orgboard_schema.blocks import StoredValue
from orgboard_schema.blocks.digests import DIGEST, value_digests

__all__ = ["COUNT", "STEPS", "WALLS", "Points", "Tally", "value_points"]

Words = npt.NDArray[np.uint64]
Lengths = npt.NDArray[np.int64]

COUNT: Final = 0
STEPS: Final = 1
WALLS: Final = 2
"""Columns of a sum: points, the hash of their steps, of steps and wall times; then the lanes."""
WIDTH: Final = 5

HELD_POINTS: Final = 65_536
HELD_PIECES: Final = 8_192
"""Hashed together: numpy costs as much for one number as for a thousand."""

_KEYS: Final = np.array([secrets.randbits(64) for _ in range(8)], np.uint64).reshape(2, 4)

# Factors of murmur3's last step: every bit of a word decides on every bit of the result.
_FIRST: Final = np.uint64(0xFF51AFD7ED558CCD)
_SECOND: Final = np.uint64(0xC4CEB9FE1A85EC53)
_SHIFT: Final = np.uint64(33)

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Points of one series. Columns of the same length."""

    step: npt.NDArray[np.int64]
    wall: npt.NDArray[np.float64]
    value: npt.NDArray[Any]
    """Floats as logged, or the 16 octets of a hash."""

    def __len__(self) -> int:
        return len(self.step)


def value_points(
    step: npt.NDArray[np.int64], wall: npt.NDArray[np.float64], values: Sequence[StoredValue]
) -> Points:
    """Return points of any kind but scalars; a value stands by the hash of all that it says."""
    return Points(step, wall, value_digests(values))


class Tally(Generic[K]):
    """Sums by key. A hundred thousand keys take some megabytes, and no point is kept."""

    def __init__(self) -> None:
        self.rows: dict[K, int] = {}
        self._sums = np.zeros((64, WIDTH), np.uint64)
        self._held: list[tuple[K, Points]] = []
        self._points = 0

    def add(self, key: K, points: Points) -> None:
        """Add points to a key."""
        self._held.append((key, points))
        self._points += len(points)
        if self._points >= HELD_POINTS or len(self._held) >= HELD_PIECES:
            self._flush()

    def move_to(self, other: Tally[Any], key_of: Callable[[K], Hashable]) -> None:
        """Add all that is here to `other`, under the key that `key_of` makes of each."""
        sums = self.sums()
        if len(sums):
            other._add([key_of(key) for key in self.rows], sums)

    def sums(self) -> Words:
        """Return the sums, one row a key in the order of `rows`."""
        if self._held:
            self._flush()
        return self._sums[: len(self.rows)]

    def _flush(self) -> None:
        held = [(key, points) for key, points in self._held if len(points)]
        self._held, self._points = [], 0
        if not held:
            return
        lengths = np.array([len(points) for _, points in held])
        columns = [
            np.concatenate([points.step for _, points in held]).view(np.uint64),
            np.concatenate([points.wall for _, points in held]).view(np.uint64),
            *_value_words([points.value for _, points in held], lengths),
        ]
        starts = np.cumsum(lengths) - lengths
        sums = [np.add.reduceat(column, starts) for column in _hashed(columns)]
        self._add([key for key, _ in held], np.stack([lengths.astype(np.uint64), *sums], axis=1))

    def _add(self, keys: Sequence[K], sums: Words) -> None:
        rows = [self.rows.setdefault(key, len(self.rows)) for key in keys]
        if len(self.rows) > len(self._sums):
            more = np.zeros((max(len(self.rows), 2 * len(self._sums)), WIDTH), np.uint64)
            more[: len(self._sums)] = self._sums
            self._sums = more
        np.add.at(self._sums, rows, sums)


def _value_words(
    values: Sequence[npt.NDArray[Any]], lengths: npt.NDArray[np.int64]
) -> tuple[Words, Words]:
    """Return values bit for bit, and the width of floats, which takes part, or more bits."""
    sizes = np.repeat([value.itemsize for value in values], lengths)
    low, high = np.zeros(len(sizes), np.uint64), sizes.astype(np.uint64)
    for size in {value.itemsize for value in values}:
        mine = np.concatenate([value for value in values if value.itemsize == size])
        here = sizes == size
        if size == DIGEST.itemsize:
            low[here], high[here] = mine.view(np.uint64).reshape(-1, 2).T
        else:
            low[here] = mine.view(f"<u{size}")
    return low, high


def _hashed(columns: Sequence[Words]) -> list[Words]:
    """Return the hashes of steps, of steps and walls, and both lanes over all four words."""
    hashed: list[Words] = []
    for lane, keys in enumerate(_KEYS):
        state: Words = np.zeros(len(columns[0]), np.uint64)
        for number, (column, key) in enumerate(zip(columns, keys, strict=True)):
            state = _mixed((state + column) ^ key)
            if lane == 0 and number < 2:
                hashed.append(state)
        hashed.append(state)
    return hashed


def _mixed(words: Words) -> Words:
    words = (words ^ (words >> _SHIFT)) * _FIRST
    words = (words ^ (words >> _SHIFT)) * _SECOND
    return words ^ (words >> _SHIFT)
