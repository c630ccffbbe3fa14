"""Tokens: what programs ask by, in their owner's name, held to a scope and a place.

A token never gives more than its owner may at the moment of asking, and dies with the account.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from sqlalchemy import ColumnElement, Connection, func, insert, select, update

from orgboard_dashboard.accounts.opaque import digest
from orgboard_dashboard.queries.errors import BadQuery, Forbidden, NotFound, TooMuch
from orgboard_dashboard.queries.people.accounts import find_account, is_service
from orgboard_dashboard.queries.people.audit import actor_of, note_down
from orgboard_dashboard.queries.people.members import find_team
from orgboard_dashboard.queries.people.ways_in import token_stands
from orgboard_dashboard.queries.visible import find_project
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.sql import tables
from orgboard_schema.sql.registry import new_uid
from orgboard_schema.sql.text import from_sql, to_sql

__all__ = [
    "DEFAULT_DAYS",
    "MAX_DAYS",
    "NewToken",
    "Scope",
    "TokenRow",
    "list_tokens",
    "make_token",
    "new_token_id",
    "revoke_token",
]

Scope = Literal["read", "write"]

DEFAULT_DAYS: Final = 90
MAX_DAYS: Final = 366
_MAX_LIVE: Final = 100
"""Of one account: who needs more has lost count of them."""
_MAX_NAME_CHARS: Final = 100
_DAY_S: Final = 24 * 3600.0

_of = tables.token.c


@dataclass(frozen=True, slots=True)
class NewToken:
    """What a token is to be for."""

    name: str
    scope: str = "read"
    days: int = DEFAULT_DAYS
    team: str = ""
    """Holds in this team's projects only; "" for wherever its owner may."""
    project: str = ""
    """Holds in this one project of the team."""
    owner: str = ""
    """Of a service account, for who runs the board; "" for one's own."""


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token as its owner recognises it. Times are epoch seconds."""

    id: str
    name: str
    owner: str
    scope: str
    place: str
    """ "TEAM", "TEAM/PROJECT", or "" for wherever its owner may."""
    created_at: float
    expires_at: float
    used_at: float | None


def new_token_id() -> str:
    """Return an id that no token has: it names one in lists, and opens nothing."""
    return new_uid()


def make_token(
    viewer: Viewer, conn: Connection, token_id: str, token: str, new: NewToken, now: float
) -> TokenRow:
    """Make `token` one that lets programs in, under the id that it carries.

    Raises:
        BadQuery: name, scope or days are out of bounds.
        NotFound: there is no such team, project or account, or `viewer` may not see it.
        Forbidden: `viewer` is itself a program, or names another person.
        TooMuch: the account has too many.
    """
    owner = _owner(viewer, conn, new.owner)
    _check(new)
    team_id = project_id = None
    if new.project:
        found = find_project(viewer, conn, new.team, new.project)
        if found.several is not None:
            raise BadQuery(
                "A token holds in one project, in those of one team, or wherever you may."
            )
        project_id = found.project_id
    elif new.team:
        team_id = find_team(viewer, conn, new.team)
    live = (_of.account_id == owner) & token_stands(now)
    if conn.execute(select(func.count()).where(live)).scalar_one() >= _MAX_LIVE:
        raise TooMuch(f"An account has at most {_MAX_LIVE} tokens. Revoke some.")
    row = {
        "token_id": token_id,
        "secret_sha256": digest(token),
        "account_id": owner,
        "name": to_sql(new.name.strip()),
        "scope": new.scope,
        "team_id": team_id,
        "project_id": project_id,
        "created_at": now,
        "expires_at": now + new.days * _DAY_S,
    }
    conn.execute(insert(tables.token), row)
    made = _listed(conn, _of.token_id == token_id)[0]
    after = {"name": made.name, "owner": made.owner, "scope": made.scope, "place": made.place}
    note_down(conn, actor_of(viewer), "token.made", token_id, now, after=after)
    return made


def list_tokens(
    viewer: Viewer, conn: Connection, now: float, *, everybodys: bool = False
) -> tuple[TokenRow, ...]:
    """Return the viewer's tokens that still let in, or everybody's, the newest first.

    Raises:
        NotFound: everybody's were asked for, and `viewer` does not run the installation.
    """
    if everybodys and not viewer.runs_board:
        raise NotFound
    here = token_stands(now)
    return _listed(conn, here if everybodys else here & (_of.account_id == viewer.account_id))


def revoke_token(viewer: Viewer, conn: Connection, token_id: str, now: float) -> None:
    """Let a token open nothing from the next request on.

    Raises:
        NotFound: there is none that stands, or it is another's.
    """
    here = (_of.token_id == to_sql(token_id)) & token_stands(now)
    if not viewer.runs_board:
        here &= _of.account_id == viewer.account_id
    if conn.execute(update(tables.token).where(here).values(revoked_at=now)).rowcount != 1:
        raise NotFound
    note_down(conn, actor_of(viewer), "token.revoked", token_id, now)


def _owner(viewer: Viewer, conn: Connection, name: str) -> int:
    if viewer.kind == "token":
        raise Forbidden("A token makes no tokens.")
    if name:
        owner = find_account(viewer, conn, name)
        # What has a person's name on it, that person did. Who has the host has the database, too.
        if viewer.kind != "system" and owner != viewer.account_id and not is_service(conn, owner):
            raise Forbidden("People make their own tokens; for others, services' alone are made.")
        return owner
    if viewer.account_id is None:
        raise BadQuery("Say whose token it is: --owner NAME.")
    return viewer.account_id


def _check(new: NewToken) -> None:
    if not 0 < len(new.name.strip()) <= _MAX_NAME_CHARS or not new.name.isprintable():
        raise BadQuery(f"A token has a name of 1 to {_MAX_NAME_CHARS} characters, in one line.")
    if new.scope not in get_args(Scope):
        raise BadQuery(f"A token is for one of: {', '.join(get_args(Scope))}.")
    if not 0 < new.days <= MAX_DAYS:
        raise BadQuery(f"A token lives 1 to {MAX_DAYS} days.")
    if new.project and not new.team:
        raise BadQuery("A project is named with its team.")


def _listed(conn: Connection, here: ColumnElement[bool]) -> tuple[TokenRow, ...]:
    account, team, project = tables.account.c, tables.team.c, tables.project.c
    rows = conn.execute(
        select(tables.token, account.name.label("owner"), team.name.label("team"))
        .add_columns(project.name.label("project"))
        .join(tables.account)
        .outerjoin(tables.project, project.project_id == _of.project_id)
        .outerjoin(tables.team, team.team_id == func.coalesce(_of.team_id, project.team_id))
        .where(here)
        .order_by(_of.created_at.desc(), _of.token_id)
    )
    return tuple(map(_row, rows))


def _row(row: Any) -> TokenRow:
    return TokenRow(
        id=row.token_id,
        name=from_sql(row.name),
        owner=from_sql(row.owner),
        scope=row.scope,
        place="/".join(from_sql(part) for part in (row.team, row.project) if part),
        created_at=row.created_at,
        expires_at=row.expires_at,
        used_at=row.used_at,
    )
