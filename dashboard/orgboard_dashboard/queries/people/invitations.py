"""One-time links that are out: listed for who may take them back, and revoked.

Who runs the board sees all of them; who runs a team, those into it. None tells its secret: a link
is named by the hash that is kept of it, which opens nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, select

from orgboard_dashboard.queries.errors import NotFound
from orgboard_dashboard.queries.people.accounts import require_admin
from orgboard_dashboard.queries.people.audit import actor_of, note_down
from orgboard_dashboard.queries.people.members import find_team, visible_teams
from orgboard_dashboard.queries.people.open_links import is_backed
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.sql import tables
from orgboard_schema.sql.roles import Role
from orgboard_schema.sql.text import from_sql

__all__ = ["OpenLink", "list_links", "list_links_into", "revoke_link"]

_of, _team = tables.one_time_link.c, tables.team.c


@dataclass(frozen=True, slots=True)
class OpenLink:
    """A link that still opens. Times are epoch seconds."""

    id: str
    purpose: str
    account: str
    """Whose password it sets; "" when it makes an account."""
    team: str
    role: str
    made_by: str
    """ "": who has the host."""
    created_at: float
    expires_at: float


def list_links(viewer: Viewer, conn: Connection, now: float) -> tuple[OpenLink, ...]:
    """Return every link that still opens, the newest first.

    Raises:
        NotFound: `viewer` does not run the installation.
    """
    require_admin(viewer)
    return _listed(conn, _is_open(now))


def list_links_into(
    viewer: Viewer, conn: Connection, team: str, now: float
) -> tuple[OpenLink, ...]:
    """Return the links into a team that still open, the newest first.

    Raises:
        NotFound: there is no such team, or `viewer` is not in it.
        Forbidden: `viewer` does not run the team.
    """
    team_id = find_team(viewer, conn, team, Role.ADMIN)
    return _listed(conn, _is_open(now) & (_of.team_id == team_id))


def revoke_link(viewer: Viewer, conn: Connection, key: str, now: float) -> None:
    """Let a link open nothing any more.

    Raises:
        NotFound: there is none that opens, or `viewer` runs neither the board nor the team.
    """
    try:
        here = _is_open(now) & (_of.secret_sha256 == bytes.fromhex(key))
    except ValueError as error:
        raise NotFound from error
    if not viewer.runs_board:
        run_by = select(_team.team_id).where(visible_teams(viewer, Role.ADMIN))
        here &= _of.team_id.in_(run_by)
    found = _listed(conn, here)
    # Of two at once, and of who opens it meanwhile, one is first.
    if not found or conn.execute(delete(tables.one_time_link).where(here)).rowcount != 1:
        raise NotFound
    (link,) = found
    before = {"purpose": link.purpose, "role": link.role, "made_by": link.made_by}
    subject = link.account or link.team
    note_down(conn, actor_of(viewer), "link.revoked", subject, now, before=before)


def _is_open(now: float) -> ColumnElement[bool]:
    # The first admin's is the terminal's affair: where it opens, nobody is there to see it.
    is_it = _of.used_at.is_(None) & (_of.expires_at > now) & (_of.purpose != "setup")
    return is_it & is_backed()


def _listed(conn: Connection, here: ColumnElement[bool]) -> tuple[OpenLink, ...]:
    owner, maker = tables.account.alias("owner"), tables.account.alias("made_by")
    rows = conn.execute(
        select(tables.one_time_link, owner.c.name.label("owner"), _team.name.label("team"))
        .add_columns(maker.c.name.label("maker"))
        .outerjoin(owner, owner.c.account_id == _of.account_id)
        .outerjoin(maker, maker.c.account_id == _of.made_by)
        .outerjoin(tables.team, _team.team_id == _of.team_id)
        .where(here)
        .order_by(_of.created_at.desc(), _of.secret_sha256)
    )
    return tuple(map(_row, rows))


def _row(row: Any) -> OpenLink:
    return OpenLink(
        id=row.secret_sha256.hex(),
        purpose=row.purpose,
        account=from_sql(row.owner or ""),
        team=from_sql(row.team or ""),
        role="" if row.role is None else Role(row.role).word,
        made_by=from_sql(row.maker or ""),
        created_at=row.created_at,
        expires_at=row.expires_at,
    )
