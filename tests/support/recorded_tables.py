"""What the revisions do to an empty database, statement by statement: `make tables` keeps it."""

from __future__ import annotations

import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from alembic import command
from sqlalchemy import Connection, Engine, event

from orgboard_schema.sql.engine import begin_write, open_engine
from orgboard_schema.sql.fresh import BETWEEN, recording
from orgboard_schema.sql.migrate import alembic_config, head
from support.postgres import fresh_database, server

__all__ = ["described", "recorded"]

MAKES = ("CREATE", "ALTER", "DROP", "DO")
"""How a statement begins that changes tables; there is no row yet that others could change."""

OURS = "c.relnamespace = current_schema()::regnamespace"

DESCRIBE = {
    "sqlite": (
        "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name",
        "SELECT version_num FROM alembic_version",
    ),
    "postgresql": (
        f"""
        SELECT c.relname, c.relkind, c.reloptions, a.attnum, a.attname, a.attnotnull,
            a.attstorage, a.attcollation::regcollation, format_type(a.atttypid, a.atttypmod),
            pg_get_expr(d.adbin, d.adrelid)
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE {OURS} ORDER BY c.relname, a.attnum
        """,
        f"""
        SELECT c.relname, t.conname, pg_get_constraintdef(t.oid)
        FROM pg_constraint t JOIN pg_class c ON c.oid = t.conrelid
        WHERE {OURS} ORDER BY c.relname, t.conname
        """,
        f"""
        SELECT c.relname, pg_get_indexdef(i.indexrelid)
        FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
        WHERE {OURS} ORDER BY c.relname
        """,
        f"""
        SELECT c.relname, t.tgname, pg_get_triggerdef(t.oid), pg_get_functiondef(t.tgfoid)
        FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        WHERE NOT t.tgisinternal AND {OURS} ORDER BY c.relname, t.tgname
        """,
        f"""
        SELECT c.relname, c.relrowsecurity, p.polname, p.polcmd, p.polroles::regrole[],
            pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)
        FROM pg_class c JOIN pg_policy p ON p.polrelid = c.oid
        WHERE {OURS} ORDER BY c.relname, p.polname
        """,
        """
        SELECT p.proname, p.proconfig, pg_get_functiondef(p.oid) FROM pg_proc p
        WHERE p.pronamespace = current_schema()::regnamespace ORDER BY p.proname
        """,
        "SELECT version_num FROM alembic_version",
    ),
}
"""Queries for everything that tables are made of, by engine."""


def recorded(engine: Engine) -> str:
    """Let Alembic bring an empty database to head, and return the statements that did it."""
    statements: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        text = statement.strip()
        if text.startswith(MAKES):
            statements.append(text)

    event.listen(engine, "before_cursor_execute", note)
    try:
        with begin_write(engine) as conn:
            command.upgrade(alembic_config(conn), "head")
    finally:
        event.remove(engine, "before_cursor_execute", note)
    release = f"INSERT INTO alembic_version (version_num) VALUES ('{head()}')"
    return BETWEEN.join([*statements, release]) + "\n"


def described(conn: Connection) -> list[tuple[str, ...]]:
    """Return all that a database says of its tables, columns in order, and its release."""
    found = []
    for query in DESCRIBE[conn.dialect.name]:
        found += [tuple(map(str, row)) for row in conn.exec_driver_sql(query)]
    return found


def main() -> int:
    """Record the tables of both engines."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        url = stack.enter_context(fresh_database(stack.enter_context(server())))
        for each in (str(Path(folder, "board.db")), url):
            engine = open_engine(each)
            recording(engine.dialect.name).write_text(recorded(engine), encoding="utf-8")
            engine.dispose()
    return 0


if __name__ == "__main__":
    sys.exit(main())
