"""A web process as it is meant to be on PostgreSQL: by a role that owns nothing."""

from __future__ import annotations

from sqlalchemy import URL, Engine, text

from orgboard_schema.sql.engine import begin_write, open_engine
from orgboard_schema.sql.web_role import grant_web

__all__ = ["WEB_ROLE", "as_web_role", "web_engine"]

WEB_ROLE = "orgboard_test_web"

_MAKE = f"""
DO $$ BEGIN
    CREATE ROLE {WEB_ROLE} LOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$
"""


def web_engine(owner: Engine) -> Engine:
    """Return an engine for the web process on the database of `owner`, which has its tables."""
    return open_engine(as_web_role(owner))


def as_web_role(owner: Engine) -> URL:
    """Return how a web process comes to the database: as on PostgreSQL, by a role of its own."""
    if owner.dialect.name != "postgresql":
        return owner.url
    with begin_write(owner) as conn:
        # Roles are the server's, and other tests' databases have the same one.
        conn.execute(text(_MAKE))
        grant_web(conn, WEB_ROLE)
    return owner.url.set(username=WEB_ROLE)
