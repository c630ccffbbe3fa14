"""Everybody's sessions, as who runs the board sees and ends them."""

from __future__ import annotations

import time
from typing import Any

import pytest

from orgboard_dashboard.api.proof import FRESH_S
from orgboard_dashboard.queries.people.audit import list_records
from orgboard_dashboard.queries.people.ways_in import IDLE_S
from orgboard_schema.sql.engine import begin_read
from support.boards import Board
from support.people import HOST, Person, sign_in, two_teams


@pytest.fixture
def ana(any_board: Board) -> Person:
    """Give who runs a board of two teams, once on each engine."""
    return two_teams(any_board)


def test_who_runs_the_board_sees_who_is_signed_in_since_when_and_from_where(ana: Person) -> None:
    ben = sign_in(ana.board, "ben", at=time.time() - 600)
    sign_in(ana.board, "eve", at=time.time() - IDLE_S - 1)
    told = ana.get("admin/sessions")

    assert told["is_all"] is True
    by_name = {row["account"]: row for row in told["sessions"]}
    # The one of eve is over: it opens nothing.
    assert set(by_name) == {"Ana", "ben"}
    assert by_name["Ana"]["is_this"]
    assert by_name["Ana"]["is_admin"]
    of_ben = by_name["ben"]
    assert (of_ben["id"], of_ben["address"], of_ben["is_this"]) == (ben.session, "10.1.2.3", False)
    assert "Chrome" in of_ben["agent"]
    assert of_ben["created_at"] < time.time() - 500


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("BEN", {"ben"}),
        ("10.1.2", {"Ana", "ben"}),
        ("chrome/140", {"Ana", "ben"}),
        ("10%", set()),
        ("nobody", set()),
    ],
)
def test_sessions_are_found_by_name_address_and_browser(
    ana: Person, words: str, found: set[str]
) -> None:
    sign_in(ana.board, "ben")
    told = ana.ask("GET", f"admin/sessions?q={words.replace('%', '%25')}").json()

    assert {row["account"] for row in told["sessions"]} == found


def test_one_session_is_ended_and_all_of_an_account(ana: Person) -> None:
    one, two, three = (sign_in(ana.board, "ben") for _ in range(3))

    assert ana.post("admin/sessions/end", {"id": one.session}) == {"ended": 1}
    assert [who.ask("GET", "me").status_code for who in (one, two, three)] == [401, 200, 200]
    assert ana.post("admin/sessions/end", {"account": "BEN"}) == {"ended": 2}
    assert [who.ask("GET", "me").status_code for who in (two, three)] == [401, 401]
    # Of one's own, all but the one that asks.
    other = sign_in(ana.board, "Ana")
    assert ana.post("admin/sessions/end", {"account": "Ana"}) == {"ended": 1}
    assert [who.ask("GET", "me").status_code for who in (ana, other)] == [200, 401]

    with begin_read(ana.board.engine) as conn:
        ended = list_records(HOST, conn, action="session.end")
    assert [(one.actor, one.subject, one.after) for one in reversed(ended)] == [
        ("Ana", "ben", '{"sessions": 1}'),
        ("Ana", "BEN", '{"sessions": 2}'),
        ("Ana", "Ana", '{"sessions": 1}'),
    ]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"id": "x", "account": "ben"}, 400),
        ({"id": 5}, 400),
        ({"id": "nosuchsession"}, 404),
        ({"account": "nobody"}, 404),
    ],
)
def test_what_is_to_be_ended_is_named_in_one_way(ana: Person, body: Any, status: int) -> None:
    assert ana.ask("POST", "admin/sessions/end", body).status_code == status


def test_others_neither_see_nor_end_them_and_a_password_long_ago_is_not_enough(
    ana: Person,
) -> None:
    ben = sign_in(ana.board, "ben")
    stale = sign_in(ana.board, "Ana", at=time.time() - FRESH_S - 1)

    assert ben.ask("GET", "admin/sessions").status_code == 404
    assert ben.ask("POST", "admin/sessions/end", {"account": "Ana"}).status_code == 404
    refused = stale.ask("POST", "admin/sessions/end", {"account": "ben"})
    assert (refused.status_code, refused.json()["prove"]) == (403, True)
    assert [who.ask("GET", "me").status_code for who in (ana, ben)] == [200, 200]
