"""Views that people save: named ones, their own or the team's, and what long links stand for.

A view is the query part of a page's address, kept under a short id. A personal one exists for
nobody but its owner. One that nobody named stands for a long link: who has the link sees it,
no list has it, and of very many the oldest go.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    delete,
    false,
    func,
    insert,
    or_,
    select,
    update,
)

from orgboard_dashboard.queries.edits import author_of, checked_line
from orgboard_dashboard.queries.errors import BadQuery, Conflict, Forbidden, NotFound, TooMuch
from orgboard_dashboard.queries.people.audit import actor_of, note_down
from orgboard_dashboard.queries.visible import ANY, ProjectRef, find_project, visible_projects
from orgboard_dashboard.urls import PAGES, decode_view, encode_view
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.sql import tables
from orgboard_schema.sql.registry import new_uid
from orgboard_schema.sql.roles import Role
from orgboard_schema.sql.text import from_sql, to_sql
from orgboard_schema.sql.upsert import insert_or_replace

__all__ = [
    "LINK_CHARS",
    "MAX_LINKS",
    "MAX_NAMED",
    "MAX_NAME_CHARS",
    "MAX_OWN",
    "MAX_STATE_BYTES",
    "Change",
    "NewView",
    "SavedView",
    "ViewRow",
    "change_view",
    "find_view",
    "list_views",
    "opening_view",
    "remove_view",
    "save_view",
    "visible_views",
]

MAX_NAME_CHARS: Final = 200
MAX_STATE_BYTES: Final = 64 * 1024
MAX_NAMED: Final = 500
"""Of a project's team, whoever made them."""
MAX_OWN: Final = 200
"""Of a project, for each who keeps some: nobody's fill up what others have."""
MAX_LINKS: Final = 10_000
"""Of a project: some tens of megabytes at the usual length."""

LINK_CHARS: Final = 16
"""Hexadecimal ones: as many as a column of ids holds."""

_of = tables.saved_view.c


@dataclass(frozen=True, slots=True)
class ViewRow:
    """A view as lists name it."""

    id: str
    page: str
    name: str
    """Empty: it stands for a long link."""
    owner: str
    for_team: bool
    is_default: bool
    changed_at: float


@dataclass(frozen=True, slots=True)
class SavedView:
    """A view, and what it shows: the query part of an address."""

    view: ViewRow
    state: str


@dataclass(frozen=True, slots=True)
class NewView:
    """What to save. Without a name it is a long link."""

    page: str
    state: str
    name: str | None = None
    for_team: bool = False
    id: str = ""
    """Of one that was removed, and comes back; empty: a new one."""


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of a view; what is None stays."""

    name: str | None = None
    page: str | None = None
    state: str | None = None
    read: float | None = None
    """When the view that `state` takes the place of had been changed last."""
    is_default: bool | None = None


def list_views(viewer: Viewer, conn: Connection, team: str, project: str) -> tuple[ViewRow, ...]:
    """Return the named views of a project that `viewer` may see, by name.

    Guests are told of none: they read the one that their link names.

    Raises:
        NotFound: there is no such project, or `viewer` may not see it.
    """
    found = find_project(viewer, conn, team, project)
    if viewer.kind == "share":
        return ()
    query = select(*_listed()).where(_visible(viewer, found), _of.name.is_not(None))
    rows = [_row(row) for row in conn.execute(query.limit(MAX_NAMED + MAX_OWN))]
    return tuple(sorted(rows, key=lambda row: (row.name.casefold(), row.name, row.id)))


def opening_view(viewer: Viewer, conn: Connection, team: str, project: str) -> SavedView | None:
    """Return the view that the project opens in, if it has one.

    Raises:
        NotFound: there is no such project, or `viewer` may not see it.
    """
    found = find_project(viewer, conn, team, project)
    if viewer.kind == "share":
        return None
    return _saved(conn, _visible(viewer, found) & (_of.is_default == 1))


def find_view(viewer: Viewer, conn: Connection, team: str, project: str, key: str) -> SavedView:
    """Return one view.

    Raises:
        NotFound: there is none, or `viewer` may not see it.
    """
    found = find_project(viewer, conn, team, project)
    saved = _saved(conn, _visible(viewer, found) & (_of.view_id == to_sql(key)))
    if saved is None:
        raise NotFound
    # A guest is not told who has an account.
    guests = replace(saved, view=replace(saved.view, owner=""))
    return guests if viewer.kind == "share" else saved


def save_view(
    viewer: Viewer, conn: Connection, team: str, project: str, new: NewView, now: float
) -> SavedView:
    """Store a view, and return it. The same long link is stored once.

    Raises:
        Forbidden: `viewer` may see the project, and not change this in it.
        NotFound: there is no such project, or `viewer` may not see it.
        BadQuery: name, page or state is out of bounds.
        Conflict: there is a view of that name already, or of that id.
        TooMuch: the team, or who saves it, has too many in the project.
    """
    is_shared = new.for_team and new.name is not None
    found = _locked(viewer, conn, team, project, is_shared=is_shared)
    page, state = _checked_page(new.page), _checked_state(new.state)
    name = None if new.name is None else _checked_name(new.name)
    row: dict[str, object] = {
        "view_id": new.id or new_uid(),
        "project_id": found.project_id,
        "page": page,
        "name": None if name is None else to_sql(name),
        "owner": to_sql(author_of(viewer)),
        "for_team": int(new.for_team or name is None),
        "is_default": 0,
        "state": state,
        "created_at": now,
        "changed_at": now,
    }
    if name is not None:
        _make_room(viewer, conn, found, name, new)
        conn.execute(insert(tables.saved_view), row)
    else:
        row["view_id"] = _link_id(found, page, state)
        insert_or_replace(conn, tables.saved_view, [row], replace=["changed_at"])
        _drop_oldest_links(conn, found)
    return find_view(viewer, conn, team, project, str(row["view_id"]))


def change_view(
    viewer: Viewer, conn: Connection, team: str, project: str, key: str, change: Change, now: float
) -> SavedView:
    """Give a view another name or state, or make it the one that the project opens in, or not.

    Raises:
        Forbidden: `viewer` may see the project, and not change this in it.
        NotFound: there is no such view, or `viewer` may not see it.
        BadQuery: name, page or state is out of bounds, or a default would not be for the team.
        Conflict: somebody changed it meanwhile, or another view has that name.
    """
    found, before = _locked_view(viewer, conn, team, project, key)
    if not before.view.name:
        raise BadQuery("What a link stands for does not change: save it under a name.")
    values: dict[str, object] = {}
    if change.name is not None:
        values["name"] = to_sql(_new_name(viewer, conn, found, before.view, change.name))
    if change.state is not None:
        if before.view.changed_at != change.read:
            raise Conflict("Somebody changed this view meanwhile. Load it again, or save another.")
        values["state"] = _checked_state(change.state)
        values["page"] = _checked_page(change.page or before.view.page)
        values["changed_at"] = now
    if change.is_default is not None:
        if change.is_default and not before.view.for_team:
            raise BadQuery("A project opens in a view of the team, and this one is only yours.")
        _unset_default(conn, found, but=before.view.id)
        values["is_default"] = int(change.is_default)
    if values:
        here = _of.view_id == before.view.id
        conn.execute(update(tables.saved_view).where(here).values(values))
    return find_view(viewer, conn, team, project, key)


def remove_view(
    viewer: Viewer, conn: Connection, team: str, project: str, key: str, now: float
) -> SavedView:
    """Remove a named view, and return what it was. Links to it say that it is gone.

    What was said of it goes with it; so where others said something, who may take theirs back
    removes it.

    Raises:
        Forbidden: `viewer` may see the project, and not change this in it, or others said
            something of the view and `viewer` does not run the project.
        NotFound: there is no such view, or `viewer` may not see it.
        BadQuery: it stands for a link.
    """
    found, before = _locked_view(viewer, conn, team, project, key)
    view = before.view
    if not view.name:
        raise BadQuery("What a link stands for stays, as long as the project has not too many.")
    # From here on nobody says more of it.
    conn.execute(select(_of.view_id).where(_of.view_id == view.id).with_for_update())
    others = _said_by_others(viewer, conn, view.id)
    if others and not _runs(viewer, conn, found):
        raise Forbidden("Others said something of this view: who runs the project deletes it.")
    _remove_words(conn, view.id)
    conn.execute(delete(tables.saved_view).where(_of.view_id == view.id))
    if view.for_team:
        was = {"name": view.name, "owner": view.owner, "comments_of_others": others}
        place = f"{team}/{project}: {view.id}"
        note_down(conn, actor_of(viewer), "view.removed", place, now, before=was)
    return before


def _said_by_others(viewer: Viewer, conn: Connection, key: str) -> int:
    comment = tables.comment.c
    theirs = comment.account_id.is_distinct_from(viewer.account_id)
    here = (comment.view_id == key) & comment.removed_at.is_(None) & theirs
    return conn.execute(select(func.count()).where(here)).scalar_one()


def _runs(viewer: Viewer, conn: Connection, project: ProjectRef) -> bool:
    of = tables.project.c.project_id
    query = select(of).where(of == project.project_id, visible_projects(viewer, Role.ADMIN))
    return conn.scalar(query) is not None


def _remove_words(conn: Connection, key: str) -> None:
    """Remove what was said of a view."""
    comment = tables.comment.c
    said = select(comment.comment_id).where(comment.view_id == key)
    conn.execute(delete(tables.mention).where(tables.mention.c.comment_id.in_(said)))
    # Answers first: each refers to the one that begins its thread.
    for of_them in (comment.answers.is_not(None), comment.answers.is_(None)):
        conn.execute(delete(tables.comment).where(comment.view_id == key, of_them))


def visible_views(viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition on saved views of all projects that holds for what `viewer` may see."""
    projects = select(tables.project.c.project_id).where(visible_projects(viewer))
    return _of.project_id.in_(projects) & _is_for(viewer)


def _visible(viewer: Viewer, project: ProjectRef) -> ColumnElement[bool]:
    return (_of.project_id == project.project_id) & _is_for(viewer)


def _is_for(viewer: Viewer) -> ColumnElement[bool]:
    # A guest is called something, and an account may be called the same.
    mine = false() if viewer.kind == "share" else _of.owner == to_sql(author_of(viewer))
    return or_(_of.for_team == 1, mine)


def _listed() -> list[ColumnElement[Any]]:
    return [column for column in _of if column.name != "state"]


def _row(row: Any) -> ViewRow:
    return ViewRow(
        id=row.view_id,
        page=row.page,
        name=from_sql(row.name or ""),
        owner=from_sql(row.owner),
        for_team=row.for_team > 0,
        is_default=row.is_default > 0,
        changed_at=row.changed_at,
    )


def _saved(conn: Connection, condition: ColumnElement[bool]) -> SavedView | None:
    row = conn.execute(select(tables.saved_view).where(condition)).one_or_none()
    return None if row is None else SavedView(_row(row), row.state)


def _locked(
    viewer: Viewer, conn: Connection, team: str, project: str, *, is_shared: bool
) -> ProjectRef:
    """Find a project whose views change: one change after the other.

    Whoever may see the project may keep views of it; those of the team are for its editors.
    """
    if not viewer.can_edit or ANY in (team, project):
        raise Forbidden
    least = Role.EDITOR if is_shared else Role.VIEWER
    found = find_project(viewer, conn, team, project, least)
    here = tables.project.c.project_id == found.project_id
    # Ingest may add runs to it meanwhile.
    conn.execute(
        select(tables.project.c.project_id).where(here).with_for_update(key_share=True)
    ).scalar_one()
    return found


def _locked_view(
    viewer: Viewer, conn: Connection, team: str, project: str, key: str
) -> tuple[ProjectRef, SavedView]:
    # Whose it is never changes; all else is read once nobody else changes it.
    is_shared = find_view(viewer, conn, team, project, key).view.for_team
    found = _locked(viewer, conn, team, project, is_shared=is_shared)
    return found, find_view(viewer, conn, team, project, key)


def _make_room(
    viewer: Viewer, conn: Connection, project: ProjectRef, name: str, new: NewView
) -> None:
    """See that a view of this name can be added."""
    _refuse_same_name(viewer, conn, project, name, for_team=new.for_team)
    if new.id and conn.scalar(select(_of.view_id).where(_of.view_id == new.id)) is not None:
        raise Conflict("There is a view of that id already.")
    here = (_of.project_id == project.project_id) & _of.name.is_not(None)
    if new.for_team:
        most, kept = MAX_NAMED, here & (_of.for_team == 1)
        words = f"A project has at most {most} views for the team. Delete some of those."
    else:
        most, kept = MAX_OWN, here & (_of.for_team == 0) & (_of.owner == to_sql(author_of(viewer)))
        words = f"One keeps at most {most} views of one's own in a project. Delete some of yours."
    if conn.execute(select(func.count()).where(kept)).scalar_one() >= most:
        raise TooMuch(words)


def _new_name(
    viewer: Viewer, conn: Connection, project: ProjectRef, view: ViewRow, given: str
) -> str:
    name = _checked_name(given)
    if name != view.name:
        _refuse_same_name(viewer, conn, project, name, for_team=view.for_team)
    return name


def _refuse_same_name(
    viewer: Viewer, conn: Connection, project: ProjectRef, name: str, *, for_team: bool
) -> None:
    same = (_of.name == to_sql(name)) & (_of.for_team == int(for_team))
    if conn.scalar(select(_of.view_id).where(_visible(viewer, project), same).limit(1)):
        raise Conflict("There is a view of this name already. Choose another name, or update it.")


def _unset_default(conn: Connection, project: ProjectRef, *, but: str) -> None:
    here = (_of.project_id == project.project_id) & (_of.is_default == 1) & (_of.view_id != but)
    conn.execute(update(tables.saved_view).where(here).values(is_default=0))


def _link_id(project: ProjectRef, page: str, state: str) -> str:
    """Return the id of a long link: of the same content always the same."""
    content = f"{project.project_id} {page} {state}".encode()
    return hashlib.sha256(content).hexdigest()[:LINK_CHARS]


def _drop_oldest_links(conn: Connection, project: ProjectRef) -> None:
    links = (_of.project_id == project.project_id) & _of.name.is_(None)
    surplus = conn.execute(select(func.count()).where(links)).scalar_one() - MAX_LINKS
    if surplus > 0:
        oldest = select(_of.view_id).where(links).order_by(_of.changed_at, _of.view_id)
        gone = list(conn.scalars(oldest.limit(surplus)))
        conn.execute(delete(tables.saved_view).where(_of.view_id.in_(gone)))


def _checked_name(given: str) -> str:
    name = checked_line(given, "A name", MAX_NAME_CHARS)
    if not name:
        raise BadQuery("A view needs a name.")
    return name


def _checked_page(page: str) -> str:
    if page not in PAGES:
        raise BadQuery(f"`page` is one of {', '.join(PAGES)}.")
    return page


def _checked_state(state: str) -> str:
    """Return the state as this program writes it, without the view that it began with."""
    # Half a character of two is no text that any address can hold.
    text = state.encode("utf-8", "replace").decode()
    written = encode_view(replace(decode_view(text), saved="", without=()))
    if len(written) > MAX_STATE_BYTES:
        raise BadQuery(
            f"A view has at most {MAX_STATE_BYTES} bytes; this one has {len(written)}. "
            "Select fewer runs, or find them by a query."
        )
    return written
