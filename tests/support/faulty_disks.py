"""Disks that fail, one small kind each: the calls on files, with one of them going wrong.

A fault is begun and ended by the test; between the two it is up to the kind what happens. What
was written by then stays readable, and what comes after must go to a file that works.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, TypeAlias

from orgboard._log.outside import Outside

__all__ = ["FAULTS", "FaultyDisk"]

Begin: TypeAlias = Callable[["FaultyDisk"], None]

WALL: Final = 1_700_000_000.0


class FaultyDisk:
    """The system's calls, of which a fault replaces some; knows the directory they are used on."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.calls: dict[str, Callable[..., Any]] = {}
        self.undo: list[Callable[[], Any]] = []
        self.met: set[str] = set()
        """Which of the replaced calls were made."""
        self.time = 0.0
        """A monotonic clock of the test's own: retries wait for minutes that pass at once."""

    def outside(self) -> Outside:
        """Give the calls as the SDK takes them."""
        return Outside(
            wall=self._call("wall", lambda: WALL),
            now=lambda: self.time,
            append=self._call("append", os.write),
            open=self._call("open", os.open),
            close=self._call("close", os.close),
            fstat=self._call("fstat", os.fstat),
            sync=self._call("sync", lambda _descriptor: None),
            unlink=self._call("unlink", os.unlink),
            make_directory=self._call("make_directory", os.makedirs),
        )

    def was_met(self) -> bool:
        """Tell whether all that was replaced was called."""
        return self.met >= self.calls.keys()

    def end(self) -> None:
        """Let everything work again, an hour later."""
        self.calls.clear()
        while self.undo:
            self.undo.pop()()
        self.time += 3600.0

    def descriptors(self) -> Iterator[int]:
        """Find the open event files of this process below the directory."""
        for entry in Path("/proc/self/fd").iterdir():
            try:
                target = entry.readlink()
            except OSError:
                continue
            if target.is_relative_to(self.directory) and "tfevents" in target.name:
                yield int(entry.name)

    def _call(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            if name not in self.calls:
                return real(*arguments, **options)
            self.met.add(name)
            return self.calls[name](*arguments, **options)

        return call


def _fails(call: str, error: Callable[[], BaseException]) -> Begin:
    def begin(disk: FaultyDisk) -> None:
        disk.met.clear()

        def fail(*_: Any, **__: Any) -> Any:
            raise error()

        disk.calls[call] = fail

    return begin


def _fails_with(call: str, name: str) -> Begin:
    number = getattr(errno, name)
    return _fails(call, lambda: OSError(number, os.strerror(number)))


def _errno(call: str, name: str) -> tuple[str, Begin]:
    return f"{call} {name}", _fails_with(call, name)


def _together(name: str, *faults: Begin) -> tuple[str, Begin]:
    def begin(disk: FaultyDisk) -> None:
        for fault in faults:
            fault(disk)

    return name, begin


def _writes(result: Callable[[int, Any, int], int]) -> Begin:
    """Replace writing by `result(descriptor, data, number of the call)`."""

    def begin(disk: FaultyDisk) -> None:
        calls = 0
        disk.met.clear()

        def append(descriptor: int, data: Any) -> int:
            nonlocal calls
            calls += 1
            return result(descriptor, data, calls)

        disk.calls["append"] = append

    return begin


def _few_bytes(descriptor: int, data: Any, _call: int) -> int:
    return os.write(descriptor, data[:7])


def _torn(descriptor: int, data: Any, call: int) -> int:
    """Write half of what comes, then nothing more: a record is torn."""
    if call % 2 == 0:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    return os.write(descriptor, data[: max(len(data) // 2, 1)])


def _interrupted(descriptor: int, data: Any, call: int) -> int:
    if call % 3:
        raise InterruptedError(errno.EINTR, os.strerror(errno.EINTR))
    return os.write(descriptor, data)


def _slow(descriptor: int, data: Any, _call: int) -> int:
    time.sleep(0.001)
    return os.write(descriptor, data)


def _deleted(disk: FaultyDisk) -> None:
    shutil.rmtree(disk.directory, ignore_errors=True)


def _deleted_again_and_again(disk: FaultyDisk) -> None:
    def sync(descriptor: int) -> None:
        shutil.rmtree(disk.directory, ignore_errors=True)

    shutil.rmtree(disk.directory, ignore_errors=True)
    disk.calls["sync"] = sync


def _file_in_its_place(disk: FaultyDisk) -> None:
    if disk.directory.is_dir():
        shutil.rmtree(disk.directory)
        disk.directory.write_text("in the way")
        disk.undo.append(disk.directory.unlink)


def _descriptor_closed(disk: FaultyDisk) -> None:
    for descriptor in list(disk.descriptors()):
        os.close(descriptor)


def _descriptor_taken(disk: FaultyDisk) -> None:
    """Let another file have the number of ours, as after a daemon's closing of all files."""
    for descriptor in list(disk.descriptors()):
        other, path = tempfile.mkstemp(dir=disk.directory.parent, prefix="foreign")
        os.dup2(other, descriptor)
        os.close(other)

        def check(taken: int = descriptor, foreign: str = path) -> None:
            assert Path(foreign).read_bytes() == b"", "wrote into somebody else's file"
            assert os.path.samestat(os.fstat(taken), Path(foreign).stat()), "closed somebody's file"
            os.close(taken)

        disk.undo.append(check)


def _clock(wall: float) -> Begin:
    def begin(disk: FaultyDisk) -> None:
        disk.calls["wall"] = lambda: wall
        # Only a new file's name and beginning depend on the clock.
        _descriptor_closed(disk)

    return begin


FAULTS: Final[dict[str, Begin]] = dict(
    [
        _errno("append", "EIO"),
        _errno("append", "ENOSPC"),
        _errno("append", "EDQUOT"),
        _errno("append", "EROFS"),
        _errno("append", "EACCES"),
        _errno("append", "EPERM"),
        _errno("append", "EFBIG"),
        _errno("append", "ESTALE"),
        _errno("append", "ENOTCONN"),
        _errno("append", "ETIMEDOUT"),
        _errno("append", "EAGAIN"),
        _errno("append", "EINTR"),
        _errno("append", "EBADF"),
        _errno("append", "ENOMEM"),
        _errno("fstat", "EIO"),
        _errno("fstat", "ESTALE"),
        _errno("sync", "EIO"),
        _errno("sync", "ENOSPC"),
        _together("close EIO", _fails_with("append", "EIO"), _fails_with("close", "EIO")),
        _together("unlink EACCES", _fails_with("append", "EIO"), _fails_with("unlink", "EACCES")),
        ("append MemoryError", _fails("append", MemoryError)),
        ("a few bytes a write", _writes(_few_bytes)),
        ("a torn write", _writes(_torn)),
        ("a write of nothing", _writes(lambda *_: 0)),
        ("a write of less than nothing", _writes(lambda *_: -1)),
        ("a write of more than there is", _writes(lambda _, data, __: len(data) + 1)),
        ("interrupted twice", _writes(_interrupted)),
        ("a slow disk", _writes(_slow)),
        ("the directory deleted", _deleted),
        ("the directory deleted after each write", _deleted_again_and_again),
        ("the directory deleted, a file in its place", _file_in_its_place),
        ("the descriptor closed", _descriptor_closed),
        ("the descriptor somebody else's", _descriptor_taken),
        ("the clock set back", _clock(1.0)),
        ("the clock far ahead", _clock(9e9)),
        ("the clock no number", _clock(float("nan"))),
        ("the clock before all time", _clock(-1e18)),
    ]
)
"""Faults of a file that is open."""

OPENING: Final[dict[str, Begin]] = dict(
    [
        _errno("open", "EIO"),
        _errno("open", "ENOSPC"),
        _errno("open", "EDQUOT"),
        _errno("open", "EROFS"),
        _errno("open", "EACCES"),
        _errno("open", "ENOENT"),
        _errno("open", "EMFILE"),
        _errno("open", "ENFILE"),
        _errno("open", "ELOOP"),
        _errno("open", "EEXIST"),
        _errno("open", "ENOTCONN"),
        _errno("make_directory", "EACCES"),
        _errno("make_directory", "ENOTDIR"),
    ]
)
"""Faults that show when a new file is needed: they come together with a lost descriptor."""


FAULTS.update(_together(name, begin, _descriptor_closed) for name, begin in OPENING.items())
