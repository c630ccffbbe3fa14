"""Queries for rows whose column has one of many values, as each engine takes a list best."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import ARRAY, ColumnElement, Connection, Select, any_, bindparam

__all__ = ["KEYS", "Listed"]

KEYS: Final = "keys"
"""The name of the parameter that takes the values."""


class Listed:
    """A query with one more condition: the column has one of the values that `KEYS` gives."""

    def __init__(self, query: Select[*tuple[Any, ...]], column: ColumnElement[Any]) -> None:
        # Both are built once: to build a statement costs more than to run it.
        each = bindparam(KEYS, expanding=True, type_=column.type)
        whole = bindparam(KEYS, type_=ARRAY(column.type))
        self._each = query.where(column.in_(each))
        self._whole = query.where(column == any_(whole))

    def of(self, conn: Connection) -> Select[*tuple[Any, ...]]:
        """Return the query for that connection's engine."""
        # PostgreSQL takes the list as one parameter; the driver looks at five hundred one by one,
        # anew each time.
        return self._whole if conn.dialect.name == "postgresql" else self._each
