"""One logdir as the loop sees it: what was found, what is live, when to look again."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Engine, Update, bindparam, update

from orgboard_ingest.config import IngestConfig
from orgboard_ingest.discover import FoundFile, Scan
from orgboard_ingest.intake import Intake
from orgboard_ingest.roots import Root
from orgboard_ingest.share import EVERY_RUN, Share
from orgboard_ingest.transactions import write_once
from orgboard_schema.sql import tables

if TYPE_CHECKING:
    from orgboard_ingest.watch import Watch

__all__ = ["Source"]

HURRY_FACTOR: Final = 5.0
"""A scan that a hint asked for waits this many times the last one's length."""

IDLE_SHARE: Final = 60
"""Remote logs are listed that many times while they have been idle: every 10 s after 10 min."""

NOTE_EVERY_S: Final = 10.0
"""How often "last looked at" is stored: what a health page calls fresh."""


class Source:
    """Find the files of one logdir that changed."""

    def __init__(
        self,
        config: IngestConfig,
        intake: Intake,
        watch: Watch | None,
        clock: Callable[[], float] = time.monotonic,
        time_of_day: Callable[[], float] = time.time,
    ) -> None:
        self.intake = intake
        self.next_scan = 0.0
        self.found: dict[str, FoundFile] = {}
        """The event files of our runs by path, as last seen."""
        self.share: Share = EVERY_RUN
        """Which runs are ours. After a change, a scan finds their files."""
        self.runs = 0
        """Of ours, with files, as the last scan found."""
        self._config = config
        self._inside = f"{str(intake.root).rstrip('/')}/"
        self._watch = watch
        self._clock = clock
        self._time_of_day = time_of_day
        self._live: set[str] = set()
        self._failed = ""
        self._began = time_of_day()
        self._scanned = self._took = self._next_note = 0.0

    @property
    def root(self) -> Root:
        """Return where the files lie."""
        return self.intake.root

    def why_polling(self) -> str:
        """Return why there are no hints; "" while there are."""
        if self._watch is not None:
            return self._watch.check()
        return self.root.remote or "reading once"

    def trouble(self) -> str:
        """Return why there are no hints, and what else keeps changes from being seen."""
        reason = self.why_polling()
        return f"{reason}; cannot be listed: {self._failed}" if self._failed else reason

    def close(self) -> None:
        """Stop watching."""
        if self._watch is not None:
            self._watch.close()

    def scan(self) -> Scan:
        """Look at the whole tree, and set when to do so again: the longer it took, the later.

        What is known stays where nothing could be looked at.
        """
        began = self._clock()
        seen = self.root.scan()
        # The first one loads a driver and signs in, which no other does.
        is_first, self._scanned = not self._scanned, self._clock()
        self._took = 0.0 if is_first and self.root.remote else self._scanned - began
        self._failed = seen.failed
        self.next_scan = self._scanned + self._pause(seen)
        if seen.failed:
            return seen
        self.found = {file.path: file for file in seen.files if file.run in self.share}
        self.runs = len({file.run for file in self.found.values()})
        self._live = {path for path, file in self.found.items() if self._is_live(file)}
        self.intake.gone = self.intake.runs.keys() - {file.run for file in seen.files}
        return seen

    def _pause(self, seen: Scan) -> float:
        """Return how long not to scan again, in seconds."""
        config = self._config
        least = config.rescan_polling_s if self.why_polling() else config.rescan_every_s
        if seen.failed:
            return least  # How long not to ask is then for the root to say.
        least = max(least, self._took / config.rescan_share)
        if not self.root.remote:
            return least
        # Each listing is a request, or thousands, that somebody pays for.
        written = max((file.mtime_ns / 1e9 for file in seen.files), default=0.0)
        idle = self._time_of_day() - max(written, self._began)
        return max(least, min(idle / IDLE_SHARE, config.rescan_idle_s))

    def changed(self) -> Iterator[FoundFile]:
        """Yield the files that have something new, as last seen."""
        for file in self.found.values():
            if not self.intake.is_settled(file.run, file.name, file.size, file.mtime_ns):
                yield file

    def poll(self) -> Iterator[FoundFile]:
        """Look at the live files and yield those that changed; they stop being live with age.

        Where only a listing tells, none is looked at.
        """
        if self.root.remote:
            return
        for path in sorted(self._live):
            found = self.look(path)
            if found is None or not self._is_live(found):
                self._live.discard(path)
            elif not self.intake.is_settled(found.run, found.name, found.size, found.mtime_ns):
                yield found

    def look(self, path: str) -> FoundFile | None:
        """Look at one event file. None: it is gone, or only a scan may judge it."""
        try:
            status = os.lstat(path)
        except OSError:
            return None
        known = self.found.get(path)
        if known is not None and stat.S_ISLNK(status.st_mode):
            return known
        if not stat.S_ISREG(status.st_mode):
            return None
        place = (known.run, known.name) if known is not None else self._place(path)
        if place is None:
            return None
        found = FoundFile(*place, path, status.st_size, status.st_mtime_ns)
        self.found[path] = found
        if self._is_live(found):
            self._live.add(path)
        return found

    def _place(self, path: str) -> tuple[str, str] | None:
        """Return run and name of a file that no scan has seen, in a run that one has."""
        run, name = self._names(path)
        return (run, name) if run in self.intake.runs and run in self.share else None

    def _names(self, path: str) -> tuple[str, str]:
        run, _, name = path[len(self._inside) :].rpartition("/")
        return run or ".", name

    def holds(self, path: str) -> bool:
        """Tell whether `path` lies under this logdir, in a run that is ours."""
        return path.startswith(self._inside) and self._names(path)[0] in self.share

    def hurry(self) -> None:
        """Scan as soon as the last scan's cost allows: something came that hints do not tell."""
        self.next_scan = min(self.next_scan, self._scanned + self._took * HURRY_FACTOR)

    def unread(self, run: str, name: str) -> int:
        """Return how many bytes of a file lie behind what is stored, as last seen."""
        found = self.found.get(self.intake.place(run, name))
        known = self.intake.runs[run].files.get(name) if run in self.intake.runs else None
        stored = known.row.offset if known is not None else 0
        return max(found.size - stored, 0) if found is not None else 0

    def note_seen(self, engine: Engine) -> None:
        """Store when the logdir was last looked at, and how its changes are learned of."""
        if self._clock() < self._next_note:
            return
        self._next_note = self._clock() + NOTE_EVERY_S
        reason = self.trouble()
        values: dict[str, Any] = {
            "watch": "polling" if reason else "watching",
            "watch_reason": reason or None,
        }
        if not self._failed:
            values["seen_at"] = self._time_of_day()
        statement = (
            update(tables.logdir)
            .where(tables.logdir.c.logdir_id == self.intake.logdir_id)
            .values(values)
        )
        write_once(engine, lambda conn: conn.execute(statement))

    def stored_to(self, run: str, name: str) -> int:
        """Return how far a file is stored."""
        known = self.intake.runs.get(run)
        file = known.files.get(name) if known is not None else None
        return file.row.offset if file is not None else 0

    def unread_bytes(self) -> int:
        """Return how many bytes of the files found lie behind what is stored."""
        return sum(
            max(file.size - self.stored_to(file.run, file.name), 0) for file in self.changed()
        )

    def note_sizes(self, engine: Engine, grown: Sequence[tuple[tuple[str, str], int]]) -> None:
        """Store how large files are that have not been read so far: what waits shows in SQL."""
        rows = [
            {"file": known.files[name].row.file_id, "seen": size}
            for (run, name), size in grown
            if (known := self.intake.runs.get(run)) is not None and name in known.files
        ]
        if rows:
            rows.sort(key=lambda row: row["file"])
            write_once(engine, lambda conn: conn.execute(_NOTE_SIZE, rows))

    def live_runs(self) -> set[str]:
        """Return the names of runs with a file that grew lately."""
        return {self.found[path].run for path in self._live}

    def _is_live(self, file: FoundFile) -> bool:
        return self._time_of_day() - file.mtime_ns / 1e9 < self._config.live_within_s


def _note_size() -> Update:
    columns = tables.source_file.c
    seen = bindparam("seen", type_=columns.size.type)
    return (
        update(tables.source_file)
        .where(
            columns.file_id == bindparam("file"),
            columns.size < seen,
            columns.offset < seen,
            # Of a compressed file the two do not compare.
            columns.encoding == "",
        )
        # What it waited for may have come; with the size alone it would look read.
        .values(size=seen, pending=None)
    )


_NOTE_SIZE: Final = _note_size()
