"""Open an event file, and nothing else, by descriptors from its logdir downwards.

A path can change between the scan that approved it and the open. So no step follows a
link blindly: each is opened without following, and where it is a link, what it leads to
is opened and then judged by the rule of the scan, on the descriptor that is read.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

from orgboard_ingest.discover import may_follow

__all__ = ["open_event_file"]

_LOOK = os.O_PATH | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY


def open_event_file(path: Path | str, root: Path | None = None) -> BinaryIO:
    """Open a regular file under `root`, or in its own directory: a pipe would block for ever.

    Raises:
        OSError: It cannot be opened, is no regular file, or a link leads to what
            belongs to someone else.
    """
    root = Path(path).parent if root is None else root
    place = os.open(root, _LOOK | os.O_DIRECTORY)
    try:
        for name in _inside(str(path), str(root)):
            place = _step(place, name, path, root)
        if not stat.S_ISREG(os.fstat(place).st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        # Opened for reading only now that it is known not to be a pipe or a device.
        descriptor = os.open(f"/proc/self/fd/{place}", _READ)
    finally:
        os.close(place)
    return os.fdopen(descriptor, "rb", buffering=0)


def _inside(path: str, root: str) -> list[str]:
    """Return the names that lead from `root` to `path`; a Path would take longer than the open."""
    start = root if root.endswith("/") else f"{root}/"
    if not path.startswith(start):
        raise ValueError(f"{path} does not lie in {root}")
    return path[len(start) :].split("/")


def _step(place: int, name: str, path: Path | str, root: Path) -> int:
    """Give a descriptor of `name` in the directory `place`, which is closed."""
    found = -1
    try:
        found = os.open(name, _LOOK | os.O_NOFOLLOW, dir_fd=place)
        status = os.fstat(found)
        if stat.S_ISLNK(status.st_mode):
            os.close(found)
            found = -1
            found = os.open(name, _LOOK, dir_fd=place)
            target = Path(f"/proc/self/fd/{found}").readlink()
            inside = target.is_relative_to(root.resolve())
            if not may_follow(status.st_uid, os.fstat(found).st_uid, inside=inside):
                raise OSError(errno.EACCES, "a link to what belongs to someone else", str(path))
    except BaseException:
        if found >= 0:
            os.close(found)
        raise
    os.close(place)
    return found
