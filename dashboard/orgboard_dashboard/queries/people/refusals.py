"""Refused admin actions, as the log tells them: what somebody asked for and may not do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlalchemy import Connection, select

from orgboard_dashboard.queries.errors import Forbidden, NotFound
from orgboard_dashboard.queries.people.audit import REFUSED, actor_of, note_down
from orgboard_dashboard.queries.people.members import find_team
from orgboard_dashboard.queries.visible import Role, find_project
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.sql import tables
from orgboard_schema.sql.text import to_sql

__all__ = ["note_refusal"]

_KEPT_TO_ONESELF: Final = {"view.removed": "key"}
"""What is not told of an action: a view may be somebody's own, which nobody else knows of."""


def note_refusal(
    viewer: Viewer,
    conn: Connection,
    action: str,
    named: Mapping[str, str],
    now: float,
    *,
    times: int = 1,
) -> bool:
    """Write down that `viewer` was refused an action on what is `named`; return whether it was.

    It was not when `viewer` may do this there: then only what it was to be done to is not there.
    """
    if _may(viewer, conn, named):
        return False
    after = {"times": times} if times > 1 else None
    left_out = _KEPT_TO_ONESELF.get(action, "")
    subject = "/".join(part for name, part in named.items() if name != left_out)
    note_down(conn, actor_of(viewer), action, subject, now, after=after, outcome=REFUSED)
    return True


def _may(viewer: Viewer, conn: Connection, named: Mapping[str, str]) -> bool:
    try:
        if "project" in named:
            find_project(viewer, conn, named["team"], named["project"], Role.ADMIN)
        elif "team" in named:
            find_team(viewer, conn, named["team"], Role.ADMIN)
        elif not viewer.runs_board:
            return "token_id" in named and _is_own(viewer, conn, named["token_id"])
    except (Forbidden, NotFound):
        return False
    return viewer.can_edit


def _is_own(viewer: Viewer, conn: Connection, token_id: str) -> bool:
    token = tables.token.c
    here = (token.token_id == to_sql(token_id)) & (token.account_id == viewer.account_id)
    return conn.scalar(select(token.token_id).where(here)) is not None
