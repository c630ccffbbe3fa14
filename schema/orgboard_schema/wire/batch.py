"""What one reading of an event file brings: columns, points, marks, gaps. Frozen values only."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from orgboard_schema.types import Metadata
from orgboard_schema.wire.points import Points

if TYPE_CHECKING:
    from orgboard_schema.wire.compiled import HeldColumns

__all__ = [
    "FLOAT32",
    "FLOAT64",
    "UNWRITTEN",
    "Batch",
    "Gap",
    "ScalarColumns",
    "SessionMark",
    "SessionStatus",
]

FLOAT32: Final = 4
FLOAT64: Final = 8

UNWRITTEN: Final = frozenset({"short tail", "zero header", "end of packed data"})
"""What is pending because a writer may be at it. Any other reason names damage, which only
waits for something sound after it to tell how far it goes."""

SessionStatus = Literal["start", "stop", "checkpoint"]


@dataclass(frozen=True, slots=True)
class ScalarColumns:
    """The scalar points of a batch in file order, one entry a point in each column.

    Columns, because a batch holds some 100 000 of them and an object a point
    would cost more than all the reading.
    """

    tags: tuple[str, ...]
    """Distinct tags, in order of first appearance; bytes that are not UTF-8 are surrogates."""
    tag: array[int]
    """'i': index into `tags`."""
    step: array[int]
    """'q'."""
    wall: array[float]
    """'d': seconds since the epoch."""
    value: array[float]
    """'d': as logged, widened."""
    dtype: array[int]
    """'b': FLOAT32 or FLOAT64, the narrowest that holds the value as logged."""
    order: array[int]
    """'q': position among all values of the batch, shared with `points` and `sessions`."""
    metadata: tuple[tuple[str, Metadata], ...]
    """The first metadata of each scalar tag in this batch, where the writer sent any."""

    def __len__(self) -> int:
        return len(self.tag)

    def addresses(self) -> tuple[int | None, ...]:
        """Return where the columns from `tag` to `dtype` lie, as long as this is held."""
        columns = (self.tag, self.step, self.wall, self.value, self.dtype)
        return tuple(column.buffer_info()[0] for column in columns)


@dataclass(frozen=True, slots=True)
class SessionMark:
    """A writer began, ended or saved its work."""

    order: int
    status: SessionStatus
    step: int
    wall_time: float


@dataclass(frozen=True, slots=True)
class Gap:
    """Bytes of the file that gave nothing, or not all that they held."""

    offset: int
    """From the start of the file."""
    length: int
    reason: str
    """A few fixed words."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What the bytes from `start` to `end` hold."""

    scalars: ScalarColumns | HeldColumns
    points: Points
    """(order, point) of every value that is not a scalar."""
    sessions: tuple[SessionMark, ...]
    gaps: tuple[Gap, ...]
    records: int
    """Sound records, those included that are no protobuf."""
    first_wall: float | None
    """Finite wall time of the first event that says anything, the file version included."""
    last_wall: float | None
    """Latest finite wall time of those events."""
    start: int
    end: int
    """From here reading goes on. Equal to `start`: nothing to be had before the file grows."""
    pending: str | None
    """Why bytes after `end` were left for later; None when there are none, or just more to read."""
    file_version: str | None
    source_writer: str | None
