"""Second factors: a device's codes beside a password, and recovery codes for when it is gone.

start ─▶ (the owner's device) ─▶ confirm: in force, ten recovery codes   end, end_for: gone
is_second_right: at the sign-in, after the right password; no code opens twice
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, or_, select, update

from orgboard_dashboard.accounts.opaque import digest
from orgboard_dashboard.accounts.totp import new_recovery_codes, new_seed, plain, step_of
from orgboard_dashboard.queries.errors import BadQuery, Conflict
from orgboard_dashboard.queries.people.accounts import find_account, signed_in
from orgboard_dashboard.queries.people.audit import actor_of, note_down
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.sql import tables

__all__ = [
    "SecondFactor",
    "confirm",
    "end",
    "end_for",
    "has_second",
    "is_second_right",
    "second_factor_of",
    "start",
]

_factor, _recovery = tables.second_factor.c, tables.recovery_code.c


@dataclass(frozen=True, slots=True)
class SecondFactor:
    """Whether an account asks for a second factor."""

    since: float | None
    """When it was confirmed; None: it does not."""
    recovery_codes: int
    """Those that were not used yet."""


def second_factor_of(viewer: Viewer, conn: Connection) -> SecondFactor:
    """Return the viewer's own.

    Raises:
        NotFound: `viewer` is not signed in.
    """
    account_id = signed_in(viewer)
    since = conn.scalar(select(_factor.confirmed_at).where(_factor.account_id == account_id))
    mine = (_recovery.account_id == account_id) & _recovery.used_at.is_(None)
    left = conn.scalar(select(func.count()).select_from(tables.recovery_code).where(mine)) or 0
    return SecondFactor(since, left if since is not None else 0)


def start(viewer: Viewer, conn: Connection, now: float) -> bytes:
    """Make a secret for the viewer's device, which is not in force before it is confirmed.

    Raises:
        NotFound: `viewer` is not signed in.
        Conflict: one is in force.
    """
    account_id = signed_in(viewer)
    mine = _factor.account_id == account_id
    if has_second(conn, account_id):
        raise Conflict("A second factor is in force already: end it first.")
    conn.execute(delete(tables.second_factor).where(mine))
    seed = new_seed()
    row: dict[str, object] = {"account_id": account_id, "secret": seed, "made_at": now}
    conn.execute(insert(tables.second_factor), row)
    return seed


def confirm(viewer: Viewer, conn: Connection, code: str, now: float) -> tuple[str, ...]:
    """Put the viewer's second factor in force, and return the recovery codes: only now.

    Raises:
        NotFound: `viewer` is not signed in.
        BadQuery: it is not the code that the device shows.
        Conflict: none was begun, or one is in force.
    """
    account_id = signed_in(viewer)
    mine = _factor.account_id == account_id
    query = select(_factor.secret, _factor.confirmed_at).where(mine).with_for_update()
    row = conn.execute(query).one_or_none()
    if row is None or row.confirmed_at is not None:
        raise Conflict("Begin anew: there is no second factor to be confirmed.")
    step = step_of(row.secret, plain(code), now, None)
    if step is None:
        raise BadQuery("That is not the code that your device shows now. Is its clock right?")
    conn.execute(update(tables.second_factor).where(mine).values(confirmed_at=now, last_step=step))
    codes = new_recovery_codes()
    conn.execute(delete(tables.recovery_code).where(_recovery.account_id == account_id))
    rows = [{"code_sha256": digest(plain(one)), "account_id": account_id} for one in codes]
    conn.execute(insert(tables.recovery_code), rows)
    note_down(conn, actor_of(viewer), "second.set", viewer.name, now)
    return codes


def end(viewer: Viewer, conn: Connection, now: float) -> None:
    """Ask the viewer for no second factor any more.

    Raises:
        NotFound: `viewer` is not signed in.
    """
    _end(viewer, conn, signed_in(viewer), viewer.name, now)


def end_for(viewer: Viewer, conn: Connection, name: str, now: float) -> bool:
    """Ask an account for no second factor any more; return whether it was asked for one.

    Raises:
        NotFound: there is no such account, or `viewer` does not run the installation.
    """
    return _end(viewer, conn, find_account(viewer, conn, name), name, now)


def has_second(conn: Connection, account_id: int) -> bool:
    """Tell whether an account is asked for a second factor."""
    here = (_factor.account_id == account_id) & _factor.confirmed_at.is_not(None)
    return conn.scalar(select(_factor.account_id).where(here)) is not None


def is_second_right(conn: Connection, account_id: int, code: str, now: float) -> bool:
    """Tell whether a code opens an account that gave its password; then it does not again."""
    here = _factor.account_id == account_id
    row = conn.execute(select(_factor.secret, _factor.last_step).where(here)).one_or_none()
    if row is None:
        return False
    typed = plain(code)
    step = step_of(row.secret, typed, now, row.last_step)
    if step is None:
        mine = (_recovery.code_sha256 == digest(typed)) & (_recovery.account_id == account_id)
        used = update(tables.recovery_code).where(mine, _recovery.used_at.is_(None))
        return conn.execute(used.values(used_at=now)).rowcount == 1
    # Of two at once with the same code, one takes it.
    is_new = or_(_factor.last_step.is_(None), _factor.last_step < step)
    taken = update(tables.second_factor).where(here, is_new).values(last_step=step)
    return conn.execute(taken).rowcount == 1


def _end(viewer: Viewer, conn: Connection, account_id: int, name: str, now: float) -> bool:
    was = has_second(conn, account_id)
    conn.execute(delete(tables.recovery_code).where(_recovery.account_id == account_id))
    conn.execute(delete(tables.second_factor).where(_factor.account_id == account_id))
    if was:
        note_down(conn, actor_of(viewer), "second.gone", name, now)
    return was
