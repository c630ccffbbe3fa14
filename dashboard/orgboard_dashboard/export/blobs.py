"""The bytes of pictures, clips and graphs as files, each under the hash of its content."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path

from orgboard_dashboard.export.choice import CannotExport
from orgboard_dashboard.export.output import replacing
from orgboard_schema.blocks import StoredMedia, StoredValue

__all__ = ["BlobFolder"]


class BlobFolder:
    """A directory that gets each blob once. What is there under a hash is that blob."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lost: set[bytes] = set()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CannotExport(f"cannot make {folder}: {error.strerror or error}") from error

    @property
    def lost(self) -> int:
        """How many blobs the store does not have, or not as they were logged."""
        return len(self._lost)

    def keep(self, values: Iterable[StoredValue], load: Callable[[bytes], bytes | None]) -> None:
        """Write the bytes that these values refer to, one blob in memory at a time.

        Raises:
            CannotExport: A file cannot be written.
        """
        for value in values:
            for blob in value.blobs if isinstance(value, StoredMedia) else ():
                path = self.folder / blob.sha256.hex()
                if blob.sha256 in self._lost or path.exists():
                    continue
                data = load(blob.sha256)
                if data is None or hashlib.sha256(data).digest() != blob.sha256:
                    self._lost.add(blob.sha256)
                    continue
                self._write(path, data)

    def _write(self, path: Path, data: bytes) -> None:
        try:
            with replacing(path) as stream:
                stream.write(data)
        except OSError as error:
            raise CannotExport(f"cannot write {path}: {error.strerror or error}") from error
