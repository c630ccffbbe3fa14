"""Hints that files under a logdir grew, from inotify; or why there are none.

A hint may be lost (full queue, new directories, mounts written to from elsewhere), so
nothing is decided here: the scan and the polling of live files find what hints miss.
"""

from __future__ import annotations

import errno
import logging
import os
import threading
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from watchdog.events import (
    DirCreatedEvent,
    DirMovedEvent,
    FileCreatedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer

from orgboard_ingest.hints import Hints
from orgboard_schema.sql.places import network_filesystem
from orgboard_schema.wire.paths import is_event_file

__all__ = ["Watch"]

_WANTED: Final[list[type[FileSystemEvent]]] = [
    # Not the opening and closing of files: our own reading would come back as a hint.
    FileCreatedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    DirCreatedEvent,
    DirMovedEvent,
]
_REASONS: Final = {
    errno.ENOSPC: "no inotify watches left (sysctl fs.inotify.max_user_watches)",
    errno.EMFILE: "no inotify instances left (sysctl fs.inotify.max_user_instances)",
}


class Watch:
    """Watch one logdir's tree, or say why it is polled."""

    def __init__(self, root: Path, hints: Hints) -> None:
        self._observer: threading.Thread | None = None
        self.reason = ""
        """Why there are no hints; "" while there are."""
        network = network_filesystem(root)
        if network is not None:
            self.reason = f"on a network file system ({network})"
            return
        # Said of a directory that was moved: known by two names for a moment. The scan finds it.
        warnings.filterwarnings("ignore", "Callback with id .* already exists", RuntimeWarning)
        observer = Observer()
        try:
            observer.schedule(_Listener(hints), str(root), recursive=True, event_filter=_WANTED)
            observer.start()
        except OSError as error:
            self.reason = _REASONS.get(error.errno or 0, error.strerror or str(error))
            return
        self._observer = observer
        # One thread of ours holds all that can die on its own.
        self._emitters: Iterable[threading.Thread] = tuple(observer.emitters)
        self._stop = observer.stop

    def check(self) -> str:
        """Return why the tree is polled; "" while it is watched."""
        if self._observer is not None and not all(map(_is_alive, self._emitters)):
            self.close()
            self.reason = "watching stopped (too many directories, or the logdir was moved)"
        return self.reason

    def close(self) -> None:
        """Stop watching."""
        if self._observer is not None:
            self._stop()
            self._observer.join()
            self._observer = None


class _Listener(FileSystemEventHandler):
    def __init__(self, hints: Hints) -> None:
        self._hints = hints

    def on_any_event(self, event: FileSystemEvent) -> None:
        if event.is_directory:
            self._hints.add_rescan()
            return
        for path in (os.fsdecode(event.src_path), os.fsdecode(event.dest_path)):
            if path and is_event_file(path):
                self._hints.add(path)


def _is_alive(thread: threading.Thread) -> bool:
    return thread.is_alive()


# It logs each lost watch with a traceback of its own; the scan finds those files.
logging.getLogger("watchdog").setLevel(logging.CRITICAL)
