"""The file of a backup: a zip archive of zstd streams, with a manifest that proves them."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Final

import zstandard

from orgboard_schema.errors import BackupDamaged, DatabaseNewer

__all__ = ["BLOBS", "Archive", "Manifest", "Part", "open_archive", "start_archive", "table_member"]

FORMAT: Final = "orgboard backup"
VERSION: Final = 1
"""Of the file's own form. The release of the tables is told apart from it."""

BLOBS: Final = "blobs"
MANIFEST: Final = "manifest.json"

LEVEL: Final = 3
"""Payloads are compressed already; this is for names and numbers, at the speed of a disk."""

CHUNK_BYTES: Final = 1 << 20
"""Read at once. Bounds memory, and is enough for the disk to be the slower one."""

MOST_MANIFEST_BYTES: Final = 1 << 20
"""A manifest has one line a table. More is no manifest."""


@dataclass(frozen=True, slots=True)
class Part:
    """One member, as it must be found."""

    member: str
    columns: tuple[tuple[str, str], ...]
    rows: int
    bytes: int
    """Unpacked."""
    sha256: str
    """Of the unpacked stream, in hexadecimal: equal tables have equal ones."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds."""

    release: str
    """Of the tables."""
    engine: str
    """That it was taken from; it goes to either."""
    taken_at: str
    program: str
    parts: tuple[Part, ...]
    """Tables, each after those that it refers to, and at the end the blob files, if any."""


def table_member(table: str) -> str:
    """Return the name of a table's member."""
    return f"tables/{table}"


class ArchiveWriter:
    """Write members one after another, at constant memory."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._compressor = zstandard.ZstdCompressor(level=LEVEL)

    def add(self, member: str, chunks: Iterable[bytes]) -> tuple[int, str]:
        """Write a member; return its unpacked length and its hash."""
        digest, length = hashlib.sha256(), 0
        with (
            self._archive.open(zipfile.ZipInfo(member), "w", force_zip64=True) as plain,
            self._compressor.stream_writer(plain, closefd=False) as packed,
        ):
            for chunk in chunks:
                digest.update(chunk)
                length += len(chunk)
                packed.write(chunk)
        return length, digest.hexdigest()

    def finish(self, manifest: Manifest) -> None:
        """Write the manifest, and its hash as the archive's comment."""
        told = {"format": FORMAT, "version": VERSION, **asdict(manifest)}
        data = json.dumps(told, indent=1).encode("utf-8")
        self._archive.writestr(zipfile.ZipInfo(MANIFEST), data)
        self._archive.comment = hashlib.sha256(data).hexdigest().encode("ascii")


@contextmanager
def start_archive(file: IO[bytes]) -> Iterator[ArchiveWriter]:
    """Write an archive into `file`."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        yield ArchiveWriter(archive)


class Archive:
    """A backup that is read. Its manifest is sound; its members are once they were checked."""

    def __init__(self, archive: zipfile.ZipFile, manifest: Manifest) -> None:
        self._archive = archive
        self.manifest = manifest

    @contextmanager
    def open(self, part: Part) -> Iterator[io.BufferedReader]:
        """Open a member, unpacked."""
        found = self._archive.getinfo(part.member)
        if found.compress_type != zipfile.ZIP_STORED:
            raise zipfile.BadZipFile(f"{part.member} is packed in a way that no backup is")
        with (
            self._archive.open(found) as packed,
            zstandard.ZstdDecompressor().stream_reader(packed, closefd=False) as plain,
        ):
            yield io.BufferedReader(plain, CHUNK_BYTES)

    def check(self, part: Part) -> Iterator[int]:
        """Read a member through, and yield how many bytes came each time.

        Raises:
            BackupDamaged: It is not what was written.
        """
        digest, length = hashlib.sha256(), 0
        with _named(f"{part.member} in the backup cannot be read"), self.open(part) as stream:
            while chunk := stream.read(CHUNK_BYTES):
                digest.update(chunk)
                length += len(chunk)
                yield len(chunk)
        if (length, digest.hexdigest()) != (part.bytes, part.sha256):
            raise BackupDamaged(f"{part.member} in the backup is not what was written")


_UNREADABLE: Final = (
    *(zipfile.BadZipFile, zstandard.ZstdError, EOFError, KeyError, TypeError, ValueError),
    # What zipfile makes of a member that claims to be encrypted or of a later version of zip.
    *(NotImplementedError, RuntimeError),
)


@contextmanager
def _named(what: str) -> Iterator[None]:
    """Say `what` of bytes that cannot be read as a backup's."""
    try:
        yield
    except _UNREADABLE as error:
        raise BackupDamaged(f"{what}: {error}") from error
    except OSError as error:
        # Nothing of the disk's: a place that was written down lies before the file's beginning.
        if error.errno != errno.EINVAL:
            raise
        raise BackupDamaged(f"{what}: {error.strerror}") from error


@contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """Open a backup and read its manifest.

    Raises:
        BackupDamaged: It is none, or is not whole.
        DatabaseNewer: It is of a form that came after this program.
    """
    with _named(f"{path} is no backup, or only a part of one"):
        archive = zipfile.ZipFile(path)
    with archive:
        with _named(f"{path} has no sound manifest"):
            manifest = _read_manifest(archive)
        yield Archive(archive, manifest)


def _read_manifest(archive: zipfile.ZipFile) -> Manifest:
    with archive.open(MANIFEST) as file:
        data = file.read(MOST_MANIFEST_BYTES)
    if hashlib.sha256(data).hexdigest().encode("ascii") != archive.comment:
        raise ValueError("it does not have its hash")
    told = json.loads(data)
    if not isinstance(told, dict) or told.pop("format") != FORMAT:
        raise ValueError("it is of something else")
    if (version := told.pop("version")) != VERSION:
        raise DatabaseNewer(
            f"the backup is of form {version}, this program's {VERSION}: update orgboard"
        )
    parts = tuple(map(_part, told.pop("parts")))
    if not all(isinstance(said, str) for said in told.values()):
        raise TypeError("it says of itself what is no text")
    return Manifest(**told, parts=parts)


def _part(told: dict[str, Any]) -> Part:
    columns = tuple((name, kind) for name, kind in dict(told)["columns"])
    part = Part(**{**told, "columns": columns})
    if not all(isinstance(told[name], str) for name in ("member", "sha256")):
        raise TypeError("a member is named by what is no text")
    if not all(type(count) is int and count >= 0 for count in (part.rows, part.bytes)):
        raise TypeError(f"{part.member} is counted in what is no number")
    return part
