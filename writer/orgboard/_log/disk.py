"""Event files on disk: creating one nobody else has, and appending. The only I/O of the SDK.

A file is created exclusively and belongs to one process for good. After a failed write it is
left alone, because a record may lie torn at its end; the next one is a new file.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from itertools import count
from typing import Final, NamedTuple, TypeAlias

__all__ = ["Append", "Appended", "create_event_file", "default_log_dir", "host_name", "write_all"]

Append: TypeAlias = Callable[[int, bytes], int]
"""`os.write`, or what a test puts in its place."""

_FLAGS: Final = (
    os.O_WRONLY
    | os.O_CREAT
    | os.O_EXCL
    | os.O_APPEND
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)

_numbers = count()
"""Tells apart the files that one process makes in one second."""


class Appended(NamedTuple):
    """How many bytes went in, and what stopped the rest."""

    written: int
    error: OSError | None


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


def create_event_file(directory: str, suffix: str, now: float) -> int:
    """Create the directory and a new event file in it; give its descriptor.

    Raises:
        OSError: the directory cannot be made, or not be written to.
        ValueError: the name holds a NUL.
    """
    os.makedirs(directory, exist_ok=True)  # noqa: PTH103 (pathlib is 10 ms of import)
    stem = f"events.out.tfevents.{int(now):010d}.{host_name()}.{os.getpid()}"
    while True:
        # Containers may share host name and pid; the exclusive flag decides, the number yields.
        path = os.path.join(directory, f"{stem}.{next(_numbers)}{suffix}")  # noqa: PTH118 (as above)
        try:
            return os.open(path, _FLAGS, 0o666)
        except FileExistsError:
            continue


def write_all(append: Append, descriptor: int, data: bytes) -> Appended:
    """Append all of `data`, in as many calls as it takes. Never raises OSError."""
    view = memoryview(data)
    written = 0
    try:
        while written < len(view):
            written += append(descriptor, view[written:])  # type: ignore[arg-type] # a view is bytes to os.write
    except OSError as error:
        return Appended(written, error)
    return Appended(written, None)
