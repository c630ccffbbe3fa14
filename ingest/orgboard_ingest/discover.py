"""Find the event files under a logdir. The scan is the truth; hints only make it seldom.

A run is a directory with event files, named relative to the logdir with "/", "." for
the logdir itself. Links to directories are followed as TensorBoard does, but after all
real directories and each directory once only, so a loop ends and a run that has two
names keeps its real one. A link that leads out of the logdir is followed only when it
is ours or root's, or its target belongs to whoever made the link: else anyone who can
write into a logdir could show files that only the daemon may read.
"""

from __future__ import annotations

import errno
import os
import stat
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

from orgboard_schema.wire.paths import is_event_file

__all__ = ["FoundFile", "Problem", "Scan", "may_follow", "scan"]


@dataclass(frozen=True, slots=True)
class FoundFile:
    """An event file, as the directory shows it."""

    run: str
    name: str
    path: str
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Problem:
    """A path that could not be looked at, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Scan:
    """All event files of a logdir at one time."""

    files: tuple[FoundFile, ...]
    problems: tuple[Problem, ...]
    directories: int
    failed: str = ""
    """Why nothing at all could be looked at, and nothing is said of what there is."""


def scan(root: Path) -> Scan:
    """Look at the whole tree under `root`. Never raises for what it finds there."""
    return _Walk(root).run()


def may_follow(maker: int, owner: int, *, inside: bool) -> bool:
    """Tell whether a link made by user `maker` to what belongs to `owner` may be followed.

    `inside`: it stays within the logdir.
    """
    return inside or maker in (0, os.geteuid(), owner)


@dataclass(slots=True)
class _Walk:
    root: Path
    files: list[FoundFile] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    seen: set[tuple[int, int]] = field(default_factory=set)
    links: deque[tuple[str, str]] = field(default_factory=deque)

    def run(self) -> Scan:
        self._enter(str(self.root), ".")
        while self.links:
            path, run = self.links.popleft()
            self._enter(path, run)
        return Scan(tuple(self.files), tuple(self.problems), len(self.seen))

    def _enter(self, path: str, run: str) -> None:
        waiting = [(path, run)]
        while waiting:
            path, run = waiting.pop()
            try:
                status = os.stat(path)  # noqa: PTH116 - a Path for each of 100 000 entries costs more than the look
                if (status.st_dev, status.st_ino) in self.seen:
                    continue
                self.seen.add((status.st_dev, status.st_ino))
                with os.scandir(path) as entries:
                    listed = sorted(entries, key=lambda entry: entry.name)
            except OSError as error:
                self._note(path, error)
                continue
            for entry in listed:
                inside = entry.name if run == "." else f"{run}/{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    waiting.append((entry.path, inside))
                elif entry.is_symlink():
                    self._link(entry, run, inside)
                elif is_event_file(entry.name):
                    self._file(entry, run)

    def _link(self, entry: os.DirEntry[str], run: str, inside: str) -> None:
        try:
            target = entry.stat()
            if stat.S_ISDIR(target.st_mode):
                if self._may_follow(entry, target):
                    self.links.append((entry.path, inside))
                return
            if is_event_file(entry.name) and self._may_follow(entry, target):
                self._file(entry, run)
        except OSError as error:
            if is_event_file(entry.name) or error.errno == errno.ELOOP:
                self.problems.append(Problem(entry.path, error.strerror or str(error)))

    def _may_follow(self, entry: os.DirEntry[str], target: os.stat_result) -> bool:
        maker = entry.stat(follow_symlinks=False).st_uid
        if may_follow(maker, target.st_uid, inside=False):
            return True
        if Path(entry.path).resolve().is_relative_to(self.root.resolve()):
            return True
        self.problems.append(Problem(entry.path, "a link to what belongs to someone else"))
        return False

    def _file(self, entry: os.DirEntry[str], run: str) -> None:
        try:
            status = entry.stat()
        except OSError as error:
            self._note(entry.path, error)
            return
        if stat.S_ISREG(status.st_mode):
            self.files.append(
                FoundFile(run, entry.name, entry.path, status.st_size, status.st_mtime_ns)
            )

    def _note(self, path: str, error: OSError) -> None:
        # What vanished between two looks is no problem; a logdir that is gone is one.
        if not isinstance(error, FileNotFoundError) or path == str(self.root):
            self.problems.append(Problem(path, error.strerror or str(error)))
