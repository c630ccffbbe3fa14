"""A run under its lock: what whoever changes its points reads first and writes last.

    state = lock_run(conn, run_id)  ...  save_run(conn, state, now=now, …)
    states = lock_runs(conn, run_ids)  ...  save_runs(conn, …)      many at once

On PostgreSQL the row lock makes rivals on the same run wait here; on SQLite the
transaction holds the only write lock already.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select, update

from orgboard_schema.blocks import HeadTable, decode_heads, encode_heads, encode_tag_set
from orgboard_schema.blocks.heads import empty_heads, sum_heads
from orgboard_schema.sql import tables
from orgboard_schema.sql.dictionary import chunked, find_ids
from orgboard_schema.sql.engine import IN_BINARY
from orgboard_schema.sql.listed import KEYS, Listed
from orgboard_schema.sql.many import execute_many
from orgboard_schema.sql.upsert import insert_new, insert_or_replace

__all__ = ["RunState", "lock_run", "lock_runs", "save_run", "save_runs"]

_LOCKED: Final = (
    "revision",
    "touched_ms",
    "started",
    "last_event",
    "last_write",
    "points",
    "gaps",
    "attempts",
    "tag_set_id",
    "next_seq",
    "segments",
)

# Built once: to build a statement costs more than to run it.
_LOCK: Final = Listed(
    select(tables.run.c.run_id, tables.run.c.standing, *(tables.run.c[name] for name in _LOCKED))
    # Rivals take the same locks in the same order.
    .order_by(tables.run.c.run_id)
    # Not FOR UPDATE: that would also stop rivals that only refer to the run.
    .with_for_update(key_share=True),
    tables.run.c.run_id,
)
_FIND_HEADS: Final = Listed(
    select(tables.run_head.c.run_id, tables.run_head.c.payload).execution_options(**IN_BINARY),
    tables.run_head.c.run_id,
)
_SAVE: Final = (
    update(tables.run)
    .where(tables.run.c.run_id == bindparam("run"))
    .values({name: bindparam(f"new_{name}") for name in (*_LOCKED, "last_step")})
)
_FIND_TAG_SETS: Final = Listed(
    select(tables.tag_set.c.sha256, tables.tag_set.c.tag_set_id), tables.tag_set.c.sha256
)


@dataclass(slots=True)
class RunState:
    """A locked run's row and heads; changed in place until `save_run` writes it."""

    run_id: int
    heads: HeadTable
    known_series: int
    """How many series the stored heads have: more at the end means another tag set."""
    standing: int
    revision: int
    touched_ms: int
    started: float | None
    last_event: float | None
    last_write: float | None
    points: int
    gaps: int
    attempts: int
    tag_set_id: int | None
    next_seq: int
    segments: int

    def take_seq(self) -> int:
        """Return the next number for a segment or block."""
        self.next_seq += 1
        return self.next_seq - 1


def lock_run(conn: Connection, run_id: int) -> RunState:
    """Take the run's lock, then read what it guards (never the other way round)."""
    return lock_runs(conn, [run_id])[run_id]


def lock_runs(conn: Connection, run_ids: Collection[int]) -> dict[int, RunState]:
    """Take the locks of all these runs, then read what they guard; without those not there."""
    states: dict[int, RunState] = {}
    for some in chunked(sorted(run_ids)):
        rows: Sequence[Any] = conn.execute(_LOCK.of(conn), {KEYS: some}).all()
        payloads = dict(conn.execute(_FIND_HEADS.of(conn), {KEYS: some}).all())
        for row in rows:
            run_id, standing, *guarded = tuple(row)
            payload = payloads.get(run_id)
            heads = empty_heads() if payload is None else decode_heads(bytes(payload))
            # The order of `_LOCKED` is that of the fields.
            states[run_id] = RunState(run_id, heads, len(heads), standing, *guarded)
    return states


def save_run(
    conn: Connection, state: RunState, *, now: float, changes: Mapping[str, object] | None = None
) -> None:
    """Write the run's heads and row, one revision on; `changes` are further columns of it."""
    save_runs(conn, [(state, now, changes or {})])


def save_runs(
    conn: Connection, saved: Sequence[tuple[RunState, float, Mapping[str, object]]]
) -> None:
    """Write many runs as `save_run` does: each its state, the time, further columns."""
    saved = sorted(saved, key=lambda each: each[0].run_id)
    heads: list[dict[str, object]] = [
        {"run_id": state.run_id, "payload": encode_heads(state.heads)} for state, _, _ in saved
    ]
    insert_or_replace(conn, tables.run_head, heads, replace=["payload"])
    _set_tag_sets(conn, [state for state, _, _ in saved if len(state.heads) != state.known_series])
    execute_many(conn, _SAVE, [_saved(state, now) for state, now, _ in saved])
    for state, _, changes in saved:
        if changes:
            here = tables.run.c.run_id == state.run_id
            conn.execute(update(tables.run).where(here).values(changes))


def _saved(state: RunState, now: float) -> dict[str, object]:
    """Return the row of a run, one revision on."""
    sums = sum_heads(state.heads)
    state.revision += 1
    # A clock that was set back must not hide the change from those who poll.
    state.touched_ms = max(int(now * 1000), state.touched_ms)
    row = {f"new_{name}": getattr(state, name) for name in _LOCKED}
    return row | {
        "run": state.run_id,
        "new_last_step": sums.last_step if sums.any_visible else None,
    }


def _set_tag_sets(conn: Connection, states: Sequence[RunState]) -> None:
    """Give each run the id of the set of its series, storing the sets that are new."""
    if not states:
        return
    payloads = [encode_tag_set(state.heads) for state in states]
    keys = [hashlib.sha256(payload).digest() for payload in payloads]
    payload_of = dict(zip(keys, payloads, strict=True))
    found = find_ids(conn, _FIND_TAG_SETS, payload_of)
    missing = sorted(payload_of.keys() - found.keys())
    if missing:
        rows: list[dict[str, object]] = [
            {"sha256": key, "payload": payload_of[key]} for key in missing
        ]
        insert_new(conn, tables.tag_set, rows)
        found |= find_ids(conn, _FIND_TAG_SETS, missing)
    for state, key in zip(states, keys, strict=True):
        state.tag_set_id = found[key]
