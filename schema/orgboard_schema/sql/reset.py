"""Take back what was stored of a run, because its files now say something else."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, delete, select, update

from orgboard_schema.blocks.heads import empty_heads
from orgboard_schema.sql import tables
from orgboard_schema.sql.runs import lock_run, save_run

__all__ = ["reset_run"]

_READ_AGAIN: Final = (
    *(tables.segment, tables.block, tables.restart, tables.gap, tables.thinned, tables.blob_ref),
)


def reset_run(conn: Connection, run_id: int, *, now: float) -> None:
    """Delete all points of a run and set its files back to offset 0, to be read again.

    Blobs stay until they are swept: other runs may refer to them, and reading again will.
    """
    _lock_files(conn, run_id)
    state = lock_run(conn, run_id)
    for table in _READ_AGAIN:
        conn.execute(delete(table).where(table.c.run_id == run_id))
    conn.execute(
        update(tables.source_file)
        .where(tables.source_file.c.run_id == run_id)
        .values(
            offset=0,
            records=0,
            pending=None,
            first_wall=None,
            last_wall=None,
            first_attempt=0,
            last_attempt=0,
            file_version=None,
        )
    )
    state.heads = empty_heads()
    # Not the stored number of series: an empty set replaces theirs, whatever it was.
    state.known_series = -1
    state.points = state.gaps = state.segments = 0
    state.attempts = 1
    state.started = state.last_event = None
    save_run(conn, state, now=now, changes={"finished": None, "hparams": None, "opened": 0})


def _lock_files(conn: Connection, run_id: int) -> None:
    """Take the files' locks before the run's, as every writer does, in order of id."""
    columns = tables.source_file.c
    conn.execute(
        select(columns.file_id)
        .where(columns.run_id == run_id)
        .order_by(columns.file_id)
        .with_for_update()
    ).all()
