"""The scalars of one batch side by side: as many series as a run has, no object a series.

A training logs its tags together, some points of each a batch. What ingest does with them is
the same for all, so it is done for all at once: by the compiled core where it is there, series
by series otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ctypes import addressof, c_char
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from orgboard_schema.blocks.columns import address
from orgboard_schema.blocks.frame import pack
from orgboard_schema.blocks.heads import HEAD, HeadTable, row_places, series_key
from orgboard_schema.blocks.segments import encode_segment
from orgboard_schema.blocks.series import Chunk, Extent, Ints, ScalarSeries
from orgboard_schema.blocks.summary import add_points
from orgboard_schema.core.library import load_core

__all__ = [
    "NO_SCALARS",
    "PIECE",
    "Pieces",
    "ScalarTable",
    "chunks_of",
    "count_table",
    "encode_table",
    "series_of",
]

PIECE: Final = np.dtype(
    [
        ("section", "<i8"),
        ("tag", "<i8"),
        ("width", "<i8"),
        ("start", "<i8"),
        ("count", "<i8"),
        ("first", "<i8"),
        ("low", "<i8"),
        ("high", "<i8"),
        ("low_wall", "<f8"),
        ("high_wall", "<f8"),
        ("high_value", "<f8"),
        ("least", "<f8"),
        ("most", "<f8"),
    ]
)
"""The core's `ob_piece`: neighbours of one series and one float width. `section`: after how many
STARTs of the batch; `tag`: which of the table's; `start` and `count`: where its points lie;
`first`: the first point's step; then their `Extent`."""

Pieces: TypeAlias = npt.NDArray[np.void]

FLOAT32_BYTES: Final = 4


@dataclass(frozen=True, slots=True, eq=False)
class ScalarTable:
    """Scalar points of one run, grouped by section and series, in the order of their file."""

    tags: tuple[str, ...]
    """Each has a point here."""
    pieces: Pieces
    """In order of `start`, which is that of section, then of `tags`."""
    step: Ints
    wall: npt.NDArray[np.float64]
    value: npt.NDArray[np.float64]
    """As logged, widened."""
    narrow: npt.NDArray[np.float32]
    """The same narrowed; of no meaning where a piece is wide."""

    def __len__(self) -> int:
        return len(self.step)


NO_SCALARS: Final = ScalarTable(
    (),
    np.empty(0, PIECE),
    np.empty(0, np.int64),
    np.empty(0),
    np.empty(0),
    np.empty(0, np.float32),
)


def series_of(table: ScalarTable) -> Iterator[tuple[int, str, ScalarSeries]]:
    """Yield each piece: its section, its tag, its points."""
    for section, tag, width, start, count, _, *told in table.pieces.tolist():
        extent: Extent = tuple(told)
        cut = slice(start, start + count)
        values = table.narrow[cut] if width == FLOAT32_BYTES else table.value[cut]
        series = ScalarSeries(table.step[cut], table.wall[cut], values, extent)
        yield section, table.tags[tag], series


def chunks_of(table: ScalarTable, tag_ids: Ints) -> list[Chunk]:
    """Return each piece as points of a series of its own; `tag_ids` of the table's tags."""
    ids = tag_ids[table.pieces["tag"]].tolist()
    return [
        Chunk(tag_id, "scalar", series)
        for tag_id, (_, _, series) in zip(ids, series_of(table), strict=True)
    ]


def count_table(heads: HeadTable, table: ScalarTable, tag_ids: Ints, attempt: int) -> HeadTable:
    """Return `heads` with these points counted as visible, waiting, and of that attempt."""
    core = load_core()
    if core is None:
        return _counted(heads, chunks_of(table, tag_ids), attempt)
    made = np.empty(len(heads) + len(table.pieces), HEAD)
    rows = core.ob_count_pieces(
        address(heads),
        len(heads),
        address(tag_ids),
        address(table.pieces),
        len(table.pieces),
        attempt,
        address(made),
    )
    if rows < 0:
        raise MemoryError
    return made[:rows]


def _counted(heads: HeadTable, chunks: Sequence[Chunk], attempt: int) -> HeadTable:
    """Do as the core does, series by series."""
    heads = add_points(heads, chunks, [attempt] * len(chunks), None)
    waiting: dict[int, int] = {}
    for chunk in chunks:
        key = series_key(*chunk.key)
        waiting[key] = waiting.get(key, 0) + len(chunk.series)
    keys = np.array(sorted(waiting), np.int64)
    heads, places = row_places(heads, keys)
    heads["waiting"][places] += [waiting[key] for key in keys.tolist()]
    return heads


def encode_table(table: ScalarTable, tag_ids: Ints) -> bytes:
    """Return the payload of a segment of these points."""
    core = load_core()
    if core is None:
        return encode_segment(chunks_of(table, tag_ids))
    raw = bytearray(36 + 32 * len(table.pieces) + 24 * len(table))
    size = core.ob_segment(
        address(tag_ids),
        address(table.pieces),
        len(table.pieces),
        address(table.step),
        address(table.wall),
        address(table.value),
        address(table.narrow),
        len(table),
        addressof(c_char.from_buffer(raw)),
    )
    if size < 0:
        raise MemoryError
    return pack(memoryview(raw)[:size])
