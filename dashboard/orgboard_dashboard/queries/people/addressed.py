"""Who may be named in a comment: those who may see what it is about, and nobody else.

That somebody else has an account is not told: a name that is none of these stays a word.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from sqlalchemy import ColumnElement, Connection, Select, select, true

from orgboard_dashboard.accounts.names import MAX_NAME_CHARS, key_of
from orgboard_dashboard.queries.errors import Forbidden
from orgboard_dashboard.queries.visible import find_project, role_of
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.sql import tables
from orgboard_schema.sql.text import from_sql, to_sql

__all__ = ["who_of_these", "whom_to_name"]

_MOST_OFFERED: Final = 8
"""Of one list: the next letter makes it shorter."""

_account, _project = tables.account.c, tables.project.c


def whom_to_name(
    viewer: Viewer, conn: Connection, team: str, project: str, typed: str
) -> tuple[str, ...]:
    """Return some names that begin with what is typed, of people who may see the project.

    Raises:
        Forbidden: `viewer` comes by a token or a link, or may write nothing.
        NotFound: there is no such project, or `viewer` may not see it.
    """
    if not viewer.can_edit:
        raise Forbidden("Who writes nothing names nobody.")
    found = find_project(viewer, conn, team, project)
    if viewer.kind == "token":
        raise Forbidden("A token does not tell who may see what.")
    if found.several is not None:
        raise Forbidden("People are named in one project.")
    key = to_sql(key_of(typed[:MAX_NAME_CHARS]))
    begins = _account.name_key.startswith(key, autoescape=True)
    others = _account.account_id != (viewer.account_id or 0)
    rows = conn.execute(_who_see(found.project_id, begins & others).limit(_MOST_OFFERED))
    return tuple(from_sql(row.name) for row in rows)


def who_of_these(
    conn: Connection, project_id: int, keys: Collection[str]
) -> Mapping[str, tuple[int, str]]:
    """Return ids and names of the people of these keys who may see a project.

    The caller may see it, and does not tell of those that are missing.
    """
    if not keys:
        return {}
    of_these = _account.name_key.in_([to_sql(key) for key in keys])
    rows = conn.execute(_who_see(project_id, of_these))
    return {from_sql(row.name_key): (row.account_id, from_sql(row.name)) for row in rows}


def _who_see(project_id: int, holds: ColumnElement[bool]) -> Select[int, str, str]:
    """Return the statement of people, awake ones, who may see a project."""
    return (
        select(_account.account_id, _account.name, _account.name_key)
        .select_from(tables.account)
        .join(tables.project, true())
        .where(
            _project.project_id == project_id,
            _account.kind == "person",
            _account.disabled_at.is_(None),
            holds,
            role_of(_account.account_id, _account.is_admin) > 0,
        )
        .order_by(_account.name_key)
    )
