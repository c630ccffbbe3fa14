"""Restore a backup: into an empty database of either engine, in one transaction, proven equal."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from alembic import command
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from orgboard_schema.errors import BackupDamaged, DatabaseNewer, OrgboardError
from orgboard_schema.progress import Tell, quiet
from orgboard_schema.sql import migrate
from orgboard_schema.sql.backup import blobs
from orgboard_schema.sql.backup.archive import (
    BLOBS,
    Archive,
    Manifest,
    Part,
    open_archive,
    table_member,
)
from orgboard_schema.sql.backup.layout import TableLayout, tables_of
from orgboard_schema.sql.backup.rows import Row, decode
from orgboard_schema.sql.backup.streams import count_rows, fix_sequences, read_table, write_table
from orgboard_schema.sql.engine import begin_write, open_engine, shown, unreachable

__all__ = ["restore_backup"]

PASSES: Final = 3
"""Over all bytes: checked, stored, compared. Progress is told over the three."""


TELL_EVERY_ROWS: Final = 64
"""Asking how far a stream is costs more than a row."""


class _Steps:
    """Count bytes through the passes, for whoever looks on."""

    def __init__(self, parts: Sequence[Part], tell: Tell) -> None:
        self._all = PASSES * sum(part.bytes for part in parts)
        self._done = 0
        self._tell = tell

    def add(self, doing: str, count: int) -> None:
        self._done += count
        self._tell(doing, self._done, self._all)


def restore_backup(
    backup: Path,
    url: str,
    blob_root: Path | None,
    *,
    leave_blobs: bool = False,
    tell: Tell = quiet,
) -> Manifest:
    """Give the empty database at `url` what the backup holds; return what that is.

    The backup is read through and checked before the database is touched. A backup of an
    earlier release is brought to this one. With `leave_blobs` its blob files stay in it.

    Raises:
        BackupDamaged: It is not what was written; nothing has changed.
        DatabaseNewer: It was taken by a later release than this program.
        OrgboardError: The database is not empty, or cannot be written, or it is not known
            where the blob directory is.
    """
    with open_archive(backup) as archive:
        manifest = archive.manifest
        if manifest.release not in migrate.releases():
            raise DatabaseNewer(
                f"{backup} is at {manifest.release}, newer than this program at"
                f" {migrate.head()}: update orgboard"
            )
        tables = _matched(manifest)
        has_blobs = any(part.member == BLOBS for part in manifest.parts)
        root = blobs.known(blob_root) if has_blobs and not leave_blobs else None
        steps = _Steps(manifest.parts, tell)
        for part in manifest.parts:
            for count in archive.check(part):
                steps.add("checking the backup", count)
        engine = open_engine(url)
        try:
            _restore(engine, archive, tables, root, steps)
        except DBAPIError as error:
            raise unreachable(engine.url, error) from error
        except (ValueError, struct.error) as error:
            # Whoever made the rows made the hashes, too.
            raise BackupDamaged(f"{backup} has rows that no backup has: {error}") from error
        finally:
            engine.dispose()
    return manifest


def _matched(manifest: Manifest) -> list[tuple[TableLayout, Part]]:
    """Return the tables of the backup's release, each with its part."""
    parts = {part.member: part for part in manifest.parts}
    matched = []
    for table in tables_of(manifest.release):
        part = parts.get(table_member(table.name))
        if part is None or part.columns != table.columns:
            raise BackupDamaged(
                f"the backup says that it is of {manifest.release},"
                f" and its table {table.name} is not as it was then"
            )
        matched.append((table, part))
    return matched


def _restore(
    engine: Engine,
    archive: Archive,
    tables: Sequence[tuple[TableLayout, Part]],
    blob_root: Path | None,
    steps: _Steps,
) -> None:
    with begin_write(engine) as conn:
        migrate.lock(conn)
        _require_empty(conn, shown(engine.url))
        config = migrate.alembic_config(conn)
        command.upgrade(config, archive.manifest.release)
        if conn.dialect.name == "sqlite":
            conn.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        for table, part in tables:
            write_table(conn, table, _stored_rows(archive, table, part, steps))
            fix_sequences(conn, table)
        for table, part in tables:
            _compare(conn, table, part, steps)
        if blob_root is not None:
            _write_blobs(archive, blob_root, steps)
        command.upgrade(config, "head")
    if engine.dialect.name == "sqlite":
        _settle(engine)


def _require_empty(conn: Connection, place: str) -> None:
    """Leave a database without tables, or refuse."""
    found = migrate.version_in(conn)
    if found is None:
        return
    if found not in migrate.releases() or any(count_rows(conn, has) for has in tables_of(found)):
        raise OrgboardError(
            f"{place} is not empty: restore into a database that holds nothing yet,"
            " or does not exist"
        )
    command.downgrade(migrate.alembic_config(conn), "base")


def _stored_rows(archive: Archive, table: TableLayout, part: Part, steps: _Steps) -> Iterator[Row]:
    with archive.open(part) as stream:
        before = 0
        for number, row in enumerate(decode(stream, table.kinds)):
            yield row
            if number % TELL_EVERY_ROWS == 0:
                steps.add(f"storing {table.name}", stream.tell() - before)
                before = stream.tell()
    steps.add(f"storing {table.name}", part.bytes - before)


def _compare(conn: Connection, table: TableLayout, part: Part, steps: _Steps) -> None:
    """Read a table as a backup would, and prove that it is the same."""
    digest = hashlib.sha256()
    for chunk in read_table(conn, table):
        digest.update(chunk)
        steps.add(f"comparing {table.name}", len(chunk))
    rows = count_rows(conn, table)
    if (rows, digest.hexdigest()) != (part.rows, part.sha256):
        raise BackupDamaged(
            f"{table.name}: the database does not keep what the backup holds"
            f" ({part.rows} rows there, {rows} here); nothing was restored"
        )


def _write_blobs(archive: Archive, root: Path, steps: _Steps) -> None:
    kinds = [kind for _, kind in blobs.COLUMNS]
    for part in archive.manifest.parts:
        if part.member != BLOBS:
            continue
        with archive.open(part) as stream:
            try:
                blobs.write_files(root, decode(stream, kinds))
            except OSError as error:
                why = error.strerror or error
                raise OrgboardError(f"cannot write media into {root}: {why}") from error
        steps.add("writing media", 2 * part.bytes)


def _settle(engine: Engine) -> None:
    """Move what was committed from SQLite's log into the file itself, synced."""
    connection = engine.raw_connection()
    try:
        connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()
