"""What one commit brings: the points of one run out of one file, and how far it was read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from orgboard_schema.blocks import ScalarSeries
from orgboard_schema.blocks.series import Ints
from orgboard_schema.blocks.table import ScalarTable
from orgboard_schema.types import Kind, Metadata, Value

__all__ = [
    "FileCommit",
    "Finished",
    "Flush",
    "NewChunk",
    "NewGap",
    "NewScalars",
    "NewValues",
    "Restart",
]

Finished: TypeAlias = Literal["stop", "hparams", "failed", "running"]
"""Why a run counts as finished; "running" takes that back."""


@dataclass(frozen=True, slots=True)
class FileCommit:
    """How far a file was read: from `old_offset` to `new_offset`, of this generation."""

    file_id: int
    generation: int
    old_offset: int
    new_offset: int
    size: int
    mtime_ns: int
    records: int = 0
    """Records in this stretch; added to what the file has."""
    first_wall: float | None = None
    """Wall time of the stretch's first event; kept only when it is the file's first."""
    last_wall: float | None = None
    """Latest wall time in this stretch; None or NaN leaves what is stored."""
    pending: str | None = None
    """Why the rest waits; None when nothing does."""
    first_attempt: int | None = None
    """None leaves what is stored."""
    last_attempt: int | None = None
    source_writer: str | None = None
    """None leaves what is stored."""
    head_sha256: bytes | None = None
    """Of the file's first `head_bytes`, where more of them are settled now; None leaves both."""
    head_bytes: int = 0
    file_version: float | None = None
    """2.0 of "brain.Event:2"; None leaves what is stored."""
    encoding: str = ""
    """"gzip" or "zlib" of a packed file, whose offsets count unpacked bytes."""


@dataclass(frozen=True, slots=True, eq=False)
class NewValues:
    """Points of any kind but scalar, as they were read: media still with their bytes."""

    step: Ints
    wall: npt.NDArray[np.float64]
    values: Sequence[Value]

    def __len__(self) -> int:
        return len(self.step)


@dataclass(frozen=True, slots=True, eq=False)
class NewChunk:
    """New points of one series and attempt, in the order of the file."""

    attempt: int
    tag: str
    kind: Kind
    series: ScalarSeries | NewValues


@dataclass(frozen=True, slots=True, eq=False)
class NewScalars:
    """New scalar points of many series."""

    table: ScalarTable
    attempts: tuple[int, ...]
    """Of each section of the table."""


@dataclass(frozen=True, slots=True)
class Restart:
    """From `step` on, points of attempts before this one are superseded.

    In the series named, or in every series of the run when tag and kind are None.
    """

    attempt: int
    tag: str | None
    kind: Kind | None
    step: int


@dataclass(frozen=True, slots=True)
class NewGap:
    """Bytes of the file that could not be read."""

    offset: int
    length: int
    reason: str


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a run takes place and whose it is, as far as its writer told."""

    host: str | None
    username: str | None


@dataclass(frozen=True, slots=True)
class Flush:
    """One commit. It stands or falls as a whole, offset and points together."""

    run_id: int
    file: FileCommit
    now: float
    """Seconds since the epoch, by the clock of whoever commits."""
    chunks: tuple[NewChunk, ...] = ()
    """Points that come series by series."""
    scalars: NewScalars | None = None
    metadata: Mapping[tuple[str, Kind], Metadata] = field(default_factory=dict)
    """Of series that sent some. A series keeps the first it was given."""
    restarts: tuple[Restart, ...] = ()
    gaps: tuple[NewGap, ...] = ()
    finished: Finished | None = None
    """None leaves what is stored."""
    opened: bool | None = None
    """Whether a START came before the run's first point; None leaves what is stored."""
    hparams: str | None = None
    """JSON object of the newest hparams session; None leaves what is stored."""
    origin: Origin | None = None
    """Where the run takes place; None leaves what is stored."""
    revision: int | None = None
    """The run's, by which this was planned: at another one it is refused. None: any will do."""
    final: bool = False
    """No more is expected of the run for now: its points are packed at once."""
