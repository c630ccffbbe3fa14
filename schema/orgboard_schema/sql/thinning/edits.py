"""The rows that points are taken from, and what is left of each."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final

import numpy as np
from sqlalchemy import Connection, select

from orgboard_schema.blocks import (
    BlobRef,
    StoredMedia,
    ValueSeries,
    decode_segment,
    decode_values,
    encode_segment,
    encode_values,
    kind_number,
)
from orgboard_schema.blocks.digests import value_digests
from orgboard_schema.blocks.series import Ints
from orgboard_schema.blocks.summary import summarise_block
from orgboard_schema.blocks.taken import Taken
from orgboard_schema.errors import CorruptBlock
from orgboard_schema.sql import read, tables
from orgboard_schema.sql.dictionary import chunked
from orgboard_schema.sql.pieces import SeriesKey
from orgboard_schema.sql.recount import series_keys
from orgboard_schema.sql.supersede import Cut, Mask, load_cuts, superseded
from orgboard_schema.sql.thinning.marks import TakenKey, load_taken
from orgboard_schema.sql.thinning.rule import Rule, Stood, kept, places_of
from orgboard_schema.types import Kind

__all__ = ["Edit", "Edited", "Place", "edited", "find_edits", "load_payload"]

BLOCKS_AT_ONCE: Final = 32
"""Payloads fetched by one statement."""

LEAST_POINTS: Final = 3
"""Of two, both are an end."""

_block, _segment = tables.block.c, tables.segment.c
_NOTHING: Final = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row lies: a segment's series are many, a block's is one."""

    seq: int
    block: SeriesKey | None


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """Points of one series that lie together in a row."""

    key: SeriesKey
    attempt: int
    place: Place
    chunk: int
    """Which of the row's, from 0."""
    step: Ints


@dataclass(frozen=True, slots=True, eq=False)
class _Taking:
    chunk: int
    key: SeriesKey
    keep: Mask
    place: Ints
    """Of the taken ones."""


@dataclass(frozen=True, slots=True, eq=False)
class Edit:
    """A row that points are to be taken from."""

    place: Place
    attempt: int
    takings: tuple[_Taking, ...]

    @property
    def points(self) -> int:
        """How many are taken."""
        return sum(len(taking.place) for taking in self.takings)


@dataclass(frozen=True, slots=True, eq=False)
class Edited:
    """A row without the points that were taken, and those."""

    payload: bytes | None
    """None: nothing is left in it."""
    columns: Mapping[str, object]
    """What else of the row changes."""
    taken: Sequence[tuple[TakenKey, Taken, int]]
    """With the octets that their values take unpacked."""
    blobs: Sequence[BlobRef]
    """That the taken ones refer to, as often as they do."""


def find_edits(conn: Connection, run_id: int, rule: Rule) -> list[Edit]:
    """Return the rows of a run that the rule takes points from, in the order of their numbers."""
    heads = read.heads(conn, [run_id])[run_id]
    long = heads[heads["n_all"] >= LEAST_POINTS]
    keys = {key for key in series_keys(long) if key[1] in rule.kinds}
    if not keys:
        return []
    cuts = load_cuts(conn, [run_id])[run_id]
    taken = {key: some.place for key, some in load_taken(conn, run_id, rule.kinds).items()}
    waiting: dict[SeriesKey, list[_Part]] = {}
    for part in _waiting(conn, run_id, keys):
        waiting.setdefault(part.key, []).append(part)
    takings: dict[Place, tuple[int, list[_Taking]]] = {}
    for key, some in groupby(_blocks(conn, run_id, keys), key=lambda part: part.key):
        _choose([*some, *waiting.pop(key, [])], cuts, taken, rule.keep_every, takings)
    for alone in waiting.values():
        _choose(alone, cuts, taken, rule.keep_every, takings)
    edits = [Edit(place, attempt, tuple(each)) for place, (attempt, each) in takings.items()]
    return sorted(edits, key=lambda edit: edit.place.seq)


def _choose(
    parts: Sequence[_Part],
    cuts: Sequence[Cut],
    taken: Mapping[TakenKey, Ints],
    keep_every: int,
    takings: dict[Place, tuple[int, list[_Taking]]],
) -> None:
    """Add what goes of one series, whose parts are given in stored order."""
    ordered = sorted(parts, key=lambda part: part.attempt)
    by_attempt = [list(some) for _, some in groupby(ordered, key=lambda part: part.attempt)]
    stood = [_stood(some, cuts, taken) for some in by_attempt]
    for some, mine, mask in zip(by_attempt, stood, kept(stood, keep_every), strict=True):
        end = 0
        for part in some:
            begin, end = end, end + len(part.step)
            keep, place = mask[begin:end], mine.place[begin:end]
            if not keep.all():
                taking = _Taking(part.chunk, part.key, keep, place[~keep])
                takings.setdefault(part.place, (part.attempt, []))[1].append(taking)


def _stood(parts: Sequence[_Part], cuts: Sequence[Cut], taken: Mapping[TakenKey, Ints]) -> Stood:
    key, attempt = parts[0].key, parts[0].attempt
    step = np.concatenate([part.step for part in parts])
    place = places_of(len(step), taken.get((*key, attempt), _NOTHING))
    return Stood(place, step, superseded(cuts, *key, attempt, step))


def _blocks(conn: Connection, run_id: int, keys: Collection[SeriesKey]) -> Iterator[_Part]:
    """Yield the blocks of these series, series by series, in stored order."""
    kinds: dict[int, Kind] = {kind_number(kind): kind for _, kind in keys}
    query = select(_block.tag_id, _block.kind, _block.attempt, _block.seq).where(
        _block.run_id == run_id, _block.level == 0, _block.kind.in_(kinds)
    )
    found = sorted(tuple(row) for row in conn.execute(query) if (row[0], kinds[row[1]]) in keys)
    for some in chunked(found, BLOCKS_AT_ONCE):
        wanted = select(_block.seq, _block.payload).where(
            *(_block.run_id == run_id, _block.level == 0),
            _block.tag_id.in_(sorted({tag_id for tag_id, *_ in some})),
            _block.kind.in_(sorted({number for _, number, *_ in some})),
            _block.seq.in_([seq for *_, seq in some]),
        )
        payloads = dict(conn.execute(wanted).all())
        for tag_id, number, attempt, seq in some:
            key: SeriesKey = (tag_id, kinds[number])
            step = decode_values(bytes(payloads[seq])).step
            yield _Part(key, attempt, Place(seq, key), 0, step)


def _waiting(conn: Connection, run_id: int, keys: Collection[SeriesKey]) -> Iterator[_Part]:
    """Yield what waits of these series, in stored order."""
    query = select(_segment.seq, _segment.attempt, _segment.payload)
    query = query.where(_segment.run_id == run_id).order_by(_segment.seq)
    for seq, attempt, payload in conn.execute(query):
        for number, chunk in enumerate(decode_segment(bytes(payload))):
            if chunk.key in keys:
                yield _Part(chunk.key, attempt, Place(seq, None), number, chunk.series.step)


def load_payload(conn: Connection, run_id: int, place: Place) -> bytes:
    """Return what lies there now."""
    if place.block is None:
        query = select(_segment.payload).where(_segment.run_id == run_id)
        return bytes(conn.execute(query.where(_segment.seq == place.seq)).scalar_one())
    tag_id, kind = place.block
    here = (_block.run_id == run_id) & (_block.tag_id == tag_id) & (_block.seq == place.seq)
    query = select(_block.payload).where(here, _block.kind == kind_number(kind), _block.level == 0)
    return bytes(conn.execute(query).scalar_one())


def edited(edit: Edit, payload: bytes) -> Edited:
    """Return a row without what is to be taken.

    Raises:
        CorruptBlock: It is not the row that was looked at.
    """
    if edit.place.block is not None:
        (taking,) = edit.takings
        left, taken, blobs = _taken(decode_values(payload), taking, edit.attempt)
        columns = summarise_block(left)._asdict() if len(left) else {}
        return Edited(encode_values(left) if len(left) else None, columns, [taken], blobs)
    chunks = decode_segment(payload)
    all_taken: list[tuple[TakenKey, Taken, int]] = []
    all_blobs: list[BlobRef] = []
    for taking in edit.takings:
        chunk = chunks[taking.chunk]
        if not isinstance(chunk.series, ValueSeries) or chunk.key != taking.key:
            raise CorruptBlock("another series than was looked at")
        left, taken, blobs = _taken(chunk.series, taking, edit.attempt)
        chunks[taking.chunk] = replace(chunk, series=left)
        all_taken.append(taken)
        all_blobs += blobs
    rest = [chunk for chunk in chunks if len(chunk.series)]
    columns = {"n": sum(len(chunk.series) for chunk in rest)}
    return Edited(encode_segment(rest) if rest else None, columns, all_taken, all_blobs)


def _taken(
    series: ValueSeries, taking: _Taking, attempt: int
) -> tuple[ValueSeries, tuple[TakenKey, Taken, int], list[BlobRef]]:
    keep = taking.keep
    if len(series) != len(keep):
        raise CorruptBlock(f"{len(keep)} points were looked at, {len(series)} are there")
    left, gone = _picked(series, keep), _picked(series, ~keep)
    blobs = [
        blob for value in gone.values if isinstance(value, StoredMedia) for blob in value.blobs
    ]
    taken = Taken(taking.place, gone.step, gone.wall, value_digests(gone.values))
    return left, ((*taking.key, attempt), taken, int(gone.sizes.sum())), blobs


def _picked(series: ValueSeries, mask: Mask) -> ValueSeries:
    values = tuple(series.values[at] for at in np.flatnonzero(mask).tolist())
    return ValueSeries(series.step[mask], series.wall[mask], values)
