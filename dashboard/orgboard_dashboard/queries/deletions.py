"""Delete runs for people: told first, live ones spared, brought back from their files.

What is deleted is no longer in the database; event files are never touched, and ingest does
not read them again until somebody restores the run.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Connection, func, select

from orgboard_dashboard.queries.edits import MAX_RUNS
from orgboard_dashboard.queries.errors import TooMuch
from orgboard_dashboard.queries.people.audit import actor_of, note_down
from orgboard_dashboard.queries.visible import ProjectRef, find_project, runs_of
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.errors import RunIsLive, RunNotFound
from orgboard_schema.sql import tables
from orgboard_schema.sql.delete import LIVE_WITHIN_S, delete_run, restore_run, space_of
from orgboard_schema.sql.roles import Role
from orgboard_schema.sql.standing import DELETED, SHOWN
from orgboard_schema.sql.text import from_sql, to_sql

__all__ = [
    "Deleted",
    "DeletedRun",
    "Preview",
    "delete_runs",
    "list_deleted",
    "preview",
    "restore_runs",
]

_MAX_LISTED: Final = 1000
_MOST_NAMED: Final = 100
"""Runs that a record of the log names; how many there were it tells in any case."""

_run = tables.run.c


@dataclass(frozen=True, slots=True)
class Preview:
    """What deleting some runs does."""

    runs: int
    """That can be deleted."""
    live: int
    """That are written to, and so are left alone."""
    gone: int
    """Of those that can be, how many have no file any more: they cannot be read again."""
    points: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Deleted:
    """Which runs were deleted, and how many were left alone because they are live."""

    uids: tuple[str, ...]
    live: int


@dataclass(frozen=True, slots=True)
class DeletedRun:
    """A run that can be brought back. Times are epoch seconds."""

    uid: str
    name: str
    display_name: str | None
    deleted_at: float
    gone_at: float | None
    """Since when it has no file any more; None while one is there."""


def preview(
    viewer: Viewer, conn: Connection, team: str, project: str, uids: Collection[str], now: float
) -> Preview:
    """Tell what deleting these runs would do; nothing is changed.

    Raises:
        NotFound: there is no such project, or `viewer` may not see it.
        TooMuch: these are too many runs.
    """
    found = find_project(viewer, conn, team, project)
    _refuse_too_many(uids)
    rows = conn.execute(
        select(_run.run_id, _run.gone_at, func.coalesce(_run.last_write, 0.0)).where(
            _of(viewer, found, uids, SHOWN)
        )
    ).all()
    quiet = [row for row in rows if row[2] <= now - LIVE_WITHIN_S]
    space = space_of(conn, *(row[0] for row in quiet))
    return Preview(
        runs=len(quiet),
        live=len(rows) - len(quiet),
        gone=sum(row[1] is not None for row in quiet),
        points=space.points,
        bytes=space.point_bytes + space.blob_bytes,
    )


def delete_runs(
    viewer: Viewer, conn: Connection, team: str, project: str, uids: Collection[str], now: float
) -> Deleted:
    """Take these runs off every list; live ones stay. Their space comes back after a while.

    Raises:
        Forbidden: `viewer` may see it, and not delete there.
        NotFound: there is no such project, or `viewer` may not see it.
        TooMuch: these are too many runs.
    """
    found = find_project(viewer, conn, team, project, Role.ADMIN)
    _refuse_too_many(uids)
    rows = conn.execute(
        select(_run.run_id, _run.uid).where(_of(viewer, found, uids, SHOWN)).order_by(_run.run_id)
    ).all()
    deleted, live = [], 0
    for run_id, uid in rows:
        try:
            delete_run(conn, run_id, now=now)
        except RunIsLive:
            live += 1
        except RunNotFound:
            # A rival was first.
            continue
        else:
            deleted.append(uid)
    if deleted:
        _note(conn, viewer, "run.delete", f"{team}/{project}", deleted, now)
    return Deleted(tuple(deleted), live)


def list_deleted(
    viewer: Viewer, conn: Connection, team: str, project: str
) -> tuple[DeletedRun, ...]:
    """Return the deleted runs of a project, the one deleted last first.

    Raises:
        NotFound: there is no such project, or `viewer` may not see it.
    """
    found = find_project(viewer, conn, team, project)
    rows = conn.execute(
        select(_run.uid, _run.name, _run.display_name, _run.touched_ms, _run.gone_at)
        # As the index on the few runs that are not shown has it.
        .where(_run.standing != SHOWN, runs_of(viewer, found, DELETED))
        .order_by(_run.touched_ms.desc(), _run.run_id.desc())
        .limit(_MAX_LISTED)
    )
    return tuple(
        DeletedRun(
            uid,
            from_sql(name),
            None if display_name is None else from_sql(display_name),
            touched_ms / 1000,
            gone_at,
        )
        for uid, name, display_name, touched_ms, gone_at in rows
    )


def restore_runs(
    viewer: Viewer, conn: Connection, team: str, project: str, uids: Collection[str], now: float
) -> int:
    """Show deleted runs again, empty until ingest has read their files; return how many.

    Raises:
        Forbidden: `viewer` may see it, and not delete there.
        NotFound: there is no such project, or `viewer` may not see it.
        TooMuch: these are too many runs.
    """
    found = find_project(viewer, conn, team, project, Role.ADMIN)
    _refuse_too_many(uids)
    deleted = _of(viewer, found, uids, DELETED)
    rows = conn.execute(select(_run.run_id, _run.uid).where(deleted).order_by(_run.run_id)).all()
    for run_id, _ in rows:
        restore_run(conn, run_id, now=now)
    if rows:
        _note(conn, viewer, "run.restore", f"{team}/{project}", [uid for _, uid in rows], now)
    return len(rows)


def _note(
    conn: Connection, viewer: Viewer, action: str, place: str, uids: Sequence[str], now: float
) -> None:
    after = {"runs": len(uids), "uids": sorted(uids)[:_MOST_NAMED]}
    note_down(conn, actor_of(viewer), action, place, now, after=after)


def _of(
    viewer: Viewer, project: ProjectRef, uids: Collection[str], standing: int
) -> ColumnElement[bool]:
    return _run.uid.in_([to_sql(uid) for uid in uids]) & runs_of(viewer, project, standing)


def _refuse_too_many(uids: Collection[str]) -> None:
    if len(uids) > MAX_RUNS:
        raise TooMuch(f"These are {len(uids)} runs; {MAX_RUNS} can be deleted or restored at once.")
