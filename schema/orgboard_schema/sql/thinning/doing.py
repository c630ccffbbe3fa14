"""Take points away, a few thousand a transaction.

    look        snapshot      the rows to change, and the run's revision
    take        transaction   rows, heads and marks, while the revision is the one looked at
      …         transaction   again, each a revision on
    let go      transaction   references to blobs that no point of the run has any more

Stopped between two of them, the run is whole, and the same command goes on where it was: what
goes is told from the places that points had before any was taken. Ingest that stored something
meanwhile wins: the run is left, and looked at again the next time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from sqlalchemy import Connection, Engine, delete, insert, select, update

from orgboard_schema.blocks import kind_number
from orgboard_schema.blocks.heads import row_places, series_key
from orgboard_schema.blocks.taken import Taken, encode_taken, join_taken
from orgboard_schema.sql import tables
from orgboard_schema.sql.blobs import drop_references
from orgboard_schema.sql.dictionary import chunked
from orgboard_schema.sql.engine import begin_read, begin_write
from orgboard_schema.sql.retention import WRITTEN_AT, Policy
from orgboard_schema.sql.runs import RunState, lock_runs, save_run
from orgboard_schema.sql.standing import SHOWN
from orgboard_schema.sql.supersede import Cut, load_cuts, superseded
from orgboard_schema.sql.thinning.edits import Edit, Edited, Place, edited, find_edits, load_payload
from orgboard_schema.sql.thinning.marks import TakenKey, is_settled
from orgboard_schema.sql.thinning.plan import blobs_used
from orgboard_schema.sql.thinning.rule import Rule

__all__ = ["Thinned", "thin_run"]

POINTS_AT_ONCE: Final = 8192
"""Taken in one transaction: holds ingest up for tenths of a second."""

REFERENCES_AT_ONCE: Final = 500

_thinned, _run = tables.thinned.c, tables.run.c


@dataclass(frozen=True, slots=True)
class Thinned:
    """What came of one run."""

    points: int
    """Taken."""
    references: int
    """To blobs that no point of the run has any more."""
    is_done: bool
    """False: the run changed meanwhile, and the rest is left as it was."""


class _Changed(Exception):  # noqa: N818 - says what was found
    """The run is not as it was looked at."""


def thin_run(
    engine: Engine,
    run_id: int,
    policy: Policy,
    rule: Rule,
    *,
    now: float,
    at_once: int = POINTS_AT_ONCE,
) -> Thinned:
    """Take from a run what the policy's rule takes, and let go what only those points referred to.

    Every transaction leaves it whole, and may be the last.
    """
    points = references = 0
    try:
        with begin_read(engine) as conn:
            revision = _due(conn, run_id, policy, now)
            edits = find_edits(conn, run_id, rule)
            is_open = bool(edits) or not is_settled(conn, run_id)
        for some in _batches(edits, at_once):
            with begin_write(engine) as conn:
                state = _locked(conn, run_id, revision)
                points += _take(conn, state, some, rule, now=now)
                revision = state.revision
        if is_open:
            for let_go in _let_go(engine, run_id, revision):
                references += let_go
    except _Changed:
        return Thinned(points, references, is_done=False)
    return Thinned(points, references, is_done=True)


def _batches(edits: Sequence[Edit], most: int) -> Iterator[list[Edit]]:
    batch: list[Edit] = []
    points = 0
    for edit in edits:
        if batch and points + edit.points > most:
            yield batch
            batch, points = [], 0
        batch.append(edit)
        points += edit.points
    if batch:
        yield batch


def _due(conn: Connection, run_id: int, policy: Policy, now: float) -> int:
    """Return the revision of a run that is still as old as the policy wants it."""
    query = select(_run.revision, WRITTEN_AT).where(_run.run_id == run_id, _run.standing == SHOWN)
    row = conn.execute(query).one_or_none()
    if row is None or not policy.thins(now - row[1]):
        raise _Changed
    return int(row[0])


def _locked(conn: Connection, run_id: int, revision: int) -> RunState:
    """Take the run's lock; what was looked at is what is there."""
    state = lock_runs(conn, [run_id]).get(run_id)
    if state is None or state.standing != SHOWN or state.revision != revision:
        raise _Changed
    return state


@dataclass(slots=True)
class _Counts:
    """Of one series, what a batch takes."""

    points: int = 0
    visible: int = 0
    waiting: int = 0
    waiting_bytes: int = 0


@dataclass(slots=True)
class _Batch:
    taken: dict[TakenKey, list[Taken]] = field(default_factory=dict)
    counts: dict[int, _Counts] = field(default_factory=dict)
    """By `series_key`."""


def _take(
    conn: Connection, state: RunState, edits: Sequence[Edit], rule: Rule, *, now: float
) -> int:
    """Change these rows of a locked run, and all that counts what is in them."""
    cuts = load_cuts(conn, [state.run_id])[state.run_id]
    batch = _Batch()
    for edit in edits:
        changed = edited(edit, load_payload(conn, state.run_id, edit.place))
        _change_row(conn, state, edit.place, changed)
        _add(batch, changed, cuts, is_waiting=edit.place.block is None)
    _count(state, batch)
    rows = [_row(state, key, parts, rule, now) for key, parts in sorted(batch.taken.items())]
    conn.execute(insert(tables.thinned), rows)
    points = sum(counts.points for counts in batch.counts.values())
    state.points -= points
    save_run(conn, state, now=now)
    return points


def _change_row(conn: Connection, state: RunState, place: Place, changed: Edited) -> None:
    table = tables.segment if place.block is None else tables.block
    here = (table.c.run_id == state.run_id) & (table.c.seq == place.seq)
    if place.block is not None:
        tag_id, kind = place.block
        here &= (table.c.tag_id == tag_id) & (table.c.kind == kind_number(kind))
        here &= table.c.level == 0
    if changed.payload is not None:
        conn.execute(update(table).where(here).values(payload=changed.payload, **changed.columns))
        return
    conn.execute(delete(table).where(here))
    state.segments -= place.block is None


def _add(batch: _Batch, changed: Edited, cuts: Sequence[Cut], *, is_waiting: bool) -> None:
    for key, taken, octets in changed.taken:
        tag_id, kind, attempt = key
        counts = batch.counts.setdefault(series_key(tag_id, kind), _Counts())
        hidden = superseded(cuts, tag_id, kind, attempt, taken.step)
        counts.points += len(taken)
        counts.visible += int(np.count_nonzero(~hidden))
        if is_waiting:
            counts.waiting += len(taken)
            counts.waiting_bytes += octets
        batch.taken.setdefault(key, []).append(taken)


def _count(state: RunState, batch: _Batch) -> None:
    """Take the points off the heads. Their ends stay: first and last are never taken."""
    numbers = np.array(sorted(batch.counts), np.int64)
    counts = [batch.counts[number] for number in numbers.tolist()]
    state.heads, at = row_places(state.heads, numbers)
    state.heads["n_all"][at] -= [each.points for each in counts]
    state.heads["n"][at] -= [each.visible for each in counts]
    state.heads["waiting"][at] -= [each.waiting for each in counts]
    state.heads["waiting_bytes"][at] -= [each.waiting_bytes for each in counts]


def _row(
    state: RunState, key: TakenKey, parts: Sequence[Taken], rule: Rule, now: float
) -> dict[str, object]:
    tag_id, kind, attempt = key
    taken = join_taken(parts)
    return {
        "run_id": state.run_id,
        "tag_id": tag_id,
        "kind": kind_number(kind),
        "attempt": attempt,
        "seq": state.take_seq(),
        "at": now,
        "keep_every": rule.keep_every,
        "after_days": rule.after_days,
        "settled": 0,
        "n": len(taken),
        "payload": encode_taken(taken),
    }


def _let_go(engine: Engine, run_id: int, revision: int) -> Iterator[int]:
    """Remove references that no point has any more; yield how many each transaction removed."""
    with begin_read(engine) as conn:
        query = select(_run.revision).where(_run.run_id == run_id)
        if conn.execute(query).scalar() != revision:
            raise _Changed
        used = blobs_used(conn, run_id)
        ref = tables.blob_ref.c
        keys = conn.scalars(select(ref.sha256).where(ref.run_id == run_id))
        unused = sorted(key for key in map(bytes, keys) if key not in used)
    for some in chunked(unused, REFERENCES_AT_ONCE):
        with begin_write(engine) as conn:
            # While nobody stores a blob: who was about to refer to one waits, or is seen here.
            drop_references(conn, run_id, some, lambda: _locked(conn, run_id, revision))
        yield len(some)
    with begin_write(engine) as conn:
        _locked(conn, run_id, revision)
        conn.execute(update(tables.thinned).where(_thinned.run_id == run_id).values(settled=1))
