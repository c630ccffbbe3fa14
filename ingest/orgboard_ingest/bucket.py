"""A logdir in a place that is reached by URL: an object store, or files of another host.

Nothing there tells of changes, so it is listed again and again: one request a thousand
objects, and none for a file that a listing shows unchanged. What a driver raises says
something of one file (it is gone, it may not be read) or of the place: then that is away,
nothing is asked for a while that doubles, and what waits stays where it is, unread.
"""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, BinaryIO, Final, TypeVar, cast

from orgboard_ingest.discover import FoundFile, Problem, Scan
from orgboard_ingest.outage import Outage
from orgboard_ingest.ranged import Fetch, Ranged
from orgboard_ingest.roots import Away, Status
from orgboard_schema.errors import OrgboardError
from orgboard_schema.remote import (
    RemoteFile,
    bounded,
    files_below,
    open_files,
    told_of,
    url_parts,
    written_ns,
)
from orgboard_schema.wire.paths import is_event_file

__all__ = ["Bucket"]

T = TypeVar("T")

_OF_ONE_FILE: Final = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError)
"""What a driver raises where others may be read all the same."""

_NO_NAMES: Final = frozenset({"", ".", ".."})
"""Parts of a key that no folder could have: what they lead to depends on who reads them."""


class Bucket:
    """Files below a URL."""

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = url
        self._clock = clock
        self._found: dict[str, FoundFile] = {}
        """As the last listing showed them, by path."""
        self._outage = Outage(clock, "remote logs", url)
        self._not_before = 0.0
        self._failed_at = -1.0
        self._files: Any = None
        self._root = ""
        self._pid = 0
        self._lock = threading.Lock()
        self._turn = threading.Lock()
        """Of drivers with one connection: what several threads send through it is mixed up."""

    def __str__(self) -> str:
        return self._url

    @property
    def parts(self) -> Sequence[str]:
        """Return the bucket or host, and the names below it."""
        return url_parts(self._url)

    @property
    def remote(self) -> str:
        """Say why it is polled."""
        return f"{self._url.partition('://')[0]}:// tells of no changes"

    def scan(self) -> Scan:
        """List all of it."""
        failed: list[OSError] = []
        try:
            listed = self._ask(lambda files: list(files_below(files, self._root, failed.append)))
        except Away as error:
            return Scan((), (), 0, failed=_reason(error))
        except OSError as error:
            return Scan((), (Problem(self._url, _reason(error)),), 0, failed=_reason(error))
        problems = [Problem(self._url, _reason(error)) for error in failed]
        found = list(self._event_files(listed, problems))
        self._found = {file.path: file for file in found}
        return Scan(tuple(found), tuple(problems), len({file.run for file in found}))

    def size(self, path: str) -> int:
        """Return a file's size, as the last listing showed it or the store tells it."""
        return self._told(path)[0]

    def holds(self, path: str) -> bool:
        """Tell whether there is something of that name."""
        if path in self._found:
            return True
        try:
            self._info(path)
        except FileNotFoundError:
            return False
        return True

    def open(self, path: str) -> BinaryIO:
        """Give a file to be read by ranges."""
        size, written = self._told(path)
        fetch = Fetch(lambda start, end: self._range(path, start, end), lambda: self._size(path))
        return cast(BinaryIO, Ranged(path, size, written, fetch))

    def status(self, file: BinaryIO) -> Status:
        """Return what is known of a file that was opened here."""
        opened = cast(Ranged, file)
        return Status(opened.size, opened.written_ns, opened.key)

    def is_still(self, file: BinaryIO) -> bool:
        """Tell whether no other object took the file's name while it was read."""
        return cast(Ranged, file).is_still()

    def _event_files(
        self, listed: Sequence[RemoteFile], problems: list[Problem]
    ) -> Iterator[FoundFile]:
        for name, size, written in listed:
            run, _, file = name.rpartition("/")
            if not is_event_file(file):
                continue
            path = f"{self._url}/{name}"
            if run and not _NO_NAMES.isdisjoint(run.split("/")):
                problems.append(Problem(path, "lies where no folder could be"))
                continue
            yield FoundFile(run or ".", file, path, size, written)

    def _told(self, path: str) -> tuple[int, int]:
        """Return a file's size and time."""
        found = self._found.get(path)
        if found is not None:
            return found.size, found.mtime_ns
        told = self._info(path)
        written = written_ns(told)
        if told.get("type") != "file" or written is None:
            raise OSError(errno.EINVAL, "not a regular file", path)
        return int(told["size"]), written

    def _size(self, path: str) -> int:
        return int(self._info(path)["size"])

    def _info(self, path: str) -> dict[str, Any]:
        def ask(files: Any) -> dict[str, Any]:
            files.invalidate_cache()
            return dict(files.info(self._key(path), **bounded(files)))

        return self._ask(ask)

    def _range(self, path: str, start: int, end: int) -> bytes:
        def ask(files: Any) -> bytes:
            key = self._key(path)
            try:
                return bytes(files.cat_file(key, start=start, end=end, **bounded(files)))
            except OSError as error:
                # That it ends before is told in another way by every driver.
                if error.errno == errno.EINVAL and self._ends_before(files, key, start):
                    return b""
                raise

        return self._ask(ask)

    def _ends_before(self, files: Any, key: str, start: int) -> bool:
        files.invalidate_cache()
        return int(files.info(key, **bounded(files))["size"]) <= start

    def _key(self, path: str) -> str:
        return self._root + path[len(self._url) :]

    def _ask(self, request: Callable[[Any], T]) -> T:
        """Make a request, unless the place has just been away.

        Raises:
            Away: It is away.
            OSError: The file that was asked for cannot be had.
        """
        began = self._time_to_ask()
        try:
            if self._connected().async_impl:
                answer = request(self._connected())
            else:
                with self._turn:
                    began = self._time_to_ask()
                    answer = request(self._connected())
        except (Away, OrgboardError):
            raise
        except _OF_ONE_FILE as error:
            self._is_there(began)
            raise type(error)(error.errno or errno.EIO, told_of(error)) from error
        except Exception as error:
            reason = told_of(error)
            self._is_away(began, reason)
            raise Away(errno.EHOSTUNREACH, reason) from error
        self._is_there(began)
        return answer

    def _time_to_ask(self) -> float:
        now = self._clock()
        if now < self._not_before:
            raise Away(errno.EHOSTUNREACH, self._outage.reason)
        return now

    def _connected(self) -> Any:
        """Return the driver, made in this process: its threads are not there in a forked one."""
        with self._lock:
            if self._files is None or self._pid != os.getpid():
                self._files, self._root = open_files(self._url)
                self._pid = os.getpid()
            return self._files

    def _is_there(self, began: float) -> None:
        with self._lock:
            if began > self._failed_at:
                self._outage.over()

    def _is_away(self, began: float, reason: str) -> None:
        with self._lock:
            if began <= self._failed_at:
                return  # Of several requests at a time, one is enough to know.
            self._outage.failed(reason)
            self._failed_at = self._clock()
            self._not_before = self._failed_at + self._outage.pause
            if self._files is not None and not self._files.async_impl:
                self._files = None  # What broke may be its one connection.


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
