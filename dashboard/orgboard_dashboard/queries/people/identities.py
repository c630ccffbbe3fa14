"""Identities at the organisation's provider, and the way there and back.

    begin_attempt ─▶ (the provider, outside of any transaction) ─▶ take_attempt ─▶ (its tokens)
        ─▶ enter: a session     connect: known by it from now on     freshen_by: fresh proof

An identity is an issuer and a subject. What the provider calls somebody, and the address, are for
people to read; no account is ever found by them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, delete, func, insert, or_, select, update

from orgboard_dashboard.accounts.opaque import digest
from orgboard_dashboard.accounts.provided import Provided, names_for
from orgboard_dashboard.queries.errors import Conflict, NotFound
from orgboard_dashboard.queries.people.accounts import account_id_of, add_account, signed_in
from orgboard_dashboard.queries.people.audit import REFUSED, Actor, actor_of, note_down
from orgboard_dashboard.queries.people.group_rules import apply_rules
from orgboard_dashboard.queries.people.links import redeem
from orgboard_dashboard.queries.people.second_factors import has_second
from orgboard_dashboard.queries.people.ways_in import has_accounts, open_session_of
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.sql import tables
from orgboard_schema.sql.text import from_sql, to_sql

__all__ = [
    "ATTEMPT_S",
    "Attempt",
    "Entrance",
    "Guarded",
    "IdentityRow",
    "Taken",
    "accept",
    "begin_attempt",
    "connect",
    "disconnect",
    "enter",
    "freshen_by",
    "has_password",
    "list_identities",
    "refuse_identity",
    "take_attempt",
]

ATTEMPT_S: Final = 600.0
"""How long one may be at the provider: to find a phone, and not for a night."""

_MOST_ATTEMPTS: Final = 5000
"""Under way at once; the oldest go. Anybody may begin one, and that must not fill the disk."""

_MOST_EMAIL_CHARS: Final = 320

_account, _password = tables.account.c, tables.password.c
_identity, _attempt, _session = tables.identity.c, tables.identity_attempt.c, tables.session.c


class Taken(Conflict):
    """An identity is another account's."""


class Guarded(Conflict):
    """An account is asked for a second factor, which a link is not."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A way to the provider that somebody is on."""

    nonce: str
    verifier: str
    next: str
    account_id: int | None
    """Whose identity it is to become, or is to be proved; None: to sign in."""
    created_at: float


@dataclass(frozen=True, slots=True)
class Entrance:
    """Where a session is opened: a new secret, and from where."""

    secret: str
    address: str
    agent: str


@dataclass(frozen=True, slots=True)
class IdentityRow:
    """An identity as its owner recognises it."""

    id: str
    issuer: str
    email: str
    created_at: float
    used_at: float | None


def begin_attempt(conn: Connection, state: str, browser: str, attempt: Attempt) -> None:
    """Remember that somebody goes to the provider; what is over is forgotten."""
    begun = _attempt.created_at
    newest = select(begun).order_by(begun.desc()).offset(_MOST_ATTEMPTS).limit(1)
    conn.execute(
        delete(tables.identity_attempt).where(
            or_(begun < attempt.created_at - ATTEMPT_S, begun <= newest.scalar_subquery())
        )
    )
    row = {
        "state_sha256": digest(state),
        "browser_sha256": digest(browser),
        "nonce": attempt.nonce,
        "verifier": attempt.verifier,
        "next": to_sql(attempt.next),
        "account_id": attempt.account_id,
        "created_at": attempt.created_at,
    }
    conn.execute(insert(tables.identity_attempt), row)


def take_attempt(conn: Connection, state: str, browser: str, now: float) -> Attempt | None:
    """Return what a state was made for, once; None when it is over, used, or another browser's."""
    here = _attempt.state_sha256 == digest(state)
    row = conn.execute(select(tables.identity_attempt).where(here)).one_or_none()
    # Of two at once one takes it away.
    if row is None or conn.execute(delete(tables.identity_attempt).where(here)).rowcount != 1:
        return None
    if row.browser_sha256 != digest(browser) or not 0 <= now - row.created_at <= ATTEMPT_S:
        return None
    return Attempt(row.nonce, row.verifier, from_sql(row.next), row.account_id, row.created_at)


def enter(
    conn: Connection, person: Provided, entrance: Entrance, now: float, *, sign_up: bool
) -> bool:
    """Open a session for who the provider says it is; False when nobody here is known by that.

    `sign_up`: who is new gets an account. One that is asleep is as unknown as one that is not.
    """
    row = _owner_of(conn, person)
    # The first account is for who has the board's link.
    if row is None and sign_up and has_accounts(conn) and not _is_kept(conn, person):
        account_id, name = _made_for(conn, person, entrance.address, now)
        _keep(conn, person, account_id, now)
    elif row is None:
        return False
    else:
        account_id, name = row
    _open(conn, person, account_id, name, entrance, now)
    return True


def accept(
    conn: Connection, person: Provided, link: str, name: str, entrance: Entrance, now: float
) -> None:
    """Use a one-time link by being known at the provider, in place of a password.

    Raises:
        NotFound: the link was used, is over, or was never one.
        Taken: the identity is another account's already.
        Guarded: the account that the link is for is asked for a second factor.
        Conflict: the name is another account's.
    """
    redeemed = redeem(conn, link, name, now, entrance.address)
    if has_second(conn, redeemed.account_id):
        raise Guarded("This account is asked for a second factor.")
    _connect(conn, person, redeemed.account_id, now)
    actor = Actor(redeemed.account_id, redeemed.name, "", entrance.address)
    note_down(conn, actor, "identity.set", redeemed.name, now, after=_told(person))
    _open(conn, person, redeemed.account_id, redeemed.name, entrance, now)


def connect(viewer: Viewer, conn: Connection, person: Provided, now: float) -> None:
    """Let `viewer` sign in by an identity from now on.

    Raises:
        NotFound: `viewer` is not signed in.
        Taken: it is another account's.
    """
    account_id = signed_in(viewer)
    if _connect(conn, person, account_id, now):
        note_down(conn, actor_of(viewer), "identity.set", viewer.name, now, after=_told(person))


def disconnect(viewer: Viewer, conn: Connection, identity: str, now: float) -> None:
    """Let `viewer` sign in by one of its identities no more.

    Raises:
        NotFound: it has no such one, or is not signed in.
        Conflict: it could not sign in at all any more.
    """
    account_id = signed_in(viewer)
    try:
        sha256 = bytes.fromhex(identity)
    except ValueError as error:
        raise NotFound from error
    mine = _identity.account_id == account_id
    # Of two at once, each of which leaves the other, one waits.
    own = select(_account.account_id).where(_account.account_id == account_id)
    conn.execute(own.with_for_update())
    here = mine & (_identity.identity_sha256 == sha256)
    row = conn.execute(select(_identity.issuer, _identity.email).where(here)).one_or_none()
    if row is None:
        raise NotFound
    left = conn.scalar(select(func.count()).select_from(tables.identity).where(mine)) or 0
    if left < 2 and not has_password(viewer, conn):
        raise Conflict("You could not sign in any more: set a password first, by a link.")
    conn.execute(delete(tables.identity).where(here))
    before = {"issuer": from_sql(row.issuer), "email": from_sql(row.email)}
    note_down(conn, actor_of(viewer), "identity.gone", viewer.name, now, before=before)


def freshen_by(viewer: Viewer, conn: Connection, person: Provided, now: float) -> None:
    """Write down that `viewer` signed in at the provider again just now.

    Raises:
        NotFound: it is somebody else's identity, or nobody's.
    """
    row = _owner_of(conn, person)
    if row is None or row[0] != signed_in(viewer):
        raise NotFound
    mine = _session.session_id == viewer.via
    conn.execute(update(tables.session).where(mine).values(proved_at=now))


def list_identities(viewer: Viewer, conn: Connection) -> tuple[IdentityRow, ...]:
    """Return what `viewer` is known by at providers, the oldest first.

    Raises:
        NotFound: `viewer` is not signed in.
    """
    mine = _identity.account_id == signed_in(viewer)
    rows = conn.execute(select(tables.identity).where(mine).order_by(_identity.created_at))
    return tuple(
        IdentityRow(
            id=row.identity_sha256.hex(),
            issuer=from_sql(row.issuer),
            email=from_sql(row.email),
            created_at=row.created_at,
            used_at=row.used_at,
        )
        for row in rows
    )


def has_password(viewer: Viewer, conn: Connection) -> bool:
    """Tell whether `viewer` can give a password.

    Raises:
        NotFound: `viewer` is not signed in.
    """
    mine = _password.account_id == signed_in(viewer)
    return conn.scalar(select(_password.account_id).where(mine)) is not None


def refuse_identity(
    conn: Connection, viewer: Viewer | None, why: str, address: str, now: float
) -> None:
    """Write down that the provider brought nobody in. What it said is in the operator's log."""
    actor = Actor(None, "", "", address) if viewer is None else actor_of(viewer)
    note_down(conn, actor, "sign-in", f"by the provider: {why}", now, outcome=REFUSED)


def _open(
    conn: Connection, person: Provided, account_id: int, name: str, entrance: Entrance, now: float
) -> None:
    here = _identity.identity_sha256 == person.sha256
    seen = {"used_at": now, "email": to_sql(person.email[:_MOST_EMAIL_CHARS])}
    conn.execute(update(tables.identity).where(here).values(seen))
    if person.groups is not None:
        actor = Actor(account_id, name, "", entrance.address)
        apply_rules(conn, actor, account_id, person.groups, now)
    # As long ago as the provider asked who it is: what is delicate wants that to be fresh.
    proved_at = 0.0 if person.signed_in_at is None else min(float(person.signed_in_at), now)
    open_session_of(
        conn,
        account_id,
        name,
        entrance.secret,
        now,
        proved_at=proved_at,
        way="identity",
        address=entrance.address,
        agent=entrance.agent,
    )


def _owner_of(conn: Connection, person: Provided) -> tuple[int, str] | None:
    """Return whose an identity is, unless it is asleep."""
    row = conn.execute(
        select(_account.account_id, _account.name)
        .join(tables.identity, _identity.account_id == _account.account_id)
        .where(_identity.identity_sha256 == person.sha256, _account.disabled_at.is_(None))
    ).one_or_none()
    return None if row is None else (row.account_id, from_sql(row.name))


def _is_kept(conn: Connection, person: Provided) -> bool:
    here = _identity.identity_sha256 == person.sha256
    return conn.scalar(select(_identity.account_id).where(here)) is not None


def _connect(conn: Connection, person: Provided, account_id: int, now: float) -> bool:
    """Keep an identity as an account's; return whether it was not that before."""
    here = _identity.identity_sha256 == person.sha256
    had: int | None = conn.scalar(select(_identity.account_id).where(here))
    if had is None:
        _keep(conn, person, account_id, now)
    elif had != account_id:
        raise Taken("This identity is another account's.")
    return had is None


def _keep(conn: Connection, person: Provided, account_id: int, now: float) -> None:
    row = {
        "identity_sha256": person.sha256,
        "issuer": to_sql(person.issuer),
        "subject": to_sql(person.subject),
        "account_id": account_id,
        "email": to_sql(person.email[:_MOST_EMAIL_CHARS]),
        "created_at": now,
    }
    conn.execute(insert(tables.identity), row)


def _made_for(conn: Connection, person: Provided, address: str, now: float) -> tuple[int, str]:
    """Make an account for who is new, under a name that nobody has."""
    for name in names_for(person):
        if account_id_of(conn, name) is None:
            account_id = add_account(conn, name, now)
            after = {"admin": False, **_told(person)}
            actor = Actor(account_id, name, "", address)
            note_down(conn, actor, "account.made", name, now, after=after)
            return account_id, name
    raise Conflict("No name is free that would fit.")


def _told(person: Provided) -> dict[str, str]:
    return {"issuer": person.issuer, "email": person.email}
