"""The one way points go in: all of a flush and the file's new offset, in one transaction.

    files' offsets (compare and set) → tags → metadata → blobs → the runs' locks
        → segments or blocks → heads → tag sets → the runs' rows

Every writer takes its locks in this order, and keys inside one table in sorted order, so
that rivals wait for each other and never in a circle. Many flushes may share a transaction,
one of each run: a statement costs far more than another row of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeAlias

import numpy as np
from sqlalchemy import Connection

from orgboard_schema.blocks import Chunk, StoredValue, ValueSeries
from orgboard_schema.blocks.heads import row_keys, row_places, series_key
from orgboard_schema.blocks.series import Ints
from orgboard_schema.blocks.summary import add_points
from orgboard_schema.blocks.table import chunks_of
from orgboard_schema.errors import OffsetMoved
from orgboard_schema.sql import tables
from orgboard_schema.sql.blobs import put_away
from orgboard_schema.sql.compact import NewRows, store_table, store_waiting
from orgboard_schema.sql.dictionary import metadata_ids, tag_ids
from orgboard_schema.sql.files import advance_files, finite
from orgboard_schema.sql.flush import Flush, NewScalars, NewValues
from orgboard_schema.sql.packing import Waiting
from orgboard_schema.sql.recount import recount
from orgboard_schema.sql.runs import RunState, lock_runs, save_runs
from orgboard_schema.sql.standing import SHADOW, SHOWN
from orgboard_schema.sql.supersede import EVERY_TAG, Cut, load_cuts, restart_row, superseded
from orgboard_schema.sql.text import to_sql
from orgboard_schema.sql.upsert import insert_new, insert_or_replace
from orgboard_schema.types import Kind

__all__ = ["append", "append_all"]

_TAKE_POINTS: Final = (SHOWN, SHADOW)
"""How a run stands that points may be added to."""

_CutKey: TypeAlias = tuple[int, int, Kind | None]
"""A cut's attempt, tag and kind."""


def append(conn: Connection, flush: Flush) -> int:
    """Store a flush, or nothing of it; return the run's revision with it.

    Raises:
        OffsetMoved: The file is not at `old_offset` of this generation any more, or the run
            not at `revision`. Roll back (leaving the transaction does), look both up, and
            read on from there.
    """
    return append_all(conn, [flush])[flush.run_id].revision


def append_all(conn: Connection, flushes: Sequence[Flush]) -> dict[int, RunState]:
    """Store flushes of different runs, or nothing of any; return how each run stands with it.

    Raises:
        OffsetMoved: As `append`; which of them it was is not told.
    """
    for flush in flushes:
        _check(flush)
    if not flushes:
        return {}
    advance_files(conn, [flush.file for flush in flushes])
    tags = tag_ids(conn, set().union(*map(_tags, flushes)))
    metadata = metadata_ids(conn, [m for flush in flushes for m in flush.metadata.values()])
    waiting = _put_away(conn, flushes, tags)
    states = lock_runs(conn, [flush.run_id for flush in flushes])
    if len(states) != len(flushes):
        raise ValueError("a run has one flush in a transaction, and has to exist")
    rows = NewRows()
    for flush in flushes:
        state = states[flush.run_id]
        if flush.revision not in (None, state.revision) or state.standing not in _TAKE_POINTS:
            raise OffsetMoved(f"a rival changed run {flush.run_id} first")
        cuts = _store_restarts(conn, flush, tags, state)
        _store_points(conn, state, flush, waiting[flush.run_id], tags, cuts, rows)
        said = flush.metadata.items()
        _describe(state, {(tags[tag], kind): metadata[m] for (tag, kind), m in said})
        if flush.restarts:
            rows.insert(conn)
            recount(conn, state, cuts, _affected(flush, tags))
        rows.insert_if_large(conn)
        _note(state, flush)
    rows.insert(conn)
    insert_new(conn, tables.gap, [row for flush in flushes for row in _gap_rows(flush)])
    save_runs(conn, [(states[flush.run_id], flush.now, _changes(flush)) for flush in flushes])
    return states


def _check(flush: Flush) -> None:
    file = flush.file
    if file.new_offset < file.old_offset:
        raise ValueError(f"a file is read forwards, not {file.old_offset} to {file.new_offset}")
    if file.new_offset == file.old_offset and (flush.chunks or flush.scalars is not None):
        # The compare-and-set would let a second copy of these points in.
        raise ValueError("points need bytes that they come from")


def _tags(flush: Flush) -> set[str]:
    named = {chunk.tag for chunk in flush.chunks} | {tag for tag, _ in flush.metadata}
    if flush.scalars is not None:
        named.update(flush.scalars.table.tags)
    return named | {restart.tag for restart in flush.restarts if restart.tag is not None}


def _put_away(
    conn: Connection, flushes: Sequence[Flush], tags: dict[str, int]
) -> dict[int, list[Waiting]]:
    fresh = {
        flush.run_id: [c.series.values for c in flush.chunks if isinstance(c.series, NewValues)]
        for flush in flushes
    }
    stored = put_away(conn, fresh)
    return {
        flush.run_id: list(_waiting(flush, iter(stored[flush.run_id]), tags)) for flush in flushes
    }


def _waiting(
    flush: Flush, stored: Iterator[Sequence[StoredValue]], tags: dict[str, int]
) -> Iterator[Waiting]:
    for chunk in flush.chunks:
        new = chunk.series
        series = (
            ValueSeries(new.step, new.wall, next(stored)) if isinstance(new, NewValues) else new
        )
        if len(series):
            yield Waiting(chunk.attempt, Chunk(tags[chunk.tag], chunk.kind, series))


def _store_points(
    conn: Connection,
    state: RunState,
    flush: Flush,
    waiting: Sequence[Waiting],
    tags: dict[str, int],
    cuts: Sequence[Cut],
    rows: NewRows,
) -> None:
    """Count points in the heads and store them: a table as one, where that says it all."""
    scalars = flush.scalars
    if scalars is not None:
        ids = np.array([tags[tag] for tag in scalars.table.tags], np.int64)
        attempts = set(scalars.attempts)
        if len(attempts) == 1 and not waiting and not cuts:
            state.points += len(scalars.table)
            state.attempts = max(state.attempts, *(attempt + 1 for attempt in attempts))
            store_table(conn, state, scalars.table, ids, attempts.pop(), rows, final=flush.final)
            return
        waiting = [*_one_by_one(scalars, ids), *waiting]
    _count(state, waiting, cuts)
    store_waiting(conn, state, waiting, rows, final=flush.final)


def _one_by_one(scalars: NewScalars, ids: Ints) -> list[Waiting]:
    table = scalars.table
    sections = table.pieces["section"].tolist()
    return [
        Waiting(scalars.attempts[section], chunk)
        for section, chunk in zip(sections, chunks_of(table, ids), strict=True)
    ]


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


def _gap_rows(flush: Flush) -> list[dict[str, object]]:
    return [
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


def _note(state: RunState, flush: Flush) -> None:
    file = flush.file
    first, last = finite(file.first_wall), finite(file.last_wall)
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
    if flush.opened is not None:
        changes["opened"] = int(flush.opened)
    if flush.hparams is not None:
        changes["hparams"] = to_sql(flush.hparams)
    if flush.origin is not None:
        changes["host"] = to_sql(flush.origin.host) if flush.origin.host else None
        changes["username"] = to_sql(flush.origin.username) if flush.origin.username else None
    return changes


def _pick(
    choose: Callable[[float, float], float], old: float | None, new: float | None
) -> float | None:
    if old is None or new is None:
        return new if old is None else old
    return choose(old, new)
