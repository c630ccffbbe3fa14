"""Which tables a release has, and with which columns.

Told by that release's own revisions, run on an empty database in memory: so a database
of an earlier release can be backed up by this program, and its backup restored.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from alembic import command
from sqlalchemy import Column, Float, Integer, LargeBinary, MetaData, String, Table, create_engine

from orgboard_schema.sql.backup.rows import Kind
from orgboard_schema.sql.migrate import alembic_config

__all__ = ["TableLayout", "tables_of"]

_KINDS: Final[tuple[tuple[type[Any], Kind], ...]] = (
    (Integer, "int"),
    (Float, "float"),
    (String, "text"),
    (LargeBinary, "bytes"),
)
"""The small and the big ones among the types are subclasses of these."""


@dataclass(frozen=True, slots=True)
class TableLayout:
    """One table, the same on both engines."""

    name: str
    columns: tuple[tuple[str, Kind], ...]
    key: tuple[str, ...]

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds of its columns."""
        return tuple(kind for _, kind in self.columns)


@cache
def tables_of(revision: str) -> tuple[TableLayout, ...]:
    """Return the tables of a release, each after those that it refers to."""
    engine = create_engine("sqlite://")
    try:
        with engine.begin() as conn:
            command.upgrade(alembic_config(conn), revision)
            found = MetaData()
            found.reflect(conn)
    finally:
        engine.dispose()
    return tuple(_layout(table) for table in found.sorted_tables if table.name != "alembic_version")


def _layout(table: Table) -> TableLayout:
    return TableLayout(
        table.name,
        tuple((column.name, _kind_of(column)) for column in table.columns),
        tuple(column.name for column in table.primary_key.columns),
    )


def _kind_of(column: Column[Any]) -> Kind:
    for type_, kind in _KINDS:
        if isinstance(column.type, type_):
            return kind
    raise TypeError(f"{column.table.name}.{column.name}: no backup knows {column.type!r}")
