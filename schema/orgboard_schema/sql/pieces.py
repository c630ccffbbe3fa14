"""Points as they are stored: block by block and segment by segment, in stored order.

A series reads by attempt, within one its blocks by number, then its waiting points.
Call inside one snapshot (`engine.begin_read`): compaction moves points between two queries.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import groupby
from typing import Final, TypeAlias

from sqlalchemy import Connection, bindparam, select

from orgboard_schema.blocks import (
    Series,
    decode_scalars,
    decode_segment,
    decode_values,
    kind_number,
)
from orgboard_schema.sql import tables
from orgboard_schema.sql.dictionary import chunked
from orgboard_schema.types import KINDS, Kind

__all__ = [
    "Piece",
    "SeriesKey",
    "StepRange",
    "decode_block",
    "find_pieces",
    "iter_pieces",
    "waiting_pieces",
]

SeriesKey: TypeAlias = tuple[int, Kind]
"""A series of a run: tag and kind."""

StepRange: TypeAlias = tuple[int, int]
"""First and last step wanted."""

BLOCKS_AT_ONCE: Final = 32
"""Blocks fetched by one statement when streaming: bounds memory, hides the round trip."""

_block = tables.block.c
_segment = tables.segment.c

# Built once: to build a statement costs more than to run it.
_FIND_BLOCKS: Final = select(
    _block.run_id, _block.tag_id, _block.kind, _block.attempt, _block.seq, _block.payload
).where(
    _block.run_id.in_(bindparam("runs", expanding=True)),
    _block.tag_id.in_(bindparam("tags", expanding=True)),
    _block.kind.in_(bindparam("kinds", expanding=True)),
    _block.level == 0,
)
_FIND_BLOCKS_IN_RANGE: Final = _FIND_BLOCKS.where(
    _block.step_max >= bindparam("first"), _block.step_min <= bindparam("last")
)
_FETCH_BLOCKS: Final = select(_block.seq, _block.payload).where(
    _block.run_id == bindparam("run"),
    _block.tag_id.in_(bindparam("tags", expanding=True)),
    _block.kind.in_(bindparam("kinds", expanding=True)),
    _block.level == 0,
    _block.seq.in_(bindparam("seqs", expanding=True)),
)
_FIND_SEGMENTS: Final = (
    select(_segment.run_id, _segment.attempt, _segment.payload)
    .where(_segment.run_id.in_(bindparam("runs", expanding=True)))
    .order_by(_segment.run_id, _segment.attempt, _segment.seq)
)

TAGS_TO_NAME: Final = 100
"""Of more tags, all blocks between the first and the last are looked through: cheaper than so
long a statement."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Points of one series and attempt that are stored together."""

    run_id: int
    tag_id: int
    kind: Kind
    attempt: int
    series: Series


def decode_block(kind: Kind, payload: bytes) -> Series:
    """Return the points of a block's payload.

    Raises:
        CorruptBlock: The payload is not what was written.
    """
    return decode_scalars(payload) if kind == "scalar" else decode_values(payload)


def find_pieces(
    conn: Connection,
    run_ids: Sequence[int],
    tag_ids: Sequence[int],
    kinds: Collection[Kind],
    step_range: StepRange | None,
) -> list[Piece]:
    """Return the pieces of every one of these series, in two statements and stored order.

    With `step_range`, blocks that have no such step are not read. Give at most as many
    runs and tags as one IN list takes.
    """
    wanted: dict[str, object] = {
        "runs": run_ids,
        "tags": tag_ids,
        "kinds": [kind_number(kind) for kind in kinds],
    }
    query = _FIND_BLOCKS
    if step_range is not None:
        query = _FIND_BLOCKS_IN_RANGE
        wanted |= {"first": step_range[0], "last": step_range[1]}
    rows = sorted(conn.execute(query, wanted).all(), key=lambda row: row[:5])
    pieces = [
        Piece(run_id, tag_id, KINDS[kind], attempt, decode_block(KINDS[kind], bytes(payload)))
        for run_id, tag_id, kind, attempt, _, payload in rows
    ]
    only: set[SeriesKey] = {(tag_id, kind) for tag_id in tag_ids for kind in kinds}
    pieces += waiting_pieces(conn, run_ids, only)
    # A stable sort: blocks stay before what waits, each in its own order.
    return sorted(pieces, key=lambda p: (p.run_id, p.tag_id, kind_number(p.kind), p.attempt))


def iter_pieces(conn: Connection, run_id: int, keys: Collection[SeriesKey]) -> Iterator[Piece]:
    """Yield the pieces of these series of a run, few at a time, in stored order.

    A run may have a hundred thousand series: the number of statements goes by its blocks.
    """
    waiting: dict[SeriesKey, list[Piece]] = {}
    for piece in waiting_pieces(conn, [run_id], keys):
        waiting.setdefault((piece.tag_id, piece.kind), []).append(piece)
    blocks = groupby(_blocks(conn, run_id, keys), key=lambda piece: (piece.tag_id, piece.kind))
    done: set[SeriesKey] = set()
    for key, some in blocks:
        done.add(key)
        tail = waiting.get(key)
        yield from some if tail is None else merge(some, tail, key=lambda piece: piece.attempt)
    for key, alone in waiting.items():
        if key not in done:
            yield from alone


def _blocks(conn: Connection, run_id: int, keys: Collection[SeriesKey]) -> Iterator[Piece]:
    """Yield blocks by kind, tag, attempt and number."""
    wanted = {(tag_id, kind_number(kind)) for tag_id, kind in keys}
    query = select(_block.kind, _block.tag_id, _block.attempt, _block.seq).where(
        _block.run_id == run_id, _block.level == 0
    )
    if len(wanted) <= TAGS_TO_NAME:
        query = query.where(_block.tag_id.in_([tag_id for tag_id, _ in wanted]))
    else:
        # Who reads a part of a run after another does not look through all of it each time.
        first, last = min(wanted)[0], max(wanted)[0]
        query = query.where(_block.tag_id.between(first, last))
    places = sorted(
        (kind, tag_id, attempt, seq)
        for kind, tag_id, attempt, seq in conn.execute(query)
        if (tag_id, kind) in wanted
    )
    for some in chunked(places, BLOCKS_AT_ONCE):
        # All of the key, so that the index finds them; the number alone says which.
        found = {"run": run_id, "seqs": [seq for *_, seq in some]}
        found |= {"kinds": sorted({place[0] for place in some})}
        found |= {"tags": sorted({place[1] for place in some})}
        payloads = dict(conn.execute(_FETCH_BLOCKS, found).all())
        for number, tag_id, attempt, seq in some:
            kind = KINDS[number]
            yield Piece(run_id, tag_id, kind, attempt, decode_block(kind, bytes(payloads[seq])))


def waiting_pieces(
    conn: Connection, run_ids: Sequence[int], only: Collection[SeriesKey]
) -> list[Piece]:
    """Return pieces in segments, by run, attempt and number."""
    rows = conn.execute(_FIND_SEGMENTS, {"runs": run_ids})
    return [
        Piece(run_id, chunk.tag_id, chunk.kind, attempt, chunk.series)
        for run_id, attempt, payload in rows
        for chunk in decode_segment(bytes(payload), only)
    ]
