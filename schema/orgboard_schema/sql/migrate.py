"""Bring the tables to this program's release, or say why it cannot work with them.

Only `orgboard db upgrade` and `orgboard serve` upgrade; every other program checks, so
that two of different releases never migrate under each other.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import DatabaseError

from orgboard_schema.errors import DatabaseNewer, DatabaseOlder, DatabaseUnreachable
from orgboard_schema.sql.engine import begin_read, begin_write, shown, unreachable

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

__all__ = ["alembic_config", "check_version", "head", "upgrade", "version"]

_SCRIPTS: Final = Path(__file__).parent / "migrations"

_UPGRADE_LOCK: Final = 0x6F7267626F617264
"""PostgreSQL advisory lock ("orgboard" in ASCII): of two upgrades at once, one waits."""


def head() -> str:
    """Return the release of this program's tables."""
    return str(_scripts().get_current_head())


def version(engine: Engine) -> str | None:
    """Return the release of the database's tables; None when it has none.

    Raises:
        DatabaseUnreachable: It does not answer, or it is no database.
    """
    try:
        with begin_read(engine) as conn:
            return _version(conn)
    except DatabaseError as error:
        raise unreachable(engine.url, error) from error
    except UnicodeDecodeError as error:
        raise DatabaseUnreachable(f"{shown(engine.url)} is damaged: {error}") from error


def upgrade(engine: Engine) -> tuple[str | None, str]:
    """Bring the tables to `head` in one transaction; return the releases before and after.

    Raises:
        DatabaseNewer: They are of a later release already.
        DatabaseUnreachable: The database does not answer or may not be changed.
    """
    try:
        with begin_write(engine) as conn:
            if conn.dialect.name == "postgresql":
                conn.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_UPGRADE_LOCK})")
            before = _version(conn)
            _refuse_newer(before, engine)
            if before != head():
                command.upgrade(alembic_config(conn), "head")
            return before, head()
    except DatabaseError as error:
        raise unreachable(engine.url, error) from error


def check_version(engine: Engine) -> None:
    """Return quietly when the tables are of this program's release.

    Raises:
        DatabaseNewer: They are of a later one.
        DatabaseOlder: They are missing or of an earlier one.
        DatabaseUnreachable: The database does not answer.
    """
    found = version(engine)
    _refuse_newer(found, engine)
    if found != head():
        state = "has no tables yet" if found is None else f"is at {found}, this program at {head()}"
        place = shown(engine.url)
        raise DatabaseOlder(f"{place} {state}: run `orgboard db upgrade --db {place}`")


def _refuse_newer(found: str | None, engine: Engine) -> None:
    known = {script.revision for script in _scripts().walk_revisions()}
    if found is not None and found not in known:
        raise DatabaseNewer(
            f"{shown(engine.url)} is at {found}, newer than this program at {head()}:"
            " update orgboard"
        )


def _version(conn: Connection) -> str | None:
    return MigrationContext.configure(conn).get_current_revision()


def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(_SCRIPTS), version_locations=[str(_SCRIPTS / "versions")])


def alembic_config(conn: Connection) -> Config:
    """Return Alembic's configuration for running on this connection."""
    config = Config()
    # Alembic's settings are percent-formatted.
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = conn
    return config
