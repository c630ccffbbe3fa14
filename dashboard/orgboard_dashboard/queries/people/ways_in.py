"""How somebody becomes a viewer: the only queries that nobody stands behind yet.

    session cookie ──▶ viewer_of_session         token ──▶ viewer_of_token
    name, password ──▶ admit_guess ──▶ (hash, outside) ──▶ open_session
    one-time link  ──▶ find_link   ──▶ (hash, outside) ──▶ use_link

What is slow, a password's hash, is made between two transactions and never inside one.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final, Literal

from sqlalchemy import ColumnElement, Connection, Row, delete, insert, or_, select, update

from orgboard_dashboard.accounts.delays import (
    FORGET_AFTER_S,
    OF_NAME,
    OF_NETWORK,
    Patience,
    network_of,
)
from orgboard_dashboard.accounts.names import key_of
from orgboard_dashboard.accounts.opaque import digest
from orgboard_dashboard.queries.errors import Conflict, NotFound
from orgboard_dashboard.queries.people.audit import REFUSED, Actor, actor_of, note_down
from orgboard_dashboard.queries.people.second_factors import has_second, is_second_right
from orgboard_dashboard.viewer import Viewer, Within
from orgboard_schema.sql import tables
from orgboard_schema.sql.logdirs import has_accounts
from orgboard_schema.sql.registry import new_uid
from orgboard_schema.sql.text import from_sql, to_sql
from orgboard_schema.sql.upsert import insert_new

__all__ = [
    "ABSOLUTE_S",
    "IDLE_S",
    "Guess",
    "Known",
    "Outdated",
    "admit_guess",
    "close_session",
    "freshen",
    "guess_at",
    "has_accounts",
    "is_worth_noting",
    "open_session",
    "open_session_of",
    "refuse_guess",
    "refuse_proof",
    "renew_secret",
    "session_stands",
    "take_second",
    "token_stands",
    "touch",
    "viewer_of_session",
    "viewer_of_token",
]

IDLE_S: Final = 12 * 3600.0
"""How long a session lasts that nobody uses."""
ABSOLUTE_S: Final = 7 * 24 * 3600.0
"""How long any session lasts."""

_TOUCH_EVERY_S: Final = 60.0
"""A session's last use is written down no more often."""

_MAX_AGENT_CHARS: Final = 200

_account, _session, _token = tables.account.c, tables.session.c, tables.token.c
_delay = tables.sign_in_delay.c


class Outdated(Conflict):
    """A password was right when it was compared, and is not any more."""

    def __init__(self) -> None:
        super().__init__("The password was changed meanwhile. Sign in again.")


@dataclass(frozen=True, slots=True)
class Known:
    """A viewer, and whether its last use is to be written down."""

    viewer: Viewer
    is_to_touch: bool


@dataclass(frozen=True, slots=True)
class Guess:
    """A try at a password that may be looked at."""

    account_id: int | None
    """None: there is no such account, or nobody can sign in with it."""
    name: str
    """As the account has it; as it was typed when there is none."""
    kept_hash: str | None


def session_stands(now: float) -> ColumnElement[bool]:
    """Return the condition on sessions and their accounts that hold for those that still open."""
    is_used = (_session.used_at > now - IDLE_S) & (_session.created_at > now - ABSOLUTE_S)
    return is_used & _account.disabled_at.is_(None)


def token_stands(now: float) -> ColumnElement[bool]:
    """Return the condition on tokens that holds for those that open, if their account is awake."""
    return (_token.expires_at > now) & _token.revoked_at.is_(None)


def viewer_of_session(
    conn: Connection, secret: str, now: float, *, address: str, can_edit: bool
) -> Known | None:
    """Return who holds a session; None when it is over, or was never one."""
    row = conn.execute(
        select(tables.session, _account.name, _account.is_admin)
        .join(tables.account)
        .where(_session.secret_sha256 == digest(secret), session_stands(now))
    ).one_or_none()
    if row is None:
        return None
    viewer = Viewer(
        kind="account",
        name=from_sql(row.name),
        can_edit=can_edit,
        account_id=row.account_id,
        is_admin=bool(row.is_admin),
        via=row.session_id,
        proved_at=row.proved_at,
        address=address,
    )
    return Known(viewer, row.used_at < now - _TOUCH_EVERY_S)


def viewer_of_token(
    conn: Connection, token: str, now: float, *, address: str, can_edit: bool
) -> Known | None:
    """Return who asks by a token: its owner, held to what the token is for."""
    row = conn.execute(
        select(tables.token, _account.name.label("owner"), _account.is_admin)
        .join(tables.account)
        .where(
            _token.secret_sha256 == digest(token),
            token_stands(now),
            _account.disabled_at.is_(None),
        )
    ).one_or_none()
    if row is None:
        return None
    is_bound = row.team_id is not None or row.project_id is not None
    viewer = Viewer(
        kind="token",
        name=from_sql(row.owner),
        can_edit=can_edit and row.scope == "write",
        account_id=row.account_id,
        is_admin=bool(row.is_admin),
        within=Within(row.team_id, row.project_id) if is_bound else None,
        via=row.token_id,
        address=address,
    )
    return Known(viewer, row.used_at is None or row.used_at < now - _TOUCH_EVERY_S)


def touch(conn: Connection, via: str, now: float) -> None:
    """Write down that a session or token was used."""
    conn.execute(update(tables.session).where(_session.session_id == via).values(used_at=now))
    conn.execute(update(tables.token).where(_token.token_id == via).values(used_at=now))


def admit_guess(conn: Connection, name: str, address: str, now: float) -> Guess | float:
    """Count a try at a password as wrong, and return what it is to be compared with.

    It counts before it is looked at, so that many at once are no way around the wait. Returns
    the seconds to wait instead, when it comes too early: then nothing is compared.
    """
    net, its_name = _key("net", network_of(address)), _key("name", key_of(name))
    # The network first, here and wherever both are written: while it waits, names leave no row.
    of_net, wait = _failures(conn, net, OF_NETWORK, now)
    of_name, more = _failures(conn, its_name, OF_NAME, now, is_kept=wait == 0)
    if max(wait, more) > 0:
        return max(wait, more)
    for key, failures in ((net, of_net), (its_name, of_name)):
        values = {"failures": failures + 1, "last_at": now}
        conn.execute(update(tables.sign_in_delay).where(_delay.key_sha256 == key).values(values))
    return guess_at(conn, name)


def guess_at(conn: Connection, name: str) -> Guess:
    """Return what a password given for `name` is to be compared with."""
    row = _find_account(conn, name)
    if row is None:
        return Guess(None, name, None)
    return Guess(row.account_id, from_sql(row.name), row.hash)


def open_session(
    conn: Connection, guess: Guess, secret: str, now: float, *, address: str, agent: str
) -> str:
    """Open a session for who gave the right password, and return its id.

    Raises:
        Outdated: it has another password by now, or is asleep. To compare takes long.
    """
    # Held until this is done: who changes it meanwhile ends this session too.
    here = (_account.account_id == guess.account_id) & _account.disabled_at.is_(None)
    held = select(tables.password.c.hash).join(tables.account).where(here)
    if guess.kept_hash is None or conn.scalar(held.with_for_update(read=True)) != guess.kept_hash:
        raise Outdated
    _take_back(conn, guess.name, address)
    return open_session_of(
        conn, guess.account_id, guess.name, secret, now, address=address, agent=agent
    )


def open_session_of(
    conn: Connection,
    account_id: int | None,
    name: str,
    secret: str,
    now: float,
    *,
    address: str,
    agent: str,
    way: Literal["password", "identity"] = "password",
    proved_at: float | None = None,
) -> str:
    """Open a session of an account, and return its id. The caller sees to it that it may be.

    `proved_at`: when its owner last proved who that is; None: just now.
    """
    _drop_old_sessions(conn, now)
    _forget_old_guesses(conn, now)
    session_id = new_uid()
    row = {
        "session_id": session_id,
        "secret_sha256": digest(secret),
        "account_id": account_id,
        **dict.fromkeys(("created_at", "used_at"), now),
        "proved_at": now if proved_at is None else proved_at,
        "address": to_sql(address),
        "agent": to_sql(agent[:_MAX_AGENT_CHARS]),
        "way": way,
    }
    conn.execute(insert(tables.session), row)
    subject = "" if way == "password" else "by the provider"
    note_down(conn, Actor(account_id, name, session_id, address), "sign-in", subject, now)
    return session_id


def take_second(
    conn: Connection, guess: Guess, code: str, address: str, now: float
) -> Literal["open", "ask", "refuse"]:
    """Tell what becomes of who gave the right password, and this second factor, or "" for none.

    To be asked for one counts as no wrong guess, and leaves those before it as they are; a wrong
    one stays counted, and is written down.
    """
    if guess.account_id is None or not has_second(conn, guess.account_id):
        return "open"
    if not code:
        for key in (_key("net", network_of(address)), _key("name", key_of(guess.name))):
            here = (_delay.key_sha256 == key) & (_delay.failures > 0)
            less = {"failures": _delay.failures - 1}
            conn.execute(update(tables.sign_in_delay).where(here).values(less))
        return "ask"
    if is_second_right(conn, guess.account_id, code, now):
        return "open"
    actor = Actor(guess.account_id, guess.name, "", address)
    note_down(conn, actor, "sign-in", "wrong second factor", now, outcome=REFUSED)
    return "refuse"


def refuse_guess(conn: Connection, guess: Guess, address: str, now: float) -> None:
    """Write down that a password was wrong. A name that is none is not: it may be a password."""
    actor = Actor(guess.account_id, guess.name if guess.account_id else "", "", address)
    note_down(conn, actor, "sign-in", "wrong name or password", now, outcome=REFUSED)


def is_worth_noting(conn: Connection, address: str, now: float) -> bool:
    """Tell whether to write down that somebody came with nothing; a network that keeps on is not.

    The log only grows: who sends what is none, over and over, must not fill it.
    """
    key = _key("back", network_of(address))
    failures, wait = _failures(conn, key, OF_NETWORK, now)
    if wait > 0:
        return False
    values = {"failures": failures + 1, "last_at": now}
    conn.execute(update(tables.sign_in_delay).where(_delay.key_sha256 == key).values(values))
    return True


def refuse_proof(viewer: Viewer, conn: Connection, now: float) -> None:
    """Write down that who is signed in gave a wrong password."""
    note_down(conn, actor_of(viewer), "prove", "wrong password", now, outcome=REFUSED)


def freshen(viewer: Viewer, conn: Connection, secret: str, now: float) -> None:
    """Write down that `viewer` gave the password again, in the session that it came by.

    From here on the session is opened by `secret`: who had copied the old one has nothing.

    Raises:
        NotFound: the session ended while the password was compared.
    """
    _take_back(conn, viewer.name, viewer.address)
    if not renew_secret(viewer, conn, secret):
        raise NotFound
    conn.execute(
        update(tables.session).where(_session.session_id == viewer.via).values(proved_at=now)
    )


def renew_secret(viewer: Viewer, conn: Connection, secret: str) -> bool:
    """Let the session that `viewer` came by be opened by another secret, and by no other.

    Returns whether it is still there.
    """
    mine = (_session.session_id == viewer.via) & (_session.account_id == viewer.account_id)
    renewed = update(tables.session).where(mine).values(secret_sha256=digest(secret))
    return conn.execute(renewed).rowcount == 1


def close_session(viewer: Viewer, conn: Connection, now: float) -> None:
    """End the session that `viewer` came by."""
    gone = conn.execute(delete(tables.session).where(_session.session_id == viewer.via))
    if gone.rowcount:
        actor = Actor(viewer.account_id, viewer.name, viewer.via, viewer.address)
        note_down(conn, actor, "sign-out", "", now)


def _find_account(conn: Connection, name: str) -> Row[int, str, str] | None:
    password = tables.password.c
    return conn.execute(
        select(_account.account_id, _account.name, password.hash)
        .join(tables.password)
        .where(_account.name_key == to_sql(key_of(name)), _account.disabled_at.is_(None))
    ).one_or_none()


def _failures(
    conn: Connection, key: bytes, patience: Patience, now: float, *, is_kept: bool = True
) -> tuple[int, float]:
    """Return how many wrong ones count against a key, and how many seconds too early this is.

    `is_kept`: it gets a row, if it has none.
    """
    if is_kept:
        new = {"key_sha256": key, "failures": 0, "last_at": now}
        insert_new(conn, tables.sign_in_delay, [new])
    row = conn.execute(
        select(_delay.failures, _delay.last_at).where(_delay.key_sha256 == key).with_for_update()
    ).one_or_none()
    if row is None:
        # None was to be kept, or who gave the right one took it back meanwhile.
        return 0, 0.0
    failures = patience.failures_left(row.failures, row.last_at, now)
    wait = patience.wait_s(failures)
    return failures, max(0.0, row.last_at + wait - now) if wait else 0.0


def _take_back(conn: Connection, name: str, address: str) -> None:
    """Count a guess as no wrong one after all."""
    net = _key("net", network_of(address))
    conn.execute(
        update(tables.sign_in_delay)
        .where(_delay.key_sha256 == net, _delay.failures > 0)
        .values(failures=_delay.failures - 1)
    )
    conn.execute(
        delete(tables.sign_in_delay).where(_delay.key_sha256 == _key("name", key_of(name)))
    )


def _forget_old_guesses(conn: Connection, now: float) -> None:
    """Drop what counts no more: anybody may leave rows here, and nobody else takes them away."""
    old = select(_delay.key_sha256).where(_delay.last_at < now - FORGET_AFTER_S)
    # One that is being counted just now is passed over, and not waited for.
    free = old.with_for_update(skip_locked=True)
    conn.execute(delete(tables.sign_in_delay).where(_delay.key_sha256.in_(free)))


def _key(kind: str, text: str) -> bytes:
    return hashlib.sha256(f"{kind} {text}".encode("utf-8", "replace")).digest()


def _drop_old_sessions(conn: Connection, now: float) -> None:
    is_over = or_(_session.used_at <= now - IDLE_S, _session.created_at <= now - ABSOLUTE_S)
    conn.execute(delete(tables.session).where(is_over))
