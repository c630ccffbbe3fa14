"""This process's leases on its logdirs: renewed in time, given up at the end.

Renewed by the loop and not by a thread of its own: a process that is paused, or waits for
its database, is one whose runs others may take over.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final
from uuid import uuid4

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError

from orgboard_ingest.transactions import write_once
from orgboard_schema.errors import OrgboardError
from orgboard_schema.sql.leases import Holder, Renewed, Work, leave, renew

__all__ = ["Leases", "new_owner"]

RENEWALS: Final = 3
"""In the length of a lease: one may fail, and one come late."""

RENEWALS_WHEN_YOUNG: Final = 15
"""During a process's first lease: rivals often start together, and are soon known."""

LEAST_S: Final = 0.05
"""Between two renewals; and this long after a rival's lease ran out, it has."""


def new_owner() -> str:
    """Return a name that no other process has; its shares append to it."""
    return uuid4().hex[:24]


class Leases:
    """The leases of one process, one a logdir."""

    def __init__(
        self,
        engine: Engine,
        logdir_ids: Sequence[int],
        *,
        owner: str,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.owner = owner
        self._engine = engine
        self._ids = tuple(logdir_ids)
        self._holder = Holder(owner, socket.gethostname(), os.getpid())
        self._seconds = seconds
        self._clock = clock
        self._young_until = clock() + seconds
        self._next = float("-inf")
        self._until: dict[int, float] = {}
        self._file = _file_of(engine)

    def is_due(self) -> bool:
        """Tell whether it is time to renew."""
        return self._clock() >= self._next

    def next_due(self) -> float:
        """Return when it will be."""
        return self._next

    def renew(self, works: Sequence[Work]) -> list[Renewed]:
        """Renew all leases, telling how the work fares; return how each logdir is shared.

        Raises:
            DatabaseUnreachable: The database is away.
            OrgboardError: It has no such logdirs any more.
        """
        self._reopen_if_replaced()
        try:
            renewed = write_once(self._engine, lambda conn: self._renew_all(conn, works))
        except IntegrityError as error:
            # An earlier state of the database was put in its place, from before their time.
            raise OrgboardError("the database knows these logdirs no more: start again") from error
        for logdir_id, lease in zip(self._ids, renewed, strict=True):
            self._until[logdir_id] = lease.until
        now = self._clock()
        often = RENEWALS_WHEN_YOUNG if now < self._young_until else RENEWALS
        rivals = [lease.rivals_left_s for lease in renewed if lease.rivals_left_s is not None]
        first_end = min(rivals, default=self._seconds) + LEAST_S
        self._next = now + max(min(self._seconds / often, first_end), LEAST_S)
        return renewed

    def leave(self) -> None:
        """Give the leases up. They run out by themselves where that fails."""
        with suppress(OrgboardError):
            write_once(self._engine, lambda conn: leave(conn, self._ids, self.owner))
        self._until.clear()

    def _renew_all(self, conn: Connection, works: Sequence[Work]) -> list[Renewed]:
        renewed = {
            logdir_id: renew(
                conn,
                logdir_id,
                self._holder,
                work,
                seconds=self._seconds,
                before=self._until.get(logdir_id),
            )
            # In one order for all, so that rivals do not wait for each other in a circle.
            for logdir_id, work in sorted(zip(self._ids, works, strict=True), key=_first)
        }
        return [renewed[logdir_id] for logdir_id in self._ids]

    def _reopen_if_replaced(self) -> None:
        """Let go of a SQLite file that another one took the place of, as a restore does."""
        file = _file_of(self._engine)
        if file is not None and file != self._file:
            self._engine.dispose()
            # Whatever it holds, what we remember is of another: no lease of ours matches.
            self._until = dict.fromkeys(self._until, 0.0)
            self._file = file


def _first(pair: tuple[int, Work]) -> int:
    return pair[0]


def _file_of(engine: Engine) -> tuple[int, int] | None:
    """Return what tells a SQLite database's file from another of its name; None: no such file."""
    if engine.dialect.name != "sqlite":
        return None
    try:
        status = os.stat(str(engine.url.database))  # noqa: PTH116 - every few seconds
    except OSError:
        return None
    return status.st_dev, status.st_ino
