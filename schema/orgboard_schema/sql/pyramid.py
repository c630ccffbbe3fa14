"""Keep the pyramid of every long series: rows of level 1 in `block`, packed stretches.

A row covers consecutive blocks of one series and attempt and has the number (`seq`) of the
last one. Blocks behind it are not covered yet; a reader takes them as they are. Rows come
in two sizes, so that each stretch is written twice and not each time a block is added.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

import numpy as np
from sqlalchemy import Connection, bindparam, delete, insert, select

from orgboard_schema.blocks import HeadTable, ScalarSeries, decode_scalars, kind_number
from orgboard_schema.blocks.pyramid import (
    Buckets,
    decode_buckets,
    encode_buckets,
    join_buckets,
    make_buckets,
)
from orgboard_schema.sql import tables
from orgboard_schema.sql.dictionary import chunked
from orgboard_schema.sql.engine import IN_BINARY
from orgboard_schema.sql.packing import NewBlock
from orgboard_schema.sql.runs import RunState

__all__ = ["LEVEL", "LONG_POINTS", "extend_pyramid", "pyramid_row"]

LEVEL: Final = 1

LONG_POINTS: Final = 64 * 1024
"""A series of fewer is read whole, 64 blocks, about as fast as it is looked up."""

GROUP_BLOCKS: Final = 16
"""Blocks in a new row: a reader unpacks at most as many that no row covers yet."""

FULL_POINTS: Final = 256 * 1024
"""Points in a row that is merged no more: 1024 entries, some 30 KB."""

BLOCKS_AT_ONCE: Final = 256
"""Blocks unpacked at once to make rows of: 6 MB."""

_SCALAR: Final = kind_number("scalar")
_block = tables.block.c

# Built once: to build a statement costs more than to run it.
_HERE: Final = (
    (_block.run_id == bindparam("run"))
    & (_block.tag_id == bindparam("tag"))
    & (_block.kind == _SCALAR)
)
_FIND_ROWS: Final = (
    select(_block.seq, _block.n)
    .where(_HERE, _block.level == LEVEL, _block.attempt == bindparam("of_attempt"))
    .order_by(_block.seq)
)
_FIND_BARE: Final = (
    select(_block.seq)
    .where(
        _HERE,
        _block.level == 0,
        _block.seq > bindparam("after"),
        _block.attempt == bindparam("of_attempt"),
    )
    .order_by(_block.seq)
)
_FETCH: Final = (
    select(_block.seq, _block.payload)
    .where(
        _HERE,
        _block.level == bindparam("at_level"),
        _block.seq.in_(bindparam("seqs", expanding=True)),
    )
    .order_by(_block.seq)
    .execution_options(**IN_BINARY)
)
_INSERT: Final = insert(tables.block)


def extend_pyramid(conn: Connection, state: RunState, new: Sequence[tuple[int, NewBlock]]) -> None:
    """Cover what these new blocks (with their numbers), stored already, made worth covering.

    The run is locked and its heads count the points. Costs nothing where no series is long.
    """
    if state.points < LONG_POINTS:
        return
    grown = {block.tag_id for _, block in new if block.kind == "scalar"}
    for tag_id in sorted(_long(state.heads, grown)):
        mine = [
            (seq, block) for seq, block in new if block.tag_id == tag_id and block.kind == "scalar"
        ]
        at_hand = {
            seq: block.series for seq, block in mine if isinstance(block.series, ScalarSeries)
        }
        for attempt in sorted({block.attempt for _, block in mine}):
            _extend(conn, state.run_id, tag_id, attempt, at_hand)


def pyramid_row(run_id: int, tag_id: int, attempt: int, buckets: Buckets) -> dict[str, object]:
    """Return the row of `block` that holds these stretches."""
    drawn = buckets.non_finite < buckets.places()[2]
    value = buckets.value[:, drawn].astype(np.float64)
    walls = buckets.wall_range[:, ~np.isnan(buckets.wall_range[0])]
    some, timed = value.shape[1] > 0, walls.shape[1] > 0
    return {
        "run_id": run_id,
        "tag_id": tag_id,
        "kind": _SCALAR,
        "level": LEVEL,
        "seq": int(buckets.blocks[-1]),
        "attempt": attempt,
        "n": int(buckets.block_points.sum()),
        "step_min": int(buckets.step_range[0].min()),
        "step_max": int(buckets.step_range[1].max()),
        "wall_min": float(walls[0].min()) if timed else None,
        "wall_max": float(walls[1].max()) if timed else None,
        "value_first": float(value[0, 0]) if some else None,
        "value_last": float(value[1, -1]) if some else None,
        "value_min": float(value[2].min()) if some else None,
        "value_max": float(value[3].max()) if some else None,
        "value_sum": None,
        "non_finite": int(buckets.non_finite.sum()),
        "payload": encode_buckets(buckets),
    }


def _long(heads: HeadTable, tags: Collection[int]) -> set[int]:
    rows = heads[(heads["kind"] == _SCALAR) & (heads["n_all"] >= LONG_POINTS)]
    return set(rows["tag_id"].tolist()) & set(tags)


def _extend(
    conn: Connection, run_id: int, tag_id: int, attempt: int, at_hand: Mapping[int, ScalarSeries]
) -> None:
    here = {"run": run_id, "tag": tag_id, "of_attempt": attempt}
    rows: list[tuple[int, int]] = [(seq, n) for seq, n in conn.execute(_FIND_ROWS, here)]
    after = rows[-1][0] if rows else -1
    bare = list(conn.scalars(_FIND_BARE, here | {"after": after}))
    if len(bare) < GROUP_BLOCKS:
        return
    made: list[Buckets] = []
    for some in chunked(bare, BLOCKS_AT_ONCE):
        if len(some) < GROUP_BLOCKS:
            break
        made.append(make_buckets(_load(conn, here, some, at_hand)))
    for buckets in _merged(conn, here, rows, made):
        conn.execute(_INSERT, [pyramid_row(run_id, tag_id, attempt, buckets)])


def _merged(
    conn: Connection,
    here: Mapping[str, int],
    rows: Sequence[tuple[int, int]],
    made: Sequence[Buckets],
) -> list[Buckets]:
    """Make one full row of the small ones, those stored and those just made, once they are
    enough for it; return what is to be stored. What is deleted soon leaves holes."""
    stored = [(seq, n) for seq, n in rows if n < FULL_POINTS]
    small = [buckets for buckets in made if _points(buckets) < FULL_POINTS]
    points = sum(n for _, n in stored) + sum(map(_points, small))
    if len(stored) + len(small) < 2 or points < FULL_POINTS:
        return list(made)
    parts = [*_take_away(conn, here, [seq for seq, _ in stored]), *small]
    full = [buckets for buckets in made if _points(buckets) >= FULL_POINTS]
    return [*full, join_buckets(parts)]


def _points(buckets: Buckets) -> int:
    return int(buckets.block_points.sum())


def _load(
    conn: Connection,
    here: Mapping[str, int],
    seqs: Sequence[int],
    at_hand: Mapping[int, ScalarSeries],
) -> list[tuple[int, ScalarSeries]]:
    missing = [seq for seq in seqs if seq not in at_hand]
    stored = {seq: decode_scalars(payload) for seq, payload in _payloads(conn, here, 0, missing)}
    return [(seq, at_hand[seq] if seq in at_hand else stored[seq]) for seq in seqs]


def _take_away(conn: Connection, here: Mapping[str, int], seqs: Sequence[int]) -> list[Buckets]:
    """Return these rows, and delete them: they become part of a larger one."""
    if not seqs:
        return []
    parts = [decode_buckets(payload) for _, payload in _payloads(conn, here, LEVEL, seqs)]
    conn.execute(
        delete(tables.block).where(
            _block.run_id == here["run"],
            _block.tag_id == here["tag"],
            _block.kind == _SCALAR,
            _block.level == LEVEL,
            _block.seq.in_(seqs),
        )
    )
    return parts


def _payloads(
    conn: Connection, here: Mapping[str, int], level: int, seqs: Sequence[int]
) -> Iterable[tuple[int, bytes]]:
    for some in chunked(seqs):
        wanted = {"run": here["run"], "tag": here["tag"], "at_level": level, "seqs": some}
        for seq, payload in conn.execute(_FETCH, wanted):
            yield seq, bytes(payload)
