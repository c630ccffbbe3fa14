"""What was done, by whom: written in the transaction of the change, and never changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, insert, select

from orgboard_dashboard.queries.errors import NotFound
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.sql import tables
from orgboard_schema.sql.text import from_sql, to_sql

__all__ = [
    "DONE",
    "MAX_LISTED",
    "REFUSED",
    "Actor",
    "Record",
    "actor_of",
    "list_actions",
    "list_records",
    "note_down",
]

DONE: Final = "done"
REFUSED: Final = "refused"

MAX_LISTED: Final = 500
"""Records of one answer."""

_MAX_SUBJECT_CHARS: Final = 500

_of = tables.audit.c


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something, as the log tells it."""

    account_id: int | None
    name: str
    via: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """One thing that was done."""

    id: int
    at: float
    actor: str
    via: str
    address: str
    action: str
    subject: str
    outcome: str
    before: str
    after: str


def actor_of(viewer: Viewer) -> Actor:
    """Return `viewer` as the log tells it."""
    name = "host" if viewer.kind == "system" else viewer.name
    return Actor(viewer.account_id, name, viewer.via, viewer.address)


def note_down(
    conn: Connection,
    actor: Actor,
    action: str,
    subject: str,
    now: float,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    outcome: str = DONE,
) -> None:
    """Add a record to the log, in the transaction of what it records."""
    row = {
        "at": now,
        "account_id": actor.account_id,
        "actor": to_sql(actor.name),
        "via": actor.via or None,
        "address": to_sql(actor.address),
        "action": action,
        "subject": to_sql(subject[:_MAX_SUBJECT_CHARS]),
        "outcome": outcome,
        "before": None if before is None else to_sql(json.dumps(before, ensure_ascii=False)),
        "after": None if after is None else to_sql(json.dumps(after, ensure_ascii=False)),
    }
    conn.execute(insert(tables.audit), row)


def list_records(
    viewer: Viewer,
    conn: Connection,
    *,
    before_id: int | None = None,
    action: str = "",
    outcome: str = "",
) -> tuple[Record, ...]:
    """Return the newest records, or those older than `before_id`; of one action, or of all.

    `outcome`: only what was done, or only what was refused.

    Raises:
        NotFound: `viewer` does not run the installation: there is no log for others.
    """
    if not viewer.runs_board:
        raise NotFound
    query = select(tables.audit).order_by(_of.audit_id.desc()).limit(MAX_LISTED)
    if before_id is not None:
        query = query.where(_of.audit_id < before_id)
    if action:
        query = query.where(_of.action == action)
    if outcome:
        query = query.where(_of.outcome == outcome)
    return tuple(
        Record(
            id=row.audit_id,
            at=row.at,
            actor=from_sql(row.actor),
            via=row.via or "",
            address=from_sql(row.address),
            action=row.action,
            subject=from_sql(row.subject),
            outcome=row.outcome,
            before=from_sql(row.before or ""),
            after=from_sql(row.after or ""),
        )
        for row in conn.execute(query)
    )


def list_actions(viewer: Viewer, conn: Connection) -> tuple[str, ...]:
    """Return what the log has records of, by name.

    Raises:
        NotFound: `viewer` does not run the installation.
    """
    if not viewer.runs_board:
        raise NotFound
    return tuple(conn.scalars(select(_of.action).distinct().order_by(_of.action)))
