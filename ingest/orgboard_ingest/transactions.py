"""Run one writing transaction: try again what only lost a race, name what is worse.

    lost a race (lock wait, deadlock, serialisation)   tried again here, a few times
    the database is away (no connection, disk full)    DatabaseUnreachable: the loop waits
    anything else                                      goes up as it is: a defect

Whether a commit went through is unknown when the connection broke in it. Nobody needs to
know: the offset is read again afterwards, and points and offset are one.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Final, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from orgboard_schema.errors import DatabaseUnreachable
from orgboard_schema.sql.engine import begin_read, begin_write, unreachable

__all__ = ["lost_a_race", "read_once", "write_once"]

RACES: Final = frozenset({"40001", "40P01", "55P03"})
"""PostgreSQL: serialisation failure, deadlock, lock not available."""

TRIES: Final = 8
"""Each waits for the rival's transaction, so this many lost in a row is no race."""

PATIENCE_S: Final = 15.0
"""Nor is waiting this long for one: somebody who stands still holds what we need."""

LONGEST_PAUSE_S: Final = 0.2

NO_CONNECTION: Final = "no connection became free in time"

T = TypeVar("T")


def write_once(
    engine: Engine,
    work: Callable[[Connection], T],
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """Run `work` in one transaction and return its answer; it may run several times.

    Raises:
        DatabaseUnreachable: The database is away, full or read-only.
    """
    until = clock() + PATIENCE_S
    for tried in range(1, TRIES + 1):
        try:
            # Not durable: a commit lost with the host takes its offset with it.
            with begin_write(engine, durable=False) as conn:
                return work(conn)
        except DBAPIError as error:
            if lost_a_race(error) and tried < TRIES and clock() < until:
                sleep(random.uniform(0, LONGEST_PAUSE_S))  # noqa: S311 - spreads rivals, hides nothing
                continue
            raise _named(engine, error) from error
        except PoolTimeoutError as error:
            raise DatabaseUnreachable(NO_CONNECTION) from error
    raise AssertionError("the last try returns or raises")


def read_once(engine: Engine, work: Callable[[Connection], T]) -> T:
    """Run `work` on one snapshot and return its answer.

    Raises:
        DatabaseUnreachable: The database is away.
    """
    try:
        with begin_read(engine) as conn:
            return work(conn)
    except DBAPIError as error:
        raise _named(engine, error) from error
    except PoolTimeoutError as error:
        raise DatabaseUnreachable(NO_CONNECTION) from error


def lost_a_race(error: DBAPIError) -> bool:
    """Tell whether the transaction failed only because of another one."""
    if getattr(error.orig, "sqlstate", None) in RACES:
        return True
    # The codes are SQLite's own, with the refinement in the higher bits.
    return getattr(error.orig, "sqlite_errorcode", 0) & 0xFF in (5, 6)


def _named(engine: Engine, error: DBAPIError) -> Exception:
    away = error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)
    return unreachable(engine.url, error) if away else error
