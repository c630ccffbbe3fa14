"""Where the files of a logdir lie, as one small set of questions: a folder of this host, or a
place that is reached by URL (`bucket`).

    scan ─▶ Scan        all event files there are
    open ─▶ a file      to be read from anywhere; `status` and `is_still` are about it
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

from orgboard_ingest.discover import Scan, scan
from orgboard_ingest.opening import open_event_file

__all__ = ["Away", "Folder", "Root", "Status", "file_path", "root_of"]


class Away(OSError):  # noqa: N818 - says what is
    """Nothing can be read there for now. It says nothing of any file."""


class Status(NamedTuple):
    """An opened file, as the directory shows it."""

    size: int
    mtime_ns: int
    key: object
    """Stands for the file, by whatever name it is opened."""


class Root(Protocol):
    """Where the files of a logdir lie. As text, what the logdir is called everywhere."""

    @property
    def parts(self) -> Sequence[str]:
        """Return the names that lead there, which a project may be named after."""
        ...

    @property
    def remote(self) -> str:
        """Return why only a listing of all tells what changed; "" where each file can be asked."""
        ...

    def scan(self) -> Scan:
        """Look at all of it. Never raises for what it finds, or when it finds nothing."""
        ...

    def size(self, path: str) -> int:
        """Return the size of a file.

        Raises:
            OSError: It is not there, or cannot be looked at.
        """
        ...

    def holds(self, path: str) -> bool:
        """Tell whether there is a file or folder of that path.

        Raises:
            OSError: Nobody can tell.
        """
        ...

    def open(self, path: str) -> BinaryIO:
        """Open an event file, and nothing else.

        Raises:
            OSError: It cannot be opened, or is no event file.
        """
        ...

    def status(self, file: BinaryIO) -> Status:
        """Return what is known of a file that was opened here."""
        ...

    def is_still(self, file: BinaryIO) -> bool:
        """Tell whether all that was read of it came from one file: none took its name meanwhile.

        Raises:
            OSError: It cannot be read any more.
        """
        ...


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of this host."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)

    @property
    def parts(self) -> Sequence[str]:
        """Return the folder's name and those above it."""
        return self.path.parts

    @property
    def remote(self) -> str:
        """Return nothing: a look at one file costs less than one at all."""
        return ""

    def scan(self) -> Scan:
        """Look at the whole tree."""
        return scan(self.path)

    def size(self, path: str) -> int:
        """Return the size of a file."""
        return os.stat(path).st_size  # noqa: PTH116 - a Path would take longer than the look

    def holds(self, path: str) -> bool:
        """Tell whether there is something of that name."""
        return Path(path).exists()

    def open(self, path: str) -> BinaryIO:
        """Open a regular file, judging links again."""
        return open_event_file(path, self.path)

    def status(self, file: BinaryIO) -> Status:
        """Return what the descriptor tells."""
        told = os.fstat(file.fileno())
        return Status(told.st_size, told.st_mtime_ns, (told.st_dev, told.st_ino))

    def is_still(self, file: BinaryIO) -> bool:  # noqa: ARG002 - a descriptor stays what it is
        """Say yes: what was opened is read, whatever has its name by now."""
        return True


def root_of(where: Path | str) -> Root:
    """Return the root that a resolved folder, or a normalised URL, stands for."""
    if isinstance(where, Path):
        return Folder(where)
    # Imported here: few logs are remote.
    from orgboard_ingest.bucket import Bucket

    return Bucket(where)


def file_path(root: Root, run: str, name: str) -> str:
    """Return the path of a run's file as a scan finds it."""
    return f"{root}/{name}" if run == "." else f"{root}/{run}/{name}"
