"""Where comments name the one who asks: only of what that one may see at the moment of asking."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Connection, func, select, update

from orgboard_dashboard.mentions import excerpt_of
from orgboard_dashboard.queries.comments import names_in, visible_comments
from orgboard_dashboard.queries.errors import NotFound
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.sql import tables
from orgboard_schema.sql.text import from_sql, to_sql

__all__ = ["MAX_LISTED", "MAX_UNSEEN", "MentionRow", "count_unseen", "list_mentions", "mark_seen"]

MAX_LISTED: Final = 200
"""The newest; what is older stands where it was said."""
MAX_UNSEEN: Final = 100
"""More are not counted: the bell says "99+"."""

_of, _mention = tables.comment.c, tables.mention.c
_run, _view, _account = tables.run.c, tables.saved_view.c, tables.account.c


@dataclass(frozen=True, slots=True)
class MentionRow:
    """A comment that names the one who asks, and where it stands. Times are epoch seconds."""

    id: str
    """Of the comment."""
    author: str
    excerpt: str
    """How it begins, as it was typed."""
    written_at: float
    seen_at: float | None
    team: str
    project: str
    run: str | None
    """Uid; None: it is about a view."""
    view: str | None
    page: str
    """Of the view."""
    about: str
    """What the run or the view is called."""


def list_mentions(viewer: Viewer, conn: Connection) -> tuple[MentionRow, ...]:
    """Return the newest mentions of `viewer`, the newest first.

    Raises:
        NotFound: `viewer` is not signed in.
    """
    of_run, of_view = tables.project.alias("of_run"), tables.project.alias("of_view")
    team = tables.team.c
    rows = conn.execute(
        select(
            *(_of.comment_id, _of.text, _of.author, _of.written_at, _mention.seen_at),
            *(_account.name.label("called"), _run.uid, _run.name.label("run_name")),
            *(_run.display_name, _view.view_id, _view.page, _view.name.label("view_name")),
            *(team.name.label("team"), func.coalesce(of_run.c.name, of_view.c.name).label("of")),
        )
        .select_from(tables.mention)
        .join(tables.comment, _of.comment_id == _mention.comment_id)
        .outerjoin(tables.account, _account.account_id == _of.account_id)
        .outerjoin(tables.run, _run.uid == _of.uid)
        .outerjoin(tables.saved_view, _view.view_id == _of.view_id)
        .outerjoin(of_run, of_run.c.project_id == _run.project_id)
        .outerjoin(of_view, of_view.c.project_id == _view.project_id)
        .join(tables.team, team.team_id == func.coalesce(of_run.c.team_id, of_view.c.team_id))
        .where(_mine(viewer))
        .order_by(_of.written_at.desc(), _of.comment_id)
        .limit(MAX_LISTED)
    ).all()
    names = names_in(conn, [row.comment_id for row in rows])
    return tuple(
        MentionRow(
            id=row.comment_id,
            author=from_sql(row.called or row.author),
            excerpt=excerpt_of(from_sql(row.text), names.get(row.comment_id, {})),
            written_at=row.written_at,
            seen_at=row.seen_at,
            team=from_sql(row.team),
            project=from_sql(row.of),
            run=row.uid,
            view=row.view_id,
            page=row.page or "",
            about=from_sql(row.display_name or row.run_name or row.view_name),
        )
        for row in rows
    )


def count_unseen(viewer: Viewer, conn: Connection) -> int:
    """Return how many mentions `viewer` has not seen, `MAX_UNSEEN` at most.

    Raises:
        NotFound: `viewer` is not signed in.
    """
    some = (
        select(_mention.comment_id)
        .join(tables.comment, _of.comment_id == _mention.comment_id)
        .where(_mine(viewer), _mention.seen_at.is_(None))
        .limit(MAX_UNSEEN)
        .subquery()
    )
    return conn.execute(select(func.count()).select_from(some)).scalar_one()


def mark_seen(viewer: Viewer, conn: Connection, keys: Collection[str] | None, now: float) -> int:
    """Take these mentions of `viewer` for seen, or (None) all; return how many are new to that.

    Raises:
        NotFound: `viewer` is not signed in.
    """
    mine = (
        select(_of.comment_id)
        .join(tables.mention, _mention.comment_id == _of.comment_id)
        .where(_mine(viewer))
    )
    if keys is not None:
        mine = mine.where(_of.comment_id.in_([to_sql(key) for key in keys]))
    here = (_mention.account_id == viewer.account_id) & _mention.seen_at.is_(None)
    marked = update(tables.mention).where(here, _mention.comment_id.in_(mine)).values(seen_at=now)
    return conn.execute(marked).rowcount


def _mine(viewer: Viewer) -> ColumnElement[bool]:
    if viewer.kind != "account" or viewer.account_id is None:
        raise NotFound
    return (_mention.account_id == viewer.account_id) & visible_comments(viewer)
