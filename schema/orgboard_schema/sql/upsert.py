"""INSERT … ON CONFLICT for both engines: the one place that knows two dialects."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

__all__ = ["insert_new", "insert_or_replace"]


def insert_new(conn: Connection, table: Table, rows: Sequence[dict[str, object]]) -> None:
    """Insert the rows whose key is free, in the order given, and leave the others as they are.

    Give rows sorted by key when rivals may insert the same ones: each waits for the
    other's uncommitted key, and one order for all is what keeps them from a deadlock.
    """
    if rows:
        conn.execute(_insert(conn, table).on_conflict_do_nothing(), list(rows))


def insert_or_replace(
    conn: Connection, table: Table, rows: Sequence[dict[str, object]], *, replace: Sequence[str]
) -> None:
    """Insert rows; where the primary key exists, write the `replace` columns over it."""
    if not rows:
        return
    statement = _insert(conn, table)
    statement = statement.on_conflict_do_update(
        index_elements=list(table.primary_key.columns),
        set_={name: statement.excluded[name] for name in replace},
    )
    conn.execute(statement, list(rows))


def _insert(conn: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    if conn.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)
