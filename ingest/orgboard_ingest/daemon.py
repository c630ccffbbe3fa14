"""The loop: find what changed, read it run by run, store it, wait for more.

    hints, polling, scans ─▶ Waiting ─▶ one batch of each run in turn ─▶ SQL
                                            │ database away: pause, look everything up again

Several daemons may follow the same logdirs. Leases divide the runs among them, which only
spares work: what is stored twice or not at all is decided by each file's offset in SQL. No
state here outlives the process, and nothing is lost with it.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from sqlalchemy import Engine

from orgboard_ingest.complaints import Complaints
from orgboard_ingest.config import IngestConfig
from orgboard_ingest.discover import FoundFile
from orgboard_ingest.events import say
from orgboard_ingest.figures import Figures, Snapshot
from orgboard_ingest.hints import Hints
from orgboard_ingest.intake import BATCHES_AT_ONCE, Advance
from orgboard_ingest.leases import Leases, new_owner
from orgboard_ingest.outage import FIRST_PAUSE_S, LONGEST_PAUSE_S, Outage
from orgboard_ingest.progress import Done
from orgboard_ingest.queue import FileKey, Waiting
from orgboard_ingest.roots import Away
from orgboard_ingest.share import Share
from orgboard_ingest.source import Source
from orgboard_ingest.tending import tend
from orgboard_ingest.transactions import read_once
from orgboard_schema.errors import DatabaseUnreachable, OrgboardError
from orgboard_schema.sql.leases import Renewed, Work

if TYPE_CHECKING:
    from orgboard_schema.sql.health import LogdirHealth

__all__ = ["Daemon"]

LONGEST_WAIT_S: Final = 1.0
"""The loop looks around at least this often."""

FILES_AT_ONCE: Final = 256
"""Stored in one transaction: what it costs is spread, and no rival waits for long."""

PATIENCE_S: Final = 8.0
"""The longest pause that who reads once makes for a place that is away: 15 s in all."""

SHOW_EVERY_S: Final = 0.5
"""A status that changes more often cannot be read."""

BEHIND_S: Final = 10.0
MOST_BEHIND: Final = 1000
"""Of files that have waited this long, so many sizes are stored with each lease: cheap, and
one that catches up makes room for the next."""

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
        self.sources = tuple(sources)
        self.stopped = False
        self.points = 0
        """Stored since the start."""
        self.show: Callable[[Snapshot], None] | None = None
        """Called with how it fares, now and then, by the loop."""
        self.turned_at = clock()
        """When the loop last was seen going."""
        self._config = config
        self._batch_bytes = config.batch_bytes
        self._engine = engine
        self._hints = hints
        self._clock = clock
        self._sleep = sleep
        self._waiting = Waiting(clock)
        self._complaints = Complaints(log)
        self._family = config.owner or new_owner()
        self._leases = Leases(
            engine,
            [source.intake.logdir_id for source in self.sources],
            owner=f"{self._family}-{config.shard}",
            seconds=config.lease_s,
            clock=clock,
        )
        self._figures = [Figures(clock()) for _ in self.sources]
        self._watched: list[str | None] = [None for _ in self.sources]
        self._health: list[LogdirHealth] = []
        self._outage = Outage(clock)
        self._next_poll = self._next_show = self._next_sizes = 0.0
        self._done_files = self._all_files = 0
        self._done_bytes = self._all_bytes = 0

    def stop(self) -> None:
        """Finish the transaction at hand and return from `run`. Safe in a signal handler."""
        self.stopped = True
        self._hints.wake()

    def run(self) -> None:
        """Follow the files until `stop`."""
        while not self.stopped:
            try:
                if self._outage.pause:
                    self._load()
                self._keep_up()
                self._look()
                self._step()
            except DatabaseUnreachable as error:
                self._outage.failed(str(error))
                self._wait_for_database(self._outage.pause)
                continue
            self._hints.wait(self._idle_s())
        self._leases.leave()

    def run_once(self, show: Callable[[Done], None]) -> int:
        """Read all there is and return how many points that was.

        Raises:
            DatabaseUnreachable: The database is away, and stays so for a while.
            OrgboardError: A logdir cannot be listed.
        """
        jobs = [str(number) for number in range(self._config.jobs)]
        for number, source in enumerate(self.sources):
            # Divided for good: who ends first has nothing to take over.
            source.share = Share(str(self._config.shard), jobs)
            self._scan(number)
            self._all_files += len(source.found)
            self._all_bytes += sum(file.size for file in source.found.values())
        self._done_files = self._all_files - len(self._waiting)
        self._done_bytes = self._all_bytes - sum(source.unread_bytes() for source in self.sources)
        while self._waiting and not self.stopped:
            try:
                if self._outage.pause:
                    self._load()
                self._step()
            except DatabaseUnreachable as error:
                self._outage.failed(str(error))
                if self._outage.pause > LONGEST_PAUSE_S / 2:
                    raise
                self._sleep(self._outage.pause)
            show(self._done())
            if (due := self._waiting.next_due()) is not None and due > self._clock():
                self._sleep(min(due - self._clock(), LONGEST_WAIT_S))
        for number, source in enumerate(self.sources):
            self._settle(number)
            while tend(source.intake):
                pass
        return self.points

    def snapshot(self) -> Snapshot:
        """Return how it fares: of the processes of this ingest, not of its rivals."""
        works = {self._leases.owner: self._works()}
        logdirs, rivals = [], []
        for number, logdir in enumerate(self._health):
            ours = [ingest for ingest in logdir.alive if ingest.owner.startswith(self._family)]
            rivals.append(len(logdir.alive) - len(ours))
            live = tuple(
                replace(ingest, work=works[ingest.owner][number])
                if ingest.owner in works
                else ingest
                for ingest in ours
            )
            logdirs.append(replace(logdir, ingests=live))
        return Snapshot(tuple(logdirs), tuple(rivals), self._outage.seconds(), self._outage.reason)

    def _keep_up(self) -> None:
        """Do what is due by the clock, however much there is to read."""
        now = self.turned_at = self._clock()
        if not self._config.once and self._leases.is_due():
            self._renew()
        if self.show is not None and now >= self._next_show:
            self._next_show = now + SHOW_EVERY_S
            self.show(self.snapshot())

    def _works(self) -> list[Work]:
        now = self._clock()
        return [
            figures.work(
                polling=source.trouble(), runs=source.runs, files=len(source.found), now=now
            )
            for source, figures in zip(self.sources, self._figures, strict=True)
        ]

    def _renew(self) -> None:
        renewed = self._leases.renew(self._works())
        for number, lease in enumerate(renewed):
            self._say_how_watched(number)
            self._take_share(number, lease)
        now = self._clock()
        if now >= self._next_sizes:
            self._next_sizes = now + BEHIND_S
            for source, figures in zip(self.sources, self._figures, strict=True):
                late = figures.backlog.waiting_since(now - BEHIND_S, MOST_BEHIND)
                source.note_sizes(self._engine, late)
        if self.show is not None:
            # Imported here: who reads once starts without it.
            from orgboard_schema.sql.health import logdir_health

            ids = [source.intake.logdir_id for source in self.sources]
            found = read_once(self._engine, lambda conn: logdir_health(conn, ids))
            by_id = {logdir.logdir_id: logdir for logdir in found}
            self._health = [by_id[logdir_id] for logdir_id in ids]

    def _take_share(self, number: int, lease: Renewed) -> None:
        """Take over the runs that are ours now, and let go of those that are not."""
        source = self.sources[number]
        before = source.share.owners
        if lease.unbroken and lease.owners == before:
            return
        logdir, processes = str(source.root), len(lease.owners)
        if before and not lease.unbroken:
            say(log, logging.WARNING, "lease had run out, or the database went back", logdir=logdir)
        if set(before) - set(lease.owners):
            say(log, logging.INFO, "took over", logdir=logdir, processes=processes)
        elif processes > 1 and before != lease.owners:
            say(log, logging.INFO, "sharing", logdir=logdir, processes=processes)
        source.share = Share(self._leases.owner, lease.owners)
        source.next_scan = 0.0
        self._waiting.keep(number, source.share.__contains__)
        self._figures[number].backlog.keep(source.share.__contains__)
        if before:
            # Others read on in what is ours now, and what we remember of it is old.
            source.intake.load()

    def _say_how_watched(self, number: int) -> None:
        source = self.sources[number]
        reason = source.why_polling()
        if self._watched[number] == reason:
            return
        self._watched[number] = reason
        if reason:
            say(log, logging.INFO, "polling", logdir=str(source.root), reason=reason)
        else:
            say(log, logging.INFO, "watching", logdir=str(source.root))

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
        seen = source.scan()
        if seen.failed and self._config.once:
            raise OrgboardError(f"{source.root} cannot be listed: {seen.failed}")
        for problem in seen.problems:
            self._complaints.say(problem.path, problem.reason)
        if seen.failed:
            source.note_seen(self._engine)
            return
        tend(source.intake)
        changed = list(source.changed())
        try:
            if source.intake.register((file.run, file.name) for file in changed):
                changed = list(source.changed())
        except Away as error:
            if self._config.once:
                raise OrgboardError(f"{source.root} cannot be read: {error.strerror}") from error
            changed = []  # Which of them have moved, the next scan may find out.
        self._add(number, changed)
        self._waiting.forget_idle()
        source.note_seen(self._engine)
        if not self._config.once:
            self._settle(number)

    def _add(self, number: int, found: Iterable[FoundFile]) -> None:
        now, source, backlog = self._clock(), self.sources[number], self._figures[number].backlog
        for file in found:
            self._waiting.add((number, file.run, file.name))
            stored = source.stored_to(file.run, file.name)
            backlog.seen((file.run, file.name), file.size, stored, now)

    def _step(self) -> None:
        """Give each run with something to read one turn."""
        for keys in self._groups():
            if self.stopped:
                return
            self._turn(keys)
        self._outage.over()

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
        self._keep_up()
        intake = self.sources[keys[0][0]].intake
        answers = intake.advance_all([key[1:] for key in keys])
        for key, answer in zip(keys, answers, strict=True):
            if isinstance(answer, Advance):
                self._note(key, answer)
            elif isinstance(answer, FileNotFoundError):
                # What was read of it stays.
                self._let_go(key)
                self._forgive(key)
            elif isinstance(answer, Away):
                self._wait_for_place(key, answer.strerror or "")
            elif isinstance(answer, OSError):
                self._fail(key, answer.strerror or str(answer))
            else:
                log.debug("%s", intake.place(*key[1:]), exc_info=answer)
                self._fail(key, f"{type(answer).__name__}: {answer}")

    def _note(self, key: FileKey, advance: Advance) -> None:
        number, run, name = key
        source, figures, now = self.sources[number], self._figures[number], self._clock()
        self._forgive(key)
        figures.count(advance.points, advance.bytes, now)
        self.points += advance.points
        self._done_bytes += advance.bytes
        if advance.bytes:
            self._outage.over()
        if advance.gaps and not self._config.once:
            place = source.intake.place(run, name)
            say(log, logging.WARNING, "file damaged", path=place, places=advance.gaps)
        if advance.reread:
            for other in source.intake.runs[run].files if run in source.intake.runs else ():
                self._waiting.add((number, run, other))
        elif not advance.again:
            self._let_go(key)
            self._done_files += 1
            if not self._config.once:
                self._waiting.rest(key, self._config.flush_every_s)
        elif (file := source.found.get(source.intake.place(run, name))) is not None:
            figures.backlog.read((run, name), file.size, source.stored_to(run, name), now)

    def _fail(self, key: FileKey, reason: str) -> None:
        number, run, name = key
        intake = self.sources[number].intake
        place = intake.place(run, name)
        self.unreadable[place] = reason
        self._figures[number].unreadable.add((run, name))
        if self._config.once:
            self._let_go(key)
            return
        self._complaints.say(place, reason)
        self._waiting.fail(key)
        intake.note_unreadable(run, name, reason)

    def _wait_for_place(self, key: FileKey, reason: str) -> None:
        """Leave a file unread of a place that is away: it says so itself, once for all files."""
        if not self._config.once:
            # The next listing that succeeds finds it again.
            self._waiting.discard(key)
        elif self._waiting.pause_of(key) < PATIENCE_S:
            self._waiting.fail(key)
        else:
            self._fail(key, reason)

    def _forgive(self, key: FileKey) -> None:
        number, run, name = key
        unreadable = self._figures[number].unreadable
        if unreadable and (run, name) in unreadable:
            unreadable.discard((run, name))
            self.unreadable.pop(self.sources[number].intake.place(run, name), None)

    def _let_go(self, key: FileKey) -> None:
        """Read no more of a file for now."""
        self._waiting.discard(key)
        self._figures[key[0]].backlog.done(key[1:])

    def _settle(self, number: int) -> None:
        """Put our runs away that nothing more is expected of for now."""
        source = self.sources[number]
        live = source.live_runs()
        idle = [
            name
            for name in source.intake.unsettled()
            if name in source.share and name not in live and (number, name) not in self._waiting
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
            self.turned_at = self._clock()
            if self.show is not None:
                self.show(self.snapshot())
            # Not on the hints: they pile up meanwhile, once a file, and are no reason to hurry.
            self._sleep(min(FIRST_PAUSE_S, max(until - self._clock(), 0.0)))

    def _idle_s(self) -> float:
        due = [
            self._next_poll,
            self._leases.next_due(),
            *(source.next_scan for source in self.sources),
        ]
        waiting = self._waiting.next_due()
        if waiting is not None:
            due.append(waiting)
        longest = LONGEST_WAIT_S if self.show is None else SHOW_EVERY_S
        return min(max(min(due) - self._clock(), 0.0), longest)

    def _done(self) -> Done:
        return Done(
            self._done_bytes, self._all_bytes, self._done_files, self._all_files, self.points
        )
