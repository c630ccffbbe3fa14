"""One statement for many rows, at the driver's price.

SQLAlchemy looks at each value of each row for what it may have to do with it: ten times as
long as SQLite takes to store it. What we hand in is what both drivers take as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import Connection, Delete, Dialect, Insert, Update

__all__ = ["execute_many"]

KEPT: Final = 128
"""Statements of both dialects, and then some."""

Row = dict[str, object]


def execute_many(conn: Connection, statement: Insert | Update | Delete, rows: Sequence[Row]) -> int:
    """Run `statement` for each row, all with the same keys; return how many rows were touched.

    The statement has to be built once and kept: it is compiled once.
    """
    if not rows:
        return 0
    text, names, fixed = _compiled(statement, conn.dialect, tuple(rows[0]))
    if fixed:
        rows = [{**fixed, **row} for row in rows]
    if names is None:
        return conn.exec_driver_sql(text, list(rows)).rowcount
    take = itemgetter(*names)
    values = [take(row) for row in rows] if len(names) > 1 else [(take(row),) for row in rows]
    return conn.exec_driver_sql(text, values).rowcount


@lru_cache(KEPT)
def _compiled(
    statement: Insert | Update | Delete, dialect: Dialect, keys: tuple[str, ...]
) -> tuple[str, tuple[str, ...] | None, Row]:
    """Return the statement's text, its parameters in order where they have no names, and
    the values that it brings itself."""
    if isinstance(statement, Insert):
        # Nobody asks for the keys it makes.
        statement = statement.inline()
    compiled: Any = statement.compile(dialect=dialect, column_keys=list(keys))
    names = compiled.positiontup
    fixed = {name: value for name, value in compiled.params.items() if name not in keys}
    return str(compiled), None if names is None else tuple(names), fixed
