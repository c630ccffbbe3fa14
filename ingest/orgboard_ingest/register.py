"""Give found files a place in SQL, many in one transaction."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, select, update

from orgboard_ingest.tail import NO_HEAD
from orgboard_schema.sql import tables
from orgboard_schema.sql.registry import FileRow, files
from orgboard_schema.sql.standing import SHADOW, SHOWN
from orgboard_schema.sql.text import sha256, to_sql
from orgboard_schema.sql.upsert import insert_new

__all__ = ["RUNS_AT_ONCE", "ensure_files"]

RUNS_AT_ONCE = 100
"""Registered in one transaction: few commits, and no rival waits for long."""


def ensure_files(conn: Connection, run_id: int, names: Iterable[str]) -> list[FileRow]:
    """Return all files of the run, those of `names` among them, new ones at offset 0.

    A run that a rival has just discarded takes no more.
    """
    columns = tables.run.c
    # The run's lock first: of two daemons that find the same files, one counts them.
    here = select(columns.standing).where(columns.run_id == run_id)
    if conn.execute(here.with_for_update()).scalar_one_or_none() not in (SHOWN, SHADOW):
        return []
    known = {row.name for row in files(conn, [run_id])}
    new: list[dict[str, object]] = [
        {
            "run_id": run_id,
            "name": to_sql(name),
            "name_sha256": sha256(name),
            "head_sha256": NO_HEAD.sha256,
            "head_bytes": NO_HEAD.size,
        }
        for name in sorted(set(names) - known)
    ]
    if new:
        insert_new(conn, tables.source_file, new)
        conn.execute(
            update(tables.run)
            .where(columns.run_id == run_id)
            .values(files=columns.files + len(new))
        )
    return files(conn, [run_id])
