"""What people say to each other of a run, or of a saved view: threads of one level.

Who may see the run or the view reads it, and whoever of those has an account may write: to ask
what a result means is no change of it, so it wants no editor. Who came by a share link does
neither: the link shows a page, and not what colleagues say of it, or who they are. By a token one
reads, or writes, as its scope says.

Only who wrote a comment changes its words: nobody puts words into another's mouth. Its author
takes it back; so may who runs the project, which the audit log tells.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from sqlalchemy import ColumnElement, Connection, delete, false, func, insert, or_, select, update

from orgboard_dashboard.mentions import keys_in, marked, settled
from orgboard_dashboard.queries.edits import author_of, count_edits
from orgboard_dashboard.queries.errors import BadQuery, Forbidden, NotFound, TooMuch
from orgboard_dashboard.queries.people.addressed import who_of_these
from orgboard_dashboard.queries.people.audit import actor_of, note_down
from orgboard_dashboard.queries.views import find_view, visible_views
from orgboard_dashboard.queries.visible import (
    find_project,
    find_run,
    visible_projects,
    visible_runs,
)
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.sql import tables
from orgboard_schema.sql.registry import new_uid
from orgboard_schema.sql.roles import Role
from orgboard_schema.sql.text import from_sql, to_sql
from orgboard_schema.sql.upsert import insert_new

__all__ = [
    "MAX_CHARS",
    "MAX_OF_ONE",
    "About",
    "Comment",
    "Discussion",
    "OnRun",
    "OnView",
    "add_comment",
    "change_comment",
    "list_comments",
    "names_in",
    "remove_comment",
    "visible_comments",
]

MAX_CHARS: Final = 4000
"""Of one comment: two pages. What is longer is a note, or a document."""
MAX_OF_ONE: Final = 500
"""Comments of one run or view; they come in one answer."""

_of, _run, _view = tables.comment.c, tables.run.c, tables.saved_view.c
_mention, _account = tables.mention.c, tables.account.c


@dataclass(frozen=True, slots=True)
class OnRun:
    """Said of a run."""

    uid: str


@dataclass(frozen=True, slots=True)
class OnView:
    """Said of a saved view of a project."""

    team: str
    project: str
    key: str


About: TypeAlias = OnRun | OnView


@dataclass(frozen=True, slots=True)
class Comment:
    """One comment. Times are epoch seconds."""

    id: str
    answers: str | None
    """The one that begins its thread; None: it begins one."""
    text: str
    """Markdown, in which people are named as `mentions` keeps them; "" when it was taken back."""
    names: Mapping[int, str]
    """Of those whom it names, as they are called now."""
    author: str
    """As that one is called now; "" for the one person of a board without accounts."""
    is_mine: bool
    can_remove: bool
    is_news: bool
    """Whether it names the viewer, who has not seen it."""
    written_at: float
    changed_at: float | None
    removed_at: float | None


@dataclass(frozen=True, slots=True)
class Discussion:
    """All that is said of a run or a view, the oldest first."""

    comments: tuple[Comment, ...]
    can_write: bool


@dataclass(frozen=True, slots=True)
class _Place:
    """What a comment is about, found and seen."""

    project_id: int
    run_id: int | None
    """None: it is about a view."""
    uid: str | None
    view_id: str | None
    is_ones_own: bool
    """Whether nobody else sees it: a view that is only its owner's."""

    @property
    def here(self) -> ColumnElement[bool]:
        """The condition on comments that are about it."""
        return _of.uid == self.uid if self.uid is not None else _of.view_id == self.view_id


def visible_comments(viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition on comments that holds for those that `viewer` may read."""
    if viewer.kind == "share":
        return false()
    # One by one: a comment is about one of very many runs.
    run = select(_run.uid).where(_run.uid == _of.uid, visible_runs(viewer))
    view = select(_view.view_id).where(_view.view_id == _of.view_id, visible_views(viewer))
    return or_(*(each.correlate(tables.comment).exists() for each in (run, view)))


def list_comments(viewer: Viewer, conn: Connection, about: About) -> Discussion:
    """Return what is said of a run or a view.

    Raises:
        NotFound: there is no such thing, or `viewer` may not see what is said of it.
    """
    place = _place(viewer, conn, about)
    rows = conn.execute(
        select(tables.comment, _account.name.label("called"))
        .outerjoin(tables.account, _account.account_id == _of.account_id)
        .where(place.here)
        .order_by(_of.written_at, _of.comment_id)
        .limit(MAX_OF_ONE)
    ).all()
    names = names_in(conn, [row.comment_id for row in rows])
    unseen = set(conn.scalars(_unseen(viewer, place))) if viewer.kind == "account" else set()
    runs_it = viewer.can_edit and _runs_project(viewer, conn, place.project_id)
    comments = tuple(
        Comment(
            id=row.comment_id,
            answers=row.answers,
            text=settled(from_sql(row.text), names.get(row.comment_id, {})),
            names=names.get(row.comment_id, {}),
            author=from_sql(row.called or row.author),
            is_mine=viewer.can_edit and _is_mine(viewer, row.account_id),
            can_remove=viewer.can_edit and (runs_it or _is_mine(viewer, row.account_id)),
            is_news=row.comment_id in unseen,
            written_at=row.written_at,
            changed_at=row.changed_at,
            removed_at=row.removed_at,
        )
        for row in rows
    )
    return Discussion(comments, viewer.can_edit)


def names_in(conn: Connection, keys: Collection[str]) -> dict[str, dict[int, str]]:
    """Return whom comments that the caller may read name: ids and names as they are now."""
    found: dict[str, dict[int, str]] = {}
    rows = conn.execute(
        select(_mention.comment_id, _account.account_id, _account.name)
        .join(tables.account, _account.account_id == _mention.account_id)
        .where(_mention.comment_id.in_(keys))
    )
    for key, account_id, name in rows:
        found.setdefault(key, {})[account_id] = from_sql(name)
    return found


def add_comment(
    viewer: Viewer, conn: Connection, about: About, text: str, answers: str | None, now: float
) -> str:
    """Say something of a run or a view, and return the comment's id.

    What answers an answer joins its thread.

    Raises:
        Forbidden: `viewer` may see it, and write nothing.
        NotFound: there is no such run, view or comment, or `viewer` may not see it.
        BadQuery: the text is empty or too long.
        TooMuch: there is too much said of it already.
    """
    _require_pen(viewer)
    place = _place(viewer, conn, about)
    words = _checked(text)
    _lock(conn, place)
    counted = select(func.count()).select_from(tables.comment).where(place.here)
    if conn.execute(counted).scalar_one() >= MAX_OF_ONE:
        raise TooMuch(f"There are {MAX_OF_ONE} comments here already; take some back.")
    begins = None if answers is None else _thread_of(conn, place, answers)
    kept, named = _named(viewer, conn, place, words)
    key = new_uid()
    row: dict[str, object] = {"comment_id": key, "uid": place.uid, "view_id": place.view_id}
    row |= {"answers": begins, "text": to_sql(kept), "account_id": viewer.account_id}
    row |= {"author": to_sql(author_of(viewer)), "written_at": now}
    conn.execute(insert(tables.comment), row)
    _put_mentions(conn, key, named)
    _tell(conn, place, now)
    return key


def change_comment(viewer: Viewer, conn: Connection, key: str, text: str, now: float) -> None:
    """Let a comment say something else. Who is named anew hears of it.

    Raises:
        Forbidden: it is not `viewer`'s own.
        NotFound: there is none, or `viewer` may not see it.
        BadQuery: the text is empty or too long.
    """
    _require_pen(viewer)
    row, place = _found(viewer, conn, key)
    if not _is_mine(viewer, row.account_id):
        raise Forbidden("Only who wrote a comment changes it.")
    kept, named = _named(viewer, conn, place, _checked(text))
    values = {"text": to_sql(kept), "changed_at": now}
    conn.execute(update(tables.comment).where(_of.comment_id == row.comment_id).values(values))
    _put_mentions(conn, row.comment_id, named)
    _tell(conn, place, now)


def remove_comment(viewer: Viewer, conn: Connection, key: str, now: float) -> None:
    """Take a comment back. While it has answers, it says that it was there.

    Raises:
        Forbidden: it is not `viewer`'s own, and `viewer` does not run the project.
        NotFound: there is none, or `viewer` may not see it.
    """
    _require_pen(viewer)
    row, place = _found(viewer, conn, key)
    is_mine = _is_mine(viewer, row.account_id)
    if not is_mine and not _runs_project(viewer, conn, place.project_id):
        raise Forbidden("Only who wrote a comment, or who runs the project, takes it back.")
    _put_mentions(conn, row.comment_id, frozenset())
    if _has_answers(conn, row.comment_id):
        gone = {"text": "", "removed_at": now}
        conn.execute(update(tables.comment).where(_of.comment_id == row.comment_id).values(gone))
    else:
        conn.execute(delete(tables.comment).where(_of.comment_id == row.comment_id))
        _drop_empty_thread(conn, row.answers)
    if not is_mine:
        before = {"author": from_sql(row.author), "run": place.uid, "view": place.view_id}
        note_down(conn, actor_of(viewer), "comment.removed", row.comment_id, now, before=before)
    _tell(conn, place, now)


def _require_pen(viewer: Viewer) -> None:
    if not viewer.can_edit:
        raise Forbidden("You may read this and not write.")


def _place(viewer: Viewer, conn: Connection, about: About) -> _Place:
    if isinstance(about, OnRun):
        run_id = find_run(viewer, conn, about.uid)
        if viewer.kind == "share":
            raise NotFound
        return _of_run(conn, _run.run_id == run_id)
    saved = find_view(viewer, conn, about.team, about.project, about.key).view
    # What stands for a long link is kept for a while only, and nobody looks for words there.
    if viewer.kind == "share" or not saved.name:
        raise NotFound
    project_id = find_project(viewer, conn, about.team, about.project).project_id
    return _Place(project_id, None, None, saved.id, not saved.for_team)


def _of_run(conn: Connection, here: ColumnElement[bool]) -> _Place:
    row = conn.execute(select(_run.run_id, _run.uid, _run.project_id).where(here)).one()
    return _Place(row.project_id, row.run_id, row.uid, None, is_ones_own=False)


def _found(viewer: Viewer, conn: Connection, key: str) -> tuple[Any, _Place]:
    """Return a comment that nobody else changes meanwhile, and what it is about.

    Raises:
        NotFound: there is none that says something, or `viewer` may not see it.
    """
    is_it = _of.comment_id == to_sql(key)
    query = select(tables.comment).where(is_it, _of.removed_at.is_(None), visible_comments(viewer))
    row = conn.execute(query.with_for_update(of=tables.comment)).one_or_none()
    if row is None:
        raise NotFound
    if row.uid is not None:
        return row, _of_run(conn, (_run.uid == row.uid) & visible_runs(viewer))
    where = _view.view_id == row.view_id
    view = conn.execute(select(_view.project_id, _view.for_team).where(where)).one()
    return row, _Place(view.project_id, None, None, row.view_id, view.for_team == 0)


def _lock(conn: Connection, place: _Place) -> None:
    """Let one say something of it after the other, and only of what stays."""
    held = (
        select(_run.run_id).where(_run.run_id == place.run_id)
        if place.run_id is not None
        else select(_view.view_id).where(_view.view_id == place.view_id)
    )
    if conn.scalar(held.with_for_update(key_share=True)) is None:
        raise NotFound


def _thread_of(conn: Connection, place: _Place, key: str) -> str:
    """Return the comment that begins the thread of one, and let nobody take it away."""
    row = conn.execute(
        select(_of.comment_id, _of.answers).where(_of.comment_id == to_sql(key), place.here)
    ).one_or_none()
    first = None if row is None else row.answers or row.comment_id
    held = select(_of.comment_id).where(_of.comment_id == first).with_for_update()
    if first is None or conn.scalar(held) is None:
        raise NotFound
    return str(first)


def _has_answers(conn: Connection, key: str) -> bool:
    return conn.scalar(select(_of.comment_id).where(_of.answers == key).limit(1)) is not None


def _drop_empty_thread(conn: Connection, key: str | None) -> None:
    """Let what was taken back go, once nothing answers it any more."""
    if key is None:
        return
    # Who answers it holds it.
    held = select(_of.removed_at).where(_of.comment_id == key).with_for_update()
    if conn.scalar(held) is not None and not _has_answers(conn, key):
        conn.execute(delete(tables.comment).where(_of.comment_id == key))


def _named(
    viewer: Viewer, conn: Connection, place: _Place, text: str
) -> tuple[str, frozenset[int]]:
    """Return a text as it is kept, and whom it names of those who see what it is about."""
    if place.is_ones_own:
        return marked(text, {})
    found = who_of_these(conn, place.project_id, keys_in(text))
    # Who names oneself hears nothing new.
    others = {key: it for key, it in found.items() if it[0] != viewer.account_id}
    return marked(text, others)


def _put_mentions(conn: Connection, key: str, named: frozenset[int]) -> None:
    """Let a comment name these; who was named before has seen what that one has seen."""
    gone = (_mention.comment_id == key) & _mention.account_id.not_in(named)
    conn.execute(delete(tables.mention).where(gone))
    rows: list[dict[str, object]] = [
        {"comment_id": key, "account_id": one} for one in sorted(named)
    ]
    insert_new(conn, tables.mention, rows)


def _tell(conn: Connection, place: _Place, now: float) -> None:
    """Let live readers of a run hear that something is said."""
    if place.run_id is not None:
        count_edits(conn, [place.run_id], now)


def _runs_project(viewer: Viewer, conn: Connection, project_id: int) -> bool:
    here = tables.project.c.project_id == project_id
    query = select(tables.project.c.project_id).where(here, visible_projects(viewer, Role.ADMIN))
    return conn.scalar(query) is not None


def _is_mine(viewer: Viewer, account_id: int | None) -> bool:
    # On a board without accounts, and on the host, all is of the one who has the machine.
    is_theirs = viewer.kind in ("local", "system")
    return (
        account_id == viewer.account_id
        if viewer.account_id is not None
        else (is_theirs and account_id is None)
    )


def _unseen(viewer: Viewer, place: _Place) -> Any:
    return (
        select(_mention.comment_id)
        .join(tables.comment, _of.comment_id == _mention.comment_id)
        .where(_mention.account_id == viewer.account_id, _mention.seen_at.is_(None), place.here)
    )


def _checked(text: str) -> str:
    words = text.strip()
    if not 0 < len(words) <= MAX_CHARS:
        raise BadQuery(f"A comment has 1 to {MAX_CHARS} characters; this one has {len(words)}.")
    return words
