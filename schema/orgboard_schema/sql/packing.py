"""Which waiting points become blocks, and which wait on. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from orgboard_schema.blocks import Chunk, ScalarSeries, Series, ValueSeries, encode_values
from orgboard_schema.blocks.heads import HeadSums
from orgboard_schema.blocks.scalars import pack_scalars
from orgboard_schema.blocks.series import alike, join
from orgboard_schema.blocks.summary import BlockSummary, summarise_block
from orgboard_schema.types import Kind

__all__ = [
    "BLOCK_BYTES",
    "BLOCK_POINTS",
    "MAX_SEGMENTS",
    "NewBlock",
    "Waiting",
    "first_to_merge",
    "has_full_block",
    "is_worth_packing",
    "pack_waiting",
]

BLOCK_POINTS: Final = 1056
"""A quarter costs 6 % more space and three times the time a point; four times gains 5 %. Of noise,
as losses are, so many just fill three of the pieces that PostgreSQL cuts a payload into, four of
which it lays on a page: 1024 take 2 to 3 % more."""

BLOCK_BYTES: Final = 256 * 1024
"""A block of large values ends here, with fewer points: one value of it is read soon enough."""

LEAST_POINTS_A_BLOCK: Final = 64
"""Below, a block's own row outweighs its points."""

GOOD_POINTS_A_BLOCK: Final = 768
"""Series of as many fill pages and blocks well."""

MOST_POINTS_TOGETHER: Final = 16_384
"""Unpacked in a millisecond: so much a reader of one series may have to look through."""

MAX_SEGMENTS: Final = 8
"""More would make every reader of a live run unpack more; fewer, the writer merge more often."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Points that are in no block yet."""

    attempt: int
    chunk: Chunk


@dataclass(frozen=True, slots=True)
class NewBlock:
    """Points for one row of `block`."""

    attempt: int
    tag_id: int
    kind: Kind
    series: Series
    packed: tuple[bytes, BlockSummary]
    """Its payload, and what its row says."""


def pack_waiting(
    waiting: Iterable[Waiting], *, final: bool
) -> tuple[list[NewBlock], list[Waiting]]:
    """Split points, given in stored order, into blocks and what waits on.

    Nothing waits that can grow no more: when `final`, in earlier attempts, or before the
    series changes its type. A series keeps its order: what waits comes after its blocks.
    """
    grouped: dict[tuple[int, int, Kind], list[Series]] = {}
    for item in waiting:
        grouped.setdefault((item.attempt, *item.chunk.key), []).append(item.chunk.series)
    newest = max((attempt for attempt, _, _ in grouped), default=0)
    blocks: list[NewBlock] = []
    rest: list[Waiting] = []
    for (attempt, tag_id, kind), parts in grouped.items():
        stretches = [stretch for run in alike(parts) for stretch in _stretches(run)]
        for number, series in enumerate(stretches, 1):
            grows = not final and attempt == newest and number == len(stretches)
            pieces = list(cut(series))
            if grows and pieces and not is_full(pieces[-1]):
                waits = pieces.pop()
                rest.append(Waiting(attempt, Chunk(tag_id, kind, waits)))
                series = part(series, 0, len(series) - len(waits))
            blocks += [
                NewBlock(attempt, tag_id, kind, piece, packed)
                for piece, packed in zip(pieces, _packed(series, pieces), strict=True)
            ]
    return blocks, rest


def _stretches(run: Sequence[Series]) -> list[Series]:
    """Return the points of series of one form, as one series, or as whole blocks and what follows
    them: what waited is little, and what comes to it need not be copied."""
    *before, last = run
    missing = -sum(map(len, before)) % BLOCK_POINTS
    if not before or not isinstance(last, ScalarSeries) or len(last) <= missing:
        return [join(run)]
    return [join([*before, part(last, 0, missing)]), part(last, missing, len(last))]


def _packed(series: Series, pieces: Sequence[Series]) -> list[tuple[bytes, BlockSummary]]:
    """Return each piece of a series as it is stored; of scalars all at once."""
    if isinstance(series, ScalarSeries):
        return pack_scalars(series, BLOCK_POINTS)
    return [
        (encode_values(piece), summarise_block(piece))
        for piece in pieces
        if isinstance(piece, ValueSeries)
    ]


def is_worth_packing(sums: HeadSums) -> bool:
    """Tell whether a run's waiting points are better kept as a block for each series.

    A block has a row of its own; of a few points it is mostly that row, and all series
    side by side in a segment are smaller (series of 500 points by a third, because they
    share their steps) and quicker to write. Only reading one of them takes longer.
    """
    series, points = sums.series, sums.points
    if points < MOST_POINTS_TOGETHER and sums.octets < BLOCK_BYTES:
        return series > 0 and points >= GOOD_POINTS_A_BLOCK * series
    return points >= LEAST_POINTS_A_BLOCK * series or sums.octets >= BLOCK_BYTES


def has_full_block(sums: HeadSums) -> bool:
    """Tell whether some series has a block's worth waiting."""
    return sums.most_points >= BLOCK_POINTS or sums.most_octets >= BLOCK_BYTES


def cut(series: Series) -> Iterator[Series]:
    """Yield pieces of a block's size; only the last may be smaller."""
    start = 0
    for end in _ends(series):
        yield part(series, start, end)
        start = end


def part(series: Series, start: int, end: int) -> Series:
    """Return the points from `start` to before `end`."""
    if start == 0 and end == len(series):
        return series
    step, wall = series.step[start:end], series.wall[start:end]
    if isinstance(series, ScalarSeries):
        return ScalarSeries(step, wall, series.value[start:end])
    return ValueSeries(step, wall, series.values[start:end])


def is_full(series: Series) -> bool:
    """Tell whether these points are a block's worth."""
    return len(series) >= BLOCK_POINTS or waiting_bytes(series) >= BLOCK_BYTES


def waiting_bytes(series: Series) -> int:
    """Return the octets that the values take unpacked; scalars count by their number alone."""
    return int(series.sizes.sum()) if isinstance(series, ValueSeries) else 0


def first_to_merge(sizes: Sequence[int]) -> int:
    """Return from which segment on to merge, given the points of each, oldest first.

    Merges as much as is no larger than what it joins, so that over time each point is
    rewritten about as often as its segment can double before a block is full.
    """
    newer = 0
    chosen = max(len(sizes) - 2, 0)
    for at in range(len(sizes) - 1, -1, -1):
        if sizes[at] <= newer:
            chosen = min(chosen, at)
        newer += sizes[at]
    return chosen


def _ends(series: Series) -> Iterator[int]:
    if isinstance(series, ScalarSeries):
        yield from range(BLOCK_POINTS, len(series), BLOCK_POINTS)
        if len(series):
            yield len(series)
        return
    filled = np.cumsum(series.sizes)
    start = 0
    while start < len(series):
        before = int(filled[start - 1]) if start else 0
        # The value that fills the block belongs to it.
        full = int(np.searchsorted(filled, before + BLOCK_BYTES)) + 1
        start = min(full, start + BLOCK_POINTS, len(series))
        yield start
