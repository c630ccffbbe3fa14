"""Delete a run so that its space comes back, and bring it back from its files.

    shown ── delete_run ──▶ deleted ── remove_deleted, a little at a time ──▶ an empty row
      ▲                                                                         │
      └────────────────── restore_run: its files are read again ◀───────────────┘

The row of a deleted run and the rows of its files stay, so that no ingest takes the files
for new ones. The files themselves are never touched.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Connection, case, exists, func, select, update

from orgboard_schema.errors import RunIsLive, RunNotFound
from orgboard_schema.sql import tables
from orgboard_schema.sql.discard import remove_points
from orgboard_schema.sql.reset import reset_run
from orgboard_schema.sql.standing import DELETED, SHOWN
from orgboard_schema.sql.text import from_sql

__all__ = ["LIVE_WITHIN_S", "Space", "delete_run", "remove_deleted", "restore_run", "space_of"]

LIVE_WITHIN_S: Final = 120.0
"""A run whose files grew within this time is live: to delete it would be taken back at once."""

_run = tables.run.c
_POINT_TABLES: Final = (tables.block, tables.segment, tables.run_head, tables.thinned)
_PARTS: Final = (
    *(tables.block, tables.segment, tables.restart, tables.gap, tables.thinned, tables.blob_ref),
)


@dataclass(frozen=True, slots=True)
class Space:
    """What deleting a run gives back."""

    points: int
    point_bytes: int
    blobs: int
    """That no other runs refer to."""
    blob_bytes: int


def space_of(conn: Connection, *run_ids: int) -> Space:
    """Tell what deleting these runs, a few thousand at most, frees, without reading points."""
    octets = sum(
        int(
            conn.execute(
                select(func.coalesce(func.sum(func.length(table.c.payload)), 0)).where(
                    table.c.run_id.in_(run_ids)
                )
            ).scalar_one()
        )
        for table in _POINT_TABLES
    )
    ref, mine = tables.blob_ref.c, tables.blob_ref.alias().c
    # Of what these runs refer to: whoever else does.
    alone = (
        select(ref.sha256)
        .where(ref.sha256.in_(select(mine.sha256).where(mine.run_id.in_(run_ids))))
        .group_by(ref.sha256)
        .having(func.max(case((ref.run_id.in_(run_ids), 0), else_=1)) == 0)
    )
    blobs, blob_bytes = conn.execute(
        select(func.count(), func.coalesce(func.sum(tables.blob.c.size), 0)).where(
            tables.blob.c.sha256.in_(alone)
        )
    ).one()
    counted = select(func.coalesce(func.sum(_run.points), 0)).where(_run.run_id.in_(run_ids))
    return Space(int(conn.execute(counted).scalar_one()), octets, int(blobs), int(blob_bytes))


def delete_run(conn: Connection, run_id: int, *, now: float) -> None:
    """Take a run off every list. Its points are removed later, by `remove_deleted`.

    Raises:
        RunNotFound: There is no such run, or it is not shown.
        RunIsLive: Its files grew within the last two minutes.
    """
    row = conn.execute(
        select(_run.name, _run.standing, _run.last_write, _run.touched_ms)
        .where(_run.run_id == run_id)
        .with_for_update(key_share=True)
    ).one_or_none()
    if row is None or row.standing != SHOWN:
        raise RunNotFound("there is no such run, or it is deleted already")
    name = from_sql(row.name)
    if row.last_write is not None and row.last_write > now - LIVE_WITHIN_S:
        ago = max(now - row.last_write, 0)
        raise RunIsLive(
            f"run {name!r} is live, its files grew {ago:.0f} seconds ago:"
            " stop what writes it, and wait two minutes"
        )
    conn.execute(
        update(tables.run)
        .where(_run.run_id == run_id)
        .values(
            standing=DELETED,
            # A rival that was about to store something finds that the run changed.
            revision=_run.revision + 1,
            touched_ms=max(int(now * 1000), row.touched_ms),
            points=0,
            gaps=0,
            segments=0,
            tag_set_id=None,
        )
    )


def restore_run(conn: Connection, run_id: int, *, now: float) -> None:
    """Show a deleted run again, empty: the next ingest reads its files from their beginning.

    Raises:
        RunNotFound: There is no such run, or it is not deleted.
    """
    standing = conn.execute(select(_run.standing).where(_run.run_id == run_id)).scalar()
    if standing != DELETED:
        raise RunNotFound("there is no such run, or it is not deleted")
    reset_run(conn, run_id, now=now)
    conn.execute(update(tables.run).where(_run.run_id == run_id).values(standing=SHOWN))


def remove_deleted(conn: Connection, limit: int) -> bool:
    """Remove at most about `limit` rows of deleted runs; tell whether there is more to do.

    Call it in a transaction of its own, again while it returns True.
    """
    # As the index on the few runs that are not shown has it.
    deleted = (_run.standing != SHOWN) & (_run.standing == DELETED)
    query = select(_run.run_id).where(deleted, _has_rows()).order_by(_run.run_id).limit(1)
    # Whoever restores the run waits, or is not waited for: what it reads again is not removed.
    run_id = conn.execute(query.with_for_update(skip_locked=True)).scalar()
    if run_id is None:
        return False
    remove_points(conn, run_id, limit)
    return True


def _has_rows() -> ColumnElement[bool]:
    found: ColumnElement[bool] = exists().where(tables.run_head.c.run_id == _run.run_id)
    for table in _PARTS:
        found = found | exists().where(table.c.run_id == _run.run_id)
    return found
