"""Accounts: made, put to sleep, given passwords; and their sessions."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, delete, exists, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from orgboard_dashboard.accounts.names import key_of, name_problem
from orgboard_dashboard.queries.errors import BadQuery, Conflict, NotFound
from orgboard_dashboard.queries.people.audit import actor_of, note_down
from orgboard_dashboard.queries.people.open_links import drop_resets, drop_unbacked
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.sql import tables
from orgboard_schema.sql.text import from_sql, to_sql
from orgboard_schema.sql.upsert import insert_or_replace

__all__ = [
    "AccountRow",
    "SessionRow",
    "add_account",
    "change_account",
    "change_own_password",
    "end_all_sessions",
    "end_sessions",
    "find_account",
    "is_run",
    "is_service",
    "list_accounts",
    "list_sessions",
    "make_account",
    "require_admin",
    "set_password",
    "signed_in",
]

_account, _session, _password = tables.account.c, tables.session.c, tables.password.c


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An account as lists have it. Times are epoch seconds."""

    name: str
    kind: str
    is_admin: bool
    created_at: float
    disabled_at: float | None
    has_password: bool
    has_identity: bool
    """Whether it can be signed in with by a provider."""
    has_second: bool
    """Whether it is asked for a second factor."""
    used_at: float | None
    """When it was last signed in with, by the sessions that are still there."""


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session as its owner recognises it."""

    id: str
    created_at: float
    used_at: float
    address: str
    agent: str
    is_this: bool


def list_accounts(viewer: Viewer, conn: Connection) -> tuple[AccountRow, ...]:
    """Return every account, by name.

    Raises:
        NotFound: `viewer` does not run the installation.
    """
    require_admin(viewer)
    second, identity = tables.second_factor.c, tables.identity.c
    used = (
        select(_session.account_id, func.max(_session.used_at).label("used_at"))
        .group_by(_session.account_id)
        .subquery()
    )
    rows = conn.execute(
        select(
            *(tables.account, _password.changed_at, used.c.used_at, second.confirmed_at),
            exists().where(identity.account_id == _account.account_id).label("has_identity"),
        )
        .outerjoin(tables.password, _password.account_id == _account.account_id)
        .outerjoin(tables.second_factor, second.account_id == _account.account_id)
        .outerjoin(used, used.c.account_id == _account.account_id)
        .order_by(_account.name_key)
    )
    return tuple(
        AccountRow(
            name=from_sql(row.name),
            kind=row.kind,
            is_admin=bool(row.is_admin),
            created_at=row.created_at,
            disabled_at=row.disabled_at,
            has_password=row.changed_at is not None,
            has_identity=bool(row.has_identity),
            has_second=row.confirmed_at is not None,
            used_at=row.used_at,
        )
        for row in rows
    )


def find_account(viewer: Viewer, conn: Connection, name: str) -> int:
    """Return the id of an account.

    Raises:
        NotFound: there is none of that name, or `viewer` does not run the installation.
    """
    require_admin(viewer)
    found = account_id_of(conn, name)
    if found is None:
        raise NotFound
    return found


def account_id_of(conn: Connection, name: str) -> int | None:
    """Return the id of the account of a name, however it is spelled."""
    return conn.scalar(select(_account.account_id).where(_account.name_key == to_sql(key_of(name))))


def is_service(conn: Connection, account_id: int) -> bool:
    """Tell whether an account is a program's: it has tokens, and nobody signs in with it."""
    here = _account.account_id == account_id
    return conn.scalar(select(_account.kind).where(here)) == "service"


def make_account(
    viewer: Viewer, conn: Connection, name: str, now: float, *, kind: str, is_admin: bool = False
) -> int:
    """Make an account that nobody can sign in with yet, and return its id.

    Raises:
        NotFound: `viewer` does not run the installation.
        BadQuery: this cannot be a name.
        Conflict: there is an account of that name already.
    """
    require_admin(viewer)
    account_id = add_account(conn, name, now, kind=kind, is_admin=is_admin)
    after = {"kind": kind, "admin": is_admin}
    note_down(conn, actor_of(viewer), "account.made", name, now, after=after)
    return account_id


def add_account(
    conn: Connection, name: str, now: float, *, kind: str = "person", is_admin: bool = False
) -> int:
    """Insert an account, and return its id. The caller sees to it that it may be.

    Raises:
        BadQuery: this cannot be a name.
        Conflict: there is an account of that name already.
    """
    problem = name_problem(name)
    if problem:
        raise BadQuery(problem)
    key = to_sql(key_of(name))
    row: dict[str, object] = {"name": to_sql(name), "name_key": key, "kind": kind}
    row |= {"is_admin": int(is_admin), "created_at": now}
    taken = Conflict("There is an account of this name already. Choose another name.")
    if account_id_of(conn, name) is not None:
        raise taken
    try:
        with conn.begin_nested():
            conn.execute(insert(tables.account), row)
    except IntegrityError as error:
        raise taken from error
    made: int = conn.execute(
        select(_account.account_id).where(_account.name_key == key)
    ).scalar_one()
    return made


def change_account(
    viewer: Viewer,
    conn: Connection,
    name: str,
    now: float,
    *,
    is_admin: bool | None = None,
    is_disabled: bool | None = None,
) -> None:
    """Make an account an admin or not, put it to sleep or wake it.

    Asleep, it has no session and watches nothing, and no link that it made opens. What it may do
    from now on, who stole a session before may not: when it is made an admin or is none any more
    its sessions end, but the one that asks.

    Raises:
        NotFound: there is no such account, or `viewer` does not run the installation.
        Conflict: nobody who can sign in would run the installation any more.
    """
    account_id = find_account(viewer, conn, name)
    here = _account.account_id == account_id
    # Everybody's rows: of two who take the last two admins away, one waits and is told.
    conn.execute(select(_account.account_id).where(_account.is_admin == 1).with_for_update())
    row = conn.execute(select(_account.is_admin, _account.disabled_at).where(here)).one()
    was_run = is_run(conn, but=())
    before = {"admin": bool(row.is_admin), "disabled": row.disabled_at is not None}
    after = dict(before)
    values: dict[str, object] = {}
    if is_admin is not None and is_admin != before["admin"]:
        after["admin"] = is_admin
        # Whatever a group gave or did not.
        values |= {"is_admin": int(is_admin), "admin_by_group": 0}
    if is_disabled is not None and is_disabled != before["disabled"]:
        after["disabled"], values["disabled_at"] = is_disabled, now if is_disabled else None
    if not values:
        return
    conn.execute(update(tables.account).where(here).values(values))
    # The first of all may not have opened the link yet: then somebody stays named.
    named = select(func.count()).where(_account.is_admin == 1, _account.disabled_at.is_(None))
    if not conn.scalar(named) or (was_run and not is_run(conn, but=())):
        raise Conflict("Somebody must run the board: let another person first, who can sign in.")
    if after["disabled"]:
        end_all_sessions(conn, account_id)
        _stop_watching(conn, account_id)
    elif after["admin"] != before["admin"]:
        end_all_sessions(conn, account_id, but=viewer.via)
    drop_unbacked(conn)
    note_down(conn, actor_of(viewer), "account.set", name, now, before=before, after=after)


def is_run(conn: Connection, *, but: Collection[int]) -> bool:
    """Tell whether somebody who can sign in runs the board, beside these accounts.

    A service does not sign in, and who never opened the link to set a password may never do.
    """
    identity = tables.identity.c
    signs_in = or_(
        exists().where(_password.account_id == _account.account_id),
        exists().where(identity.account_id == _account.account_id),
    )
    runs = (_account.is_admin == 1) & _account.disabled_at.is_(None)
    people = (_account.kind == "person") & _account.account_id.notin_(but)
    query = select(_account.account_id).where(runs, people, signs_in)
    return conn.scalar(query.limit(1)) is not None


def change_own_password(viewer: Viewer, conn: Connection, password_hash: str, now: float) -> None:
    """Give the viewer's account another password, and end its other sessions.

    Raises:
        NotFound: `viewer` is not signed in.
    """
    account_id = signed_in(viewer)
    _replace_password(conn, account_id, password_hash, now)
    end_all_sessions(conn, account_id, but=viewer.via)
    note_down(conn, actor_of(viewer), "password.set", viewer.name, now)


def set_password(conn: Connection, account_id: int, password_hash: str, now: float) -> None:
    """Give an account a password, and end all its sessions. The caller sees that it may be."""
    _replace_password(conn, account_id, password_hash, now)
    end_all_sessions(conn, account_id)


def list_sessions(viewer: Viewer, conn: Connection) -> tuple[SessionRow, ...]:
    """Return the viewer's own sessions, the one used last first.

    Raises:
        NotFound: `viewer` is not signed in.
    """
    mine = _session.account_id == signed_in(viewer)
    rows = conn.execute(
        select(tables.session).where(mine).order_by(_session.used_at.desc()).limit(200)
    )
    return tuple(
        SessionRow(
            id=row.session_id,
            created_at=row.created_at,
            used_at=row.used_at,
            address=from_sql(row.address),
            agent=from_sql(row.agent),
            is_this=row.session_id == viewer.via,
        )
        for row in rows
    )


def end_sessions(viewer: Viewer, conn: Connection, session_id: str | None, now: float) -> int:
    """End one of the viewer's own sessions, or all but this one; return how many ended.

    Raises:
        NotFound: `viewer` is not signed in.
    """
    mine = _session.account_id == signed_in(viewer)
    one = _session.session_id == (session_id or "")
    these = mine & (one if session_id is not None else _session.session_id != viewer.via)
    gone = conn.execute(delete(tables.session).where(these)).rowcount
    if gone:
        after = {"sessions": gone}
        note_down(conn, actor_of(viewer), "session.end", viewer.name, now, after=after)
    return gone


def signed_in(viewer: Viewer) -> int:
    """Return the account of who is signed in; a token, which has one too, is not."""
    if viewer.kind != "account" or viewer.account_id is None:
        raise NotFound
    return viewer.account_id


def require_admin(viewer: Viewer) -> None:
    """Let through who runs the installation: for others there is nothing here.

    Raises:
        NotFound: `viewer` does not.
    """
    if not viewer.runs_board:
        raise NotFound


def _replace_password(conn: Connection, account_id: int, kept: str, now: float) -> None:
    # Whoever has a link to set it, it was for the one before.
    drop_resets(conn, account_id)
    row: dict[str, object] = {"account_id": account_id, "hash": kept, "changed_at": now}
    insert_or_replace(conn, tables.password, [row], replace=["hash", "changed_at"])


def end_all_sessions(conn: Connection, account_id: int, *, but: str = "") -> None:
    """End an account's sessions, but for one that is named."""
    theirs = (_session.account_id == account_id) & (_session.session_id != but)
    conn.execute(delete(tables.session).where(theirs))


def _stop_watching(conn: Connection, account_id: int) -> None:
    for table in (tables.watch_seen, tables.watch):
        conn.execute(delete(table).where(table.c.account_id == account_id))
