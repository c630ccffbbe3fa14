"""PostgreSQL is told who asks, so that its own policies hold what a query forgot.

They do so where the web process has a role of its own (`orgboard db web-role`); whoever owns the
tables is not held. What is told goes with the transaction: the next one on the connection begins
as nobody, who sees no project.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, func, literal, select

from orgboard_dashboard.viewer import Viewer
from orgboard_schema.sql.engine import begin_read
from orgboard_schema.sql.web_role import missing_rights, rows_are_guarded

__all__ = ["WebRole", "announce", "own_role"]


@dataclass(frozen=True, slots=True)
class WebRole:
    """The role of the database by which this process works."""

    lacks: tuple[str, ...]
    """Rights that the pages need, "INSERT on audit"."""
    is_held: bool
    """By the policies of the tables."""


def own_role(engine: Engine) -> WebRole:
    """Return what the role of `engine` may; on SQLite there is none that could be held."""
    with begin_read(engine) as conn:
        return WebRole(tuple(missing_rights(conn)), rows_are_guarded(conn))


def announce(conn: Connection, viewer: Viewer | None) -> None:
    """Say for this transaction that `viewer` asks; None: somebody who is not known yet."""
    if conn.dialect.name == "postgresql":
        told = json.dumps({} if viewer is None else _told(viewer))
        conn.execute(select(func.set_config("orgboard.viewer", literal(told), True)))


def _told(viewer: Viewer) -> dict[str, Any]:
    """Return what the function `seen_projects` of the database reads."""
    told: dict[str, Any] = {}
    if viewer.may_everything or viewer.kind == "share":
        # Whoever comes by a share sees what is within it, whosever that is.
        told["all"] = True
    if viewer.account_id is not None:
        told["account"] = viewer.account_id
    within = viewer.within
    if within is not None:
        limits = {"team": within.team_id, "project": within.project_id, "uids": within.uids}
        told |= {name: limit for name, limit in limits.items() if limit is not None}
    return told
