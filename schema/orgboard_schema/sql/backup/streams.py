"""A table as a stream of bytes, and back, on each engine.

The rows come in the order of the key, so equal tables are equal streams. PostgreSQL
makes its stream itself; SQLite's rows are framed here. Neither is ever whole in memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    SmallInteger,
    cast,
    collate,
    column,
    func,
    insert,
    inspect,
    select,
    table,
)
from sqlalchemy.exc import DBAPIError

from orgboard_schema.sql.backup.layout import TableLayout
from orgboard_schema.sql.backup.rows import Kind, Row, encode

__all__ = ["count_rows", "fix_sequences", "read_table", "write_table"]

ROWS_AT_ONCE: Final = 64
"""Read or inserted by one call: payloads of a few megabytes at most."""


def count_rows(conn: Connection, what: TableLayout) -> int:
    """Return how many rows a table has."""
    return conn.execute(select(func.count()).select_from(table(what.name))).scalar_one()


def read_table(conn: Connection, what: TableLayout) -> Iterator[bytes]:
    """Yield a table's stream."""
    if conn.dialect.name != "postgresql":
        rows = conn.execution_options(yield_per=ROWS_AT_ONCE).execute(_in_order(conn, what))
        yield from encode(rows, what.kinds)
        return
    query = _in_order(conn, what).compile(dialect=conn.dialect)
    with _copy(conn, f"COPY ({query}) TO STDOUT (FORMAT BINARY)") as copy:
        yield from map(bytes, copy)


def write_table(conn: Connection, what: TableLayout, rows: Iterable[Row]) -> None:
    """Insert rows of a table; those that they refer to are there, or come before the commit."""
    names = [name for name, _ in what.columns]
    into = table(what.name, *map(column, names))
    if conn.dialect.name != "postgresql":
        statement = str(insert(into).compile(dialect=conn.dialect))
        for some in _batches(rows):
            conn.exec_driver_sql(statement, [tuple(row) for row in some])
        return
    quote = conn.dialect.identifier_preparer.quote
    target = f"{quote(what.name)} ({', '.join(map(quote, names))})"
    kinds = _kinds_there(conn, what)
    with _copy(conn, f"COPY {target} FROM STDIN (FORMAT BINARY)") as copy:
        for data in encode(rows, kinds):
            copy.write(data)


def fix_sequences(conn: Connection, what: TableLayout) -> None:
    """Let PostgreSQL number the next row after those that came with their numbers."""
    if conn.dialect.name != "postgresql" or len(what.key) != 1:
        return
    sequence = func.pg_get_serial_sequence(what.name, what.key[0])
    highest = select(func.max(column(what.key[0]))).select_from(table(what.name)).scalar_subquery()
    named = conn.execute(select(sequence)).scalar_one()
    if named is not None:
        conn.execute(select(func.setval(named, func.coalesce(highest, 1), highest.is_not(None))))


def _in_order(conn: Connection, what: TableLayout) -> Select[Any]:
    kinds = dict(what.columns)
    is_postgres = conn.dialect.name == "postgresql"

    def wide(name: str, kind: Kind) -> ColumnElement[Any]:
        # Every whole number is as wide as the widest.
        return cast(column(name), BigInteger) if is_postgres and kind == "int" else column(name)

    def by_code_point(name: str) -> ColumnElement[Any]:
        return collate(column(name), "C") if is_postgres and kinds[name] == "text" else column(name)

    columns = [wide(name, kind) for name, kind in what.columns]
    return select(*columns).select_from(table(what.name)).order_by(*map(by_code_point, what.key))


def _kinds_there(conn: Connection, what: TableLayout) -> list[Kind]:
    """Return the kinds with the widths that PostgreSQL's own columns have."""
    types = {found["name"]: found["type"] for found in inspect(conn).get_columns(what.name)}

    def width(name: str) -> Kind:
        type_ = types[name]
        if isinstance(type_, BigInteger):
            return "int"
        return "int2" if isinstance(type_, SmallInteger) else "int4"

    return [width(name) if kind == "int" else kind for name, kind in what.columns]


@contextmanager
def _copy(conn: Connection, statement: str) -> Iterator[Any]:
    # COPY is the driver's own: SQLAlchemy has no word for it, so its errors are made alike here.
    try:
        with conn.connection.cursor() as cursor, cursor.copy(statement) as copy:  # type: ignore[attr-defined]
            yield copy
    except conn.dialect.loaded_dbapi.Error as error:
        raise DBAPIError(statement, None, error) from error


def _batches(rows: Iterable[Row]) -> Iterator[Sequence[Row]]:
    batch: list[Row] = []
    for row in rows:
        batch.append(row)
        if len(batch) == ROWS_AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch
