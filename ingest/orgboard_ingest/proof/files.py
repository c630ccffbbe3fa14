"""One side of the proof: what the files of a run lead to, read up to where they are stored.

Attempts are worked out from the files alone, one file after another in order of name.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, NamedTuple, TypeAlias

from orgboard_ingest.attempts import NOTHING, Cut, FileFacts, Lives, joined, observed
from orgboard_ingest.ending import hparams_json
from orgboard_ingest.proof.sums import Points, Tally, value_points
from orgboard_ingest.roots import Away, Root
from orgboard_ingest.stage import PointSeries, SeriesKey, Staged, stage
from orgboard_ingest.tail import NO_HEAD, read_on
from orgboard_schema.blocks import BlobRef, ScalarSeries, StoredMedia, StoredValue
from orgboard_schema.types import Kind, Media, Metadata, Value
from orgboard_schema.wire.batch import Batch, Gap
from orgboard_schema.wire.unpacked import Marks

__all__ = ["FileSide", "Place", "StoredFile", "Unreadable", "read_files"]

WINDOW_BYTES: Final = 2 * 1024 * 1024
"""Read at once: less than ingest does, because both sides of the proof share the memory."""

PointKey: TypeAlias = tuple[str, Kind, int]
"""Tag, kind, attempt."""


class Unreadable(Exception):  # noqa: N818 - says what was found
    """A file cannot be read; the message says which, and why."""


class Place(NamedTuple):
    """Where a file lies."""

    root: Root
    path: str


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file, and how far the database has it."""

    name: str
    place: Place
    offset: int


@dataclass(slots=True)
class FileSide:
    """What the files of a run say."""

    tally: Tally[PointKey] = field(default_factory=Tally)
    cuts: dict[Cut, int] = field(default_factory=dict)
    metadata: dict[SeriesKey, tuple[Metadata, ...]] = field(default_factory=dict)
    """Of each series the first that each file has, distinct: which of the files was read
    first is not known."""
    described: dict[str, Metadata] = field(default_factory=dict)
    """What is known of each tag in the end: the first that was said of it."""
    hparams: list[str] = field(default_factory=list)
    """The last that each file has."""
    gaps: dict[str, list[Gap]] = field(default_factory=dict)
    """By file, in order."""
    beyond: dict[str, int] = field(default_factory=dict)
    """Of files that have more than is stored: up to where."""


def read_files(
    files: Sequence[StoredFile],
    read: Callable[[int], None],
    known: Mapping[str, Metadata] | None = None,
) -> FileSide:
    """Read the stored part of each file; `read` is told of every stretch how long it was.

    What a file says of a tag holds in those after it; `known` holds from the start.

    Raises:
        Unreadable: A file cannot be read.
        Away: None can.
    """
    side = FileSide(described=dict(known or {}))
    lives = Lives()
    for file in sorted(files, key=lambda file: file.name):
        one = _OneFile(file, side.described, read)
        try:
            one.read_stored()
            beyond = one.look_beyond()
        except Away:
            raise
        except OSError as error:
            raise Unreadable(f"{file.name}: cannot be read: {error.strerror or error}") from error
        numbers = lives.take(one.facts)
        one.tally.move_to(side.tally, partial(_with_attempt, numbers=numbers))
        for key, value in one.metadata.items():
            told = side.metadata.get(key, ())
            if value not in told:
                side.metadata[key] = (*told, value)
        if one.hparams is not None:
            side.hparams.append(one.hparams)
        if one.gaps:
            side.gaps[file.name] = one.gaps
        if beyond > file.offset:
            side.beyond[file.name] = beyond
    side.cuts = lives.cuts
    return side


def _with_attempt(key: tuple[int, str, Kind], numbers: Sequence[int]) -> PointKey:
    section, tag, kind = key
    return tag, kind, numbers[section]


@dataclass(slots=True)
class _OneFile:
    file: StoredFile
    remembered: dict[str, Metadata]
    """Of the run's tags so far; what this file adds goes in."""
    read: Callable[[int], None]
    tally: Tally[tuple[int, str, Kind]] = field(default_factory=Tally)
    """By section, tag and kind."""
    metadata: dict[SeriesKey, Metadata] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)
    facts: FileFacts = NOTHING
    hparams: str | None = None
    offset: int = 0
    marks: Marks = field(default_factory=Marks)

    def read_stored(self) -> None:
        while self.offset < self.file.offset:
            # What is stored was judged: no end of it is waited for.
            batch = self._batch(min(self.file.offset - self.offset, WINDOW_BYTES), math.inf)
            if batch is None or batch.end == self.offset:
                # The file is shorter, or has damage that only later bytes could explain.
                return
            self._take(batch)
            self.read(batch.end - self.offset)
            self.offset = batch.end

    def look_beyond(self) -> int:
        """Return up to where the file has what could be stored."""
        batch = self._batch(WINDOW_BYTES, time.time())
        return batch.end if batch is not None else 0

    def _batch(self, limit: int, now: float) -> Batch | None:
        root, path = self.file.place
        read = partial(read_on, path, self.offset, NO_HEAD, self.remembered, root=root)
        return read(max_bytes=limit, now=now, marks=self.marks).batch

    def _take(self, batch: Batch) -> None:
        staged = stage(batch)
        base = len(self.facts.sections) - 1
        self.facts = joined(self.facts, observed(staged, batch.first_wall, batch.last_wall))
        for piece in staged.pieces:
            self.tally.add((base + piece.section, piece.tag, piece.kind), _points(piece.series))
        self._describe(staged)
        self.gaps += batch.gaps
        self.hparams = hparams_json(batch) or self.hparams

    def _describe(self, staged: Staged) -> None:
        for key, value in staged.metadata.items():
            self.metadata.setdefault(key, value)
            self.remembered.setdefault(key[0], value)


def _points(series: ScalarSeries | PointSeries) -> Points:
    if isinstance(series, ScalarSeries):
        return Points(series.step, series.wall, series.value)
    return value_points(series.step, series.wall, [_as_stored(value) for value in series.values])


def _as_stored(value: Value) -> StoredValue:
    if not isinstance(value, Media):
        return value
    blobs = tuple(
        BlobRef(hashlib.sha256(blob.data).digest(), len(blob.data), blob.media_type, blob.label)
        for blob in value.blobs
    )
    return StoredMedia(blobs, value.width, value.height, value.sample_rate)
