"""Who of those that were let in may stay: of streams, which outlive the question they began as, and
of changes, which may have waited for their words or for the database since they were let in.

Of streams it is asked of many at once, in one statement for each way in, however many there are. No
program watches by a token: what programs may ask has no streams.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import Connection, Select, literal, select, true

from orgboard_dashboard.queries.errors import Forbidden, SignedOut
from orgboard_dashboard.queries.people.shares import share_stands
from orgboard_dashboard.queries.people.ways_in import has_accounts, session_stands, token_stands
from orgboard_dashboard.queries.visible import role_of
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.sql import tables
from orgboard_schema.sql.dictionary import chunked

__all__ = ["require_standing", "who_may_stay"]

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


def require_standing(viewer: Viewer, conn: Connection, now: float) -> None:
    """See to it, in the transaction of a change, that who makes it is still who was let in.

    Raises:
        SignedOut: What `viewer` came by does not open any more.
        Forbidden: `viewer` ran the board, and does not any more.
    """
    match viewer.kind:
        case "account":
            here = (_session.session_id == viewer.via) & session_stands(now)
            way = select(_account.is_admin).select_from(tables.session).join(tables.account)
        case "token":
            here = (_token.token_id == viewer.via) & token_stands(now)
            here &= _account.disabled_at.is_(None)
            way = select(_account.is_admin).select_from(tables.token).join(tables.account)
        case "share":
            here = (_share.share_id == viewer.via) & share_stands(now)
            way = select(literal(0)).select_from(tables.share)
        case "local":
            if has_accounts(conn):
                raise SignedOut
            return
        case "system":
            return
        case "embed":
            # A card in another page is looked at, and no more.
            raise Forbidden
    runs_board = conn.execute(way.where(here)).scalar_one_or_none()
    if runs_board is None:
        raise SignedOut
    if viewer.is_admin and not runs_board:
        raise Forbidden("You do not run this board any more. Nothing was changed.")
