"""Remove what no one may see any more, a little at a time.

A transaction of a few hundred rows holds no rival up for long, and one that is killed is
simply gone on with.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, Connection, Table, delete, func, select, tuple_

from orgboard_schema.sql import tables
from orgboard_schema.sql.shadow import give_up_shadow
from orgboard_schema.sql.standing import DISCARDED, SHADOW, SHOWN

__all__ = ["discard_some", "remove_points"]

# Segments before blocks: packing makes blocks of segments, never the other way round.
_POINTS: Final[tuple[Table, ...]] = (
    tables.segment,
    tables.block,
    tables.restart,
    tables.gap,
    tables.thinned,
    tables.blob_ref,
)

_run = tables.run.c


def remove_points(conn: Connection, run_id: int, limit: int) -> bool:
    """Delete at most `limit` rows of what is stored of a run; tell whether there may be more.

    The run must not be shown: what is left of it in between is no longer whole. Its row and
    its files' rows stay. Blobs stay until they are swept: other runs may refer to them.
    """
    left = limit
    for table in _POINTS:
        left -= _delete_some(conn, table, run_id, left)
        if left <= 0:
            return True
    conn.execute(delete(tables.run_head).where(tables.run_head.c.run_id == run_id))
    return False


def discard_some(conn: Connection, limit: int) -> bool:
    """Delete at most about `limit` rows of discarded runs; tell whether there is more to do.

    A shadow whose original is no longer shown is discarded too. Call it in a transaction of
    its own, again while it returns True.
    """
    _discard_orphans(conn)
    query = (
        select(_run.run_id)
        # As the index on the few runs that are not shown has it.
        .where(_run.standing != SHOWN, _run.standing == DISCARDED)
        .order_by(_run.run_id)
        .with_for_update(skip_locked=True)
    )
    for run_id in conn.execute(query).scalars().all():
        # The last row may have to stay: then the next run is looked at.
        if remove_points(conn, run_id, limit) or _remove_run(conn, run_id):
            return True
    return False


def _discard_orphans(conn: Connection) -> None:
    shown = select(_run.run_id).where(_run.standing == SHOWN)
    orphans = select(_run.run_id).where(
        _run.standing != SHOWN, _run.standing == SHADOW, _run.shadow_of.not_in(shown)
    )
    for run_id in conn.execute(orphans.order_by(_run.run_id)).scalars().all():
        give_up_shadow(conn, run_id)


def _remove_run(conn: Connection, run_id: int) -> bool:
    """Delete the rows of a run without points and of its files; tell whether any was there.

    The newest row of either table stays until there is a newer one: SQLite would give its
    number again, to a run that somebody may take for this one.
    """
    file = tables.source_file.c
    newest = select(func.max(file.file_id)).scalar_subquery()
    # Whoever was about to store something holds a file and waits for the run: not for us.
    free = (
        select(file.file_id)
        .where(file.run_id == run_id, file.file_id < newest)
        .with_for_update(skip_locked=True)
    )
    gone = conn.execute(delete(tables.source_file).where(file.file_id.in_(free))).rowcount
    if conn.execute(select(file.file_id).where(file.run_id == run_id)).first() is not None:
        return gone > 0
    newest = select(func.max(_run.run_id)).scalar_subquery()
    gone += conn.execute(
        delete(tables.run).where(_run.run_id == run_id, _run.run_id < newest)
    ).rowcount
    return gone > 0


def _delete_some(conn: Connection, table: Table, run_id: int, limit: int) -> int:
    key: list[Column[object]] = list(table.primary_key.columns)
    some = select(*key).where(table.c.run_id == run_id).limit(limit)
    return conn.execute(delete(table).where(tuple_(*key).in_(some))).rowcount
