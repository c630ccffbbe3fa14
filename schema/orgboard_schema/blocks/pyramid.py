"""A long series reduced for display: of each stretch of 256 points the few that a line shows.

A stretch lies inside one block, in stored order. Kept of it, each with step, wall time and
value, bit for bit: the first and the last point, the lowest and the highest (of those with
a finite value, and of equal ones the first stored). Its ranges and whether its steps and
its wall times ascend tell when that is enough, and when the points themselves must be read.
"""

from __future__ import annotations

from collections.abc import Sequence
from ctypes import CDLL
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from orgboard_schema.blocks.columns import Cursor, address, floats, ints, small_ints, strings
from orgboard_schema.blocks.frame import pack, unpack
from orgboard_schema.blocks.scalars import WIDTHS
from orgboard_schema.blocks.series import Floats, Ints, ScalarSeries
from orgboard_schema.core.library import load_core
from orgboard_schema.errors import CorruptBlock

__all__ = [
    "FIRST",
    "HIGHEST",
    "LAST",
    "LOWEST",
    "STRETCH",
    "Buckets",
    "decode_buckets",
    "encode_buckets",
    "join_buckets",
    "make_buckets",
]

STRETCH: Final = 256
"""Points of one entry: five million are 20 000 entries, some twenty for each pixel column."""

FIRST, LAST, LOWEST, HIGHEST = range(4)
"""Rows of `step`, `wall` and `value`."""

_FORMAT: Final = 1

_STEPS_ASCEND: Final = 1
_WALLS_ASCEND: Final = 2
_WIDTHS_OF_OFFSETS: Final = (b"\1", b"\2", b"\4", b"\10")

_Doubles = npt.NDArray[np.float64]
_Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Buckets:
    """Stretches of one attempt in stored order: columns, one entry a stretch."""

    blocks: Ints
    """Numbers (`seq`) of the blocks that they cover, in stored order."""
    block_points: Ints
    """Points of each of those blocks."""
    non_finite: Ints
    step: Ints
    """Four rows: of the first, last, lowest and highest point. No meaning where none is finite."""
    wall: _Doubles
    value: Floats
    mean: Floats
    """Of the finite values: what a smoothed curve runs over."""
    step_range: Ints
    """Two rows, lowest and highest, of all points."""
    wall_range: _Doubles
    """The same of the finite wall times; NaN where none is."""
    steps_ascend: _Mask
    walls_ascend: _Mask
    """Also that every wall time is finite."""

    def __len__(self) -> int:
        return len(self.non_finite)

    def places(self) -> tuple[Ints, Ints, Ints]:
        """Return of each stretch its block's number, where it begins in it, and its points."""
        _, start, count = _stretches(self.block_points)
        return np.repeat(self.blocks, _stretches_of(self.block_points)), start, count


def make_buckets(blocks: Sequence[tuple[int, ScalarSeries]]) -> Buckets:
    """Return the stretches of blocks of one attempt, given with their numbers."""
    lengths = np.array([len(series) for _, series in blocks], np.int64)
    columns = [np.concatenate(_column(blocks, name)) for name in ("step", "wall", "value")]
    core = load_core()
    if core is not None:
        return _made(core, np.array([seq for seq, _ in blocks], np.int64), lengths, columns)
    begin, _, count = _stretches(lengths)
    if (lengths % STRETCH).any():
        # A short stretch is filled up with its last point, which changes none of what is kept.
        inside = np.minimum(np.arange(STRETCH), count[:, None] - 1)
        columns = [column[begin[:, None] + inside] for column in columns]
    step, wall, value = (column.reshape(-1, STRETCH) for column in columns)
    finite = np.isfinite(value)
    counted = finite & (np.arange(STRETCH) < count[:, None])
    chosen = np.stack(
        [
            finite.argmax(axis=1),
            STRETCH - 1 - finite[:, ::-1].argmax(axis=1),
            np.where(finite, value, np.inf).argmin(axis=1),
            np.where(finite, value, -np.inf).argmax(axis=1),
        ]
    )
    row = np.arange(len(count))
    known = np.isfinite(wall)
    some = known.any(axis=1)
    walls = (np.where(known, wall, np.inf).min(axis=1), np.where(known, wall, -np.inf).max(axis=1))
    return Buckets(
        blocks=np.array([seq for seq, _ in blocks], np.int64),
        block_points=lengths,
        non_finite=count - counted.sum(axis=1),
        step=step[row, chosen],
        wall=wall[row, chosen],
        value=value[row, chosen],
        mean=_mean(value, counted),
        step_range=np.stack([step.min(axis=1), step.max(axis=1)]),
        wall_range=np.where(some, np.stack(walls), np.nan),
        steps_ascend=_all(step[:, 1:] >= step[:, :-1]),
        walls_ascend=_all(wall[:, 1:] >= wall[:, :-1]) & _all(known),
    )


def _made(core: CDLL, numbers: Ints, lengths: Ints, columns: Sequence[npt.NDArray[Any]]) -> Buckets:
    """Make them by the compiled core."""
    count = int(_stretches_of(lengths).sum())
    dtype = columns[2].dtype
    made = Buckets(
        blocks=numbers,
        block_points=lengths,
        non_finite=np.empty(count, np.int64),
        step=np.empty((4, count), np.int64),
        wall=np.empty((4, count)),
        value=np.empty((4, count), dtype),
        mean=np.empty(count),
        step_range=np.empty((2, count), np.int64),
        wall_range=np.empty((2, count)),
        steps_ascend=np.empty(count, np.bool_),
        walls_ascend=np.empty(count, np.bool_),
    )
    # In the order of the core's `ob_buckets_out`.
    names = ("non_finite", "step", "step_range", "wall", "wall_range", "mean", "value")
    into = [getattr(made, name) for name in (*names, "steps_ascend", "walls_ascend")]
    out = np.array([address(column) for column in into], np.uintp)
    core.ob_buckets(
        *(address(column) for column in columns),
        dtype.itemsize,
        address(lengths),
        len(lengths),
        STRETCH,
        count,
        address(out),
    )
    with np.errstate(over="ignore"):
        return replace(made, mean=made.mean.astype(dtype))


def join_buckets(parts: Sequence[Buckets]) -> Buckets:
    """Return stretches of one attempt, given in stored order, as one; of at least one part."""
    if len(parts) == 1:
        return parts[0]
    # Widening float32 to float64, a signalling NaN is no reason to warn.
    with np.errstate(invalid="ignore"):
        columns: dict[str, Any] = {
            name: np.concatenate([getattr(part, name) for part in parts], axis=-1)
            for name in Buckets.__dataclass_fields__
        }
    return Buckets(**columns)


def encode_buckets(buckets: Buckets) -> bytes:
    """Return the payload of a row of stretches."""
    flags = buckets.steps_ascend * _STEPS_ASCEND + buckets.walls_ascend * _WALLS_ASCEND
    bits = buckets.wall.view(np.int64)
    octets = [
        flags.astype(np.uint8).tobytes(),
        buckets.non_finite.astype("<u2").tobytes(),
        # Differences wrap around, and so do their sums.
        _offsets(buckets.step[1:] - buckets.step[FIRST]),
        _offsets(bits[1:] - bits[FIRST]),
    ]
    if not _ranges_follow(buckets):
        octets.append(_offsets(buckets.step_range - buckets.step[FIRST]))
        octets.append(_offsets(buckets.wall_range.view(np.int64) - bits[FIRST]))
    return pack(
        small_ints([_FORMAT, buckets.value.dtype.itemsize])
        + ints(buckets.blocks, delta=True)
        + ints(buckets.block_points)
        + ints(buckets.step[FIRST], delta=True)
        + floats(np.ascontiguousarray(buckets.wall[FIRST]))
        + floats(np.ascontiguousarray(buckets.value).reshape(-1))
        + floats(buckets.mean)
        + strings(octets)
    )


def decode_buckets(payload: bytes) -> Buckets:
    """Return what `encode_buckets` was given.

    Raises:
        CorruptBlock: The payload is not what was written.
    """
    cursor = Cursor(unpack(payload))
    try:
        buckets = _read(cursor)
    except ValueError as error:
        raise CorruptBlock(f"a pyramid does not unpack: {error}") from error
    cursor.finish()
    return buckets


def _read(cursor: Cursor) -> Buckets:
    form, width = cursor.small_ints()
    if form != _FORMAT or width not in WIDTHS:
        raise CorruptBlock(f"a pyramid of unknown form {form}, {width} bytes a value")
    blocks, block_points = cursor.ints(delta=True), cursor.ints()
    step_first = cursor.ints(delta=True)
    wall_first = cursor.floats(np.float64).view(np.int64)
    value = cursor.floats(WIDTHS[width]).reshape(4, -1)
    mean = cursor.floats(WIDTHS[width])
    flag_octets, non_finite, steps, walls, *ranges = cursor.strings()
    flags = np.frombuffer(flag_octets, np.uint8)
    step = _with_first(step_first, steps)
    wall = _with_first(wall_first, walls).view(np.float64)
    step_range, wall_range = step[:2], wall[:2]
    if ranges:
        steps, walls = ranges
        step_range = _with_first(step_first, steps)[1:]
        wall_range = _with_first(wall_first, walls)[1:].view(np.float64)
    counts = np.frombuffer(non_finite, "<u2").astype(np.int64)
    lengths = {len(flags), len(counts), len(mean)}
    lengths |= {each.shape[1] for each in (step, wall, value, step_range, wall_range)}
    if lengths != {int(_stretches_of(block_points).sum())} or len(blocks) != len(block_points):
        raise CorruptBlock("columns of different length")
    return Buckets(
        blocks,
        block_points,
        counts,
        step,
        wall,
        value,
        mean,
        step_range,
        wall_range,
        steps_ascend=(flags & _STEPS_ASCEND) > 0,
        walls_ascend=(flags & _WALLS_ASCEND) > 0,
    )


def _with_first(first: Ints, octets: bytes) -> Ints:
    """Return a row of what all rows are told from, and those rows."""
    kind, rest = octets[:1], octets[1:]
    if kind not in _WIDTHS_OF_OFFSETS:
        raise CorruptBlock(f"integers of unknown width {kind.hex()}")
    offsets = np.frombuffer(rest, f"<i{kind[0]}").reshape(-1, len(first))
    whole = np.empty((len(offsets) + 1, len(first)), np.int64)
    whole[0] = first
    np.add(first, offsets, out=whole[1:])
    return whole


def _offsets(values: Ints) -> bytes:
    """Return rows of integers in as few octets each as the largest needs: quick to read."""
    low, high = int(values.min()), int(values.max())
    width = next(
        width for width in (1, 2, 4, 8) if -(1 << 8 * width - 1) <= low <= high < 1 << 8 * width - 1
    )
    return bytes([width]) + values.astype(f"<i{width}").tobytes()


def _ranges_follow(buckets: Buckets) -> bool:
    """Tell whether first and last points have the ranges' ends, which is nearly always so."""
    steps = np.array_equal(buckets.step_range, buckets.step[:2])
    return steps and np.array_equal(
        buckets.wall_range.view(np.int64), np.ascontiguousarray(buckets.wall[:2]).view(np.int64)
    )


def _stretches(lengths: Ints) -> tuple[Ints, Ints, Ints]:
    """Return of each stretch its first point's place among all, the same in its block, its size."""
    per_block = _stretches_of(lengths)
    before = np.cumsum(per_block) - per_block
    start = (np.arange(int(per_block.sum())) - np.repeat(before, per_block)) * STRETCH
    count = np.minimum(np.repeat(lengths, per_block) - start, STRETCH)
    return np.repeat(np.cumsum(lengths) - lengths, per_block) + start, start, count


def _stretches_of(lengths: Ints) -> Ints:
    return -(-lengths // STRETCH)


def _column(blocks: Sequence[tuple[int, ScalarSeries]], name: str) -> list[npt.NDArray[Any]]:
    columns = [getattr(series, name) for _, series in blocks]
    if name == "value" and len({column.dtype for column in columns}) > 1:
        with np.errstate(invalid="ignore"):
            return [column.astype(np.float64) for column in columns]
    return columns


def _all(mask: _Mask) -> _Mask:
    every: _Mask = np.logical_and.reduce(mask, axis=1)
    return every


def _mean(value: npt.NDArray[Any], counted: _Mask) -> Floats:
    number = np.maximum(counted.sum(axis=1), 1)
    with np.errstate(over="ignore", invalid="ignore"):
        # Each part divided first: the sum of huge values may leave what a double holds.
        parts = np.where(counted, value, 0).astype(np.float64) / number[:, None]
        # One after the other, as the compiled core adds.
        mean: Floats = np.add.accumulate(parts, axis=1)[:, -1].astype(value.dtype)
    return mean
