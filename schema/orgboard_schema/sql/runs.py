"""A run under its lock: what whoever changes its points reads first and writes last.

    state = lock_run(conn, run_id)  ...  save_run(conn, state, now=now, …)

On PostgreSQL the row lock makes rivals on the same run wait here; on SQLite the
transaction holds the only write lock already.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, bindparam, select, update

from orgboard_schema.blocks import (
    HeadTable,
    decode_heads,
    encode_heads,
    encode_tag_set,
)
from orgboard_schema.blocks.heads import empty_heads
from orgboard_schema.sql import tables
from orgboard_schema.sql.upsert import insert_new, insert_or_replace
from orgboard_schema.types import KINDS

__all__ = ["RunState", "lock_run", "save_run", "tag_set_id"]

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
_LOCK: Final = (
    select(*(tables.run.c[name] for name in _LOCKED))
    .where(tables.run.c.run_id == bindparam("run"))
    # Not FOR UPDATE: that would also stop rivals that only refer to the run.
    .with_for_update(key_share=True)
)
_FIND_HEAD: Final = select(tables.run_head.c.payload).where(
    tables.run_head.c.run_id == bindparam("run")
)
_SAVE: Final = (
    update(tables.run)
    .where(tables.run.c.run_id == bindparam("run"))
    .values({name: bindparam(f"new_{name}") for name in (*_LOCKED, "last_step")})
)


@dataclass(slots=True)
class RunState:
    """A locked run's row and heads; changed in place until `save_run` writes it."""

    run_id: int
    heads: HeadTable
    known_series: int
    """How many series the stored heads have: more at the end means another tag set."""
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
    row = conn.execute(_LOCK, {"run": run_id}).one()
    payload = conn.execute(_FIND_HEAD, {"run": run_id}).scalar_one_or_none()
    heads = empty_heads() if payload is None else decode_heads(bytes(payload))
    return RunState(run_id=run_id, heads=heads, known_series=len(heads), **row._mapping)


def save_run(
    conn: Connection, state: RunState, *, now: float, changes: Mapping[str, object] | None = None
) -> None:
    """Write the run's heads and row, one revision on; `changes` are further columns of it."""
    head: dict[str, object] = {"run_id": state.run_id, "payload": encode_heads(state.heads)}
    insert_or_replace(conn, tables.run_head, [head], replace=["payload"])
    if len(state.heads) != state.known_series:
        state.tag_set_id = tag_set_id(conn, state.heads)
    visible = state.heads["last_step"][state.heads["n"] > 0]
    state.revision += 1
    # A clock that was set back must not hide the change from those who poll.
    state.touched_ms = max(int(now * 1000), state.touched_ms)
    row = {f"new_{name}": getattr(state, name) for name in _LOCKED}
    row |= {"run": state.run_id, "new_last_step": int(visible.max()) if len(visible) else None}
    conn.execute(_SAVE, row)
    if changes:
        conn.execute(update(tables.run).where(tables.run.c.run_id == state.run_id).values(changes))


def tag_set_id(conn: Connection, heads: HeadTable) -> int:
    """Return the id of the set of series in `heads`, storing the set when it is new."""
    payload = encode_tag_set(
        [(tag_id, KINDS[kind]) for kind, tag_id in heads[["kind", "tag_id"]].tolist()]
    )
    key = hashlib.sha256(payload).digest()
    columns = tables.tag_set.c
    query = select(columns.tag_set_id).where(columns.sha256 == key)
    found = conn.execute(query).scalar_one_or_none()
    if found is None:
        insert_new(conn, tables.tag_set, [{"sha256": key, "payload": payload}])
        found = conn.execute(query).scalar_one()
    return int(found)
