"""Event files on disk: creating one nobody else has, knowing it again, appending to it.

A file is created exclusively and belongs to one process for good. After a failed write it is
left alone, because a record may lie torn at its end; the next one is a new file.
"""

from __future__ import annotations

import errno
import os
import time
from contextlib import suppress
from itertools import count
from typing import Final, NamedTuple

from orgboard._log.outside import Append, Outside

__all__ = [
    "Appended",
    "OpenFile",
    "Standing",
    "create_event_file",
    "default_log_dir",
    "discard",
    "given_log_dir",
    "host_name",
    "open_again",
    "standing",
    "write_all",
]

_FLAGS: Final = (
    os.O_WRONLY
    | os.O_CREAT
    | os.O_EXCL
    | os.O_APPEND
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)

NAMES_TRIED: Final = 100
"""With letters in it no name is taken by chance; a system that finds each one taken is broken."""

INTERRUPTS: Final = 100
"""A call that was interrupted did nothing and is made again; one that always is, is an error."""

_numbers = count()
"""Tells apart the files that one process makes in one second."""


class OpenFile(NamedTuple):
    """An event file of ours: how to write to it, where it is, and what to know it by."""

    descriptor: int
    path: str
    device: int
    inode: int
    links: int
    """Some file systems count none from the beginning; there none says nothing."""


class Standing(NamedTuple):
    """What became of an open file."""

    is_ours: bool
    """Somebody may have closed our descriptor, as daemons do, and opened another file by it."""
    is_deleted: bool
    """Appending would succeed, into nowhere."""


class Appended(NamedTuple):
    """How many bytes went in, and what stopped the rest."""

    written: int
    error: OSError | MemoryError | None


def host_name() -> str:
    """Give this machine's name, fit for a file name."""
    if hasattr(os, "uname"):
        name = os.uname().nodename
    else:
        import platform

        name = platform.node()
    return name.replace(os.sep, "_") or "localhost"


def default_log_dir(comment: str) -> str:
    """Name a new run under `runs/`, by local time and host, as torch's writer does."""
    return os.path.join("runs", time.strftime("%b%d_%H-%M-%S_") + host_name() + comment)  # noqa: PTH118 (pathlib is 10 ms of import)


def given_log_dir(given: str | bytes | os.PathLike[str]) -> str:
    """Take a directory as it was given; only a leading `~`, never meant as a name, is expanded."""
    directory = os.fsdecode(given)
    return os.path.expanduser(directory) if directory.startswith("~") else directory  # noqa: PTH111 (as above)


def create_event_file(outside: Outside, directory: str, suffix: str, now: float) -> OpenFile:
    """Create the directory and a new event file in it.

    Raises:
        OSError: the directory cannot be made, or not be written to.
        ValueError: the name holds a NUL.
    """
    outside.make_directory(directory, exist_ok=True)
    stem = f"events.out.tfevents.{int(now):010d}.{host_name()}.{os.getpid()}"
    for _ in range(NAMES_TRIED):
        # Containers may share host name and pid, and some network file systems do not keep the
        # promise of O_EXCL between hosts: the letters then tell two files apart.
        path = os.path.join(directory, f"{stem}.{next(_numbers)}.{_letters()}{suffix}")  # noqa: PTH118 (as above)
        try:
            descriptor = outside.open(path, _FLAGS, 0o666)
        except FileExistsError:
            continue
        try:
            status = outside.fstat(descriptor)
        except OSError:
            _close(outside, descriptor)
            raise
        return OpenFile(descriptor, path, status.st_dev, status.st_ino, status.st_nlink)
    raise FileExistsError(errno.EEXIST, f"no name is free in {directory}")


def open_again(outside: Outside, file: OpenFile) -> OpenFile | None:
    """Open a file of ours that was closed meanwhile. None: it is gone, or no longer that one.

    Raises:
        OSError: it cannot be opened for another reason.
    """
    try:
        descriptor = outside.open(file.path, _FLAGS & ~(os.O_CREAT | os.O_EXCL), 0o666)
    except FileNotFoundError:
        return None
    again = file._replace(descriptor=descriptor)
    try:
        status = outside.fstat(descriptor)
    except OSError:
        _close(outside, descriptor)
        raise
    if (status.st_dev, status.st_ino) != (file.device, file.inode):
        _close(outside, descriptor)
        return None
    return again


def standing(outside: Outside, file: OpenFile, written: int) -> Standing:
    """See whether a file that we wrote so many bytes to is still there, and ours.

    Raises:
        OSError: the system does not say; nothing good can be expected of that file then.
    """
    try:
        status = outside.fstat(file.descriptor)
    except OSError as error:
        if error.errno != errno.EBADF:
            raise
        return Standing(is_ours=False, is_deleted=False)
    # Some file systems in user space give a file a new number now and then.
    is_ours = status.st_dev == file.device and (
        status.st_ino == file.inode or status.st_size == written
    )
    return Standing(is_ours, is_deleted=is_ours and file.links > 0 and status.st_nlink == 0)


def write_all(append: Append, descriptor: int, data: bytes) -> Appended:
    """Append all of `data`, in as many calls as it takes. Never raises OSError or MemoryError."""
    written = interrupts = 0
    try:
        view = memoryview(data)
        while written < len(view):
            try:
                taken = append(descriptor, view[written:])  # type: ignore[arg-type] # a view is bytes to os.write
            except InterruptedError:
                interrupts += 1
                if interrupts > INTERRUPTS:
                    raise
                continue
            if not 0 < taken <= len(view) - written:
                raise OSError(errno.EIO, f"the system wrote {taken} bytes")
            written += taken
    except (OSError, MemoryError) as error:
        return Appended(written, error)
    return Appended(written, None)


def discard(outside: Outside, file: OpenFile) -> None:
    """Close a file that no record is in, and remove it: a full disk shall not fill with names."""
    _close(outside, file.descriptor)
    with suppress(OSError):
        outside.unlink(file.path)


def _close(outside: Outside, descriptor: int) -> None:
    # After a failed write, closing may fail for the same reason; the descriptor is gone then too.
    with suppress(OSError):
        outside.close(descriptor)


def _letters() -> str:
    return "".join(chr(97 + byte % 26) for byte in os.urandom(6))
