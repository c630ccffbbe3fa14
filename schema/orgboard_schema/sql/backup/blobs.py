"""The files of the blob directory as rows of a backup, and back.

A file is named by its content and never changes, so it is copied after the snapshot that
names it was taken. Large ones come in pieces: no file is whole in memory.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import Final

from sqlalchemy import Connection, func, select

from orgboard_schema.errors import BackupDamaged, OrgboardError
from orgboard_schema.sql import tables
from orgboard_schema.sql.backup.rows import Row

__all__ = ["COLUMNS", "count_files", "known", "read_files", "write_files"]

COLUMNS: Final = (("uri", "text"), ("offset", "int"), ("data", "bytes"))

PIECE_BYTES: Final = 1 << 20
"""Of a file in one row: bounds memory on both ways."""

ROWS_AT_ONCE: Final = 1000

_blob = tables.blob.c


def known(root: Path | None) -> Path:
    """Return the blob directory, or refuse to lose what lies there in silence."""
    if root is None:
        raise OrgboardError(
            "some media lie in files: say where with ORGBOARD_BLOBS, or leave them with --no-blobs"
        )
    return root


def count_files(conn: Connection) -> int:
    """Return how many blobs lie in files."""
    return conn.execute(select(func.count()).where(_blob.uri.is_not(None))).scalar_one()


def read_files(conn: Connection, root: Path, damaged: Callable[[str, str], None]) -> Iterator[Row]:
    """Yield the pieces of all files that the snapshot names.

    `damaged` is told the name of a file that is missing or is not what its name says, and why.
    """
    query = select(_blob.uri, _blob.sha256).where(_blob.uri.is_not(None)).order_by(_blob.uri)
    for uri, sha256 in conn.execution_options(yield_per=ROWS_AT_ONCE).execute(query):
        digest = hashlib.sha256()
        try:
            for offset, data in _pieces(_place(root, uri)):
                digest.update(data)
                yield uri, offset, data
        except OSError as error:
            damaged(uri, error.strerror or str(error))
        else:
            if digest.digest() != bytes(sha256):
                damaged(uri, "its content does not have its hash")


def write_files(root: Path, rows: Iterable[Row]) -> int:
    """Write the files, each synced before it has its name; return how many there were."""
    written, folders = 0, set()
    for uri, pieces in groupby(rows, key=lambda row: str(row[0])):
        path = _place(root, uri)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(path, (row[2] for row in pieces if isinstance(row[2], bytes)))
        written += 1
        folders.add(path.parent)
    for folder in folders:
        _sync_folder(folder)
    return written


def _pieces(path: Path) -> Iterator[tuple[int, bytes]]:
    with path.open("rb") as file:
        offset = 0
        # An empty file has one piece, too.
        while (data := file.read(PIECE_BYTES)) or not offset:
            yield offset, data
            offset += len(data)
            if not data:
                return


def _write(path: Path, pieces: Iterable[bytes]) -> None:
    number, name = tempfile.mkstemp(dir=path.parent, prefix=".restored-")
    try:
        with os.fdopen(number, "wb") as file:
            file.writelines(pieces)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _place(root: Path, uri: str) -> Path:
    """Return the file's path; a name that leads out of `root` is nobody's blob."""
    pure = PurePosixPath(uri)
    if pure.is_absolute() or not pure.parts or ".." in pure.parts or "\0" in uri:
        raise BackupDamaged(f"a blob is named {uri!r}, which is no place in the blob directory")
    return root / pure


def _sync_folder(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
