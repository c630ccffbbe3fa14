"""What the web pages need of PostgreSQL when they have a role of their own there, and no more.

    owner of the tables ── `orgboard db …`, ingest: everything
    web role ── `orgboard web`: reads, writes what people make, and sees only the rows that the
                policies of the tables show to who asks (`migrations.policies`)

A second owner would see everything whatever the web process forgot. SQLite has no roles.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sqlalchemy import Connection, text

from orgboard_schema.errors import RoleUnfit
from orgboard_schema.sql import tables

__all__ = ["grant_web", "missing_rights", "rows_are_guarded"]

_CHANGES: Final = ("INSERT", "UPDATE", "DELETE")

_RIGHTS: Final = {
    # The log is only appended to.
    "audit": ("INSERT",),
    **dict.fromkeys(("run", "logdir", "source_file"), ("UPDATE",)),
    # Points go when a deleted run is to be read again.
    **dict.fromkeys(("segment", "block", "restart", "gap", "thinned", "blob_ref"), ("DELETE",)),
    "tag_set": ("INSERT",),
    "run_head": _CHANGES,
    # What is read of a file never changes.
    "graph_upload": ("INSERT", "DELETE"),
    **dict.fromkeys(
        (
            *("run_tag", "run_note", "run_note_before", "annotation", "saved_view"),
            *("comment", "mention", "metric", "metric_alias", "watch", "watch_seen"),
            *("team", "project", "team_member", "project_grant", "logdir_rule", "group_rule"),
            *("account", "password", "second_factor", "recovery_code"),
            *("identity", "identity_attempt", "session", "token", "one_time_link", "share"),
            *("embed", "sign_in_delay"),
        ),
        _CHANGES,
    ),
}
"""By table, beside SELECT on every one."""

_TABLES: Final = ("alembic_version", *tables.schema.tables)


def grant_web(conn: Connection, role: str) -> None:
    """Give `role` what the web pages need of the tables, and take whatever else it had of them.

    Raises:
        RoleUnfit: there is no such role, or the tables' policies would not hold it.
    """
    found = conn.execute(
        text("SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = :role"), {"role": role}
    ).one_or_none()
    if found is None:
        raise RoleUnfit(f"there is no role {role!r}: CREATE ROLE {role} LOGIN, with a password")
    if any(found) or _owns(conn, role):
        raise RoleUnfit(
            f"the role {role!r} sees every row whatever the policies say: it is a superuser,"
            " has BYPASSRLS, or owns the tables; the web pages need one that does not"
        )
    quoted = conn.dialect.identifier_preparer.quote(role)
    schema = conn.dialect.identifier_preparer.quote(_here(conn))
    for statement in _statements(conn, quoted, schema):
        conn.exec_driver_sql(statement, execution_options={"no_parameters": True})


def _statements(conn: Connection, role: str, schema: str) -> Iterator[str]:
    everything = ", ".join(_TABLES)
    yield f"GRANT USAGE ON SCHEMA {schema} TO {role}"
    yield f"REVOKE ALL ON {everything} FROM {role}"
    yield f"GRANT SELECT ON {everything} TO {role}"
    for table, rights in _RIGHTS.items():
        yield f"GRANT {', '.join(rights)} ON {table} TO {role}"
    for sequence in _sequences(conn):
        yield f"GRANT USAGE ON SEQUENCE {sequence} TO {role}"


def _sequences(conn: Connection) -> Iterator[str]:
    """Yield the names of those that number what the web pages insert."""
    for table, rights in _RIGHTS.items():
        if "INSERT" in rights:
            for column in tables.schema.tables[table].primary_key:
                query = text("SELECT pg_get_serial_sequence(:table, :column)")
                named = conn.scalar(query, {"table": table, "column": column.name})
                if named is not None:
                    yield str(named)


def missing_rights(conn: Connection) -> list[str]:
    """Return what the role of this connection lacks to serve the web pages, "INSERT on audit"."""
    if conn.dialect.name != "postgresql":
        return []
    wanted = [(table, right) for table in _TABLES for right in ("SELECT", *_RIGHTS.get(table, ()))]
    query = text(
        "SELECT t, r FROM unnest(CAST(:tables AS text[]), CAST(:rights AS text[])) AS w(t, r)"
        " WHERE NOT has_table_privilege(t, r)"
    )
    names, rights = zip(*wanted, strict=True)
    rows = conn.execute(query, {"tables": list(names), "rights": list(rights)})
    return [f"{right} on {table}" for table, right in rows]


def rows_are_guarded(conn: Connection) -> bool:
    """Tell whether policies hold the role of this connection."""
    if conn.dialect.name != "postgresql":
        return False
    return bool(conn.scalar(text("SELECT row_security_active('run')")))


def _owns(conn: Connection, role: str) -> bool:
    query = text(
        "SELECT pg_has_role(:role, relowner, 'USAGE') FROM pg_class"
        " WHERE oid = CAST('run' AS regclass)"
    )
    return bool(conn.scalar(query, {"role": role}))


def _here(conn: Connection) -> str:
    return str(conn.scalar(text("SELECT current_schema()")))
