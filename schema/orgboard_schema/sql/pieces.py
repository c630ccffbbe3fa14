"""Points as they are stored: block by block and segment by segment, in stored order.

A series reads by attempt, within one its blocks by number, then its waiting points.
Call inside one snapshot (`engine.begin_read`): compaction moves points between two queries.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from heapq import merge
from itertools import groupby
from typing import Final, NamedTuple, TypeAlias

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    bindparam,
    literal_column,
    select,
    union_all,
)

from orgboard_schema.blocks import (
    Series,
    decode_scalars,
    decode_values,
    kind_number,
)
from orgboard_schema.sql import tables
from orgboard_schema.sql.dictionary import chunked
from orgboard_schema.sql.engine import IN_BINARY
from orgboard_schema.sql.recent import decode_recent
from orgboard_schema.sql.supersede import Cut, stored_cut
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
_restart = tables.restart.c

_RUNS: Final[BindParameter[int]] = bindparam("runs", expanding=True)
_BLOCK, _WAITING, _CUT = range(3)
"""What a row of `_FIND` is."""

# Built once: to build a statement costs more than to run it.
_FIND_BLOCKS: Final = select(
    literal_column(str(_BLOCK)).label("what"),
    _block.run_id,
    _block.tag_id,
    _block.kind,
    _block.attempt,
    _block.seq,
    _block.payload,
).where(
    _block.run_id.in_(_RUNS),
    _block.tag_id.in_(bindparam("tags", expanding=True)),
    _block.kind.in_(bindparam("kinds", expanding=True)),
    _block.level == 0,
)
_NONE: Final[ColumnElement[int]] = literal_column("0")
_REST: Final = (
    select(
        *(literal_column(str(_WAITING)), _segment.run_id, _NONE, _NONE),
        *(_segment.attempt, _segment.seq, _segment.payload),
    ).where(_segment.run_id.in_(_RUNS)),
    select(
        *(literal_column(str(_CUT)), _restart.run_id, _restart.tag_id, _restart.kind),
        *(_restart.attempt, _restart.step, literal_column("NULL")),
    ).where(_restart.run_id.in_(_RUNS)),
)
# One statement: for a curve of a few blocks, a second one costs as much as all the rest.
_FIND: Final = union_all(_FIND_BLOCKS, *_REST).execution_options(**IN_BINARY)
_FIND_IN_RANGE: Final = union_all(
    _FIND_BLOCKS.where(_block.step_max >= bindparam("first"), _block.step_min <= bindparam("last")),
    *_REST,
).execution_options(**IN_BINARY)
_FETCH_BLOCKS: Final = (
    select(_block.seq, _block.payload)
    .where(
        _block.run_id == bindparam("run"),
        _block.tag_id.in_(bindparam("tags", expanding=True)),
        _block.kind.in_(bindparam("kinds", expanding=True)),
        _block.level == 0,
        _block.seq.in_(bindparam("seqs", expanding=True)),
    )
    .execution_options(**IN_BINARY)
)
_FIND_SEGMENTS: Final = (
    select(_segment.run_id, _segment.attempt, _segment.payload)
    .where(_segment.run_id.in_(_RUNS))
    .order_by(_segment.run_id, _segment.attempt, _segment.seq)
    .execution_options(**IN_BINARY)
)

TAGS_TO_NAME: Final = 100
"""Of more tags, all blocks between the first and the last are looked through: cheaper than so
long a statement."""


class Piece(NamedTuple):
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
) -> tuple[list[Piece], dict[int, list[Cut]]]:
    """Return the pieces of every one of these series in stored order, and the runs' restarts.

    It is one statement. With `step_range`, blocks that have no such step are not read.
    Give at most as many runs and tags as one IN list takes.
    """
    wanted: dict[str, object] = {
        "runs": run_ids,
        "tags": tag_ids,
        "kinds": [kind_number(kind) for kind in kinds],
    }
    query = _FIND
    if step_range is not None:
        query = _FIND_IN_RANGE
        wanted |= {"first": step_range[0], "last": step_range[1]}
    only: set[SeriesKey] = {(tag_id, kind) for tag_id in tag_ids for kind in kinds}
    cuts: dict[int, list[Cut]] = {run_id: [] for run_id in run_ids}
    pieces: list[Piece] = []
    waiting: dict[tuple[int, int], list[bytes]] = {}
    # Blocks come before what waits, each in its own order.
    rows = sorted(conn.execute(query, wanted).all(), key=lambda row: row[:6])
    for what, run_id, tag_id, number, attempt, seq, payload in rows:
        if what == _BLOCK:
            kind = KINDS[number]
            pieces.append(Piece(run_id, tag_id, kind, attempt, decode_block(kind, bytes(payload))))
        elif what == _WAITING:
            waiting.setdefault((run_id, attempt), []).append(bytes(payload))
        else:
            cuts[run_id].append(stored_cut(attempt, tag_id, number, seq))
    pieces += _waiting(waiting, only)
    # A stable sort.
    pieces.sort(key=lambda p: (p.run_id, p.tag_id, kind_number(p.kind), p.attempt))
    return pieces, cuts


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
    waiting: dict[tuple[int, int], list[bytes]] = {}
    for run_id, attempt, payload in conn.execute(_FIND_SEGMENTS, {"runs": run_ids}):
        waiting.setdefault((run_id, attempt), []).append(bytes(payload))
    return list(_waiting(waiting, only))


def _waiting(
    payloads: Mapping[tuple[int, int], Sequence[bytes]], only: Collection[SeriesKey]
) -> Iterator[Piece]:
    """Yield what waits in the segments of each run and attempt, which are given in order."""
    for (run_id, attempt), of_attempt in payloads.items():
        for chunk in decode_recent(of_attempt, only):
            yield Piece(run_id, chunk.tag_id, chunk.kind, attempt, chunk.series)
