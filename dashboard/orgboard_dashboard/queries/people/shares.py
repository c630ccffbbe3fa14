"""Share links: one page of a project, for whoever has the link, to look at and no more.

The secret is behind the # of the link; the browser gives it once and holds a cookie then, that
opens the page's project, or only the runs that were shared, until the link ends.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, insert, select, update

from orgboard_dashboard.accounts.opaque import digest
from orgboard_dashboard.queries.errors import BadQuery
from orgboard_dashboard.queries.people.audit import Actor, actor_of, note_down
from orgboard_dashboard.queries.people.handed_out import (
    DAY_S,
    check_title,
    giving,
    require_room,
    require_runs,
    revoke,
)
from orgboard_dashboard.queries.visible import find_project
from orgboard_dashboard.viewer import Viewer, Within
from orgboard_schema.sql import tables
from orgboard_schema.sql.registry import new_uid
from orgboard_schema.sql.roles import Role
from orgboard_schema.sql.text import from_sql, to_sql

__all__ = [
    "DEFAULT_DAYS",
    "MAX_DAYS",
    "MAX_RUNS",
    "NewShare",
    "ShareRow",
    "list_shares",
    "make_share",
    "open_share",
    "revoke_share",
    "share_stands",
    "viewer_of_share",
]

DEFAULT_DAYS: Final = 30
MAX_DAYS: Final = 366
MAX_RUNS: Final = 200
"""Named in one link; more are shared as the whole project."""
_MAX_PATH_CHARS: Final = 8000
_NOTED_EVERY_S: Final = 60.0
"""A link is in the log once in each of these: the log only grows, and anybody may have the link."""

_of = tables.share.c


@dataclass(frozen=True, slots=True)
class NewShare:
    """What is shared: a page by its address within the board, and which runs exist there."""

    path: str
    title: str
    uids: tuple[str, ...] | None
    """None: every run of the project."""
    days: int = DEFAULT_DAYS


@dataclass(frozen=True, slots=True)
class ShareRow:
    """A link that still opens. Times are epoch seconds."""

    id: str
    title: str
    path: str
    runs: int | None
    """How many are shared; None: the whole project."""
    made_by: str
    created_at: float
    expires_at: float
    used_at: float | None
    uses: int


def make_share(
    viewer: Viewer,
    conn: Connection,
    team: str,
    project: str,
    secret: str,
    new: NewShare,
    now: float,
) -> ShareRow:
    """Make `secret` a link to a page of the project.

    Raises:
        NotFound: there is no such project or run, or `viewer` may not see it.
        Forbidden: `viewer` does not run the project.
        BadQuery: title, days or path are out of bounds.
        TooMuch: the project has too many links.
    """
    found = giving(viewer, conn, team, project)
    _check(new)
    require_runs(viewer, conn, found, new.uids)
    require_room(conn, found, tables.share, share_stands(now), "share links")
    share_id = new_uid()
    row = {
        "share_id": share_id,
        "secret_sha256": digest(secret),
        "project_id": found.project_id,
        "path": to_sql(new.path),
        "uids": None if new.uids is None else json.dumps(new.uids),
        "title": to_sql(new.title.strip()),
        "made_by": viewer.account_id,
        "created_at": now,
        "expires_at": now + new.days * DAY_S,
    }
    conn.execute(insert(tables.share), row)
    after = {"title": new.title, "path": new.path, "runs": new.uids, "days": new.days}
    subject = f"{team}/{project}: {share_id}"
    note_down(conn, actor_of(viewer), "share.made", subject, now, after=after)
    return _listed(conn, _of.share_id == share_id)[0]


def list_shares(
    viewer: Viewer, conn: Connection, team: str, project: str, now: float
) -> tuple[ShareRow, ...]:
    """Return the project's links that still open, the newest first.

    Raises:
        NotFound: there is no such project, or `viewer` may not see it.
        Forbidden: `viewer` does not run the project.
    """
    found = find_project(viewer, conn, team, project, Role.ADMIN)
    return _listed(conn, (_of.project_id == found.project_id) & share_stands(now))


def revoke_share(
    viewer: Viewer, conn: Connection, team: str, project: str, share_id: str, now: float
) -> None:
    """Let a link open nothing from the next request on, also for who has opened it.

    Raises:
        NotFound: there is no such project or link, or `viewer` may not see it.
        Forbidden: `viewer` does not run the project.
    """
    revoke(viewer, conn, (team, project), tables.share, share_stands(now), share_id, now)


def open_share(conn: Connection, secret: str, address: str, now: float) -> str | None:
    """Return the address of the page that a link opens, and count it; None when it does not."""
    here = (_of.secret_sha256 == digest(secret)) & share_stands(now)
    query = select(_of.share_id, _of.path, _of.title, _of.used_at).where(here)
    # Of two who open it at once, one waits, and finds that the other was noted.
    row = conn.execute(query.with_for_update()).one_or_none()
    if row is None:
        return None
    used = {"used_at": now, "uses": _of.uses + 1}
    conn.execute(update(tables.share).where(_of.share_id == row.share_id).values(used))
    if row.used_at is None or int(row.used_at // _NOTED_EVERY_S) != int(now // _NOTED_EVERY_S):
        actor = Actor(None, "guest", row.share_id, address)
        after = {"title": from_sql(row.title)}
        note_down(conn, actor, "share.opened", row.share_id, now, after=after)
    return from_sql(row.path)


def viewer_of_share(conn: Connection, secret: str, now: float, *, address: str) -> Viewer | None:
    """Return who comes by a link: a guest, for whom only what was shared exists."""
    here = (_of.secret_sha256 == digest(secret)) & share_stands(now)
    row = conn.execute(select(_of.share_id, _of.project_id, _of.uids).where(here)).one_or_none()
    if row is None:
        return None
    uids = None if row.uids is None else tuple(json.loads(row.uids))
    within = Within(project_id=row.project_id, uids=uids)
    return Viewer("share", "guest", within=within, via=row.share_id, address=address)


def _check(new: NewShare) -> None:
    check_title(new.title, "A link")
    if not 0 < new.days <= MAX_DAYS:
        raise BadQuery(f"A link lives 1 to {MAX_DAYS} days.")
    if new.uids is not None and not 0 < len(new.uids) <= MAX_RUNS:
        raise BadQuery(f"A link names 1 to {MAX_RUNS} runs; more are shared with the project.")
    if len(new.path) > _MAX_PATH_CHARS:
        raise BadQuery("This address is too long to share: save it as a view first.")


def share_stands(now: float) -> ColumnElement[bool]:
    """Return the condition on share links that holds for those that still open."""
    return _of.revoked_at.is_(None) & (_of.expires_at > now)


def _listed(conn: Connection, here: ColumnElement[bool]) -> tuple[ShareRow, ...]:
    account = tables.account.c
    rows = conn.execute(
        select(tables.share, account.name.label("maker"))
        .outerjoin(tables.account, account.account_id == _of.made_by)
        .where(here)
        .order_by(_of.created_at.desc(), _of.share_id)
    )
    return tuple(map(_row, rows))


def _row(row: Any) -> ShareRow:
    uids: Sequence[str] | None = None if row.uids is None else json.loads(row.uids)
    return ShareRow(
        id=row.share_id,
        title=from_sql(row.title),
        path=from_sql(row.path),
        runs=None if uids is None else len(uids),
        made_by=from_sql(row.maker or ""),
        created_at=row.created_at,
        expires_at=row.expires_at,
        used_at=row.used_at,
        uses=row.uses,
    )
