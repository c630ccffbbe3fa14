"""The only maker of engines: what a database is called, how it is opened, how work begins.

engine = open_engine(parse_url(text))
with begin_write(engine) as conn: ...   one transaction, the only writer on SQLite
with begin_read(engine) as conn: ...    one snapshot: every query sees the same instant
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, DBAPIError, NoSuchModuleError

from orgboard_schema.errors import DatabaseUnreachable, DatabaseUrlError
from orgboard_schema.settings import default_blobs
from orgboard_schema.sql.blobstore import BlobStore, open_store
from orgboard_schema.sql.places import make_private, network_filesystem

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor, ExecutionContext
    from sqlalchemy.pool import ConnectionPoolEntry

__all__ = [
    "IN_BINARY",
    "begin_read",
    "begin_write",
    "blob_store",
    "open_engine",
    "parse_url",
    "shown",
    "unreachable",
]

BUSY_TIMEOUT_S: Final = 10
"""How long a SQLite statement waits for a rival's lock: longer than any transaction of ours."""

BUSY_PAUSE_S: Final = 0.01
_TAKEN: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})

_BINARY: Final = "orgboard_binary"
IN_BINARY: Final[Mapping[str, Any]] = {_BINARY: True}
"""Options of a statement that fetches payloads: PostgreSQL sends them as they are. As text each
octet is two digits, sent and turned back. Not for its catalog, which SQLAlchemy reads as text."""

_WRITE: Final = "orgboard_write"
_BLOBS: Final = "orgboard_blobs"
_HINT: Final = "give a path (SQLite) or postgresql://user@host/name"


def parse_url(text: str) -> URL:
    """Return the database that `text` names: a bare path is SQLite, postgresql:// is psycopg 3.

    Raises:
        DatabaseUrlError: It names neither; the message never repeats a password.
    """
    if "://" not in text:
        if not text.strip() or "\0" in text or text == ":memory:":
            raise DatabaseUrlError(f"the database needs a file of its own: {_HINT}")
        return URL.create("sqlite", database=str(Path(text).expanduser().absolute()))
    scheme = text.partition("://")[0]
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:
        raise DatabaseUrlError(f"cannot read the {scheme}:// database URL: {_HINT}") from error
    if url.drivername in ("sqlite", "sqlite+pysqlite") and url.database not in (None, ":memory:"):
        return parse_url(str(url.database))
    if url.drivername in ("postgresql", "postgres", "postgresql+psycopg"):
        return url.set(drivername="postgresql+psycopg")
    raise DatabaseUrlError(f"{scheme}:// is no database of orgboard's: {_HINT}")


def shown(url: URL) -> str:
    """Return `url` as people know it, without its password."""
    if url.drivername == "sqlite":
        return str(url.database)
    return url.set(drivername="postgresql").render_as_string(hide_password=True)


def open_engine(
    url: URL | str,
    *,
    create: bool = True,
    pool_size: int = 5,
    pool_timeout_s: float = 30.0,
    reconnect: bool = True,
    stuck_after_s: float | None = None,
    blobs: str | None = None,
) -> Engine:
    """Return the engine for `url`; SQLite files are created, private, unless `create` is False.

    PostgreSQL is not spoken to before the first connection. A connection that broke since
    it was last used is replaced in silence; without `reconnect` its next use fails, which
    is right for who remembers what the database said: the next one may say otherwise.
    PostgreSQL ends a transaction in which its client does nothing for `stuck_after_s`, as a
    paused process does, so that others get at the rows it holds. `blobs` is where large
    blobs lie, a folder or a URL; None: `settings.default_blobs`.

    Raises:
        OrgboardError: `blobs` names nothing that can be opened.
        DatabaseUrlError: Not a database that can work (wrong URL, network file system).
        DatabaseUnreachable: No such file, or it cannot be opened.
    """
    url = parse_url(url) if isinstance(url, str) else url
    sqlite = Path(str(url.database)) if url.drivername == "sqlite" else None
    place = blobs or default_blobs(os.environ, sqlite)
    options = {_BLOBS: None if place is None else open_store(place)}
    if sqlite is not None:
        return _open_sqlite(url, create, pool_size, pool_timeout_s, options)
    try:
        engine = create_engine(
            url,
            execution_options=options,
            # Whatever the server's default: the compare-and-set of offsets needs to see
            # what a rival committed while it waited.
            isolation_level="READ COMMITTED",
            hide_parameters=True,
            pool_pre_ping=reconnect,
            pool_size=pool_size,
            pool_timeout=pool_timeout_s,
            connect_args={
                "application_name": "orgboard",
                "connect_timeout": 10,
                "keepalives_idle": 30,
                "keepalives_interval": 10,
                "keepalives_count": 3,
                # Of what we sent and no one acknowledged: else the kernel tries for a quarter
                # of an hour.
                "tcp_user_timeout": 30_000,
                "target_session_attrs": "read-write",
            }
            | dict(url.query),
        )
    except (ImportError, NoSuchModuleError) as error:
        raise DatabaseUrlError(
            "PostgreSQL needs its driver: pip install 'orgboard[postgres]'"
        ) from error
    event.listen(engine, "before_cursor_execute", _ask_in_binary)
    if stuck_after_s is not None:
        event.listen(engine, "connect", partial(_set_timeouts, stuck_after_s))
    return engine


@contextmanager
def begin_write(engine: Engine, *, durable: bool = True) -> Iterator[Connection]:
    """Open one transaction that writes; commit at the end, roll back on an error.

    SQLite takes its one write lock at the start, so that no transaction fails half way.
    Without `durable` PostgreSQL may lose the last commits in a crash of its host, which
    is right where points and offset are lost together and read again.

    Raises:
        DatabaseUnreachable: No connection could be made.
    """
    with _connect(engine) as conn:
        conn.execution_options(**{_WRITE: True})
        with conn.begin():
            if not durable and engine.dialect.name == "postgresql":
                conn.exec_driver_sql("SET LOCAL synchronous_commit TO off")
            yield conn


@contextmanager
def begin_read(engine: Engine) -> Iterator[Connection]:
    """Open one snapshot: all queries see the same instant, so points never show twice or not
    at all because they were compacted in between.

    Raises:
        DatabaseUnreachable: No connection could be made.
    """
    with _connect(engine) as conn:
        if engine.dialect.name == "postgresql":
            conn.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with conn.begin():
            yield conn


@contextmanager
def _connect(engine: Engine) -> Iterator[Connection]:
    try:
        conn = engine.connect()
    except DatabaseError as error:
        raise unreachable(engine.url, error) from error
    with conn:
        yield conn


def unreachable(url: URL, error: DBAPIError) -> DatabaseUnreachable:
    """Say in one line that `url` does not answer, why, and what to try."""
    reason = (str(error.orig).strip().splitlines() or ["no reason given"])[0]
    if url.drivername != "sqlite":
        advice = "is the server running, and may you use it?"
    elif "not a database" in reason:
        advice = "give the path of a board, or of a file that does not exist yet"
    else:
        advice = "may you write there, and is there room?"
    return DatabaseUnreachable(f"cannot open {shown(url)}: {reason} ({advice})")


def blob_store(conn: Connection) -> BlobStore | None:
    """Return where the database of this connection keeps large blobs; None: in itself."""
    store: BlobStore | None = conn.get_execution_options().get(_BLOBS)
    return store


def _open_sqlite(
    url: URL, create: bool, pool_size: int, pool_timeout_s: float, options: Mapping[str, Any]
) -> Engine:
    path = Path(str(url.database))
    network = network_filesystem(path)
    if network is not None:
        raise DatabaseUrlError(
            f"{path} lies on {network}, where SQLite corrupts: use a local disk, or PostgreSQL"
        )
    if path.is_dir():
        raise DatabaseUrlError(f"{path} is a directory: name a file in it, such as {path}/board.db")
    if not path.exists():
        if not create:
            raise DatabaseUnreachable(
                f"no database at {path}: `orgboard db upgrade --db {path}` makes one"
            )
        try:
            make_private(path)
        except OSError as error:
            raise DatabaseUnreachable(f"cannot create {path}: {error.strerror}") from error
    engine = create_engine(
        url,
        pool_size=pool_size,
        pool_timeout=pool_timeout_s,
        # What is logged of a statement that failed must not hold what somebody wrote, or a hash.
        hide_parameters=True,
        connect_args={"timeout": BUSY_TIMEOUT_S},
        execution_options=dict(options),
    )
    event.listen(engine, "connect", _set_pragmas)
    event.listen(engine, "begin", _begin)
    return engine


def _ask_in_binary(
    _conn: Connection,
    cursor: Any,
    _statement: str,
    _parameters: object,
    context: ExecutionContext | None,
    _executemany: bool,
) -> None:
    if context is not None and context.execution_options.get(_BINARY, False):
        cursor.format = type(cursor.format).BINARY


def _set_timeouts(
    stuck_after_s: float, connection: DBAPIConnection, _entry: ConnectionPoolEntry
) -> None:
    stuck_ms = int(stuck_after_s * 1000)
    cursor = connection.cursor()
    cursor.execute(f"SET idle_in_transaction_session_timeout = {stuck_ms}")
    # Sooner: who waits for such a one has other things to do meanwhile.
    cursor.execute(f"SET lock_timeout = {stuck_ms // 3}")
    cursor.close()
    connection.commit()


def _set_pragmas(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    # The driver's own idea of when a transaction begins differs from ours: `_begin` says it.
    raw: Any = connection
    raw.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA page_count")
    if cursor.fetchone() == (0,):
        # Heard only before anything is in the file; then deletes can give pages back. Later
        # it would do nothing, but wait for whoever writes.
        _insist(cursor, "PRAGMA auto_vacuum = INCREMENTAL")
    _insist(cursor, "PRAGMA journal_mode = WAL")
    for pragma in (
        # A commit that a power cut takes away takes its offset with it.
        "synchronous = NORMAL",
        "foreign_keys = ON",
        "temp_store = MEMORY",
        "cache_size = -16000",
        # A checkpoint gives back what a burst made the log grow to.
        "journal_size_limit = 67108864",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _insist(cursor: DBAPICursor, pragma: str) -> None:
    """Execute what SQLite does not wait for a rival's lock for by itself: it says "locked"."""
    until = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            cursor.execute(pragma)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode not in _TAKEN or time.monotonic() > until:
                raise
            time.sleep(BUSY_PAUSE_S)
        else:
            return


def _begin(conn: Connection) -> None:
    # A transaction that reads first and writes later would fail, not wait, when a rival
    # wrote in between; so writers say at once that they will write.
    write = conn.get_execution_options().get(_WRITE, False)
    conn.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
