"""The other side of the proof: what the database holds of a run, in one snapshot."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Final

from sqlalchemy import Connection, func, select

from orgboard_ingest.attempts import Cut
from orgboard_ingest.proof.cuts import CutTable, visible
from orgboard_ingest.proof.differences import Difference
from orgboard_ingest.proof.files import PointKey
from orgboard_ingest.proof.sums import Points, Tally, value_points
from orgboard_ingest.stage import SeriesKey
from orgboard_schema.blocks import ScalarSeries, Series, StoredMedia
from orgboard_schema.errors import CorruptBlock
from orgboard_schema.sql import read, tables
from orgboard_schema.sql.dictionary import chunked, load_metadata, tag_names
from orgboard_schema.sql.pieces import Piece, iter_pieces
from orgboard_schema.sql.supersede import load_cuts
from orgboard_schema.sql.text import from_sql
from orgboard_schema.sql.thinning.marks import Mark, iter_taken, load_marks
from orgboard_schema.types import KINDS, Kind, Metadata
from orgboard_schema.wire.batch import Gap

__all__ = ["StoreSide"]

MOST_REMEMBERED: Final = 100_000
"""Blobs known to be sound; the same picture is often logged again."""


SERIES_TOGETHER: Final = 20_000
"""Of which the waiting points are unpacked at once: a run may have a hundred thousand."""


@dataclass(frozen=True, slots=True)
class _Head:
    """What a run's head says of a series."""

    metadata_id: int
    n: int
    n_all: int


class StoreSide:
    """Reads one run, everything in the snapshot of its connection."""

    def __init__(self, conn: Connection, run_id: int, run: str, sound: set[bytes]) -> None:
        self.tally: Tally[PointKey] = Tally()
        self.taken = 0
        """Of the points of the tally those that are not stored any more."""
        self._conn = conn
        self._run_id = run_id
        self._run = run
        self._sound = sound
        """Blobs that were found sound, of this run or another."""
        heads = read.heads(conn, [run_id])[run_id]
        columns = ("tag_id", "kind", "metadata_id", "n", "n_all")
        self._heads = {
            (tag_id, KINDS[kind]): _Head(metadata_id, n, n_all)
            for tag_id, kind, metadata_id, n, n_all in zip(
                *(heads[name].tolist() for name in columns), strict=True
            )
        }
        self._names = tag_names(conn, {tag_id for tag_id, _ in self._heads})

    def read(self, expected: Mapping[Cut, int]) -> Iterator[Difference]:
        """Read all points, and yield where they are marked, counted or kept wrongly."""
        mine, theirs = CutTable(self._cuts()), CutTable(expected)
        total = 0
        for (tag_id, kind), some in self._pieces():
            series = (self._names[tag_id], kind)
            n = n_all = 0
            unlike: dict[int, int] = {}
            for piece in some:
                first = mine.superseded_from(series, piece.attempt)
                wanted = theirs.superseded_from(series, piece.attempt)
                step = piece.series.step
                n, n_all = n + visible(step, first), n_all + len(step)
                wrong = abs(visible(step, first) - visible(step, wanted))
                if wrong:
                    unlike[piece.attempt] = unlike.get(piece.attempt, 0) + wrong
                self.tally.add((*series, piece.attempt), _points(piece.series))
                yield from self._lost_blobs(piece, series)
            total += n_all
            for attempt, count in unlike.items():
                yield self._of(
                    series,
                    f"{count} points of attempt {attempt} are marked wrongly"
                    " as superseded or as not",
                    attempt,
                )
            head = self._heads[tag_id, kind]
            if (head.n, head.n_all) != (n, n_all):
                yield self._of(
                    series,
                    f"its head counts {head.n_all} points, {head.n} of them visible;"
                    f" {n_all} are stored, {n} of them visible",
                )
        yield from self._counts(total)
        self._count_taken()

    def _count_taken(self) -> None:
        """Count what was thinned as if it were there: the files still have it."""
        names = tag_names(self._conn, {mark.tag_id for mark in self._marks()})
        for (tag_id, kind, attempt), taken in iter_taken(self._conn, self._run_id):
            there = Points(taken.step, taken.wall, taken.digest)
            self.tally.add((names[tag_id], kind, attempt), there)
            self.taken += len(taken)

    def thinned(self) -> Iterator[Difference]:
        """Yield what was taken away on purpose."""
        marks = self._marks()
        names = tag_names(self._conn, {mark.tag_id for mark in marks})
        for mark in sorted(marks, key=lambda mark: (names[mark.tag_id], mark.kind)):
            day = datetime.fromtimestamp(mark.at, UTC)
            what = f"{mark.taken:,} points thinned on {day:%Y-%m-%d} (1 in {mark.keep_every} kept)"
            yield Difference(self._run, what, tag=names[mark.tag_id], kind=mark.kind, known=True)

    def _marks(self) -> list[Mark]:
        return load_marks(self._conn, [self._run_id]).get(self._run_id, [])

    def _pieces(self) -> Iterator[tuple[tuple[int, Kind], Iterator[Piece]]]:
        """Yield the pieces of each series that there is."""
        for keys in chunked(list(self._heads), SERIES_TOGETHER):
            pieces = iter_pieces(self._conn, self._run_id, keys)
            yield from groupby(pieces, key=lambda piece: (piece.tag_id, piece.kind))

    def metadata(self) -> Iterator[tuple[SeriesKey, Metadata | None]]:
        """Yield what is stored of each series that a writer may have described."""
        known = load_metadata(
            self._conn, {head.metadata_id for head in self._heads.values() if head.metadata_id}
        )
        for (tag_id, kind), head in self._heads.items():
            yield (self._names[tag_id], kind), known.get(head.metadata_id)

    def hparams(self) -> str | None:
        """Return the hyperparameters of the newest session, as JSON."""
        query = select(tables.run.c.hparams).where(tables.run.c.run_id == self._run_id)
        stored = self._conn.execute(query).scalar_one()
        return None if stored is None else from_sql(stored)

    def gaps(self) -> dict[str, list[Gap]]:
        """Return the gaps of the files as they are now, by file, in order."""
        gap, file = tables.gap.c, tables.source_file.c
        query = (
            select(file.name, gap.offset, gap.length, gap.reason)
            .join_from(
                tables.gap,
                tables.source_file,
                (gap.file_id == file.file_id) & (gap.generation == file.generation),
            )
            .where(gap.run_id == self._run_id)
            .order_by(file.name, gap.offset)
        )
        found: dict[str, list[Gap]] = {}
        for name, *place in self._conn.execute(query):
            found.setdefault(from_sql(name), []).append(Gap(*place))
        return found

    def _cuts(self) -> dict[Cut, int]:
        found = load_cuts(self._conn, [self._run_id])[self._run_id]
        names = tag_names(self._conn, {cut.tag_id for cut in found if cut.kind is not None})
        return {
            (cut.attempt, None if cut.kind is None else (names[cut.tag_id], cut.kind)): cut.step
            for cut in found
        }

    def _counts(self, points: int) -> Iterator[Difference]:
        columns, gap = tables.run.c, tables.gap.c
        row = self._conn.execute(
            select(columns.points, columns.gaps).where(columns.run_id == self._run_id)
        ).one()
        gaps = self._conn.execute(
            select(func.count()).select_from(tables.gap).where(gap.run_id == self._run_id)
        ).scalar_one()
        for what, said, there in (("points", row.points, points), ("gaps", row.gaps, gaps)):
            if said != there:
                yield Difference(self._run, f"counts {said} {what}, {there} are stored")

    def _lost_blobs(self, piece: Piece, series: SeriesKey) -> Iterator[Difference]:
        """Yield the blobs of a piece that the store lacks, or has with other bytes."""
        if isinstance(piece.series, ScalarSeries):
            return
        for value in piece.series.values:
            for blob in value.blobs if isinstance(value, StoredMedia) else ():
                if blob.sha256 in self._sound:
                    continue
                wrong = self._wrong(blob.sha256)
                if wrong:
                    yield self._of(series, wrong)
                    continue
                if len(self._sound) >= MOST_REMEMBERED:
                    self._sound.clear()
                self._sound.add(blob.sha256)

    def _wrong(self, sha256: bytes) -> str:
        """Say what is wrong with a blob; "" if nothing."""
        try:
            stored = read.load_blob(self._conn, self._run_id, sha256)
        except CorruptBlock as error:
            return str(error)
        if stored is None:
            return f"blob {sha256.hex()} is missing"
        if hashlib.sha256(stored.data).digest() != sha256:
            return f"blob {sha256.hex()} has other bytes than logged"
        return ""

    def _of(self, series: SeriesKey, what: str, attempt: int = 0) -> Difference:
        return Difference(self._run, what, tag=series[0], kind=series[1], attempt=attempt)


def _points(series: Series) -> Points:
    if isinstance(series, ScalarSeries):
        return Points(series.step, series.wall, series.value)
    return value_points(series.step, series.wall, series.values)
