"""One-time links: the way in for the first admin, for who is invited, for who forgot a password.

Who has the link has what it gives, once; so it goes by the hands of people and is short-lived, and
it opens only while whoever made it may give what it gives.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, cast

from sqlalchemy import Connection, Row, delete, insert, select, update

from orgboard_dashboard.accounts.opaque import digest
from orgboard_dashboard.queries.errors import BadQuery, Conflict, Forbidden, NotFound
from orgboard_dashboard.queries.people.accounts import (
    add_account,
    end_all_sessions,
    find_account,
    is_service,
    set_password,
)
from orgboard_dashboard.queries.people.audit import Actor, actor_of, note_down
from orgboard_dashboard.queries.people.members import find_team, put_member
from orgboard_dashboard.queries.people.open_links import is_backed
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.sql import tables
from orgboard_schema.sql.logdirs import has_accounts
from orgboard_schema.sql.roles import Role
from orgboard_schema.sql.text import from_sql

__all__ = [
    "INVITATION_S",
    "RESET_S",
    "SETUP_S",
    "Link",
    "Redeemed",
    "find_link",
    "invite",
    "redeem",
    "reset",
    "set_up",
    "use_link",
]

SETUP_S: Final = 3600.0
RESET_S: Final = 24 * 3600.0
INVITATION_S: Final = 7 * 24 * 3600.0

Purpose = Literal["setup", "invite", "reset"]

_of = tables.one_time_link.c


@dataclass(frozen=True, slots=True)
class Link:
    """What a link gives to who opens it."""

    purpose: Purpose
    account: str
    """Whose password it sets; "" when it makes an account."""
    team: str
    """Where the new account becomes a member; "" for none."""
    role: Role | None


@dataclass(frozen=True, slots=True)
class Redeemed:
    """Whose account a link opened."""

    account_id: int
    name: str
    is_reset: bool
    """Whether it was there before."""


def set_up(conn: Connection, secret: str, now: float) -> None:
    """Make `secret` the link that makes the first admin. Links before it are void.

    Raises:
        Conflict: the board has accounts already.
    """
    if has_accounts(conn):
        raise Conflict("This board has accounts already; an admin can make more.")
    conn.execute(delete(tables.one_time_link).where(_of.purpose == "setup"))
    _add(conn, secret, now, now + SETUP_S, purpose="setup")


def invite(
    viewer: Viewer,
    conn: Connection,
    secret: str,
    now: float,
    team: str | None = None,
    role: Role | None = None,
) -> None:
    """Make `secret` a link that makes an account, a member of `team` when one is named.

    Raises:
        NotFound: there is no such team, or `viewer` may not see it.
        Forbidden: `viewer` runs neither the installation nor the team.
    """
    if team is None:
        if not viewer.runs_board:
            raise Forbidden("Only admins of the board invite people into no team.")
        team_id = None
    else:
        team_id = find_team(viewer, conn, team, Role.ADMIN)
    given = None if team is None else int(role or Role.VIEWER)
    expires = now + INVITATION_S
    made_by = viewer.account_id
    _add(conn, secret, now, expires, purpose="invite", team_id=team_id, role=given, made_by=made_by)
    after = {"team": team or "", "role": Role(given).word if given else ""}
    note_down(conn, actor_of(viewer), "account.invite", team or "", now, after=after)


def reset(viewer: Viewer, conn: Connection, secret: str, name: str, now: float) -> None:
    """Make `secret` a link that sets the password of an account; an older one is void.

    Raises:
        NotFound: there is no such account, or `viewer` does not run the installation.
        BadQuery: it is a service's.
    """
    account_id = find_account(viewer, conn, name)
    if is_service(conn, account_id):
        raise BadQuery("A service has tokens, and no password.")
    conn.execute(delete(tables.one_time_link).where(_of.account_id == account_id))
    made_by = viewer.account_id
    _add(conn, secret, now, now + RESET_S, purpose="reset", account_id=account_id, made_by=made_by)
    note_down(conn, actor_of(viewer), "password.link", name, now)


def find_link(conn: Connection, secret: str, now: float) -> Link | None:
    """Return what a link gives; None when it was used, is over, or was never one."""
    row = _find(conn, secret, now)
    if row is None:
        return None
    return Link(
        purpose=cast("Purpose", row.purpose),
        account=from_sql(row.account or ""),
        team=from_sql(row.team or ""),
        role=None if row.role is None else Role(row.role),
    )


def use_link(
    conn: Connection, secret: str, name: str, password_hash: str, now: float, address: str
) -> str:
    """Do what a link is for, once; return the name of the account that has the password now.

    Raises:
        NotFound: it was used, is over, or was never one.
        Conflict: there is an account of that name already.
    """
    redeemed = redeem(conn, secret, name, now, address)
    set_password(conn, redeemed.account_id, password_hash, now)
    if redeemed.is_reset:
        actor = Actor(redeemed.account_id, redeemed.name, "", address)
        note_down(conn, actor, "password.reset", redeemed.name, now)
    return redeemed.name


def redeem(conn: Connection, secret: str, name: str, now: float, address: str) -> Redeemed:
    """Use a link up, and return whose account it opens: one that was there, or one made now.

    The caller gives it a way in. Its sessions are over.

    Raises:
        NotFound: it was used, is over, or was never one.
        Conflict: there is an account of that name already.
    """
    row = _find(conn, secret, now)
    if row is None:
        raise NotFound
    taken = update(tables.one_time_link).where(
        _of.secret_sha256 == digest(secret), _of.used_at.is_(None)
    )
    if conn.execute(taken.values(used_at=now)).rowcount != 1:
        raise NotFound
    if row.purpose == "reset":
        end_all_sessions(conn, row.account_id)
        return Redeemed(row.account_id, from_sql(row.account), is_reset=True)
    is_admin = row.purpose == "setup"
    if is_admin and has_accounts(conn):
        raise NotFound
    account_id = add_account(conn, name, now, is_admin=is_admin)
    if row.team_id is not None:
        put_member(conn, row.team_id, account_id, Role(row.role), now)
    role = "" if row.team_id is None else Role(row.role).word
    after = {"admin": is_admin, "team": from_sql(row.team or ""), "role": role}
    actor = Actor(account_id, name, "", address)
    note_down(conn, actor, "account.made", name, now, after=after)
    return Redeemed(account_id, name, is_reset=False)


def _find(
    conn: Connection, secret: str, now: float
) -> Row[str, int | None, int | None, int | None, str | None, str | None] | None:
    account, team = tables.account.c, tables.team.c
    return conn.execute(
        select(
            *(_of.purpose, _of.account_id, _of.team_id, _of.role),
            *(account.name.label("account"), team.name.label("team")),
        )
        .select_from(tables.one_time_link)
        .outerjoin(tables.account, account.account_id == _of.account_id)
        .outerjoin(tables.team, team.team_id == _of.team_id)
        .where(_of.secret_sha256 == digest(secret), _of.used_at.is_(None), _of.expires_at > now)
        .where(account.disabled_at.is_(None), account.kind.is_distinct_from("service"))
        .where(is_backed())
    ).one_or_none()


def _add(conn: Connection, secret: str, now: float, expires: float, **given: object) -> None:
    row = {"secret_sha256": digest(secret), "created_at": now, "expires_at": expires, **given}
    conn.execute(insert(tables.one_time_link), row)
