"""How pages and the API reach the database: one question, in a thread, as the viewer who asks."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass, field
from typing import Concatenate, ParamSpec, TypeVar

import anyio.to_thread
from sqlalchemy import Connection, Engine

from orgboard_dashboard.limits import POINTS_A_TOKEN, Limits
from orgboard_dashboard.outgoing import BrokenOff
from orgboard_dashboard.pace import Work
from orgboard_dashboard.queries.errors import Forbidden, NotFound, SignedOut
from orgboard_dashboard.queries.guard import reading, writing
from orgboard_dashboard.queries.people.standing import stands
from orgboard_dashboard.queries.points_at_once import points_read
from orgboard_dashboard.turns import OF_EXPORTS, OF_STREAMS, Lanes, Turns
from orgboard_dashboard.viewer import SystemViewer, Viewer, current_viewer

__all__ = ["Services"]

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Services:
    """The database behind the app. Pages and routes have this and never the engine."""

    engine: Engine
    clock: Callable[[], float] = time.time
    work: Work = field(default_factory=lambda: Work(time.monotonic))
    limits: Limits = field(default_factory=lambda: Limits(time.monotonic))
    exports: Turns = field(default_factory=lambda: Turns(OF_EXPORTS))
    streams: Turns = field(default_factory=lambda: Turns(OF_STREAMS))
    lanes: Lanes = field(default_factory=Lanes)

    def now(self) -> float:
        """Return epoch seconds."""
        return self.clock()

    async def ask(
        self,
        query: Callable[Concatenate[Viewer, Connection, P], T],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run `query(viewer, connection, …)` in a thread, on one snapshot, as the current viewer.

        Raises:
            LookupError: outside a request, where there is no viewer.
        """
        viewer = current_viewer()
        points = 0

        def asked(conn: Connection) -> T:
            nonlocal points
            try:
                return query(viewer, conn, *args, **kwargs)
            finally:
                points = points_read(conn)

        with self.work.question():
            try:
                return await _in_thread(reading(self.engine, viewer), asked)
            finally:
                if points:
                    self.limits.charge(viewer, viewer.address, points / POINTS_A_TOKEN)

    async def ask_still(
        self,
        query: Callable[Concatenate[Viewer, Connection, P], T],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run a query as `ask` does, for more of an answer that began a while ago.

        Raises:
            BrokenOff: who asked may not have it any more.
        """
        if not await anyio.to_thread.run_sync(self.stands, current_viewer()):
            raise BrokenOff("who asked for it is not let in any more")
        try:
            return await self.ask(query, *args, **kwargs)
        except (NotFound, Forbidden) as error:
            raise BrokenOff("who asked for it may not see it any more") from error

    def stands(self, viewer: Viewer) -> bool:
        """Tell whether what let `viewer` in still does. Blocks: for threads."""
        # Whether others may still see it: of what nobody but they may see, too.
        with reading(self.engine, SystemViewer()) as conn:
            return stands(conn, viewer, self.now())

    def lane(self) -> AbstractAsyncContextManager[None]:
        """Return what an answer that may be very large is made in: a few at a time."""
        return self.lanes.lane(current_viewer())

    async def edit(
        self,
        change: Callable[Concatenate[Viewer, Connection, P], T],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run `change(viewer, connection, …)` in a thread, in one transaction that writes.

        It may have waited for the lock: that `viewer` is still let in is asked in it once more.

        Raises:
            LookupError: outside a request, where there is no viewer.
            SignedOut: What the viewer came by opens nothing any more, or not as much.
        """
        viewer = current_viewer()

        def run(conn: Connection) -> T:
            if not stands(conn, viewer, self.now()):
                raise SignedOut
            return change(viewer, conn, *args, **kwargs)

        return await _in_thread(writing(self.engine, viewer), run)

    async def write_down(
        self,
        note: Callable[Concatenate[Viewer, Connection, P], T],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run `note(viewer, connection, …)` as `edit` does, whatever became of who is noted.

        Raises:
            LookupError: outside a request, where there is no viewer.
        """
        viewer = current_viewer()
        return await _in_thread(
            writing(self.engine, viewer), lambda conn: note(viewer, conn, *args, **kwargs)
        )

    async def ask_unknown(
        self,
        query: Callable[Concatenate[Connection, P], T],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run `query(connection, …)` for who is no viewer yet: of `queries.people.ways_in`."""
        return await _in_thread(
            reading(self.engine, None), lambda conn: query(conn, *args, **kwargs)
        )

    async def edit_unknown(
        self,
        change: Callable[Concatenate[Connection, P], T],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run `change(connection, …)` for who is no viewer yet: of `queries.people.ways_in`."""
        return await _in_thread(
            writing(self.engine, None), lambda conn: change(conn, *args, **kwargs)
        )


async def _in_thread(
    transaction: AbstractContextManager[Connection], work: Callable[[Connection], T]
) -> T:
    def run() -> T:
        with transaction as conn:
            return work(conn)

    return await anyio.to_thread.run_sync(run)
