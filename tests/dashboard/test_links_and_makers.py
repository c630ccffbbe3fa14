"""A one-time link is as good as whoever made it: it opens while that one may make it, no longer."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text, update

from orgboard_dashboard.queries.people.audit import Actor
from orgboard_dashboard.queries.people.group_rules import apply_rules, set_rule
from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_write
from orgboard_schema.sql.roles import Role
from support.boards import Board
from support.people import HOST, PASSWORD, Person, add_person, put, sign_in, two_teams

NEW_PASSWORD = "another long walk, inland"


@pytest.fixture
def ana(any_board: Board) -> Person:
    """Give who runs a board with a team whose admin is ben, and with a second admin, zed."""
    ana = two_teams(any_board)
    put(any_board, "red", "ben", Role.ADMIN)
    add_person(any_board, "zed", is_admin=True)
    return ana


def secret_of(made: dict[str, Any]) -> str:
    return str(made["link"]).partition("#")[2]


def invited_by(board: Board, name: str) -> str:
    person = sign_in(board, name)
    return secret_of(person.post("invitations", {"team": "red", "role": "admin"}))


def opened(board: Board, secret: str, name: str = "newcomer") -> int:
    body = {"secret": secret, "name": name, "password": NEW_PASSWORD}
    return board.ask("POST", "/welcome", json=body).status_code


def wake(ana: Person, name: str, *, disabled: bool) -> None:
    ana.post(f"accounts/{name}", {"disabled": disabled}, method="PATCH")


def test_an_invitation_ends_with_the_account_that_made_it(ana: Person) -> None:
    secret = invited_by(ana.board, "ben")
    wake(ana, "ben", disabled=True)

    assert opened(ana.board, secret) == 404
    # Nor does it come back with its maker.
    wake(ana, "ben", disabled=False)
    assert opened(ana.board, secret) == 404


@pytest.mark.parametrize("role", [Role.EDITOR, None])
def test_an_invitation_ends_when_its_maker_runs_the_team_no_more(
    ana: Person, role: Role | None
) -> None:
    secret = invited_by(ana.board, "ben")
    put(ana.board, "red", "ben", role)
    put(ana.board, "red", "ben", Role.ADMIN)

    assert opened(ana.board, secret) == 404


@pytest.mark.parametrize("change", [{"disabled": True}, {"admin": False}])
def test_a_link_for_a_password_ends_with_the_admin_who_made_it(
    ana: Person, change: dict[str, bool]
) -> None:
    zed = sign_in(ana.board, "zed")
    secret = secret_of(zed.post("accounts/Ana/link"))
    into_no_team = secret_of(zed.post("invitations"))
    ana.post("accounts/zed", change, method="PATCH")

    assert opened(ana.board, secret) == 404
    assert opened(ana.board, into_no_team) == 404


@pytest.mark.parametrize(
    "taken",
    [
        "UPDATE account SET disabled_at = 1 WHERE name = 'ben'",
        (
            "UPDATE team_member SET role = 2 WHERE account_id ="
            " (SELECT account_id FROM account WHERE name = 'ben')"
        ),
    ],
)
def test_a_link_is_looked_at_again_when_it_is_used(ana: Person, taken: str) -> None:
    secret = invited_by(ana.board, "ben")
    with begin_write(ana.board.engine) as conn:
        conn.execute(text(taken))

    looked = ana.board.ask("POST", "/welcome/look", json={"secret": secret})
    assert (looked.status_code, opened(ana.board, secret)) == (404, 404)


def test_what_others_made_goes_on(ana: Person) -> None:
    by_ben, by_ana = invited_by(ana.board, "ben"), invited_by(ana.board, "Ana")
    wake(ana, "zed", disabled=True)
    put(ana.board, "blue", "ben", Role.EDITOR)
    assert opened(ana.board, by_ben, "carl") == 200
    wake(ana, "ben", disabled=True)
    assert opened(ana.board, by_ana, "dora") == 200


def test_what_a_group_gave_and_takes_ends_links_too(ana: Person) -> None:
    board = ana.board
    with begin_write(board.engine) as conn:
        set_rule(HOST, conn, "ops", "", Role.ADMIN, 1.0)
        eve = conn.scalar(text("SELECT account_id FROM account WHERE name = 'eve'"))
        apply_rules(conn, Actor(eve, "eve"), eve, {"ops"}, 1.0)
    secret = invited_by(board, "eve")
    with begin_write(board.engine) as conn:
        apply_rules(conn, Actor(eve, "eve"), eve, set(), 2.0)
        conn.execute(
            update(tables.account).where(tables.account.c.name == "eve").values(is_admin=1)
        )

    assert opened(board, secret) == 404


def test_a_password_that_was_changed_is_not_set_by_an_older_link(ana: Person) -> None:
    zed = sign_in(ana.board, "zed")
    secret = secret_of(zed.post("accounts/Ana/link"))
    ana.post("password", {"current": PASSWORD, "password": NEW_PASSWORD})

    assert opened(ana.board, secret) == 404
    assert ana.get("me")["name"] == "Ana"


def test_who_runs_the_board_sees_what_is_out_and_takes_it_back(ana: Person) -> None:
    board, zed = ana.board, sign_in(ana.board, "zed")
    into_red = invited_by(board, "ben")
    secrets = {"red": into_red, "eve": secret_of(zed.post("accounts/eve/link"))}

    listed = ana.get("invitations")["links"]

    told = [(one["purpose"], one["account"], one["team"], one["role"]) for one in listed]
    assert sorted(told) == [("invite", "", "red", "admin"), ("reset", "eve", "", "")]
    assert {one["made_by"] for one in listed} == {"ben", "zed"}
    assert not any(secret in str(listed) for secret in secrets.values())
    for one in listed:
        ana.post(f"invitations/{one['id']}", method="DELETE")
        assert ana.ask("DELETE", f"invitations/{one['id']}").status_code == 404
    assert [opened(board, secret) for secret in secrets.values()] == [404, 404]
    assert ana.get("invitations")["links"] == []
    noted = [row for row in ana.get("audit")["records"] if row["action"] == "link.revoked"]
    assert sorted((row["actor"], row["subject"]) for row in noted if row["outcome"] == "done") == [
        ("Ana", "eve"),
        ("Ana", "red"),
    ]


def test_who_runs_a_team_takes_back_what_leads_into_it_and_nothing_else(ana: Person) -> None:
    board, ben, eve = ana.board, sign_in(ana.board, "ben"), sign_in(ana.board, "eve")
    into_red, into_blue = (
        secret_of(ana.post("invitations", {"team": team, "role": "viewer"}))
        for team in ("red", "blue")
    )
    ids = {one["team"]: one["id"] for one in ana.get("invitations")["links"]}

    (listed,) = ben.get("teams/red/invitations")["links"]

    assert (listed["id"], listed["made_by"]) == (ids["red"], "Ana")
    assert ben.ask("GET", "invitations").status_code == 404
    assert ben.ask("GET", "teams/blue/invitations").status_code == 404
    assert eve.ask("GET", "teams/blue/invitations").status_code == 403
    for who, team in ((ben, "blue"), (eve, "blue"), (eve, "red")):
        assert who.ask("DELETE", f"invitations/{ids[team]}").status_code == 404
    assert ben.ask("DELETE", "invitations/nonsense").status_code == 404
    ben.post(f"invitations/{ids['red']}", method="DELETE")
    assert (opened(board, into_red, "carl"), opened(board, into_blue, "dora")) == (404, 200)


def test_what_was_used_or_is_over_or_whose_maker_is_gone_is_not_listed(ana: Person) -> None:
    invited_by(ana.board, "ben")
    assert opened(ana.board, invited_by(ana.board, "Ana")) == 200
    invited_by(ana.board, "zed")
    with begin_write(ana.board.engine) as conn:
        conn.execute(text("UPDATE account SET disabled_at = 1 WHERE name = 'zed'"))
    assert [one["made_by"] for one in ana.get("invitations")["links"]] == ["ben"]
    with begin_write(ana.board.engine) as conn:
        conn.execute(text("UPDATE one_time_link SET expires_at = 1"))
    assert ana.get("invitations")["links"] == []
