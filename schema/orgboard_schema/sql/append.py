"""The one way points go in: all of a flush and the file's new offset, in one transaction.

    file's offset (compare and set) → tags → metadata → blobs → the run's lock
        → segment or blocks → heads → tag set → the run's row

Every writer takes its locks in this order, and keys inside one table in sorted order, so
that rivals wait for each other and never in a circle. One flush a transaction.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

import numpy as np
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Update,
    bindparam,
    case,
    func,
    update,
)

from orgboard_schema.blocks import Chunk, ValueSeries
from orgboard_schema.blocks.heads import row_keys, row_places, series_key
from orgboard_schema.blocks.summary import add_points
from orgboard_schema.errors import OffsetMoved
from orgboard_schema.sql import tables
from orgboard_schema.sql.blobs import put_away
from orgboard_schema.sql.clock import clock
from orgboard_schema.sql.compact import store_waiting
from orgboard_schema.sql.dictionary import metadata_ids, tag_ids
from orgboard_schema.sql.flush import FileCommit, Flush, NewValues
from orgboard_schema.sql.packing import Waiting
from orgboard_schema.sql.recount import recount
from orgboard_schema.sql.runs import RunState, lock_run, save_run
from orgboard_schema.sql.supersede import EVERY_TAG, Cut, load_cuts, restart_row, superseded
from orgboard_schema.sql.text import to_sql
from orgboard_schema.sql.upsert import insert_new, insert_or_replace
from orgboard_schema.types import Kind

__all__ = ["append"]

_CutKey: TypeAlias = tuple[int, int, Kind | None]
"""A cut's attempt, tag and kind."""


def append(conn: Connection, flush: Flush) -> None:
    """Store a flush, or nothing of it.

    Raises:
        OffsetMoved: The file is not at `old_offset` of this generation any more. Roll
            back (leaving the transaction does), look the file up, and read on from there.
    """
    _check(flush)
    _advance_file(conn, flush.file)
    tags = tag_ids(conn, _tags(flush))
    metadata = metadata_ids(conn, flush.metadata.values())
    waiting = _put_away(conn, flush, tags)
    state = lock_run(conn, flush.run_id)
    cuts = _store_restarts(conn, flush, tags, state)
    _count(state, waiting, cuts)
    _describe(state, {(tags[tag], kind): metadata[m] for (tag, kind), m in flush.metadata.items()})
    store_waiting(conn, state, waiting)
    if flush.restarts:
        recount(conn, state, cuts, _affected(flush, tags))
    _store_gaps(conn, flush)
    _note(state, flush)
    save_run(conn, state, now=flush.now, changes=_changes(flush))


def _check(flush: Flush) -> None:
    file = flush.file
    if file.new_offset < file.old_offset:
        raise ValueError(f"a file is read forwards, not {file.old_offset} to {file.new_offset}")
    if file.new_offset == file.old_offset and flush.chunks:
        # The compare-and-set would let a second copy of these points in.
        raise ValueError("points need bytes that they come from")


def _advance_file(conn: Connection, file: FileCommit) -> None:
    # First of all: a rival waits here, then finds that the offset moved.
    moved = conn.execute(
        _ADVANCE,
        {
            "file": file.file_id,
            "of_generation": file.generation,
            "old": file.old_offset,
            "new": file.new_offset,
            "new_size": file.size,
            "new_mtime_ns": file.mtime_ns,
            "new_pending": file.pending,
            "more_records": file.records,
            "new_first_wall": _finite(file.first_wall),
            "new_last_wall": _finite(file.last_wall),
            "new_first_attempt": file.first_attempt,
            "new_last_attempt": file.last_attempt,
            "new_writer": None if file.source_writer is None else to_sql(file.source_writer),
        },
    )
    if moved.rowcount != 1:
        raise OffsetMoved(
            f"file {file.file_id} is no longer at {file.old_offset} of generation {file.generation}"
        )


def _advance() -> Update:
    columns = tables.source_file.c
    last_wall = bindparam("new_last_wall", type_=columns.last_wall.type)
    later = (columns.last_wall < last_wall) | columns.last_wall.is_(None)
    return (
        update(tables.source_file)
        .where(
            columns.file_id == bindparam("file"),
            columns.generation == bindparam("of_generation"),
            columns.offset == bindparam("old"),
        )
        .values(
            {
                columns.offset: bindparam("new"),
                columns.size: bindparam("new_size"),
                columns.mtime_ns: bindparam("new_mtime_ns"),
                columns.pending: bindparam("new_pending"),
                columns.records: columns.records + bindparam("more_records"),
                columns.first_wall: _or(columns.first_wall, "new_first_wall"),
                columns.last_wall: case((later, last_wall), else_=columns.last_wall),
                columns.first_attempt: _unless_null("new_first_attempt", columns.first_attempt),
                columns.last_attempt: _unless_null("new_last_attempt", columns.last_attempt),
                columns.source_writer: _unless_null("new_writer", columns.source_writer),
                columns.read_at: clock,
            }
        )
    )


def _or(column: Column[Any], name: str) -> ColumnElement[Any]:
    return func.coalesce(column, bindparam(name, type_=column.type))


def _unless_null(name: str, column: Column[Any]) -> ColumnElement[Any]:
    return func.coalesce(bindparam(name, type_=column.type), column)


# Built once: to build a statement costs more than to run it.
_ADVANCE: Final = _advance()


def _tags(flush: Flush) -> set[str]:
    named = {chunk.tag for chunk in flush.chunks} | {tag for tag, _ in flush.metadata}
    return named | {restart.tag for restart in flush.restarts if restart.tag is not None}


def _put_away(conn: Connection, flush: Flush, tags: dict[str, int]) -> list[Waiting]:
    chunks = [chunk for chunk in flush.chunks if len(chunk.series)]
    fresh = [chunk.series for chunk in chunks if isinstance(chunk.series, NewValues)]
    stored = iter(put_away(conn, flush.run_id, [series.values for series in fresh]))
    waiting: list[Waiting] = []
    for chunk in chunks:
        new = chunk.series
        series = (
            ValueSeries(new.step, new.wall, next(stored)) if isinstance(new, NewValues) else new
        )
        waiting.append(Waiting(chunk.attempt, Chunk(tags[chunk.tag], chunk.kind, series)))
    return waiting


def _store_restarts(
    conn: Connection, flush: Flush, tags: dict[str, int], state: RunState
) -> list[Cut]:
    if state.attempts == 1 and not flush.restarts:
        return []
    known = load_cuts(conn, [flush.run_id])[flush.run_id]
    steps: dict[_CutKey, int] = {(cut.attempt, cut.tag_id, cut.kind): cut.step for cut in known}
    changed: dict[_CutKey, int] = {}
    for restart in flush.restarts:
        tag_id = EVERY_TAG if restart.tag is None else tags[restart.tag]
        key: _CutKey = (restart.attempt, tag_id, restart.kind)
        # Another file of the same attempt may begin earlier.
        changed[key] = min(
            restart.step, steps.get(key, restart.step), changed.get(key, restart.step)
        )
    rows = [restart_row(flush.run_id, Cut(*key, step)) for key, step in changed.items()]
    insert_or_replace(conn, tables.restart, rows, replace=["step"])
    return [Cut(*key, step) for key, step in (steps | changed).items()]


def _count(state: RunState, waiting: Sequence[Waiting], cuts: Sequence[Cut]) -> None:
    chunks = [item.chunk for item in waiting]
    masks = None
    if cuts:
        masks = [
            superseded(cuts, *item.chunk.key, item.attempt, item.chunk.series.step)
            for item in waiting
        ]
    state.heads = add_points(state.heads, chunks, [item.attempt for item in waiting], masks)
    state.points += sum(len(chunk.series) for chunk in chunks)
    newest = max((item.attempt for item in waiting), default=0)
    state.attempts = max(state.attempts, newest + 1)


def _describe(state: RunState, metadata: dict[tuple[int, Kind], int]) -> None:
    """Give metadata to the series that have none yet."""
    if not metadata:
        return
    by_key = {series_key(*key): number for key, number in metadata.items()}
    keys = np.array(sorted(by_key), np.int64)
    # A series without a point has no head, whatever was said of it.
    keys = keys[np.isin(keys, row_keys(state.heads))]
    state.heads, places = row_places(state.heads, keys)
    numbers = np.array([by_key[key] for key in keys.tolist()], np.int64)
    old = state.heads["metadata_id"][places]
    state.heads["metadata_id"][places] = np.where(old == 0, numbers, old)


def _affected(flush: Flush, tags: dict[str, int]) -> set[tuple[int, Kind]] | None:
    """Return the series whose older points these restarts hide; None for all."""
    affected: set[tuple[int, Kind]] = set()
    for restart in flush.restarts:
        if restart.tag is None or restart.kind is None:
            return None
        affected.add((tags[restart.tag], restart.kind))
    return affected


def _store_gaps(conn: Connection, flush: Flush) -> None:
    rows: list[dict[str, object]] = [
        {
            "run_id": flush.run_id,
            "file_id": flush.file.file_id,
            "generation": flush.file.generation,
            "offset": gap.offset,
            "length": gap.length,
            "reason": gap.reason,
            "found_at": flush.now,
        }
        for gap in flush.gaps
    ]
    insert_new(conn, tables.gap, rows)


def _note(state: RunState, flush: Flush) -> None:
    file = flush.file
    first, last = _finite(file.first_wall), _finite(file.last_wall)
    state.started = _pick(min, state.started, first)
    state.last_event = _pick(max, state.last_event, last)
    state.last_write = _pick(max, state.last_write, file.mtime_ns / 1e9)
    state.gaps += len(flush.gaps)
    restarted = max((restart.attempt for restart in flush.restarts), default=0)
    state.attempts = max(state.attempts, restarted + 1)


def _changes(flush: Flush) -> dict[str, object]:
    changes: dict[str, object] = {}
    if flush.finished is not None:
        changes["finished"] = None if flush.finished == "running" else flush.finished
    if flush.hparams is not None:
        changes["hparams"] = to_sql(flush.hparams)
    return changes


def _pick(
    choose: Callable[[float, float], float], old: float | None, new: float | None
) -> float | None:
    if old is None or new is None:
        return new if old is None else old
    return choose(old, new)


def _finite(value: float | None) -> float | None:
    """Return None for what SQLite would make NULL of anyway, so that both engines agree."""
    return value if value is not None and math.isfinite(value) else None
