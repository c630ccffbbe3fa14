"""Who asks: everybody that the rules tell apart, with real cookies and tokens."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, delete, insert, select, update

from orgboard_dashboard.accounts.opaque import csrf_of, digest, new_token
from orgboard_dashboard.queries.people.accounts import add_account
from orgboard_dashboard.queries.people.members import put_member
from orgboard_dashboard.queries.people.ways_in import ABSOLUTE_S, IDLE_S, open_session_of
from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_write
from orgboard_schema.sql.roles import Role
from support.permission_oracle import Principal, Rank, Scope, Share, Standing
from support.permission_world import BLUE, NOW, RED, SOMEBODY, World, embed_row

__all__ = [
    "ACCOUNTS",
    "LOCAL",
    "Asker",
    "Seat",
    "project_id_of",
    "seat",
    "seat_everybody",
]


@dataclass(frozen=True, slots=True)
class Asker:
    """Somebody, as the rules see that one and as the board knows it."""

    name: str
    teams: Mapping[str, Rank] = field(default_factory=dict)
    grants: Mapping[tuple[str, str], Rank] = field(default_factory=dict)
    """By team and visibility of the project."""
    is_admin: bool = False
    ended: str = ""
    """What happened to the session, the token or the account; "" when all of them stand."""
    scope: str = ""
    """Of a token: "read" or "write"."""
    bound: tuple[str, str] | None = None
    """Of a token: to a team and a visibility, or to all of the team where that is "*"."""
    shared: tuple[str, str] | None = None
    """Of a share link, or a card in another site's frame: a project, by team and visibility."""
    only_first_run: bool = False
    kind: str = "account"

    def principal(self, world: World) -> Principal:
        """Return the asker in the words of the oracle."""
        if self.kind in ("local", "reader"):
            local = {"local": Standing.LOCAL, "reader": Standing.LOCAL_READER}
            return Principal(local[self.kind])
        share = self._share(world)
        if self.kind == "embed":
            # What ended shows nothing to who holds it, and is no stranger's knock either.
            return Principal(
                Standing.FRAMED,
                instance_admin=self.is_admin,
                teams=self.teams,
                grants={world.project(*place).name: rank for place, rank in self.grants.items()},
                share=None if self.ended else share,
            )
        if share is not None:
            return Principal(Standing.STRANGER if self.ended else Standing.SHARED, share=share)
        is_gone = self.kind == "nobody" or bool(self.ended)
        return Principal(
            Standing.STRANGER if is_gone else Standing.ACCOUNT,
            instance_admin=self.is_admin,
            teams=self.teams,
            grants={world.project(*place).name: rank for place, rank in self.grants.items()},
            token=self._token(world),
        )

    def _share(self, world: World) -> Share | None:
        if self.shared is None:
            return None
        of = world.project(*self.shared)
        return Share(of.name, of.first.uid if self.only_first_run else None)

    def _token(self, world: World) -> Scope | None:
        if not self.scope:
            return None
        write = self.scope == "write"
        if self.bound is None:
            return Scope(write)
        team, visibility = self.bound
        if visibility == "*":
            return Scope(write, team=team)
        return Scope(write, project=world.project(team, visibility).name)


@dataclass(frozen=True, slots=True)
class Seat:
    """What somebody sends with every request."""

    asker: Asker
    headers: Mapping[str, str]
    spare: Mapping[str, str]
    """By another session, which may be ended."""
    owns: Sequence[str]
    """Views of one's own, one in each project of the world."""
    embed: str = ""
    """The card whose secret it is."""


_GRANTED: Final = tuple((RED, visibility) for visibility in ("private", "team", "organisation"))
_ROLES: Final = {"viewer": Rank.VIEWER, "editor": Rank.EDITOR, "admin": Rank.ADMIN}
_OWNER: Final[dict[str, Any]] = {
    "teams": {RED: Rank.ADMIN},
    "grants": {(RED, "private"): Rank.EDITOR, (BLUE, "team"): Rank.VIEWER},
}
"""Of tokens: somebody who may much, so that it shows what a token takes away."""

_SEES: Final[dict[str, Any]] = {"grants": {(RED, "private"): Rank.VIEWER}, "only_first_run": True}
_MAKERS: Final[dict[str, dict[str, Any]]] = {
    "of-a-viewer": _SEES,
    "of-an-admin": {"is_admin": True},
    # Who could see all of the team's, and of this project nothing.
    "unseen": {"teams": {RED: Rank.ADMIN}, "only_first_run": True},
    **{ended: {**_SEES, "ended": ended} for ended in ("old", "revoked", "disabled", "forged")},
}
"""Of cards in other sites' frames: what who made one may see now, and how it ended."""

LOCAL: Final = (Asker("local", kind="local"), Asker("reader", kind="reader"))
"""On a board without accounts."""

ACCOUNTS: Final = (
    Asker("nobody", kind="nobody"),
    Asker("plain"),
    *(Asker(f"team-{word}", teams={RED: rank}) for word, rank in _ROLES.items()),
    *(
        Asker(f"grant-{word}", grants=dict.fromkeys(_GRANTED, rank))
        for word, rank in _ROLES.items()
    ),
    Asker("team-and-grant", teams={RED: Rank.VIEWER}, grants={(RED, "private"): Rank.ADMIN}),
    Asker("grant-below-team", teams={RED: Rank.ADMIN}, grants={(RED, "team"): Rank.VIEWER}),
    Asker("of-blue", teams={BLUE: Rank.EDITOR}),
    Asker("instance-admin", is_admin=True),
    *(
        Asker(f"session-{ended}", teams={RED: Rank.ADMIN}, ended=ended)
        for ended in ("ended", "idle", "old", "disabled", "forged", "doubled")
    ),
    Asker("admin-disabled", is_admin=True, ended="disabled"),
    *(
        Asker(f"token-{scope}-{word}", scope=scope, bound=bound, **_OWNER)
        for scope, word, bound in (
            ("read", "unbound", None),
            ("read", "project", (RED, "team")),
            ("write", "unbound", None),
            ("write", "team", (RED, "*")),
            ("write", "project", (RED, "team")),
            ("write", "elsewhere", (BLUE, "organisation")),
            ("write", "beyond", (BLUE, "private")),
        )
    ),
    Asker("token-write-admin", scope="write", is_admin=True),
    *(
        Asker(f"token-{ended}", scope="write", ended=ended, **_OWNER)
        for ended in ("revoked", "old", "disabled", "forged")
    ),
    Asker("share-project", shared=(RED, "private")),
    Asker("share-over", shared=(RED, "private"), ended="old"),
    Asker("share-run", shared=(RED, "private"), only_first_run=True),
    *(
        Asker(f"embed-{word}", kind="embed", shared=(RED, "private"), **maker)
        for word, maker in _MAKERS.items()
    ),
)


def seat_everybody(world: World) -> dict[str, Seat]:
    """Make accounts, sessions and tokens for everybody, and views of their own."""
    with begin_write(world.engine) as conn:
        add_account(conn, SOMEBODY, NOW)
        seats = {asker.name: _seat(conn, world, asker, n) for n, asker in enumerate(ACCOUNTS)}
    world.remember()
    return seats


def seat(world: World, asker: Asker) -> Seat:
    """Let the one person of a board without accounts ask, who has views like everybody."""
    with begin_write(world.engine) as conn:
        owns = _own_views(conn, world, "", 99)
    world.remember()
    return Seat(asker, {}, {}, owns)


def _seat(conn: Connection, world: World, asker: Asker, number: int) -> Seat:
    if asker.kind == "nobody":
        return Seat(asker, {}, {}, ["nosuchown"] * len(world.projects))
    if asker.shared is not None and asker.kind != "embed":
        link = _link(conn, world, asker, asker.shared)
        return Seat(asker, link, link, ["nosuchown"] * len(world.projects))
    account_id = add_account(conn, asker.name, NOW, is_admin=asker.is_admin)
    for team, rank in asker.teams.items():
        put_member(conn, _team_id(conn, team), account_id, Role(rank), NOW)
    for place, rank in asker.grants.items():
        row = {"project_id": project_id_of(conn, world, place), "account_id": account_id}
        conn.execute(insert(tables.project_grant), row | {"role": int(rank), "since": NOW})
    if asker.kind == "embed":
        return _framed(conn, world, asker, account_id)
    headers, spare = (_way_in(conn, world, asker, account_id) for _ in range(2))
    if asker.ended == "disabled":
        here = tables.account.c.account_id == account_id
        conn.execute(update(tables.account).where(here).values(disabled_at=NOW))
    owns = _own_views(conn, world, asker.name, number, account_id)
    return Seat(asker, headers, spare, owns)


def _way_in(conn: Connection, world: World, asker: Asker, account_id: int) -> dict[str, str]:
    return (
        {"authorization": f"Bearer {_token(conn, world, asker, account_id)}"}
        if asker.scope
        else _session(conn, asker, account_id)
    )


def _session(conn: Connection, asker: Asker, account_id: int) -> dict[str, str]:
    secret = secrets.token_urlsafe(32)
    began = NOW
    if asker.ended == "old":
        began = NOW - ABSOLUTE_S
    # Opened when it was new, so that it is not swept away with those that are over.
    key = open_session_of(conn, account_id, asker.name, secret, NOW, address="", agent="")
    session = tables.session.c
    times = {"created_at": began, "used_at": NOW - IDLE_S if asker.ended == "idle" else NOW}
    conn.execute(update(tables.session).where(session.session_id == key).values(times))
    if asker.ended == "ended":
        conn.execute(delete(tables.session).where(session.session_id == key))
    cookie = f"ob_session={secret}"
    if asker.ended == "forged":
        cookie = cookie[:-1] + ("A" if cookie[-1] != "A" else "B")
    if asker.ended == "doubled":
        cookie = f"{cookie}; {cookie}"
    return {"cookie": cookie, "x-csrftoken": csrf_of(secret)}


def _token(conn: Connection, world: World, asker: Asker, account_id: int) -> str:
    key = secrets.token_hex(6)
    token = new_token(key)
    row: dict[str, Any] = {"token_id": key, "secret_sha256": digest(token), "name": "a program"}
    row |= {"account_id": account_id, "scope": asker.scope, "created_at": NOW - 10}
    row |= {"expires_at": NOW if asker.ended == "old" else NOW + 10, "used_at": NOW}
    row |= {"revoked_at": NOW if asker.ended == "revoked" else None}
    if asker.bound is not None:
        team, visibility = asker.bound
        to_team = {"team_id": _team_id(conn, team)}
        row |= (
            to_team
            if visibility == "*"
            else {"project_id": project_id_of(conn, world, asker.bound)}
        )
    conn.execute(insert(tables.token), row)
    return token[:-1] + ("A" if token[-1] != "A" else "B") if asker.ended == "forged" else token


def _link(conn: Connection, world: World, asker: Asker, place: tuple[str, str]) -> dict[str, str]:
    secret = secrets.token_urlsafe(32)
    uids = json.dumps([world.project(*place).first.uid]) if asker.only_first_run else None
    row: dict[str, Any] = {"share_id": secrets.token_hex(6), "secret_sha256": digest(secret)}
    row |= {"project_id": project_id_of(conn, world, place), "uids": uids, "title": "shown"}
    row |= {"path": "/", "created_at": NOW - 10, "expires_at": NOW + 10, "uses": 0}
    row |= {"expires_at": NOW if asker.ended else NOW + 10}
    conn.execute(insert(tables.share), row)
    return {"cookie": f"ob_share={secret}"}


def _framed(conn: Connection, world: World, asker: Asker, account_id: int) -> Seat:
    place = asker.shared or ("", "")
    key, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    uid = world.project(*place).first.uid if asker.only_first_run else None
    row = embed_row(key, digest(secret), project_id_of(conn, world, place), title="card", uid=uid)
    row |= {"account_id": account_id, "expires_at": NOW if asker.ended == "old" else NOW + 10}
    row |= {"revoked_at": NOW if asker.ended == "revoked" else None}
    conn.execute(insert(tables.embed), row)
    if asker.ended == "disabled":
        here = tables.account.c.account_id == account_id
        conn.execute(update(tables.account).where(here).values(disabled_at=NOW))
    if asker.ended == "forged":
        secret = secret[:-1] + ("A" if secret[-1] != "A" else "B")
    said = {"authorization": f"Embed {secret}"}
    return Seat(asker, said, said, ["nosuchown"] * len(world.projects), key)


def _own_views(
    conn: Connection, world: World, owner: str, number: int, account_id: int | None = None
) -> list[str]:
    keys = [f"zqme{number}p{place}zq" for place in range(len(world.projects))]
    for key, project in zip(keys, world.projects, strict=True):
        row: dict[str, Any] = {
            "view_id": key,
            "page": "scalars",
            "name": f"own of {number}",
            "owner": owner,
        }
        row |= {"project_id": project_id_of(conn, world, (project.team, project.visibility))}
        row |= {"for_team": 0, "is_default": 0, "state": "q=a", "created_at": 0, "changed_at": 0}
        conn.execute(insert(tables.saved_view), row)
        said: dict[str, Any] = {
            "comment_id": key.replace("zqme", "zqsa"),
            "uid": project.first.uid,
            "text": "mine",
        }
        said |= {"account_id": account_id, "author": owner, "written_at": NOW - 50}
        conn.execute(insert(tables.comment), said)
    return keys


def _team_id(conn: Connection, name: str) -> int:
    found = conn.scalars(select(tables.team.c.team_id).where(tables.team.c.name == name))
    return int(found.one())


def project_id_of(conn: Connection, world: World, place: tuple[str, str]) -> int:
    """Return the id of the project of a team and a visibility."""
    name = world.project(*place).name
    found = conn.scalars(select(tables.project.c.project_id).where(tables.project.c.name == name))
    return int(found.one())
