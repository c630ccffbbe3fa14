"""How far files are stored: the compare-and-set that exactly-once hangs on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Update,
    any_,
    bindparam,
    case,
    func,
    select,
    update,
)

from orgboard_schema.errors import OffsetMoved
from orgboard_schema.sql import tables
from orgboard_schema.sql.clock import clock
from orgboard_schema.sql.flush import FileCommit
from orgboard_schema.sql.many import execute_many
from orgboard_schema.sql.text import to_sql

__all__ = ["advance_files", "finite"]


def advance_files(conn: Connection, commits: Sequence[FileCommit]) -> None:
    """Move the offset of each file, if it still is where its bytes were read from.

    Raises:
        OffsetMoved: One of them is not.
    """
    # First of all: a rival waits here, then finds that the offset moved.
    commits = sorted(commits, key=lambda commit: commit.file_id)
    if conn.dialect.name == "postgresql" and len(commits) > 1:
        conn.execute(_LOCK, {"files": [commit.file_id for commit in commits]})
    moved = execute_many(conn, _ADVANCE, [_row(commit) for commit in commits])
    if moved != len(commits):
        some = ", ".join(f"{file.file_id} at {file.old_offset}" for file in commits[:5])
        raise OffsetMoved(f"of files {some}, one is not there any more")


def _row(file: FileCommit) -> dict[str, object]:
    return {
        "file": file.file_id,
        "of_generation": file.generation,
        "old": file.old_offset,
        "new": file.new_offset,
        "new_size": file.size,
        "new_mtime_ns": file.mtime_ns,
        "new_pending": file.pending,
        "more_records": file.records,
        "new_first_wall": finite(file.first_wall),
        "new_last_wall": finite(file.last_wall),
        "new_first_attempt": file.first_attempt,
        "new_last_attempt": file.last_attempt,
        "new_version": file.file_version,
        "new_encoding": file.encoding,
        "new_writer": None if file.source_writer is None else to_sql(file.source_writer),
        "new_head_sha256": file.head_sha256,
        "new_head_bytes": file.head_bytes if file.head_sha256 is not None else None,
    }


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
                columns.file_version: _unless_null("new_version", columns.file_version),
                columns.encoding: bindparam("new_encoding"),
                columns.head_sha256: _unless_null("new_head_sha256", columns.head_sha256),
                columns.head_bytes: _unless_null("new_head_bytes", columns.head_bytes),
                columns.read_at: clock,
                columns.error: "",
            }
        )
    )


def _or(column: Column[Any], name: str) -> ColumnElement[Any]:
    return func.coalesce(column, bindparam(name, type_=column.type))


def _unless_null(name: str, column: Column[Any]) -> ColumnElement[Any]:
    return func.coalesce(bindparam(name, type_=column.type), column)


# Built once: to build a statement costs more than to run it.
_LOCK: Final = (
    select(tables.source_file.c.file_id)
    .where(tables.source_file.c.file_id == any_(bindparam("files", type_=ARRAY(BigInteger))))
    # Rivals take the same locks in the same order; one update of many rows takes them in any.
    .order_by(tables.source_file.c.file_id)
    .with_for_update(key_share=True)
)
_ADVANCE: Final = _advance()


def finite(value: float | None) -> float | None:
    """Return None for what SQLite would make NULL of anyway, so that both engines agree."""
    return value if value is not None and math.isfinite(value) else None
