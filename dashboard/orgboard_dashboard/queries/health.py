"""Whether the database works, and whether anybody fills it. Tells nothing of anyone's."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine, func, select

from orgboard_dashboard.queries.guard import reading
from orgboard_dashboard.queries.people.ways_in import ABSOLUTE_S, IDLE_S
from orgboard_dashboard.viewer import SystemViewer
from orgboard_schema.sql import tables
from orgboard_schema.sql.health import logdir_health
from orgboard_schema.sql.migrate import check_version

__all__ = ["BoardHealth", "board_health", "ingest_lag_s"]

_VIEWER = SystemViewer()
"""Whoever asks hears numbers of the whole board, and no names."""


@dataclass(frozen=True, slots=True)
class BoardHealth:
    """Numbers of the whole board, whoever's it is."""

    runs: int
    logdirs: int
    accounts: int
    sessions: int
    """Those that would still open."""
    ingest_seen_s: float | None
    """Since an ingest last looked at a directory; None: never."""
    ingests: int
    pending_bytes: int
    lag_s: float
    unreadable_files: int
    gaps: int


def ingest_lag_s(engine: Engine, now: float) -> float | None:
    """Return how many seconds ago an ingest last looked at a directory; None: never.

    Raises:
        DatabaseUnreachable: the database does not answer.
        DatabaseOlder, DatabaseNewer: it is not of this program's version.
    """
    check_version(engine)
    with reading(engine, _VIEWER) as conn:
        seen = conn.execute(select(func.max(tables.logdir.c.seen_at))).scalar()
    return None if seen is None else max(0.0, now - seen)


def board_health(engine: Engine, now: float) -> BoardHealth:
    """Return how the whole board fares, as one snapshot tells it.

    Raises:
        DatabaseUnreachable: the database does not answer.
        DatabaseOlder, DatabaseNewer: it is not of this program's version.
    """
    check_version(engine)
    session, account = tables.session.c, tables.account.c
    with reading(engine, _VIEWER) as conn:
        logdirs = logdir_health(conn)
        people = select(func.count()).where(account.disabled_at.is_(None))
        signed_in = select(func.count()).where(
            session.used_at > now - IDLE_S, session.created_at > now - ABSOLUTE_S
        )
        accounts, sessions = conn.scalar(people) or 0, conn.scalar(signed_in) or 0
    works = [ingest.work for logdir in logdirs for ingest in logdir.alive]
    seen = [logdir.seen_at for logdir in logdirs if logdir.seen_at is not None]
    return BoardHealth(
        runs=sum(logdir.runs for logdir in logdirs),
        logdirs=len(logdirs),
        accounts=accounts,
        sessions=sessions,
        ingest_seen_s=max(0.0, now - max(seen)) if seen else None,
        ingests=len({ingest.owner for logdir in logdirs for ingest in logdir.alive}),
        pending_bytes=sum(work.pending_bytes for work in works),
        lag_s=max((work.lag_s for work in works), default=0.0),
        unreadable_files=sum(work.unreadable_files for work in works),
        gaps=sum(logdir.gaps for logdir in logdirs),
    )
