"""Who of those that were let in may stay: of streams, which outlive the question they began as, and
of changes, which may have waited for their words or for the database since they were let in.

Those who watch are asked of many at once, in one statement for each way in, however many there are.
No program watches by a token; what it reads in one long answer, or changes, is asked of by itself
(`stands`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import Connection, Select, select, true

from orgboard_dashboard.queries.people.shares import share_stands
from orgboard_dashboard.queries.people.ways_in import (
    has_accounts,
    session_stands,
    token_stands,
)
from orgboard_dashboard.queries.visible import role_of
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.sql import tables
from orgboard_schema.sql.dictionary import chunked

__all__ = ["stands", "who_may_stay"]

_account, _project = tables.account.c, tables.project.c
_session, _share, _token = tables.session.c, tables.share.c, tables.token.c


def who_may_stay(
    conn: Connection, viewers: Collection[Viewer], project_ids: Collection[int], now: float
) -> frozenset[tuple[Viewer, int]]:
    """Return which of these may still see which of these projects, with ways in that still open."""
    ways: dict[str, list[Viewer]] = {}
    for viewer in viewers:
        ways.setdefault(viewer.kind, []).append(viewer)
    stays: set[tuple[Viewer, int]] = set()
    for kind, ask in (("account", _by_session), ("share", _by_share)):
        # One session may watch by several pages, from before its password was given and after.
        known: dict[str, list[Viewer]] = {}
        for viewer in ways.get(kind, ()):
            known.setdefault(viewer.via, []).append(viewer)
        for some in chunked(sorted(known)):
            for via, project_id in conn.execute(ask(some, project_ids, now)):
                stays |= _all(known[via], (project_id,))
    local = ways.get("local", ())
    if local and not has_accounts(conn):
        # Alone as before: nothing of what is seen is kept from anybody.
        stays |= _all(local, project_ids)
    return frozenset(stays | _all(ways.get("system", ()), project_ids))


def stands(conn: Connection, viewer: Viewer, now: float) -> bool:
    """Tell whether what let `viewer` in still does, as who it let in.

    What is seen by it, is looked up with each question: who left a team has no runs of it.
    """
    if viewer.kind == "system":
        return True
    if viewer.kind == "local":
        return not has_accounts(conn)
    return conn.execute(_way_in(viewer, now)).first() is not None


def _way_in(viewer: Viewer, now: float) -> Select[str]:
    if viewer.kind == "share":
        return select(_share.share_id).where(_share.share_id == viewer.via, share_stands(now))
    # Who runs the board is asked for nothing more, so that has to be so still.
    still = _account.disabled_at.is_(None) & (_account.is_admin >= int(viewer.is_admin))
    if viewer.kind == "token":
        by_token = select(_token.token_id).select_from(tables.token).join(tables.account)
        return by_token.where(_token.token_id == viewer.via, token_stands(now), still)
    by_session = select(_session.session_id).select_from(tables.session).join(tables.account)
    return by_session.where(_session.session_id == viewer.via, session_stands(now), still)


def _all(viewers: Iterable[Viewer], project_ids: Collection[int]) -> set[tuple[Viewer, int]]:
    return {(viewer, project_id) for viewer in viewers for project_id in project_ids}


def _by_session(
    vias: Collection[str], project_ids: Collection[int], now: float
) -> Select[str, int]:
    return (
        select(_session.session_id, _project.project_id)
        .select_from(tables.session)
        .join(tables.account)
        .join(tables.project, true())
        .where(
            _session.session_id.in_(vias),
            session_stands(now),
            _project.project_id.in_(project_ids),
            role_of(_account.account_id, _account.is_admin) > 0,
        )
    )


def _by_share(vias: Collection[str], project_ids: Collection[int], now: float) -> Select[str, int]:
    return select(_share.share_id, _share.project_id).where(
        _share.share_id.in_(vias), share_stands(now), _share.project_id.in_(project_ids)
    )
