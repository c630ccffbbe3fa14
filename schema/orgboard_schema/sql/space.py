"""Give space that is no longer used back to the file system.

SQLite files made by this release hand pages back in small steps; older ones are written
anew once (VACUUM), for which the file system needs as much room again. PostgreSQL takes
what deletes left for new rows by itself, and gives whole files back where it can.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import Connection, Engine

from orgboard_schema.errors import DatabaseUnreachable

__all__ = ["PAGES_AT_ONCE", "give_back", "needs_rewriting", "size_of"]

PAGES_AT_ONCE: Final = 2000
"""Pages handed back in one transaction: 8 MB, which holds no writer up for long."""

_INCREMENTAL: Final = 2

_PRUNED: Final = ("block", "segment", "run_head", "blob", "blob_ref", "restart", "gap", "thinned")


def size_of(engine: Engine) -> int:
    """Return how many bytes the database takes."""
    with engine.connect() as conn:
        if engine.dialect.name == "postgresql":
            size = conn.exec_driver_sql("SELECT pg_database_size(current_database())")
            return int(size.scalar_one())
        return _pragma(conn, "page_count") * _pragma(conn, "page_size")


def needs_rewriting(engine: Engine) -> bool:
    """Tell whether this is a SQLite file that can only be made smaller by writing it anew."""
    if engine.dialect.name != "sqlite":
        return False
    with engine.connect() as conn:
        return _pragma(conn, "auto_vacuum") != _INCREMENTAL


def give_back(engine: Engine, *, rewrite: bool = False) -> Iterator[int]:
    """Give unused space back, a little at each step; yield how many pages are left.

    With `rewrite`, a SQLite file that needs it is written anew in one step. Writers wait
    that long.

    Raises:
        DatabaseUnreachable: There is no room to write the file anew, or it is in use.
    """
    if engine.dialect.name == "postgresql":
        _outside_transaction(engine, [f"VACUUM {name}" for name in _PRUNED])
        return
    if rewrite and needs_rewriting(engine):
        _outside_transaction(engine, ["PRAGMA auto_vacuum = INCREMENTAL", "VACUUM"])
    left, before = _free_pages(engine), -1
    # Without the setting nothing is handed back: then it ends after one step.
    while left and left != before:
        _outside_transaction(engine, [f"PRAGMA incremental_vacuum({PAGES_AT_ONCE})"])
        before, left = left, _free_pages(engine)
        yield left
    _outside_transaction(engine, ["PRAGMA wal_checkpoint(TRUNCATE)"])


def _free_pages(engine: Engine) -> int:
    with engine.connect() as conn:
        return _pragma(conn, "freelist_count")


def _pragma(conn: Connection, name: str) -> int:
    return int(conn.exec_driver_sql(f"PRAGMA {name}").scalar_one())


def _outside_transaction(engine: Engine, statements: list[str]) -> None:
    """Run what cannot be undone, each by itself."""
    raw = engine.raw_connection()
    driver: Any = raw.driver_connection
    try:
        if engine.dialect.name == "sqlite":
            for statement in statements:
                # `execute` takes one step of a statement, which hands one page back.
                driver.executescript(statement)
        else:
            driver.autocommit = True
            for statement in statements:
                driver.execute(statement)
            driver.autocommit = False
    except engine.dialect.loaded_dbapi.Error as error:
        raise DatabaseUnreachable(f"cannot give space back: {error}") from error
    finally:
        raw.close()
