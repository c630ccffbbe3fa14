"""What pages ask about oneself: who one is, sessions, the password, what one sees, tokens."""

from __future__ import annotations

import time
from typing import Any

import pytest
from sqlalchemy import update

from orgboard_dashboard.accounts.opaque import new_secret
from orgboard_dashboard.api.proof import FRESH_S
from orgboard_dashboard.queries.people.links import reset
from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_write
from orgboard_schema.sql.roles import Role
from support.boards import Board
from support.people import HOST, PASSWORD, Person, put, sign_in, two_teams

NEW_PASSWORD = "another long walk, inland"


@pytest.fixture
def ana(board: Board) -> Person:
    """Give who runs a board that has two teams, each with a project and a member."""
    return two_teams(board)


@pytest.fixture
def any_ana(any_board: Board) -> Person:
    """Give the same, once on each engine."""
    return two_teams(any_board)


def signed_in(ana: Person, name: str, *, at: float | None = None) -> Person:
    return sign_in(ana.board, name, at=at)


def test_who_asks_is_told_who_that_is(ana: Person) -> None:
    ben = signed_in(ana, "ben")

    assert ana.get("me") == {
        "name": "Ana",
        "kind": "account",
        "is_admin": True,
        "signed_in": True,
        "can_edit": True,
        "read_only": False,
    }
    assert (ben.get("me")["name"], ben.get("me")["is_admin"]) == ("ben", False)


def test_a_board_without_accounts_says_so_and_changes_nothing_of_people(board: Board) -> None:
    board.log("run")

    me = board.ask("GET", "/api/ui/v1/me").json()
    made = board.ask("POST", "/api/ui/v1/accounts", json={"name": "ana"})

    assert (me["kind"], me["signed_in"]) == ("local", False)
    assert made.status_code == 403
    assert "orgboard user" in made.json()["error"]
    assert board.ask("GET", "/api/ui/v1/sessions").status_code == 404
    assert board.ask("POST", "/api/ui/v1/prove", json={"password": "x"}).status_code == 404


def test_what_i_see_and_the_teams_that_i_am_in(ana: Person) -> None:
    told = signed_in(ana, "ben").get("access")

    assert [(row["team"], row["project"], row["role"]) for row in told["projects"]] == [
        ("red", "one", "editor")
    ]
    assert [(row["name"], row["role"]) for row in told["teams"]] == [("red", "editor")]


def test_own_sessions_are_listed_and_ended_one_and_all(any_ana: Person) -> None:
    ana = any_ana
    one, two, three = (signed_in(ana, "ben") for _ in range(3))

    listed = one.get("sessions")["sessions"]
    assert {row["id"] for row in listed} == {one.session, two.session, three.session}
    assert [row["id"] for row in listed if row["is_this"]] == [one.session]
    assert listed[0]["address"] == "10.1.2.3"

    assert one.post("sessions/end", {"id": two.session}) == {"ended": 1}
    assert two.ask("GET", "me").status_code == 401
    assert three.ask("GET", "me").status_code == 200
    assert one.post("sessions/end", {"others": True}) == {"ended": 1}
    assert three.ask("GET", "me").status_code == 401
    assert one.ask("GET", "me").status_code == 200
    # And of nobody else.
    assert one.post("sessions/end", {"id": ana.session}) == {"ended": 0}
    assert ana.ask("GET", "me").status_code == 200


@pytest.mark.parametrize("body", [{}, {"id": "a", "others": True}, {"id": 5}, {"others": "yes"}])
def test_what_is_to_be_ended_is_said_in_one_way(ana: Person, body: Any) -> None:
    assert ana.ask("POST", "sessions/end", body).status_code == 400
    assert ana.ask("GET", "me").status_code == 200


def test_a_password_is_changed_by_who_knows_it_and_ends_other_sessions(any_ana: Person) -> None:
    ana = any_ana
    ben, other = signed_in(ana, "ben"), signed_in(ana, "ben")

    wrong = ben.ask("POST", "password", {"current": "no", "password": NEW_PASSWORD})
    short = ben.ask("POST", "password", {"current": PASSWORD, "password": "short"})
    assert (wrong.status_code, wrong.json()) == (403, {"error": "That is not your password."})
    assert short.status_code == 400
    assert other.ask("GET", "me").status_code == 200

    ben.post("password", {"current": PASSWORD, "password": NEW_PASSWORD})

    assert ben.ask("GET", "me").status_code == 200
    assert other.ask("GET", "me").status_code == 401
    for password, status in ((PASSWORD, 401), (NEW_PASSWORD, 200)):
        again = ana.board.ask("POST", "/sign-in", json={"name": "ben", "password": password})
        assert again.status_code == status


DELICATE: list[tuple[str, str, Any]] = [
    ("POST", "accounts", {"name": "zoe"}),
    ("PATCH", "accounts/ben", {"admin": True}),
    ("POST", "accounts/ben/link", {}),
    ("POST", "invitations", {"team": "red", "role": "viewer"}),
    ("POST", "teams/red/members", {"name": "eve", "role": "viewer"}),
    ("POST", "tokens", {"name": "nightly"}),
    ("POST", "directories", {"path": "/data", "project": "red/one"}),
    ("POST", "p/red/one/access", {"visibility": "private"}),
    ("POST", "p/red/one/access/grants", {"name": "eve", "role": "viewer"}),
    ("POST", "p/red/one/shares", {"path": "/p/red/one/runs", "title": "t"}),
    ("POST", "p/red/one/embeds", {"tag": "loss", "title": "t", "origins": ["https://a.example"]}),
    ("POST", "groups", {"group": "ml", "team": "red", "role": "viewer"}),
    ("POST", "second-factor", {}),
    ("DELETE", "second-factor", {}),
    ("DELETE", "accounts/ben/second-factor", {}),
]


@pytest.mark.parametrize(("method", "path", "body"), DELICATE)
def test_what_is_delicate_wants_the_password_to_be_fresh(
    ana: Person, method: str, path: str, body: Any
) -> None:
    stale = signed_in(ana, "Ana", at=time.time() - FRESH_S - 1)

    refused = stale.ask(method, path, body)
    assert refused.status_code == 403
    assert refused.json()["prove"] is True
    assert "prove" not in stale.ask("POST", "prove", {"password": "no"}).json()
    assert stale.ask(method, path, body).status_code == 403

    stale.post("prove", {"password": PASSWORD})

    assert stale.ask(method, path, body).status_code == 200


def test_who_found_a_browser_open_guesses_few_passwords(any_ana: Person) -> None:
    ana = any_ana
    ben = signed_in(ana, "ben")

    said = [ben.ask("POST", "prove", {"password": f"guess {n}"}).status_code for n in range(8)]

    assert said[:5] == [403] * 5
    assert said[-1] == 429
    assert ben.ask("POST", "prove", {"password": PASSWORD}).status_code == 429
    # The one at the sign-in is the same count.
    signed = ana.board.ask("POST", "/sign-in", json={"name": "ben", "password": PASSWORD})
    assert signed.status_code == 429


def test_who_runs_the_board_speaks_for_services_and_for_nobody_else(any_ana: Person) -> None:
    ana = any_ana
    ana.post("accounts", {"name": "bot", "kind": "service"})

    assert ana.ask("POST", "tokens", {"name": "x", "owner": "ben"}).status_code == 403
    assert ana.get("tokens?everybodys=true")["tokens"] == []
    assert ana.post("tokens", {"name": "x", "owner": "bot"})["owner"] == "bot"
    assert ana.post("tokens", {"name": "x", "owner": "ana"})["owner"] == "Ana"


@pytest.mark.parametrize("place", ["*/*", "red/*"])
def test_a_token_is_for_one_project_or_for_a_team(any_ana: Person, place: str) -> None:
    team, _, project = place.partition("/")

    refused = any_ana.ask("POST", "tokens", {"name": "x", "team": team, "project": project})

    assert (refused.status_code, "one project" in refused.json()["error"]) == (400, True)


def test_nobody_signs_in_as_a_service(any_ana: Person) -> None:
    ana = any_ana
    ana.post("accounts", {"name": "bot", "kind": "service"})
    refused = ana.ask("POST", "accounts/bot/link")
    assert (refused.status_code, refused.json()["error"][:19]) == (400, "A service has token")
    # Nor by a link from before that was so.
    secret = new_secret()
    with begin_write(ana.board.engine) as conn:
        reset(HOST, conn, secret, "ben", time.time())
        kept = update(tables.account).where(tables.account.c.name == "ben")
        conn.execute(kept.values(kind="service"))
    body = {"secret": secret, "password": NEW_PASSWORD, "name": ""}
    assert ana.board.ask("POST", "/welcome", json=body).status_code == 404


def test_tokens_are_told_once_listed_and_revoked_by_whose_they_are(any_ana: Person) -> None:
    ana = any_ana
    put(ana.board, "red/one", "ben", Role.ADMIN)
    ben = signed_in(ana, "ben")
    made = ben.post("tokens", {"name": "mine", "scope": "write", "days": 7, "team": "red"})
    ana.post("accounts", {"name": "bot", "kind": "service"})
    bots = ana.post("tokens", {"name": "nightly", "owner": "bot"})

    assert made["token"].startswith(f"ob_pat_{made['id']}_")
    listed = ben.get("tokens")["tokens"]
    assert [(row["name"], row["place"], row["owner"]) for row in listed] == [("mine", "red", "ben")]
    assert "token" not in listed[0]
    everybodys = ana.get("tokens?everybodys=true")["tokens"]
    assert {row["owner"] for row in everybodys} == {"ben", "bot"}
    assert ben.ask("GET", "tokens?everybodys=true").status_code == 404
    assert ben.ask("POST", "tokens", {"name": "x", "owner": "bot"}).status_code == 404
    assert ben.ask("DELETE", f"tokens/{bots['id']}").status_code == 404

    headers = {"authorization": f"Bearer {made['token']}"}
    seen = ana.board.ask("GET", "/api/v1/projects", headers=headers)
    assert seen.status_code == 200
    # A program sees nothing of what else its owner has, or of who sees what.
    for path in ("tokens", "sessions", "accounts", "audit", "p/red/one/access"):
        assert ana.board.ask("GET", f"/api/ui/v1/{path}", headers=headers).status_code == 404
    ben.post(f"tokens/{made['id']}", method="DELETE")
    assert ana.board.ask("GET", "/api/v1/projects", headers=headers).status_code == 401


@pytest.mark.parametrize(
    "body",
    [{}, {"name": "x", "days": 1.5}, {"name": "x", "days": 0}, {"name": "x", "scope": "all"}],
)
def test_a_token_that_makes_no_sense_is_not_made(ana: Person, body: Any) -> None:
    assert ana.ask("POST", "tokens", body).status_code == 400
    assert ana.get("tokens") == {"tokens": []}
