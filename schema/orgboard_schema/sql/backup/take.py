"""Take a backup: one snapshot into one private file, which has its name only when it is whole."""

from __future__ import annotations

import os
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from pathlib import Path
from typing import IO, Final

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from orgboard_schema.errors import OrgboardError
from orgboard_schema.progress import Tell, quiet
from orgboard_schema.sql import migrate
from orgboard_schema.sql.backup import blobs
from orgboard_schema.sql.backup.archive import (
    BLOBS,
    ArchiveWriter,
    Manifest,
    Part,
    start_archive,
    table_member,
)
from orgboard_schema.sql.backup.layout import tables_of
from orgboard_schema.sql.backup.rows import Row, encode
from orgboard_schema.sql.backup.streams import count_rows, read_table
from orgboard_schema.sql.engine import begin_read, shown, unreachable

__all__ = ["Taken", "take_backup"]

PROGRAM: Final = "orgboard"


@dataclass(frozen=True, slots=True)
class Taken:
    """A backup that stands."""

    path: Path
    bytes: int
    manifest: Manifest
    damaged: tuple[tuple[str, str], ...]
    """Blob files that are not, or not whole, in it: their names, and why."""


def take_backup(
    engine: Engine,
    to: Path,
    blob_root: Path | None,
    *,
    now: float,
    leave_blobs: bool = False,
    tell: Tell = quiet,
) -> Taken:
    """Copy all that is stored into the file `to`, or into a new file in the folder `to`.

    Others read and write meanwhile. With `leave_blobs` the blob directory is left out.

    Raises:
        OrgboardError: The file cannot be written, there is nothing to back up, or it is not
            known where the blob directory is.
    """
    taken_at = datetime.fromtimestamp(now, UTC)
    path = _free_place(to, taken_at)
    damaged: list[tuple[str, str]] = []
    try:
        with begin_read(engine) as conn:
            release = _release(conn, engine)
            with _private_file(path) as file:
                with start_archive(file) as archive:
                    parts = list(_tables(conn, release, archive, tell))
                    if not leave_blobs and blobs.count_files(conn):
                        parts.append(_blobs(conn, blobs.known(blob_root), archive, damaged))
                    about = (release, engine.dialect.name, taken_at.isoformat(), _program())
                    manifest = Manifest(*about, tuple(parts))
                    archive.finish(manifest)
                size = file.tell()
    except OSError as error:
        raise OrgboardError(f"cannot write {path}: {error.strerror or error}") from error
    except DBAPIError as error:
        raise unreachable(engine.url, error) from error
    return Taken(path, size, manifest, tuple(damaged))


def _release(conn: Connection, engine: Engine) -> str:
    """Return the release of the snapshot's tables: an upgrade may be under way."""
    release = migrate.version_in(conn)
    if release is None:
        raise OrgboardError(f"{shown(engine.url)} has no tables: there is nothing to back up")
    migrate.refuse_newer(release, engine)
    return release


def _tables(conn: Connection, release: str, archive: ArchiveWriter, tell: Tell) -> Iterator[Part]:
    expected, before = _expected_bytes(conn), 0
    for table in tables_of(release):
        rows = count_rows(conn, table)
        counted = _counted(read_table(conn, table), table.name, before, expected, tell)
        length, sha256 = archive.add(table_member(table.name), counted)
        before += length
        yield Part(table_member(table.name), table.columns, rows, length, sha256)


def _counted(
    chunks: Iterable[bytes], name: str, before: int, expected: int, tell: Tell
) -> Iterator[bytes]:
    done = before
    for chunk in chunks:
        yield chunk
        done += len(chunk)
        tell(
            f"{done / 1e6:,.1f} of about {max(done, expected) / 1e6:,.1f} MB: {name}",
            done,
            max(done, expected),
        )


def _blobs(
    conn: Connection, root: Path, archive: ArchiveWriter, damaged: list[tuple[str, str]]
) -> Part:
    rows = 0

    def counted() -> Iterator[Row]:
        nonlocal rows
        for row in blobs.read_files(conn, root, lambda *what: damaged.append(what)):
            rows += 1
            yield row

    kinds = [kind for _, kind in blobs.COLUMNS]
    length, sha256 = archive.add(BLOBS, encode(counted(), kinds))
    return Part(BLOBS, blobs.COLUMNS, rows, length, sha256)


def _expected_bytes(conn: Connection) -> int:
    """Return about how much there is: what the database takes, dead space with it."""
    if conn.dialect.name == "postgresql":
        query = "SELECT pg_database_size(current_database())"
        return int(conn.exec_driver_sql(query).scalar_one())
    pages, size = (
        int(conn.exec_driver_sql(f"PRAGMA {name}").scalar_one())
        for name in ("page_count", "page_size")
    )
    return pages * size


def _free_place(to: Path, taken_at: datetime) -> Path:
    if to.is_dir():
        return to / f"orgboard-{taken_at:%Y%m%dT%H%M%SZ}.backup"
    # A backup may take the place of an older one. Nothing else, least of all the database.
    if to.exists() and not zipfile.is_zipfile(to):
        raise OrgboardError(f"{to} exists and is no backup: name another file")
    return to


@contextmanager
def _private_file(path: Path) -> Iterator[IO[bytes]]:
    """Open a file that has its name, and is synced, only when the block ends without error."""
    number, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(number, "wb") as file:
            yield file
            file.flush()
            os.fsync(number)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _program() -> str:
    try:
        return f"{PROGRAM} {installed(PROGRAM)}"
    except PackageNotFoundError:
        return PROGRAM
