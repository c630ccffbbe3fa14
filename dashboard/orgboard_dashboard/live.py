"""Who watches which project, and the one poller of this process that tells them.

    database ──every 0.3 s, while anybody watches──▶ poller ──▶ watchers ──▶ event streams

What is polled is a project, however many watch it. Whether each of them still may is asked once a
look for all together, and a watcher who may not is told nothing more: its stream ends.

Watchers are told one after the other, as far apart as `pace` says. One that is told seldom, or
is slow, gets fewer, larger messages: what waits for it is one entry a run, however many commits
there were. Nothing here knows HTTP.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import anyio.to_thread
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from orgboard_dashboard.pace import Pace
from orgboard_dashboard.queries.changes import ChangedRun, changed_runs
from orgboard_dashboard.queries.fields import LIVE_WITHIN_S, Status, status_of
from orgboard_dashboard.queries.guard import reading
from orgboard_dashboard.queries.people.standing import who_may_stay
from orgboard_dashboard.queries.visible import ProjectRef
from orgboard_dashboard.viewer import SystemViewer, Viewer
from orgboard_schema.errors import DatabaseUnreachable

__all__ = ["Board", "News", "Topic", "Watcher"]

_log = logging.getLogger(__name__)

_ASK_AGAIN_S: Final = 10.0
"""Ways in end by time, too, without a commit that tells of it."""

_OVERLAP_MS: Final = 15_000
"""A commit carries the time it began at, and may wait this long for a lock: look back as far."""


@dataclass(frozen=True, slots=True)
class Topic:
    """What is watched: a project, or several, as all see it who may."""

    viewer: Viewer
    """Who stands for those who watch."""
    project: ProjectRef

    @classmethod
    def of(cls, viewer: Viewer, project: ProjectRef) -> Topic:
        """Return what `viewer` watches: of all who see the same runs of a project, the same."""
        # The names are what one of them called it by.
        several = None if project.several is None else tuple(sorted(project.several))
        return cls(viewer.like, ProjectRef(project.project_id, "", "", several))

    def project_ids(self) -> tuple[int, ...]:
        """Return the projects that are watched."""
        return self.project.several or (self.project.project_id,)


class News(dict[str, Any]):
    """What is new of a run. Nobody changes it any more: all who are told share it."""

    __slots__ = ("spelled",)

    spelled: bytes
    """As it is sent, once somebody made it so."""


@dataclass(slots=True, eq=False)
class Watcher:
    """One open stream: what changed since it last looked."""

    viewer: Viewer
    revision: int = 0
    waiting: dict[str, News] = field(default_factory=dict)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when it is to look."""
    is_queued: bool = False
    is_new: bool = True
    """Nobody looked yet whether what let it in still stands."""
    is_over: bool = False
    """Whoever watches may not any more."""

    def tell(self, revision: int, runs: list[News]) -> None:
        """Leave news; of one run only the newest is kept. `changed` is for who tells it to look."""
        self.revision = revision
        self.waiting |= {run["uid"]: run for run in runs}

    def end(self) -> None:
        """Let the stream end, with what waits for it untold."""
        self.is_over = True
        self.waiting.clear()
        self.changed.set()

    def take(self) -> tuple[int, list[News]]:
        """Take all news."""
        runs = list(self.waiting.values())
        self.waiting.clear()
        self.changed.clear()
        return self.revision, runs


@dataclass(slots=True)
class _Known:
    """What the poller knows of a topic."""

    watchers: dict[Watcher, None] = field(default_factory=dict)
    """In the order that they came."""
    revision: int = 0
    is_read: bool = False
    runs: dict[str, tuple[int, Status, ChangedRun]] = field(default_factory=dict)


class Board:
    """The watchers of this process. Its methods belong to the event loop."""

    def __init__(
        self, engine: Engine, clock: Callable[[], float], every_s: float, pace: Pace
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._every_s = every_s
        self._pace = pace
        self._topics: dict[Topic, _Known] = {}
        self._queue: deque[Watcher] = deque()
        self._queued = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._asked_at = clock()
        self.closing = asyncio.Event()

    def watchers(self) -> int:
        """Return how many streams are open."""
        return sum(len(known.watchers) for known in self._topics.values())

    def every_s(self) -> float:
        """Return about how many seconds pass between two times that one watcher is told."""
        watchers = self.watchers()
        return max(self._every_s, watchers * self._pace.pause_s(watchers))

    def watch(self, topic: Topic, viewer: Viewer) -> Watcher:
        """Begin to tell `viewer`, who may see it at the moment, of `topic`; `leave` ends it."""
        known = self._topics.setdefault(topic, _Known())
        watcher = Watcher(viewer)
        # What was committed while the page was loading: the page may have it, or not yet.
        recent = [
            _shown(run, status)
            for _, status, run in known.runs.values()
            if run.touched_ms > known.revision - _OVERLAP_MS
        ]
        if recent:
            self._leave(watcher, known.revision, recent)
        known.watchers[watcher] = None
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._poll())
        return watcher

    def leave(self, topic: Topic, watcher: Watcher) -> None:
        """Forget a watcher."""
        known = self._topics.get(topic)
        if known is not None:
            known.watchers.pop(watcher, None)
            watcher.waiting.clear()
            if not known.watchers:
                del self._topics[topic]

    async def idle(self) -> None:
        """Return once nobody watches and nothing is polled."""
        if self._task is not None:
            await self._task

    def close(self) -> None:
        """End all streams, so that the server can stop."""
        self.closing.set()
        for known in self._topics.values():
            for watcher in known.watchers:
                watcher.changed.set()

    def _leave(self, watcher: Watcher, revision: int, news: list[News]) -> None:
        """Leave news with a watcher, who is told when it is its turn."""
        if watcher.is_over:
            return
        watcher.tell(revision, news)
        if not watcher.is_queued:
            watcher.is_queued = True
            self._queue.append(watcher)
            self._queued.set()

    async def _tell(self) -> None:
        """Tell those who wait to be told, in the order that they came, at the pace."""
        while True:
            await self._queued.wait()
            watcher = self._queue.popleft()
            watcher.is_queued = False
            if not self._queue:
                self._queued.clear()
            # It may have looked meanwhile, or have gone.
            if watcher.waiting:
                watcher.changed.set()
                self._pace.told()
                await asyncio.sleep(self._pace.pause_s(self.watchers()))

    async def _poll(self) -> None:
        telling = asyncio.create_task(self._tell())
        doorbell = _Doorbell(self._engine)
        try:
            while self._topics and not self.closing.is_set():
                began = self._clock()
                try:
                    await self._look(await anyio.to_thread.run_sync(doorbell.has_rung))
                except (SQLAlchemyError, DatabaseUnreachable) as error:
                    _log.warning("cannot look for news: %s", error)
                    doorbell.forget()
                # A slow look must not become the database's only work.
                await asyncio.sleep(max(self._every_s, 3 * (self._clock() - began)))
        finally:
            telling.cancel()
            doorbell.forget()

    async def _look(self, has_rung: bool) -> None:
        now = self._clock()
        topics = list(self._topics.items())
        found: dict[Topic, tuple[ChangedRun, ...]] = {}
        for topic, known in topics:
            if has_rung or not known.is_read:
                since = known.revision or int((now - LIVE_WITHIN_S) * 1000)
                after = max(0, since - _OVERLAP_MS)
                found[topic] = await anyio.to_thread.run_sync(_changes, self._engine, topic, after)
        # After the news were read: what was taken away before it, is not told.
        await self._end_who_may_not(has_rung, now)
        for topic, known in topics:
            known.is_read |= topic in found
            news = _news(known, found.get(topic, ()), now)
            if news:
                for watcher in known.watchers:
                    self._leave(watcher, known.revision, news)

    async def _end_who_may_not(self, has_rung: bool, now: float) -> None:
        """End the streams of those who may not see any more what they watch."""
        is_time = abs(now - self._asked_at) >= _ASK_AGAIN_S
        if is_time:
            self._asked_at = now
        watching = [
            (topic, watcher)
            for topic, known in self._topics.items()
            for watcher in known.watchers
            # A board for one has nothing to be taken away but by its first account.
            if is_time or (watcher.viewer.kind != "local" and (has_rung or watcher.is_new))
        ]
        if not watching:
            return
        viewers = {watcher.viewer for _, watcher in watching}
        ids = {number for topic, _ in watching for number in topic.project_ids()}
        may = await anyio.to_thread.run_sync(_who_may_stay, self._engine, viewers, ids, now)
        for topic, watcher in watching:
            watcher.is_new = False
            if not all((watcher.viewer, number) in may for number in topic.project_ids()):
                watcher.end()


class _Doorbell:
    """Tells cheaply whether the database may have changed. On PostgreSQL it always may."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._conn: Connection | None = None
        self._seen: int | None = None

    def has_rung(self) -> bool:
        """Return whether another connection may have committed since the last call."""
        if self._engine.dialect.name != "sqlite":
            return True
        if self._conn is None:
            # The number only counts on the connection that asks, so that one is kept.
            self._conn = self._engine.connect()
        version = self._conn.exec_driver_sql("PRAGMA data_version").scalar()
        self._conn.rollback()
        before, self._seen = self._seen, version
        return before != version

    def forget(self) -> None:
        """Give the connection back; the next call rings."""
        if self._conn is not None:
            self._conn.close()
        self._conn, self._seen = None, None


def _changes(engine: Engine, topic: Topic, after_ms: int) -> tuple[ChangedRun, ...]:
    with reading(engine, topic.viewer) as conn:
        return changed_runs(topic.viewer, conn, topic.project, after_ms)


def _who_may_stay(
    engine: Engine, viewers: set[Viewer], project_ids: set[int], now: float
) -> frozenset[tuple[Viewer, int]]:
    # Whether others may still see it: of what nobody but they may see, too.
    with reading(engine, SystemViewer()) as conn:
        return who_may_stay(conn, viewers, project_ids, now)


def _news(known: _Known, found: tuple[ChangedRun, ...], now: float) -> list[News]:
    """Take in what was found, and return the runs that are not as they were."""
    latest = {uid: run for uid, (_, _, run) in known.runs.items()}
    latest |= {run.uid: run for run in found}
    news = []
    for uid, run in latest.items():
        state = run.revision, status_of(run.finished, run.last_write, now)
        if known.runs.get(uid, (None, None))[:2] != state:
            known.runs[uid] = (*state, run)
            news.append(_shown(run, state[1]))
    known.revision = max((run.touched_ms for run in found), default=known.revision)
    return news


def _shown(run: ChangedRun, status: Status) -> News:
    return News(
        uid=run.uid,
        revision=run.revision,
        points=run.points,
        last_step=run.last_step,
        last_event=run.last_event,
        gaps=run.gaps,
        attempts=run.attempts,
        edits=run.edits,
        tag_set=run.tag_set_id,
        status=status,
    )
