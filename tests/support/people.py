"""People of a board: made in its database, signed in, and asking as their browsers would."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import httpx

from orgboard_dashboard.accounts.opaque import csrf_of, new_secret
from orgboard_dashboard.accounts.passwords import hash_of
from orgboard_dashboard.app import Web
from orgboard_dashboard.queries.errors import Conflict
from orgboard_dashboard.queries.people.accounts import make_account, set_password
from orgboard_dashboard.queries.people.members import (
    make_project,
    make_team,
    set_grant,
    set_member,
    set_visibility,
)
from orgboard_dashboard.queries.people.ways_in import Guess, guess_at, open_session
from orgboard_dashboard.viewer import SystemViewer
from orgboard_schema.sql.engine import begin_write
from orgboard_schema.sql.roles import Role
from support.boards import Board

__all__ = ["HOST", "PASSWORD", "Person", "add_person", "add_project", "put", "sign_in", "two_teams"]

HOST: Final = SystemViewer()
PASSWORD: Final = "a long walk by the sea"
AGENT: Final = "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0"


@dataclass(slots=True)
class Person:
    """Somebody who is signed in, whose browser keeps the secret that it was told last."""

    board: Board
    name: str
    secret: str
    session: str
    web: Web | None = None

    def ask(self, method: str, path: str, json: Any = None) -> httpx.Response:
        """Send a request under /api/ui/v1/, or of a page when it begins with a slash."""
        headers = {"cookie": f"ob_session={self.secret}", "x-csrftoken": csrf_of(self.secret)}
        address = path if path.startswith("/") else f"/api/ui/v1/{path}"
        body: dict[str, Any] = {} if method == "GET" else {"json": json or {}}
        answer = self.board.ask(method, address, web=self.web, headers=headers, **body)
        self.secret = answer.cookies.get("ob_session") or self.secret
        return answer

    def get(self, path: str) -> Any:
        """Ask for what must be there."""
        answer = self.ask("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, json: Any = None, method: str = "POST") -> Any:
        """Ask for what must be done."""
        answer = self.ask(method, path, json)
        assert answer.status_code == 200, answer.text
        return answer.json()


def add_person(board: Board, name: str, *, is_admin: bool = False, kind: str = "person") -> None:
    """Make an account; a person's has the password that all have here."""
    with begin_write(board.engine) as conn:
        now = time.time()
        account_id = make_account(HOST, conn, name, now, kind=kind, is_admin=is_admin)
        if kind == "person":
            set_password(conn, account_id, _kept(), now)


@cache
def _kept() -> str:
    return hash_of(PASSWORD)


def sign_in(board: Board, name: str, *, at: float | None = None, web: Web | None = None) -> Person:
    """Open a session of an account that was made."""
    secret = new_secret()
    with begin_write(board.engine) as conn:
        guess: Guess = guess_at(conn, name)
        now = time.time() if at is None else at
        session = open_session(conn, guess, secret, now, address="10.1.2.3", agent=AGENT)
    return Person(board, name, secret, session, web)


def add_project(board: Board, team: str, project: str, visibility: str = "team") -> None:
    """Make a project, or say how widely one is seen that runs were logged into."""
    now = time.time()
    with begin_write(board.engine) as conn, suppress(Conflict):
        make_team(HOST, conn, team, now)
    with begin_write(board.engine) as conn, suppress(Conflict):
        make_project(HOST, conn, team, project, visibility, now)
    with begin_write(board.engine) as conn:
        set_visibility(HOST, conn, team, project, visibility, time.time())


def put(board: Board, place: str, name: str, role: Role | None) -> None:
    """Give somebody a role in a TEAM, or a TEAM/PROJECT; None takes it away."""
    team, slash, project = place.partition("/")
    with begin_write(board.engine) as conn:
        if slash:
            set_grant(HOST, conn, team, project, name, role, time.time())
        else:
            set_member(HOST, conn, team, name, role, time.time())


def two_teams(board: Board) -> Person:
    """Make a board of two teams, each with a project and an editor; give who runs it, signed in."""
    add_person(board, "Ana", is_admin=True)
    for team, name in (("red", "ben"), ("blue", "eve")):
        add_person(board, name)
        add_project(board, team, "one")
        put(board, team, name, Role.EDITOR)
    return sign_in(board, "Ana")
