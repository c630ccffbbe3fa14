"""Remarks that people make in the browser on a moment of a run, or of a whole project."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Connection, delete, func, insert, or_, select, update

from orgboard_dashboard.queries.edits import author_of
from orgboard_dashboard.queries.errors import BadQuery, NotFound, TooMuch
from orgboard_dashboard.queries.visible import ProjectRef, find_project, find_runs, runs_of
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.sql import tables
from orgboard_schema.sql.registry import new_uid
from orgboard_schema.sql.roles import Role
from orgboard_schema.sql.text import from_sql, to_sql

__all__ = [
    "MAX_CHARS",
    "Moment",
    "RemarkRow",
    "add_remark",
    "change_remark",
    "list_remarks",
]

MAX_CHARS: Final = 1000
"""Of one text: it is read on an axis."""
_MAX_OF_PROJECT: Final = 10_000
_MAX_LISTED: Final = 1000

_of, _run = tables.annotation.c, tables.run.c


@dataclass(frozen=True, slots=True)
class Moment:
    """What a remark is about: a run or every run, a step or a wall time or the whole."""

    uid: str | None = None
    step: int | None = None
    wall: float | None = None


@dataclass(frozen=True, slots=True)
class RemarkRow:
    """A remark."""

    id: str
    run: str | None
    """Uid; None: it is about every run of the project."""
    step: int | None
    wall: float | None
    text: str
    author: str
    written_at: float


def list_remarks(
    viewer: Viewer, conn: Connection, team: str, project: str, uids: tuple[str, ...] = ()
) -> tuple[RemarkRow, ...]:
    """Return remarks on the project and on these of its runs (none named: on all), oldest first.

    Of very many, the newest.

    Raises:
        NotFound: there is no such project, or `viewer` may not see it.
    """
    found = find_project(viewer, conn, team, project)
    seen = select(_run.uid).where(runs_of(viewer, found))
    if uids:
        seen = seen.where(_run.uid.in_([to_sql(uid) for uid in uids]))
    wanted: ColumnElement[bool] = _of.uid.in_(seen)
    # Who was shown some runs was not shown what is said of the others.
    if viewer.within is None or viewer.within.uids is None:
        wanted = or_(_of.uid.is_(None), wanted)
    here = found.several or (found.project_id,)
    rows = conn.execute(
        select(tables.annotation)
        .where(_of.project_id.in_(here), wanted)
        .order_by(_of.written_at.desc(), _of.annotation_id)
        .limit(_MAX_LISTED)
    ).all()
    return tuple(
        RemarkRow(
            id=row.annotation_id,
            run=row.uid,
            step=row.step,
            wall=row.wall,
            text=from_sql(row.text),
            # A guest knows no account.
            author="" if viewer.kind == "share" else from_sql(row.author),
            written_at=row.written_at,
        )
        for row in reversed(rows)
    )


def add_remark(
    viewer: Viewer, conn: Connection, team: str, project: str, moment: Moment, text: str, now: float
) -> str:
    """Store a remark, and return its id.

    Raises:
        Forbidden: `viewer` may see it, and not change it.
        NotFound: there is no such project or run, or `viewer` may not see it.
        BadQuery: the text is empty or too long.
        TooMuch: the project has too many.
    """
    found = find_project(viewer, conn, team, project, Role.EDITOR)
    if moment.uid is not None and not find_runs(viewer, conn, found, (to_sql(moment.uid),)):
        raise NotFound
    mine = select(func.count()).where(_of.project_id == found.project_id)
    if conn.execute(mine).scalar_one() >= _MAX_OF_PROJECT:
        raise TooMuch(f"A project has at most {_MAX_OF_PROJECT} annotations. Remove some.")
    key = new_uid()
    row = {"annotation_id": key, "project_id": found.project_id, "uid": moment.uid}
    row |= {"step": moment.step, "wall": moment.wall, "text": to_sql(_checked(text))}
    row |= {"author": to_sql(author_of(viewer)), "written_at": now}
    conn.execute(insert(tables.annotation), row)
    return key


def change_remark(
    viewer: Viewer, conn: Connection, team: str, project: str, key: str, text: str, now: float
) -> None:
    """Put `text` in place of what a remark says; an empty one takes the remark away.

    Raises:
        Forbidden: `viewer` may see it, and not change it.
        NotFound: there is none, or `viewer` may not see it.
        BadQuery: the text is too long.
    """
    found = find_project(viewer, conn, team, project, Role.EDITOR)
    if not _is_seen(viewer, conn, found, key):
        raise NotFound
    here = _of.annotation_id == to_sql(key)
    if not text.strip():
        conn.execute(delete(tables.annotation).where(here))
        return
    words = {"text": to_sql(_checked(text)), "author": to_sql(author_of(viewer))}
    conn.execute(update(tables.annotation).where(here).values(words | {"written_at": now}))


def _is_seen(viewer: Viewer, conn: Connection, project: ProjectRef, key: str) -> bool:
    query = select(_of.uid).where(
        _of.annotation_id == to_sql(key), _of.project_id == project.project_id
    )
    row = conn.execute(query).one_or_none()
    if row is None:
        return False
    return row.uid is None or bool(find_runs(viewer, conn, project, (row.uid,)))


def _checked(text: str) -> str:
    words = text.strip()
    if not 0 < len(words) <= MAX_CHARS:
        raise BadQuery(f"An annotation has 1 to {MAX_CHARS} characters.")
    return words
