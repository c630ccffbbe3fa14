"""Bring the tables to this program's release, or say why it cannot work with them.

Only `orgboard db upgrade` and `orgboard serve` upgrade; every other program checks, so
that two of different releases never migrate under each other.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import inspect, text
from sqlalchemy.exc import DatabaseError

from orgboard_schema.errors import DatabaseNewer, DatabaseOlder, DatabaseUnreachable
from orgboard_schema.progress import Tell, quiet
from orgboard_schema.sql.engine import begin_read, begin_write, shown, unreachable
from orgboard_schema.sql.fresh import make_tables

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.script import ScriptDirectory
    from sqlalchemy import Connection, Engine

__all__ = [
    "alembic_config",
    "check_version",
    "head",
    "lock",
    "refuse_newer",
    "releases",
    "upgrade",
    "version",
    "version_in",
]

_SCRIPTS: Final = Path(__file__).parent / "migrations"

_VERSION_TABLE: Final = "alembic_version"
"""Where Alembic keeps the release."""

_UPGRADE_LOCK: Final = 0x6F7267626F617264
"""PostgreSQL advisory lock ("orgboard" in ASCII): of two upgrades at once, one waits."""


# Alembic is imported where something is migrated: it takes a fifth of the time that a program
# needs to start, and most find their database at head.
HEAD: Final = "v0_6"
"""The last of the revisions."""


def head() -> str:
    """Return the release of this program's tables."""
    return HEAD


def version(engine: Engine) -> str | None:
    """Return the release of the database's tables; None when it has none.

    Raises:
        DatabaseUnreachable: It does not answer, or it is no database.
    """
    try:
        with begin_read(engine) as conn:
            return version_in(conn)
    except DatabaseError as error:
        raise unreachable(engine.url, error) from error
    except UnicodeDecodeError as error:
        raise DatabaseUnreachable(f"{shown(engine.url)} is damaged: {error}") from error


def upgrade(engine: Engine, tell: Tell = quiet) -> tuple[str | None, str]:
    """Bring the tables to `head` in one transaction; return the releases before and after.

    `tell` hears of each release on the way.

    Raises:
        DatabaseNewer: They are of a later release already.
        DatabaseUnreachable: The database does not answer or may not be changed.
    """
    try:
        with begin_write(engine) as conn:
            lock(conn)
            before = version_in(conn)
            if before == HEAD:
                return before, HEAD
            # One that was brought down to nothing has that table still.
            if before is None and not inspect(conn).has_table(_VERSION_TABLE):
                tell(f"{HEAD}: all tables", 0, 1)
                make_tables(conn)
                return None, HEAD
            from alembic import command

            refuse_newer(before, engine)
            pending = list(_scripts().iterate_revisions("head", before))[::-1]
            config = alembic_config(conn)
            for done, script in enumerate(pending):
                tell(f"{script.revision}: {script.doc}", done, len(pending))
                command.upgrade(config, script.revision)
            return before, head()
    except DatabaseError as error:
        raise unreachable(engine.url, error) from error


def lock(conn: Connection) -> None:
    """Let no other upgrade begin until this transaction has ended; SQLite has one writer anyway."""
    if conn.dialect.name == "postgresql":
        conn.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_UPGRADE_LOCK})")


def releases() -> list[str]:
    """Return the releases that this program knows, the first one first."""
    return [script.revision for script in _scripts().walk_revisions()][::-1]


def check_version(engine: Engine) -> None:
    """Return quietly when the tables are of this program's release.

    Raises:
        DatabaseNewer: They are of a later one.
        DatabaseOlder: They are missing or of an earlier one.
        DatabaseUnreachable: The database does not answer.
    """
    found = version(engine)
    if found != HEAD:
        refuse_newer(found, engine)
        state = "has no tables yet" if found is None else f"is at {found}, this program at {head()}"
        place = shown(engine.url)
        raise DatabaseOlder(f"{place} {state}: run `orgboard db upgrade --db {place}`")


def refuse_newer(found: str | None, engine: Engine) -> None:
    """Return quietly when `found`, the release of the tables, is one that this program knows.

    Raises:
        DatabaseNewer: It is not.
    """
    if found is not None and found not in releases():
        raise DatabaseNewer(
            f"{shown(engine.url)} is at {found}, newer than this program at {head()}:"
            " update orgboard"
        )


def version_in(conn: Connection) -> str | None:
    """Return the release of the tables that this transaction sees; None when it sees none."""
    if not inspect(conn).has_table(_VERSION_TABLE):
        return None
    found = conn.execute(text(f"SELECT version_num FROM {_VERSION_TABLE}")).scalar_one_or_none()  # noqa: S608 - a name of our own
    return None if found is None else str(found)


def _scripts() -> ScriptDirectory:
    from alembic.script import ScriptDirectory

    return ScriptDirectory(str(_SCRIPTS), version_locations=[str(_SCRIPTS / "versions")])


def alembic_config(conn: Connection) -> Config:
    """Return Alembic's configuration for running on this connection."""
    from alembic.config import Config

    # Its own default is what was standard output when it was imported.
    config = Config(stdout=sys.stdout)
    # Alembic's settings are percent-formatted.
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = conn
    return config
