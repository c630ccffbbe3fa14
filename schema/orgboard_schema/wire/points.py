"""The values of a batch that are no scalars: parsed one by one, or left where their bytes lie.

What the compiled core took in are columns of places in the bytes that were read, and become
values only where somebody asks for them. Nothing of them is copied before, and a histogram
as Python's floats is six times its bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import merge
from operator import itemgetter
from typing import Final, NamedTuple, overload

from orgboard_schema.types import (
    Blob,
    Kind,
    Media,
    Metadata,
    Point,
    ProtoHistogram,
    Tensor,
    TensorHistogram,
    Value,
)
from orgboard_schema.wire.media import media_type

__all__ = [
    "BUCKETS",
    "BUCKET_DTYPES",
    "FORM_KINDS",
    "HISTOGRAM",
    "PICTURE",
    "ROW",
    "TEXT",
    "WORDS",
    "Points",
    "Row",
    "TakenValues",
    "rows_of",
    "value_of",
]

HISTOGRAM: Final = 1
"""A HistogramProto."""
BUCKETS: Final = 2
"""A tensor of rows of left, right and count."""
TEXT: Final = 3
WORDS: Final = 4
"""A tensor of one string that is no text."""
PICTURE: Final = 5

FORM_KINDS: Final[tuple[Kind, ...]] = (
    "scalar",
    "histogram",
    "histogram",
    "text",
    "tensor",
    "image",
)
"""By form. The first has none: it stands for a value that was parsed, of whatever kind."""

ROW: Final = struct.Struct("<qd4q5dq8i")
"""The core's `ob_value`, as `Row` names it."""

BUCKET_DTYPES: Final = {4: "float32", 8: "float64"}
"""By the octets of a number."""
_BUCKETS: Final = {4: struct.Struct("<3f"), 8: struct.Struct("<3d")}


class Row(NamedTuple):
    """Where the bytes of one value lie, and the few numbers beside."""

    step: int
    wall: float
    at: int
    size: int
    """The bytes; of a histogram those of its limits."""
    counts: int
    counts_size: int
    """Of a histogram those of its counts."""
    low: float
    high: float
    num: float
    sum: float
    sum_squares: float
    """Of a histogram, as logged."""
    order: int
    tag: int
    same: int
    """Of a histogram the first row with the same limits, as far as known."""
    width: int
    height: int
    """Of a picture; of buckets the width is the octets of a number."""
    form: int
    has_metadata: int
    rank: int
    spare: int


def rows_of(octets: bytes) -> Iterator[Row]:
    """Return the rows packed in `octets`."""
    return map(Row._make, ROW.iter_unpack(octets))


@dataclass(frozen=True, slots=True, eq=False)
class TakenValues:
    """What the core took in."""

    data: bytes
    """What was read of the file: places are counted in it."""
    rows: bytes
    """A `ROW` each, in file order; one of no form stands for each value that was parsed."""
    count: int
    """Rows that have a form."""
    tags: tuple[str, ...]
    metadata: tuple[Metadata | None, ...]
    """By tag: what came with each value that came with any."""

    def __iter__(self) -> Iterator[tuple[int, Point]]:
        """Yield (order, point) of each."""
        return (self.point(row) for row in rows_of(self.rows) if row.form)

    def point(self, row: Row) -> tuple[int, Point]:
        """Return order and point of a row that has a form."""
        own = self.metadata[row.tag] if row.has_metadata else None
        kind, value = FORM_KINDS[row.form], value_of(self.data, row)
        return row.order, Point(self.tags[row.tag], kind, row.step, row.wall, value, own)


@dataclass(frozen=True, slots=True, eq=False)
class Points(Sequence[tuple[int, Point]]):
    """(order, point) of every value of a batch that is not a scalar, in file order."""

    parsed: tuple[tuple[int, Point], ...] = ()
    columns: TakenValues | None = None

    def __len__(self) -> int:
        return len(self.parsed) + (self.columns.count if self.columns is not None else 0)

    def __iter__(self) -> Iterator[tuple[int, Point]]:
        if self.columns is None:
            return iter(self.parsed)
        return merge(self.parsed, self.columns, key=itemgetter(0))

    def __reversed__(self) -> Iterator[tuple[int, Point]]:
        return reversed(tuple(self))

    @overload
    def __getitem__(self, index: int) -> tuple[int, Point]: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[tuple[int, Point], ...]: ...
    def __getitem__(self, index: int | slice) -> tuple[int, Point] | tuple[tuple[int, Point], ...]:
        # All are made for one: whoever wants many goes through them.
        return tuple(self)[index]


def value_of(data: bytes, row: Row) -> Value:
    """Return the value of a row that has a form."""
    octets = data[row.at : row.at + row.size]
    if row.form == HISTOGRAM:
        counts = data[row.counts : row.counts + row.counts_size]
        moments = (row.low, row.high, row.num, row.sum, row.sum_squares)
        return ProtoHistogram(*moments, _doubles(octets), _doubles(counts))
    if row.form == BUCKETS:
        buckets = tuple(_BUCKETS[row.width].iter_unpack(octets))
        return TensorHistogram(BUCKET_DTYPES[row.width], buckets)
    if row.form == PICTURE:
        return Media((Blob(octets, media_type(octets)),), row.width, row.height)
    return Tensor("string", (1,) if row.rank else (), (octets,))


def _doubles(octets: bytes) -> tuple[float, ...]:
    return struct.unpack(f"<{len(octets) // 8}d", octets)
