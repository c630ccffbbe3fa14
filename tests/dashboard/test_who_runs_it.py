"""Somebody who can sign in runs the board, whatever is taken from whom."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from orgboard_dashboard.queries.people.accounts import is_run
from orgboard_dashboard.queries.people.audit import Actor
from orgboard_dashboard.queries.people.group_rules import apply_rules, set_rule
from orgboard_schema.sql.engine import begin_read, begin_write
from orgboard_schema.sql.roles import Role
from support.boards import Board
from support.people import HOST, Person, add_person, sign_in

OTHERS = {"bot": {"name": "bot", "kind": "service"}, "ghost": {"name": "ghost", "kind": "person"}}
"""A program, and who never opened the link."""
LOSSES = {"demoted": {"admin": False}, "asleep": {"disabled": True}}


@pytest.fixture
def ana(any_board: Board) -> Person:
    add_person(any_board, "Ana", is_admin=True)
    return sign_in(any_board, "Ana")


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("loss", LOSSES)
def test_who_cannot_sign_in_does_not_run_the_board(ana: Person, other: str, loss: str) -> None:
    ana.post("accounts", OTHERS[other] | {"admin": True})

    refused = ana.ask("PATCH", "accounts/Ana", LOSSES[loss])

    assert (refused.status_code, "who can sign in" in refused.text) == (409, True)
    # From them it can be taken: nothing is lost with it.
    ana.post(f"accounts/{other}", LOSSES[loss], method="PATCH")


@pytest.mark.parametrize("loss", LOSSES)
def test_another_person_who_can_sign_in_is_enough(ana: Person, loss: str) -> None:
    add_person(ana.board, "zed", is_admin=True)

    ana.post("accounts/Ana", LOSSES[loss], method="PATCH")


def test_who_comes_by_the_provider_can_sign_in(ana: Person) -> None:
    ana.post("accounts", {"name": "zoe", "admin": True})
    with begin_write(ana.board.engine) as conn:
        conn.execute(
            text(
                "INSERT INTO identity (identity_sha256, issuer, subject, account_id, email,"
                " created_at) SELECT :key, 'https://id.example', 's', account_id, '', 1"
                " FROM account WHERE name = 'zoe'"
            ),
            {"key": bytes(32)},
        )

    ana.post("accounts/Ana", {"admin": False}, method="PATCH")


@pytest.mark.parametrize("other", OTHERS)
def test_a_group_that_goes_leaves_the_board_to_who_can_sign_in(ana: Person, other: str) -> None:
    ana.post("accounts", OTHERS[other] | {"admin": True})
    with begin_write(ana.board.engine) as conn:
        set_rule(HOST, conn, "ops", "", Role.ADMIN, 1.0)
        conn.execute(text("UPDATE account SET admin_by_group = 1 WHERE name = 'Ana'"))
        account = conn.scalar(text("SELECT account_id FROM account WHERE name = 'Ana'"))
        apply_rules(conn, Actor(account, "Ana"), account, set(), 2.0)

    with begin_read(ana.board.engine) as conn:
        assert (is_run(conn, but=()), is_run(conn, but=[account])) == (True, False)
