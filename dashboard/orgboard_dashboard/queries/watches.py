"""Which runs one wants to be told of: begun, listed, stopped. What there is to tell: `news`.

Who watches is nobody else's business, and changes nothing of the run. What may not be seen any
more is not listed; it is watched again as soon as it may.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, delete, func, select

from orgboard_dashboard.queries.errors import TooMuch
from orgboard_dashboard.queries.fields import Status, status_of
from orgboard_dashboard.queries.people.accounts import signed_in
from orgboard_dashboard.queries.visible import find_run, visible_runs
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.sql import tables
from orgboard_schema.sql.text import from_sql
from orgboard_schema.sql.upsert import insert_new

__all__ = [
    "MAX_WATCHED",
    "WatchRow",
    "is_watched",
    "list_watches",
    "standing_key",
    "unwatch",
    "watch",
]

MAX_WATCHED: Final = 500
"""Of one account: the bell looks at each of them, every minute."""

_of, _run, _gap = tables.watch.c, tables.run.c, tables.gap.c


@dataclass(frozen=True, slots=True)
class WatchRow:
    """A run that one watches. Times are epoch seconds."""

    uid: str
    name: str
    team: str
    project: str
    status: Status
    damaged: bool
    since: float


def standing_key(status: Status, last_event: float | None, last_write: float | None) -> str:
    """Name how a run stands, so that a run that ended, went on and ended again is told twice.

    "" while it lives: that is nothing to be told.
    """
    if status == "live":
        return ""
    at = last_write if status == "stale" or last_event is None else last_event
    return f"{status}@{at or 0.0!r}"


def watch(viewer: Viewer, conn: Connection, uid: str, now: float) -> None:
    """Begin to watch a run, as it stands now; nothing happens when it is watched already.

    Raises:
        NotFound: `viewer` is not signed in, or there is no such run that `viewer` may see.
        TooMuch: so many are watched already.
    """
    account_id = signed_in(viewer)
    run_id = find_run(viewer, conn, uid)
    mine = select(func.count()).select_from(tables.watch).join(tables.run, _run.uid == _of.uid)
    mine = mine.where(_of.account_id == account_id, visible_runs(viewer), _run.run_id != run_id)
    if conn.execute(mine).scalar_one() >= MAX_WATCHED:
        raise TooMuch(f"You watch {MAX_WATCHED} runs already; stop watching some of them.")
    columns = (_run.uid, _run.finished, _run.last_event, _run.last_write, _run.gaps)
    row = conn.execute(select(*columns).where(_run.run_id == run_id)).one()
    status = status_of(row.finished, row.last_write, now)
    newest = conn.scalar(select(func.max(_gap.found_at)).where(_gap.run_id == run_id))
    begun: dict[str, object] = {"account_id": account_id, "uid": row.uid, "since": now}
    begun["seen_standing"] = standing_key(status, row.last_event, row.last_write)
    begun |= {"seen_gaps": row.gaps, "seen_gap_at": newest or 0.0}
    insert_new(conn, tables.watch, [begun])


def unwatch(viewer: Viewer, conn: Connection, uid: str) -> None:
    """Stop watching a run.

    Raises:
        NotFound: `viewer` is not signed in, or there is no such run that `viewer` may see.
    """
    account_id = signed_in(viewer)
    here = select(_run.uid).where(_run.run_id == find_run(viewer, conn, uid))
    known = conn.execute(here).scalar_one()
    seen, said = tables.watch_seen.c, tables.comment.c
    on_it = select(said.comment_id).where(said.uid == known)
    conn.execute(
        delete(tables.watch_seen).where(seen.account_id == account_id, seen.comment_id.in_(on_it))
    )
    conn.execute(delete(tables.watch).where(_of.account_id == account_id, _of.uid == known))


def is_watched(viewer: Viewer, conn: Connection, uid: str) -> bool:
    """Tell whether `viewer` watches a run.

    Raises:
        NotFound: `viewer` is not signed in, or there is no such run that `viewer` may see.
    """
    account_id = signed_in(viewer)
    mine = select(_of.uid).join(tables.run, _run.uid == _of.uid)
    is_it = _run.run_id == find_run(viewer, conn, uid)
    return conn.scalar(mine.where(_of.account_id == account_id, is_it)) is not None


def list_watches(viewer: Viewer, conn: Connection, now: float) -> tuple[WatchRow, ...]:
    """Return the runs that `viewer` watches and may see, the one watched last first.

    Raises:
        NotFound: `viewer` is not signed in.
    """
    account_id = signed_in(viewer)
    team, project = tables.team.c, tables.project.c
    rows = conn.execute(
        select(
            *(_run.uid, _run.name, _run.display_name, _run.finished, _run.last_write, _run.gaps),
            *(_of.since, team.name.label("team"), project.name.label("project")),
        )
        .select_from(tables.watch)
        .join(tables.run, _run.uid == _of.uid)
        .join(tables.project, project.project_id == _run.project_id)
        .join(tables.team, team.team_id == project.team_id)
        .where(_of.account_id == account_id, visible_runs(viewer))
        .order_by(_of.since.desc(), _run.uid)
    )
    return tuple(
        WatchRow(
            uid=row.uid,
            name=from_sql(row.display_name or row.name),
            team=from_sql(row.team),
            project=from_sql(row.project),
            status=status_of(row.finished, row.last_write, now),
            damaged=row.gaps > 0,
            since=row.since,
        )
        for row in rows
    )
