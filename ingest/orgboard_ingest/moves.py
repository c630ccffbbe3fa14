"""A directory that was moved keeps its run, and so its notes, colour and address.

It is the same run when its old path is gone and every file that was read of it is here
now, under the same name and with the same first bytes. A copy is another run, because
the original is still there.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import Connection, select, update

from orgboard_ingest.catalog import KnownRun
from orgboard_ingest.opening import open_event_file
from orgboard_ingest.tail import head_of
from orgboard_schema.sql import tables
from orgboard_schema.sql.registry import FileRow
from orgboard_schema.sql.text import sha256, to_sql

__all__ = ["find_old_name", "rename"]


def find_old_name(root: Path, gone: Iterable[KnownRun], name: str) -> str | None:
    """Return which of the runs whose files are gone is now the directory `name`, if any."""
    for known in gone:
        read = [file.row for file in known.files.values() if file.row.head_bytes]
        if not read or (root / known.name).exists():
            continue
        if all(_is_same(root / name / row.name, row) for row in read):
            return known.name
    return None


def rename(conn: Connection, run_id: int, name: str, logdir_id: int) -> None:
    """Give a run its new name, unless a rival made a run of that name by now."""
    columns = tables.run.c
    taken = select(columns.run_id).where(
        columns.logdir_id == logdir_id, columns.name_sha256 == sha256(name)
    )
    if conn.execute(taken).first() is None:
        conn.execute(
            update(tables.run)
            .where(columns.run_id == run_id)
            .values(name=to_sql(name), name_sha256=sha256(name), revision=columns.revision + 1)
        )


def _is_same(path: Path, row: FileRow) -> bool:
    try:
        with open_event_file(path) as file:
            return head_of(file, row.head_bytes).sha256 == row.head_sha256
    except OSError:
        return False
