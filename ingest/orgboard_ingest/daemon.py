"""The loop: find what changed, read it run by run, store it, wait for more.

    hints, polling, scans ─▶ Waiting ─▶ one batch of each run in turn ─▶ SQL
                                            │ database away: pause, look everything up again

No state here outlives the process, and nothing is lost with it.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from sqlalchemy import Engine

from orgboard_ingest.complaints import Complaints
from orgboard_ingest.config import IngestConfig
from orgboard_ingest.discover import FoundFile
from orgboard_ingest.intake import Advance
from orgboard_ingest.progress import Done
from orgboard_ingest.queue import FileKey, Waiting
from orgboard_ingest.source import Source
from orgboard_ingest.tending import tend
from orgboard_ingest.watch import Hints
from orgboard_schema.errors import DatabaseUnreachable

__all__ = ["Daemon"]

FIRST_PAUSE_S: Final = 0.2
LONGEST_PAUSE_S: Final = 30.0
"""Between tries while the database is away; doubles from the first to the longest."""

LONGEST_WAIT_S: Final = 1.0
"""The loop looks around at least this often."""

FILES_AT_ONCE: Final = 256
"""Stored in one transaction: what it costs is spread, and no rival waits for long."""

BATCHES_AT_ONCE: Final = 2
"""Large batches that are read side by side before they are stored: what bounds memory."""

log = logging.getLogger("orgboard.ingest")


class Daemon:
    """Keep SQL equal to the files of some logdirs."""

    def __init__(
        self,
        config: IngestConfig,
        engine: Engine,
        sources: Sequence[Source],
        hints: Hints,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.unreadable: dict[str, str] = {}
        """Why each file could not be read at its last turn, by path."""
        self._config = config
        self._batch_bytes = config.batch_bytes
        self._engine = engine
        self.sources = tuple(sources)
        self._hints = hints
        self._clock = clock
        self._sleep = sleep
        self._waiting = Waiting(clock)
        self._complaints = Complaints(log)
        self.stopped = False
        self._next_poll = 0.0
        self._points = self._done_files = self._all_files = 0
        self._done_bytes = self._all_bytes = 0

    def stop(self) -> None:
        """Finish the transaction at hand and return from `run`. Safe in a signal handler."""
        self.stopped = True
        self._hints.wake()

    def run(self) -> None:
        """Follow the files until `stop`."""
        pause = 0.0
        while not self.stopped:
            try:
                if pause:
                    self._load()
                self._look()
                self._step()
                pause = 0.0
            except DatabaseUnreachable as error:
                pause = min(max(FIRST_PAUSE_S, pause * 2), LONGEST_PAUSE_S)
                self._complaints.say("waiting for the database", str(error))
                self._wait_for_database(pause)
                continue
            self._hints.wait(self._idle_s())

    def run_once(self, show: Callable[[Done], None]) -> int:
        """Read all there is and return how many points that was.

        Raises:
            DatabaseUnreachable: The database is away, and stays so for a while.
        """
        for number, source in enumerate(self.sources):
            self._scan(number)
            self._all_files += len(source.found)
            self._all_bytes += sum(file.size for file in source.found.values())
        self._done_files = self._all_files - len(self._waiting)
        self._done_bytes = self._all_bytes - sum(source.unread_bytes() for source in self.sources)
        pause = 0.0
        while self._waiting and not self.stopped:
            try:
                if pause:
                    self._load()
                self._step()
                pause = 0.0
            except DatabaseUnreachable:
                pause = max(FIRST_PAUSE_S, pause * 2)
                if pause > LONGEST_PAUSE_S / 2:
                    raise
                self._sleep(pause)
            show(self._done())
        for number, source in enumerate(self.sources):
            self._settle(number)
            while tend(source.intake):
                pass
        return self._points

    def _look(self) -> None:
        """Put what changed since the last look into the queue."""
        paths, rescan = self._hints.take()
        now = self._clock()
        for number, source in enumerate(self.sources):
            hinted = [source.look(path) for path in paths if source.holds(path)]
            if rescan or None in hinted:
                source.hurry()
            self._add(number, (found for found in hinted if found is not None))
            if now >= source.next_scan:
                self._scan(number)
            if now >= self._next_poll:
                self._add(number, source.poll())
        if now >= self._next_poll:
            self._next_poll = now + self._config.poll_every_s

    def _scan(self, number: int) -> None:
        source = self.sources[number]
        for problem in source.scan().problems:
            self._complaints.say(problem.path, problem.reason)
        tend(source.intake)
        changed = list(source.changed())
        source.intake.register((file.run, file.name) for file in changed)
        self._add(number, changed)
        self._waiting.forget_idle()
        source.note_seen(self._engine)
        if not self._config.once:
            self._settle(number)

    def _add(self, number: int, found: Iterable[FoundFile]) -> None:
        for file in found:
            self._waiting.add((number, file.run, file.name))

    def _step(self) -> None:
        """Give each run with something to read one turn."""
        for keys in self._groups():
            if self.stopped:
                return
            self._turn(keys)

    def _groups(self) -> Iterator[list[FileKey]]:
        """Yield what is due, of different runs of one logdir, as much as is stored at once."""
        group: list[FileKey] = []
        octets = 0
        for key in self._waiting.turns():
            full = len(group) == FILES_AT_ONCE or octets >= BATCHES_AT_ONCE * self._batch_bytes
            if group and (full or key[0] != group[0][0]):
                yield group
                group, octets = [], 0
            group.append(key)
            octets += self._unread(key)
        if group:
            yield group

    def _unread(self, key: FileKey) -> int:
        """Return about how many bytes the next batch of a file has."""
        number, run, name = key
        return min(self.sources[number].unread(run, name), self._batch_bytes)

    def _turn(self, keys: Sequence[FileKey]) -> None:
        """Read one batch of each of these files, of different runs of one logdir."""
        intake = self.sources[keys[0][0]].intake
        answers = intake.advance_all([key[1:] for key in keys])
        for key, answer in zip(keys, answers, strict=True):
            if isinstance(answer, Advance):
                self._note(key, answer)
            elif isinstance(answer, FileNotFoundError):
                # What was read of it stays.
                self._waiting.discard(key)
                self.unreadable.pop(str(intake.path(*key[1:])), None)
            elif isinstance(answer, OSError):
                self._fail(key, answer.strerror or str(answer))
            else:
                log.debug("%s", intake.path(*key[1:]), exc_info=answer)
                self._fail(key, f"{type(answer).__name__}: {answer}")

    def _note(self, key: FileKey, advance: Advance) -> None:
        number, run, name = key
        intake = self.sources[number].intake
        self.unreadable.pop(str(intake.path(run, name)), None)
        self._points += advance.points
        if advance.reread:
            for other in intake.runs[run].files if run in intake.runs else ():
                self._waiting.add((number, run, other))
        elif not advance.again:
            self._waiting.discard(key)
            self._done_files += 1
            if not self._config.once:
                self._waiting.rest(key, self._config.flush_every_s)
        self._done_bytes += advance.bytes

    def _fail(self, key: FileKey, reason: str) -> None:
        number, run, name = key
        intake = self.sources[number].intake
        place = str(intake.path(run, name))
        self.unreadable[place] = reason
        if self._config.once:
            self._waiting.discard(key)
            return
        self._complaints.say(place, reason)
        self._waiting.fail(key)
        intake.note_unreadable(run, name, reason)

    def _settle(self, number: int) -> None:
        """Put the runs away that nothing more is expected of for now."""
        source = self.sources[number]
        live = source.live_runs()
        idle = [
            name
            for name in source.intake.unsettled()
            if name not in live and (number, name) not in self._waiting
        ]
        source.intake.settle(idle)

    def _load(self) -> None:
        """Look everything up again: after a failed transaction nobody knows what is stored."""
        for number, source in enumerate(self.sources):
            source.intake.load()
            self._add(number, source.changed())

    def _wait_for_database(self, seconds: float) -> None:
        until = self._clock() + seconds * random.uniform(0.5, 1.0)  # noqa: S311 - spreads rivals
        while not self.stopped and self._clock() < until:
            # Not on the hints: they pile up meanwhile, once a file, and are no reason to hurry.
            self._sleep(min(FIRST_PAUSE_S, max(until - self._clock(), 0.0)))

    def _idle_s(self) -> float:
        due = [self._next_poll, *(source.next_scan for source in self.sources)]
        waiting = self._waiting.next_due()
        if waiting is not None:
            due.append(waiting)
        return min(max(min(due) - self._clock(), 0.0), LONGEST_WAIT_S)

    def _done(self) -> Done:
        return Done(
            self._done_bytes, self._all_bytes, self._done_files, self._all_files, self._points
        )
