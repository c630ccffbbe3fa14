"""Leases: which ingest processes are at work on a logdir, by the database's clock.

    renew ─▶ our row, good for some seconds more ─▶ who else's row has not run out

Leases only spare work. Two processes that each believe a run to be theirs read the same
bytes, and the compare-and-set of the file's offset (`orgboard_schema.sql.append`) lets one
of them store them. A row also tells how its process fares: health is data.

A logdir is its row in the database, and that is named by its path: hosts that share a
directory must mount it at the same place, or it is two logdirs to them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Final

from sqlalchemy import (
    Connection,
    Delete,
    Insert,
    Select,
    Update,
    bindparam,
    delete,
    insert,
    select,
    update,
)

from orgboard_schema.sql import tables
from orgboard_schema.sql.clock import clock
from orgboard_schema.sql.text import to_sql

__all__ = ["Holder", "Renewed", "Work", "leave", "renew"]

KEPT_S: Final = 3600.0
"""A lease that ran out this long ago is removed: until then it tells who vanished."""


@dataclass(frozen=True, slots=True)
class Holder:
    """An ingest process."""

    owner: str
    """Its own for its life, at most 32 characters."""
    host: str
    pid: int


@dataclass(frozen=True, slots=True)
class Work:
    """What a process tells of its work on a logdir."""

    watch: str = ""
    """ "watching" or "polling"."""
    watch_reason: str | None = None
    """Why it polls; None while it watches."""
    runs: int = 0
    files: int = 0
    unreadable_files: int = 0
    pending_bytes: int = 0
    """Seen in the files and not stored yet."""
    lag_s: float = 0.0
    """Since when the oldest of them wait."""
    points: int = 0
    """Stored since the process began; so the bytes."""
    bytes: int = 0
    points_per_s: float = 0.0
    """Over the last minute."""
    bytes_per_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Renewed:
    """How a logdir is shared now."""

    owners: tuple[str, ...]
    """Whose lease has not run out, ours among them, sorted."""
    until: float
    """When ours does; to be given back at the next renewal."""
    rivals_left_s: float | None
    """In how many seconds the first of the others runs out; None without others."""
    unbroken: bool
    """Whether our row was as we had left it. Else it had run out, or the database went back
    to an earlier state: what was known of the logdir has to be looked up again."""


def renew(
    conn: Connection,
    logdir_id: int,
    holder: Holder,
    work: Work,
    *,
    seconds: float,
    before: float | None,
) -> Renewed:
    """Make or renew a lease for `seconds` from now, and return how the logdir is shared.

    `before` is `until` of the last renewal; None at the first.
    """
    key: dict[str, object] = {"in_logdir": logdir_id, "of_owner": holder.owner}
    told = key | {
        **asdict(work),
        "watch_reason": to_sql(work.watch_reason) if work.watch_reason is not None else None,
        "seconds": seconds,
    }
    unbroken = before is not None and (
        conn.execute(_RENEW, {**told, "before": before}).rowcount == 1
    )
    if not unbroken:
        conn.execute(_LEAVE, key)
        conn.execute(_JOIN, {**told, "host": to_sql(holder.host), "pid": holder.pid})
    conn.execute(_FORGET, key)
    rows = conn.execute(_MEMBERS, key).all()
    rivals = [row.left_s for row in rows if row.owner != holder.owner]
    return Renewed(
        owners=tuple(row.owner for row in rows),
        until=next(row.until for row in rows if row.owner == holder.owner),
        rivals_left_s=min(rivals, default=None),
        unbroken=unbroken,
    )


def leave(conn: Connection, logdir_ids: Iterable[int], owner: str) -> None:
    """Give leases up, so that the others take over at once."""
    for logdir_id in sorted(logdir_ids):
        conn.execute(_LEAVE, {"in_logdir": logdir_id, "of_owner": owner})


_TOLD: Final = (
    "watch",
    "watch_reason",
    "runs",
    "files",
    "unreadable_files",
    "pending_bytes",
    "lag_s",
    "points",
    "bytes",
    "points_per_s",
    "bytes_per_s",
)


def _values() -> dict[str, object]:
    columns = tables.lease.c
    told: dict[str, object] = {name: bindparam(name, type_=columns[name].type) for name in _TOLD}
    return {**told, "until": clock + bindparam("seconds", type_=columns.until.type)}


def _renew() -> Update:
    columns = tables.lease.c
    return (
        update(tables.lease)
        .where(
            columns.logdir_id == bindparam("in_logdir"),
            columns.owner == bindparam("of_owner"),
            columns.until == bindparam("before"),
            columns.until > clock,
        )
        .values({columns[name]: value for name, value in _values().items()})
    )


def _join() -> Insert:
    return insert(tables.lease).values(
        {
            **_values(),
            "logdir_id": bindparam("in_logdir"),
            "owner": bindparam("of_owner"),
            "host": bindparam("host"),
            "pid": bindparam("pid"),
            "since": clock,
        }
    )


def _leave() -> Delete:
    columns = tables.lease.c
    return delete(tables.lease).where(
        columns.logdir_id == bindparam("in_logdir"), columns.owner == bindparam("of_owner")
    )


def _forget() -> Delete:
    columns = tables.lease.c
    return delete(tables.lease).where(
        columns.logdir_id == bindparam("in_logdir"),
        columns.owner != bindparam("of_owner"),
        columns.until < clock - KEPT_S,
    )


def _members() -> Select[str, float, float]:
    columns = tables.lease.c
    return (
        select(columns.owner, columns.until, (columns.until - clock).label("left_s"))
        .where(
            columns.logdir_id == bindparam("in_logdir"),
            # Ours has run out again already where we were paused since the line above.
            (columns.until > clock) | (columns.owner == bindparam("of_owner")),
        )
        .order_by(columns.owner)
    )


# Built once: to build a statement costs more than to run it.
_RENEW: Final = _renew()
_JOIN: Final = _join()
_LEAVE: Final = _leave()
_FORGET: Final = _forget()
_MEMBERS: Final = _members()
