"""Points wait in segments until a series has a block's worth; then they become blocks.

A segment is what one flush brought, all series in one row; a block is one series. Every
block of a series comes before its waiting points, and numbers (`seq`) only grow, so
reading blocks by number and then segments by number gives the stored order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from sqlalchemy import Connection, delete, insert, select

from orgboard_schema.blocks import (
    ScalarSeries,
    decode_segment,
    encode_segment,
    kind_number,
)
from orgboard_schema.blocks.heads import row_places, series_key, sum_heads
from orgboard_schema.blocks.series import Ints
from orgboard_schema.blocks.table import ScalarTable, chunks_of, count_table, encode_table
from orgboard_schema.sql import tables
from orgboard_schema.sql.many import execute_many
from orgboard_schema.sql.packing import (
    MAX_SEGMENTS,
    NewBlock,
    Waiting,
    first_to_merge,
    has_full_block,
    is_worth_packing,
    pack_waiting,
    waiting_bytes,
)
from orgboard_schema.sql.pyramid import extend_pyramid
from orgboard_schema.sql.runs import RunState, lock_run, save_run

__all__ = ["NewRows", "compact", "store_table", "store_waiting"]

ROWS_BYTES: Final = 16 * 1024 * 1024
"""What waited of a run may be far more than what one flush of it brings, and there may be
hundreds of runs in one transaction: beyond this, rows are written before the next run's."""

POINT_BYTES: Final = 24
"""What a scalar takes in memory, at most."""

# Built once: to build a statement costs more than to run it.
_INSERT_SEGMENT: Final = insert(tables.segment)
_INSERT_BLOCK: Final = insert(tables.block)


def compact(conn: Connection, run_id: int, *, final: bool, now: float) -> bool:
    """Move waiting points to blocks where there is a block's worth; all of them when `final`.

    `append` does the former by itself, in its own transaction. Call this with `final`,
    in a transaction of its own, when the run has ended or was idle for long. Returns
    whether anything moved; the run's revision goes up only then.
    """
    state = lock_run(conn, run_id)
    if not state.segments or not (final or has_full_block(sum_heads(state.heads))):
        return False
    rows = NewRows()
    _repack(conn, state, (), rows, final=final)
    rows.insert(conn)
    save_run(conn, state, now=now)
    return True


@dataclass(slots=True)
class NewRows:
    """Segments and blocks of many runs that one statement each inserts."""

    segments: list[dict[str, object]] = field(default_factory=list)
    blocks: list[dict[str, object]] = field(default_factory=list)
    grown: list[tuple[RunState, list[tuple[int, NewBlock]]]] = field(default_factory=list)
    """Runs and their new blocks of scalars by number: a pyramid may be due."""
    octets: int = 0
    """About what all of it takes in memory."""

    def insert_if_large(self, conn: Connection) -> None:
        """Write what has come together, if it is much."""
        if self.octets >= ROWS_BYTES:
            self.insert(conn)

    def insert(self, conn: Connection) -> None:
        """Write what has come together. Whoever reads a run's points does so first."""
        execute_many(conn, _INSERT_SEGMENT, self.segments)
        execute_many(conn, _INSERT_BLOCK, self.blocks)
        for state, blocks in self.grown:
            extend_pyramid(conn, state, blocks)
        self.segments, self.blocks, self.grown, self.octets = [], [], [], 0


def store_waiting(
    conn: Connection,
    state: RunState,
    waiting: Sequence[Waiting],
    rows: NewRows,
    *,
    final: bool = False,
) -> None:
    """Store new points of a locked run whose heads count them already; compact when due.

    `final`: no more are expected for now. What is to be inserted is added to `rows`, for
    the caller to write.
    """
    if not waiting:
        return
    _add_waiting(state, waiting)
    is_due, final = _is_due(state, final=final)
    if is_due:
        _repack(conn, state, waiting, rows, final=final)
        return
    _add_segments(state, waiting, rows)
    _merge_if_many(conn, state, rows)


def store_table(
    conn: Connection,
    state: RunState,
    table: ScalarTable,
    tags: Ints,
    attempt: int,
    rows: NewRows,
    *,
    final: bool = False,
) -> None:
    """Count new scalars of a locked run in its heads, then do as `store_waiting` with them.

    All of them visible and of one attempt; `tags`: the ids of the table's.
    """
    state.heads = count_table(state.heads, table, tags, attempt)
    is_due, final = _is_due(state, final=final)
    if is_due:
        waiting = [Waiting(attempt, chunk) for chunk in chunks_of(table, tags)]
        _repack(conn, state, waiting, rows, final=final)
        return
    _add_segment(state, attempt, len(table), encode_table(table, tags), rows)
    _merge_if_many(conn, state, rows)


def _is_due(state: RunState, *, final: bool) -> tuple[bool, bool]:
    """Tell whether new points go straight to blocks, with all that waits; and whether for good.

    Together with what waited before: order is kept, and a large batch is not written twice.
    """
    sums = sum_heads(state.heads)
    final = final and is_worth_packing(sums)
    return final or has_full_block(sums), final


def _merge_if_many(conn: Connection, state: RunState, rows: NewRows) -> None:
    if state.segments > MAX_SEGMENTS:
        rows.insert(conn)
        _merge(conn, state, rows)


def _repack(
    conn: Connection, state: RunState, new: Sequence[Waiting], rows: NewRows, *, final: bool
) -> None:
    waiting = list(new)
    if state.segments:
        waiting = [*_load_segments(conn, state, 0), *new]
        _delete_segments(conn, state, 0)
    blocks, rest = pack_waiting(waiting, final=final)
    _add_blocks(state, blocks, rows)
    _add_segments(state, rest, rows)
    state.heads["waiting"] = 0
    state.heads["waiting_bytes"] = 0
    _add_waiting(state, rest)


def _merge(conn: Connection, state: RunState, rows: NewRows) -> None:
    """Make fewer segments out of the newest ones."""
    columns = tables.segment.c
    stored = conn.execute(
        select(columns.seq, columns.attempt, columns.n)
        .where(columns.run_id == state.run_id)
        .order_by(columns.seq)
    ).all()
    if len({row.attempt for row in stored}) > 1:
        # Segments hold one attempt: what an earlier one left would stay apart for ever.
        _repack(conn, state, (), rows, final=False)
        return
    first = stored[first_to_merge([row.n for row in stored])].seq
    waiting = _load_segments(conn, state, first)
    _delete_segments(conn, state, first)
    _add_segments(state, _side_by_side(waiting), rows)


def _side_by_side(waiting: Sequence[Waiting]) -> list[Waiting]:
    """Return the points series by series: their columns compress better."""
    grouped: dict[tuple[int, str], list[Waiting]] = {}
    for item in waiting:
        grouped.setdefault(item.chunk.key, []).append(item)
    return [item for items in grouped.values() for item in items]


def _load_segments(conn: Connection, state: RunState, first: int) -> list[Waiting]:
    columns = tables.segment.c
    rows = conn.execute(
        select(columns.attempt, columns.payload)
        .where(columns.run_id == state.run_id, columns.seq >= first)
        .order_by(columns.seq)
    )
    return [
        Waiting(attempt, chunk)
        for attempt, payload in rows
        for chunk in decode_segment(bytes(payload))
    ]


def _delete_segments(conn: Connection, state: RunState, first: int) -> None:
    columns = tables.segment.c
    deleted = conn.execute(
        delete(tables.segment).where(columns.run_id == state.run_id, columns.seq >= first)
    )
    state.segments -= deleted.rowcount


def _add_segments(state: RunState, waiting: Iterable[Waiting], rows: NewRows) -> None:
    by_attempt: dict[int, list[Waiting]] = {}
    for item in waiting:
        by_attempt.setdefault(item.attempt, []).append(item)
    for attempt, items in sorted(by_attempt.items()):
        count = sum(len(item.chunk.series) for item in items)
        _add_segment(state, attempt, count, encode_segment([item.chunk for item in items]), rows)


def _add_segment(state: RunState, attempt: int, count: int, payload: bytes, rows: NewRows) -> None:
    rows.segments.append(
        {
            "run_id": state.run_id,
            "seq": state.take_seq(),
            "attempt": attempt,
            "n": count,
            "payload": payload,
        }
    )
    rows.octets += len(payload)
    state.segments += 1


def _add_blocks(state: RunState, blocks: Sequence[NewBlock], rows: NewRows) -> None:
    seqs = [state.take_seq() for _ in blocks]
    grown = [(seq, block) for seq, block in zip(seqs, blocks, strict=True) if _is_scalar(block)]
    for seq, block in zip(seqs, blocks, strict=True):
        rows.blocks.append(_block_row(state.run_id, seq, block))
        rows.octets += len(block.packed[0])
    if grown:
        rows.grown.append((state, grown))
        rows.octets += sum(POINT_BYTES * len(block.series) for _, block in grown)


def _is_scalar(block: NewBlock) -> bool:
    return isinstance(block.series, ScalarSeries)


def _block_row(run_id: int, seq: int, block: NewBlock) -> dict[str, object]:
    payload, summary = block.packed
    return {
        "run_id": run_id,
        "tag_id": block.tag_id,
        "kind": kind_number(block.kind),
        "level": 0,
        "seq": seq,
        "attempt": block.attempt,
        "payload": payload,
        **summary._asdict(),
    }


def _add_waiting(state: RunState, waiting: Sequence[Waiting]) -> None:
    if not waiting:
        # numpy takes an empty list for one of floats.
        return
    points: dict[int, int] = {}
    octets: dict[int, int] = {}
    for item in waiting:
        key = series_key(*item.chunk.key)
        points[key] = points.get(key, 0) + len(item.chunk.series)
        octets[key] = octets.get(key, 0) + waiting_bytes(item.chunk.series)
    keys = np.array(sorted(points), np.int64)
    state.heads, places = row_places(state.heads, keys)
    state.heads["waiting"][places] += [points[key] for key in keys.tolist()]
    state.heads["waiting_bytes"][places] += [octets[key] for key in keys.tolist()]
