"""Large blobs as files, each under its hash: a folder, or a bucket through fsspec.

    <root>/ab/cdef…      sha256 in hex, the first two digits a folder

A file is written whole, synced and renamed before the row that names it commits, so a row
never names what is not there; a file that no row names is swept after a day. What is in a
row (`blob.uri`) is the path below the root, never the root: the store may be moved.
"""

from __future__ import annotations

import os
import re
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from orgboard_schema.errors import CorruptBlock, OrgboardError
from orgboard_schema.remote import open_files

__all__ = ["LARGE_BYTES", "BlobStore", "Folder", "Remote", "open_store", "uri_of"]

LARGE_BYTES: Final = 256 * 1024
"""From here on files are quicker to write and read than rows, and rows stay quick to scan."""

READ_AT_ONCE: Final = 1 << 20

_URI: Final = re.compile(r"[0-9a-f]{2}/[0-9a-f]{62}")


class BlobStore(Protocol):
    """Where large blobs lie."""

    def put(self, sha256: bytes, data: bytes) -> str:
        """Store the bytes under their hash, durably, and return the path for the row."""
        ...

    def chunks(self, uri: str) -> Iterator[bytes]:
        """Yield the bytes piece by piece.

        Raises:
            CorruptBlock: There is no such file, or the path is none of ours.
        """
        ...

    def stored(self) -> Iterator[tuple[str, float]]:
        """Yield every path and when it was written, seconds since the epoch."""
        ...

    def remove(self, uri: str) -> None:
        """Remove a file; it may be gone already."""
        ...


def uri_of(sha256: bytes) -> str:
    """Return where the blob of that hash lies below the root."""
    text = sha256.hex()
    return f"{text[:2]}/{text[2:]}"


def open_store(text: str) -> BlobStore:
    """Return the store that `text` names: a folder, or a URL that fsspec knows.

    Raises:
        OrgboardError: It needs a package that is not installed, or names nothing.
    """
    if "://" not in text:
        return Folder(Path(text).expanduser().absolute())
    try:
        return Remote(*open_files(text))
    except OrgboardError as error:
        raise OrgboardError(f"cannot keep blobs at {text}: {error}") from error


@dataclass(frozen=True, slots=True)
class Folder:
    """Blobs in a folder of this host."""

    root: Path

    def put(self, sha256: bytes, data: bytes) -> str:
        """Write to a name of its own, sync, rename, and sync the folders."""
        uri = uri_of(sha256)
        path = self.root / uri
        self._make(path.parent)
        # Of two that write the same bytes, each renames a whole file over the other's.
        draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        try:
            with open(draft, "xb", opener=_private) as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
        _sync(path.parent)
        return uri

    def chunks(self, uri: str) -> Iterator[bytes]:
        """Yield the bytes piece by piece; a link is followed nowhere."""
        path = self._path(uri)
        try:
            with open(path, "rb", opener=_without_links) as file:
                while piece := file.read(READ_AT_ONCE):
                    yield piece
        except OSError as error:
            raise CorruptBlock(f"blob file {uri} cannot be read: {error.strerror}") from error

    def stored(self) -> Iterator[tuple[str, float]]:
        """Yield every path, drafts that a crash left among them."""
        if not self.root.is_dir():
            return
        for folder in sorted(self.root.iterdir()):
            if not folder.is_dir() or folder.is_symlink():
                continue
            for path in sorted(folder.iterdir()):
                try:
                    yield f"{folder.name}/{path.name}", path.lstat().st_mtime
                except FileNotFoundError:
                    continue

    def remove(self, uri: str) -> None:
        """Remove a file that `stored` told of."""
        if ".." not in uri:
            (self.root / uri).unlink(missing_ok=True)

    def _path(self, uri: str) -> Path:
        _check(uri)
        path = self.root / uri
        if not path.parent.resolve().is_relative_to(self.root.resolve()):
            raise CorruptBlock(f"blob path {uri} leads out of the store")
        return path

    def _make(self, folder: Path) -> None:
        missing = [each for each in (folder, *folder.parents) if not each.exists()]
        for each in reversed(missing):
            each.mkdir(mode=0o700, exist_ok=True)
            _sync(each.parent)


@dataclass(frozen=True, slots=True)
class Remote:
    """Blobs in a bucket, or wherever fsspec reaches. An upload shows when it is whole."""

    files: Any
    root: str

    def put(self, sha256: bytes, data: bytes) -> str:
        """Upload the bytes."""
        uri = uri_of(sha256)
        # Object stores have no folders to make; others do.
        self.files.makedirs(f"{self.root}/{uri[:2]}", exist_ok=True)
        self.files.pipe_file(f"{self.root}/{uri}", data)
        return uri

    def chunks(self, uri: str) -> Iterator[bytes]:
        """Yield the bytes piece by piece."""
        _check(uri)
        try:
            with self.files.open(f"{self.root}/{uri}", "rb") as file:
                while piece := file.read(READ_AT_ONCE):
                    yield piece
        except OSError as error:
            raise CorruptBlock(f"blob file {uri} cannot be read: {error}") from error

    def stored(self) -> Iterator[tuple[str, float]]:
        """Yield every path; one whose age is not known counts as new."""
        if not self.files.exists(self.root):
            return
        for path, told in self.files.find(self.root, detail=True).items():
            written = told.get("mtime") or told.get("LastModified") or told.get("created")
            seconds = written.timestamp() if hasattr(written, "timestamp") else written
            yield path[len(self.root) + 1 :], time.time() if seconds is None else float(seconds)

    def remove(self, uri: str) -> None:
        """Remove a file."""
        try:
            self.files.rm_file(f"{self.root}/{uri}")
        except FileNotFoundError:
            return


def _check(uri: str) -> None:
    if not _URI.fullmatch(uri):
        raise CorruptBlock(f"{uri[:80]!r} is no path of a blob")


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _without_links(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW)


def _sync(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
