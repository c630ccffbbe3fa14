"""INSERT … ON CONFLICT for both engines: the one place that knows two dialects."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Final

from sqlalchemy import Connection, Executable, Table
from sqlalchemy.dialects import postgresql, sqlite

__all__ = ["insert_new", "insert_or_replace"]

ROWS_AT_ONCE: Final = 2000
"""Handed to the driver together: more saves no more time."""


def insert_new(conn: Connection, table: Table, rows: Sequence[dict[str, object]]) -> None:
    """Insert the rows whose key is free, in the order given, and leave the others as they are.

    Give rows sorted by key when rivals may insert the same ones: each waits for the
    other's uncommitted key, and one order for all is what keeps them from a deadlock.
    """
    statement = _insert_new(conn.dialect.name, table)
    # A log may bring a hundred thousand tags at once, and each row costs several times its size.
    for start in range(0, len(rows), ROWS_AT_ONCE):
        conn.execute(statement, list(rows[start : start + ROWS_AT_ONCE]))


def insert_or_replace(
    conn: Connection, table: Table, rows: Sequence[dict[str, object]], *, replace: Sequence[str]
) -> None:
    """Insert rows; where the primary key exists, write the `replace` columns over it."""
    if rows:
        conn.execute(_insert_or_replace(conn.dialect.name, table, tuple(replace)), list(rows))


# Built once: to build a statement costs more than to run it.
@cache
def _insert_new(dialect: str, table: Table) -> Executable:
    return _insert(dialect, table).on_conflict_do_nothing()


@cache
def _insert_or_replace(dialect: str, table: Table, replace: tuple[str, ...]) -> Executable:
    statement = _insert(dialect, table)
    return statement.on_conflict_do_update(
        index_elements=list(table.primary_key.columns),
        set_={name: statement.excluded[name] for name in replace},
    )


def _insert(dialect: str, table: Table) -> postgresql.Insert | sqlite.Insert:
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
