"""What is handed out of a project by a secret, links and cards alike: by whom, how many."""

from __future__ import annotations

from typing import Final

from sqlalchemy import ColumnElement, Connection, Table, func, select, update

from orgboard_dashboard.queries.errors import BadQuery, Forbidden, NotFound, TooMuch
from orgboard_dashboard.queries.people.audit import actor_of, note_down
from orgboard_dashboard.queries.visible import ProjectRef, find_project, find_runs
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.sql.roles import Role
from orgboard_schema.sql.text import from_sql, to_sql

__all__ = ["DAY_S", "check_title", "giving", "require_room", "require_runs", "revoke"]

DAY_S: Final = 24 * 3600.0
_MAX_LIVE: Final = 500
"""Of one kind, of a project."""
_MAX_TITLE_CHARS: Final = 200


def giving(viewer: Viewer, conn: Connection, team: str, project: str) -> ProjectRef:
    """Return the project that `viewer` hands something out of.

    Raises:
        NotFound: there is no such project, or `viewer` may not see it.
        Forbidden: `viewer` does not run the project, or is a program.
    """
    found = find_project(viewer, conn, team, project, Role.ADMIN)
    if viewer.kind == "token":
        raise Forbidden("A token shares nothing.")
    return found


def check_title(title: str, what: str) -> None:
    """See that `what`, such as "A link", has a title that fits a line.

    Raises:
        BadQuery: it has none, or one too long.
    """
    if not 0 < len(title.strip()) <= _MAX_TITLE_CHARS or not title.isprintable():
        raise BadQuery(f"{what} has a title of 1 to {_MAX_TITLE_CHARS} characters, in one line.")


def require_runs(
    viewer: Viewer, conn: Connection, project: ProjectRef, uids: tuple[str, ...] | None
) -> None:
    """See that these runs are there; None: all are meant.

    Raises:
        NotFound: one is not, or `viewer` may not see it.
    """
    if uids is not None and len(find_runs(viewer, conn, project, uids)) != len(uids):
        raise NotFound


def require_room(
    conn: Connection, project: ProjectRef, table: Table, stands: ColumnElement[bool], what: str
) -> None:
    """See that a project can have one more of what `stands`; `what`: such as "share links".

    Raises:
        TooMuch: it has too many.
    """
    here = (table.c.project_id == project.project_id) & stands
    if conn.execute(select(func.count()).select_from(table).where(here)).scalar_one() >= _MAX_LIVE:
        raise TooMuch(f"A project has at most {_MAX_LIVE} {what}. Revoke some.")


def revoke(
    viewer: Viewer,
    conn: Connection,
    place: tuple[str, str],
    table: Table,
    stands: ColumnElement[bool],
    key: str,
    now: float,
) -> None:
    """Let what has this key, of what `stands` in a team's project, open nothing any more.

    Raises:
        NotFound: there is no such project or none of that key, or `viewer` may not see it.
        Forbidden: `viewer` does not run the project.
    """
    found = find_project(viewer, conn, *place, Role.ADMIN)
    (known_by,) = table.primary_key
    here = (table.c.project_id == found.project_id) & (known_by == to_sql(key)) & stands
    title = conn.scalar(select(table.c.title).where(here))
    if conn.execute(update(table).where(here).values(revoked_at=now)).rowcount != 1:
        raise NotFound
    subject, after = f"{'/'.join(place)}: {key}", {"title": from_sql(title or "")}
    note_down(conn, actor_of(viewer), f"{table.name}.revoked", subject, now, after=after)
