"""The database's own clock in a statement: hosts disagree about the time, it agrees with itself."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Connection, Float, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

__all__ = ["clock", "now"]


class _Clock(FunctionElement[float]):
    """Seconds since 1970, at the moment the statement runs."""

    inherit_cache = True
    type = Float(53)


clock: Final = _Clock()
"""Seconds since 1970 by the database's clock, for use in any statement."""


@compiles(_Clock)
def _compile_clock(_element: _Clock, _compiler: SQLCompiler, **_more: Any) -> str:
    # SQLite: `unixepoch('subsec')` is younger than the SQLite of some systems we run on.
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(_Clock, "postgresql")
def _compile_clock_postgresql(
    _element: _Clock,
    _compiler: SQLCompiler,
    **_more: Any,
) -> str:
    # Not now(): that is when the transaction began.
    return "CAST(extract(epoch FROM clock_timestamp()) AS double precision)"


def now(conn: Connection) -> float:
    """Return the seconds since 1970 by the database's clock."""
    return float(conn.execute(_NOW).scalar_one())


_NOW: Final = select(clock)
