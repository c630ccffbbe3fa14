"""INSERT … ON CONFLICT for both engines: the one place that knows two dialects."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, Insert, Table

from orgboard_schema.sql.many import execute_many

if TYPE_CHECKING:
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
        execute_many(conn, statement, rows[start : start + ROWS_AT_ONCE])


def insert_or_replace(
    conn: Connection, table: Table, rows: Sequence[dict[str, object]], *, replace: Sequence[str]
) -> None:
    """Insert rows; where the primary key exists, write the `replace` columns over it."""
    execute_many(conn, _insert_or_replace(conn.dialect.name, table, tuple(replace)), rows)


# Built once: to build a statement costs more than to run it.
@cache
def _insert_new(dialect: str, table: Table) -> Insert:
    return _insert(dialect, table).on_conflict_do_nothing()


@cache
def _insert_or_replace(dialect: str, table: Table, replace: tuple[str, ...]) -> Insert:
    statement = _insert(dialect, table)
    return statement.on_conflict_do_update(
        index_elements=list(table.primary_key.columns),
        set_={name: statement.excluded[name] for name in replace},
    )


def _insert(dialect: str, table: Table) -> postgresql.Insert | sqlite.Insert:
    # Imported where it is spoken: SQLAlchemy's PostgreSQL takes a twelfth of a program's start.
    if dialect == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)
    from sqlalchemy.dialects import sqlite

    return sqlite.insert(table)
