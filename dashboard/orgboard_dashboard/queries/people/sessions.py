"""Everybody's sessions, for who runs the board: seen, searched, and ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Connection, delete, func, or_, select

from orgboard_dashboard.accounts.names import key_of
from orgboard_dashboard.queries.errors import NotFound
from orgboard_dashboard.queries.people.accounts import find_account, require_admin
from orgboard_dashboard.queries.people.audit import actor_of, note_down
from orgboard_dashboard.queries.people.ways_in import session_stands
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.sql import tables
from orgboard_schema.sql.text import from_sql, to_sql

__all__ = ["MOST_LISTED", "OpenSession", "end_session", "end_sessions_of", "list_all_sessions"]

MOST_LISTED: Final = 500
"""Sessions of one answer: who looks for one among more finds it by a word."""

_account, _session = tables.account.c, tables.session.c


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session that lets somebody in. Times are epoch seconds."""

    id: str
    account: str
    is_admin: bool
    """Whether the account runs the board."""
    created_at: float
    used_at: float
    address: str
    agent: str
    is_this: bool
    """Whether it is the one that asks."""


def list_all_sessions(
    viewer: Viewer, conn: Connection, now: float, words: str = ""
) -> tuple[OpenSession, ...]:
    """Return the sessions that let somebody in, the one used last first.

    With `words`, only those that have them in the name, the address or what the browser says.

    Raises:
        NotFound: `viewer` does not run the installation.
    """
    require_admin(viewer)
    query = (
        select(tables.session, _account.name, _account.is_admin)
        .join(tables.account)
        .where(session_stands(now))
        .order_by(_session.used_at.desc(), _session.session_id)
        .limit(MOST_LISTED)
    )
    if words:
        query = query.where(_has(words))
    return tuple(
        OpenSession(
            id=row.session_id,
            account=from_sql(row.name),
            is_admin=bool(row.is_admin),
            created_at=row.created_at,
            used_at=row.used_at,
            address=from_sql(row.address),
            agent=from_sql(row.agent),
            is_this=row.session_id == viewer.via,
        )
        for row in conn.execute(query)
    )


def end_session(viewer: Viewer, conn: Connection, session_id: str, now: float) -> int:
    """End one session, whoever's it is; return how many ended.

    Raises:
        NotFound: there is none, or `viewer` does not run the installation.
    """
    require_admin(viewer)
    here = _session.session_id == to_sql(session_id)
    name = conn.scalar(select(_account.name).join(tables.session).where(here))
    if name is None:
        raise NotFound
    return _end(viewer, conn, here, from_sql(name), now)


def end_sessions_of(viewer: Viewer, conn: Connection, name: str, now: float) -> int:
    """End all sessions of an account, but the one that asks; return how many ended.

    Raises:
        NotFound: there is no such account, or `viewer` does not run the installation.
    """
    account_id = find_account(viewer, conn, name)
    theirs = (_session.account_id == account_id) & (_session.session_id != viewer.via)
    return _end(viewer, conn, theirs, name, now)


def _end(
    viewer: Viewer, conn: Connection, these: ColumnElement[bool], name: str, now: float
) -> int:
    gone = conn.execute(delete(tables.session).where(these)).rowcount
    if gone:
        note_down(conn, actor_of(viewer), "session.end", name, now, after={"sessions": gone})
    return gone


def _has(words: str) -> ColumnElement[bool]:
    said = to_sql(words.lower())
    return or_(
        _account.name_key.contains(to_sql(key_of(words)), autoescape=True),
        _session.address.contains(said, autoescape=True),
        func.lower(_session.agent).contains(said, autoescape=True),
    )
