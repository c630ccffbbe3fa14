"""Files beside the event files, whole or not there: what a reader opens is never half written.

A file is written under a temporary name in its own directory and then takes its name. A file
that several writers change is changed under a lock of its directory, which ends with its holder.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from typing import Final

__all__ = ["change_text", "write_file"]

LOCK_PATIENCE_S: Final = 1.0
"""Another writer holds the lock for a millisecond. One that was stopped meanwhile must not stop
this one; going on without the lock can at worst lose that writer's entry."""

LOCK_POLL_S: Final = 0.005

_numbers = count()
"""Tells apart the temporary files of one process."""


def write_file(path: str, chunks: Iterable[bytes]) -> None:
    """Create or replace a file, and its directory if need be, with all of the chunks or not at all.

    Raises:
        OSError: it cannot be written; nothing is left behind then.
        ValueError: the name holds a NUL.
    """
    directory = os.path.dirname(path)  # noqa: PTH120 (pathlib is 10 ms of import)
    os.makedirs(directory, exist_ok=True)  # noqa: PTH103 (as above)
    # Short, because the name may be as long as a name can be.
    part = os.path.join(directory, f".orgboard.{os.getpid()}.{next(_numbers)}.part")  # noqa: PTH118 (as above)
    try:
        with open(part, "xb", buffering=0) as file:  # noqa: PTH123 (as above)
            for chunk in chunks:
                _write_all(file.fileno(), chunk)
        os.replace(part, path)  # noqa: PTH105 (as above)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(part)  # noqa: PTH108 (as above)
        raise


def change_text(path: str, change: Callable[[str], str]) -> None:
    """Replace a text file by what `change` makes of it; of "" where there is none.

    Raises:
        OSError: it cannot be read or written; it is as before then.
    """
    directory = os.path.dirname(path)  # noqa: PTH120 (as above)
    os.makedirs(directory, exist_ok=True)  # noqa: PTH103 (as above)
    with _locked(directory):
        try:
            with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:  # noqa: PTH123 (as above)
                before = file.read()
        except FileNotFoundError:
            before = ""
        after = change(before)
        if after != before:
            write_file(path, [after.encode("utf-8", "surrogateescape")])


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


@contextlib.contextmanager
def _locked(directory: str) -> Iterator[None]:
    """Hold the directory's lock where the system has one, or go on without it after a second."""
    try:
        import fcntl

        descriptor = os.open(directory, os.O_RDONLY)
    except (ImportError, OSError):
        # No such locks, or a directory that may be written and not read.
        yield
        return
    try:
        deadline = time.monotonic() + LOCK_PATIENCE_S
        while not _take(fcntl.flock, descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB):
            if time.monotonic() >= deadline:
                break
            time.sleep(LOCK_POLL_S)
        yield
    finally:
        os.close(descriptor)


def _take(flock: Callable[[int, int], None], descriptor: int, how: int) -> bool:
    """Try to lock; False while another holds it. A file system without locks counts as taken."""
    try:
        flock(descriptor, how)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True
