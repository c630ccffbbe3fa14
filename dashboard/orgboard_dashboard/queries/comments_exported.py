"""All comments of a project, of its runs and its views, some at a time, the oldest first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, func, or_, select

from orgboard_dashboard.mentions import settled, typed
from orgboard_dashboard.queries.comments import names_in, visible_comments
from orgboard_dashboard.queries.errors import NotFound
from orgboard_dashboard.queries.visible import find_project
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.sql import tables
from orgboard_schema.sql.text import from_sql

__all__ = ["AT_ONCE", "SaidRow", "some_comments"]

AT_ONCE: Final = 500
"""Some two megabytes at the longest."""

_of, _run, _view = tables.comment.c, tables.run.c, tables.saved_view.c
_account = tables.account.c


@dataclass(frozen=True, slots=True)
class SaidRow:
    """A comment by itself. Times are epoch seconds."""

    id: str
    run: str | None
    """Uid; None: it is about a view."""
    run_name: str | None
    view: str | None
    view_name: str | None
    answers: str | None
    author: str
    text: str
    """As it was typed; "" when it was taken back."""
    written_at: float
    changed_at: float | None
    removed: bool


def some_comments(
    viewer: Viewer, conn: Connection, team: str, project: str, after: SaidRow | None
) -> tuple[SaidRow, ...]:
    """Return the first comments of a project, or those after one.

    Raises:
        NotFound: there is no such project, or `viewer` may not see what is said in it.
    """
    found = find_project(viewer, conn, team, project)
    if viewer.kind == "share":
        raise NotFound
    here = found.several or (found.project_id,)
    query = (
        select(
            tables.comment,
            *(_account.name.label("called"), _run.name.label("run_name")),
            _view.name.label("view_name"),
        )
        .outerjoin(tables.account, _account.account_id == _of.account_id)
        .outerjoin(tables.run, _run.uid == _of.uid)
        .outerjoin(tables.saved_view, _view.view_id == _of.view_id)
        .where(func.coalesce(_run.project_id, _view.project_id).in_(here))
        .where(visible_comments(viewer))
        .order_by(_of.written_at, _of.comment_id)
        .limit(AT_ONCE)
    )
    if after is not None:
        later = (_of.written_at == after.written_at) & (_of.comment_id > after.id)
        query = query.where(or_(_of.written_at > after.written_at, later))
    rows = conn.execute(query).all()
    names = names_in(conn, [row.comment_id for row in rows])
    return tuple(
        SaidRow(
            id=row.comment_id,
            run=row.uid,
            run_name=None if row.run_name is None else from_sql(row.run_name),
            view=row.view_id,
            view_name=None if row.view_name is None else from_sql(row.view_name),
            answers=row.answers,
            author=from_sql(row.called or row.author),
            text=_text(from_sql(row.text), names.get(row.comment_id, {})),
            written_at=row.written_at,
            changed_at=row.changed_at,
            removed=row.removed_at is not None,
        )
        for row in rows
    )


def _text(text: str, names: dict[int, str]) -> str:
    return typed(settled(text, names), names)
