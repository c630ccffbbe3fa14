"""All tables of an empty database at once, as the revisions make them one after the other.

The statements are recorded by `make tables`, and a test compares what they make: to have Alembic
run every revision takes longer than to read a million points.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["BETWEEN", "make_tables", "recording"]

BETWEEN: Final = ";\n\n"
"""Stands between two statements of a recording, and in none."""

_RECORDINGS: Final = Path(__file__).parent / "migrations" / "recorded"


def recording(dialect: str) -> Path:
    """Return the file with the statements for that kind of database."""
    return _RECORDINGS / f"{dialect}.sql"


def make_tables(conn: Connection) -> None:
    """Give a database without tables those of this program's release, its name included."""
    text = recording(conn.dialect.name).read_text(encoding="utf-8")
    for statement in text.removesuffix("\n").split(BETWEEN):
        # As it is: nothing in it is a parameter.
        conn.exec_driver_sql(statement, execution_options={"no_parameters": True})
