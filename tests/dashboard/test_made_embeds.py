"""Cards in other sites' pages, as who runs the project makes, lists and revokes them."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from sqlalchemy import update

from orgboard_dashboard.accounts.opaque import new_secret
from orgboard_dashboard.queries.errors import BadQuery, Forbidden, NotFound, TooMuch
from orgboard_dashboard.queries.people import handed_out
from orgboard_dashboard.queries.people.audit import list_records
from orgboard_dashboard.queries.people.embeds import NewEmbed, list_embeds, make_embed, revoke_embed
from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_read, begin_write
from orgboard_schema.sql.roles import Role
from support.boards import Board, scalars
from support.embedding import (
    FRAMED,
    HOST,
    ORIGIN,
    ana_of,
    change,
    embed,
    frame_of,
    look,
    shown_board,
)
from support.signing_in import START

API = "/api/ui/v1/p/default/board"
DAY_S = 86_400.0


@pytest.fixture
def shown(any_board: Board) -> Board:
    return shown_board(any_board)


def test_who_runs_the_project_makes_lists_and_revokes_them_in_the_audit_log(shown: Board) -> None:
    ana = ana_of(shown)
    framed = embed(shown, "first", viewer=ana, now=START)
    with begin_read(shown.engine) as conn:
        (listed,) = list_embeds(ana, conn, "default", "board", START)
    change(shown, lambda conn: revoke_embed(ana, conn, "default", "board", framed.id, START))

    with begin_read(shown.engine) as conn:
        gone, made = list_records(HOST, conn)[:2]
        assert list_embeds(ana, conn, "default", "board", START) == ()

    assert (listed.id, listed.runs, listed.tag, listed.origins) == (framed.id, 1, "loss", (ORIGIN,))
    assert (listed.made_by, listed.used_at) == ("zqANAzq", None)
    assert (made.action, made.actor, made.subject[-12:]) == ("embed.made", "zqANAzq", framed.id)
    assert (gone.action, gone.actor, gone.subject[-12:]) == ("embed.revoked", "zqANAzq", framed.id)
    after = json.loads(made.after)
    assert (after["origins"], after["runs"]) == ([ORIGIN], [shown.uids["first"]])
    assert framed.secret not in made.after


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EDITOR])
def test_who_does_not_run_the_project_makes_none(shown: Board, role: Role) -> None:
    ana = ana_of(shown)
    framed = embed(shown, "first", viewer=ana, now=START)
    change(shown, lambda conn: conn.execute(update(tables.team_member).values(role=int(role))))

    with pytest.raises(Forbidden):
        embed(shown, "first", viewer=ana, now=START)
    with begin_write(shown.engine) as conn, pytest.raises(Forbidden):
        revoke_embed(ana, conn, "default", "board", framed.id, START)
    with begin_read(shown.engine) as conn, pytest.raises(Forbidden):
        list_embeds(ana, conn, "default", "board", START)
    # What was made while one could is still within what one sees.
    assert look(frame_of(shown), framed).status == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": ""},
        {"title": "two\nlines"},
        {"title": "x" * 201},
        {"days": 0},
        {"days": 367},
        {"tag": ""},
        {"tag": "x" * 2001},
        {"state": "s=0&" * 2001},
        {"uids": ()},
        {"uids": tuple(f"run{n}" for n in range(101))},
    ],
)
def test_what_is_out_of_bounds_is_not_made(shown: Board, wrong: dict[str, Any]) -> None:
    told: dict[str, Any] = {"tag": "loss", "state": "", "title": "a", "origins": (ORIGIN,)}
    with begin_write(shown.engine) as conn, pytest.raises(BadQuery):
        make_embed(HOST, conn, "default", "board", new_secret(), NewEmbed(**told | wrong), START)


def test_a_run_of_another_project_is_not_shown(shown: Board) -> None:
    with pytest.raises(NotFound):
        embed(shown, "first", "other", now=START)


def test_a_project_has_so_many(shown: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handed_out, "_MAX_LIVE", 2)
    for _ in range(2):
        embed(shown, "first", now=START)

    with pytest.raises(TooMuch, match="Revoke some"):
        embed(shown, "first", now=START)


def test_a_board_can_be_told_to_show_nothing_elsewhere(shown: Board) -> None:
    framed = embed(shown, "first", now=START)
    browser = frame_of(shown, no_embeds=True)

    assert asyncio.run(browser.ask("GET", framed.page, **FRAMED)).status == 404
    assert look(browser, framed).status == 404


def test_such_a_board_makes_none_and_says_so(board: Board) -> None:
    board.log("first", [scalars("loss", [1.0])])
    asked = {"tag": "loss", "title": "a", "origins": [ORIGIN]}
    web = board.web(no_embeds=True)

    refused = board.ask("POST", f"{API}/embeds", web=web, json=asked)

    assert (refused.status_code, "--no-embeds" in refused.json()["error"]) == (403, True)
    told = board.ask("GET", f"{API}/embeds", web=web).json()
    assert told == {"embeds": [], "are_shown": False}


def test_the_address_is_told_once_with_the_secret_behind_the_hash(board: Board) -> None:
    board.log("first", [scalars("loss", [1.0])])
    asked = {"tag": "loss", "title": "a", "origins": ["https://WIKI.example.org:443"]}

    made = board.ask("POST", f"{API}/embeds", json=asked).json()
    listed = board.ask("GET", f"{API}/embeds").json()

    base, _, secret = made["address"].partition("#")
    assert (base, len(secret)) == (f"http://127.0.0.1:7070/embed/{made['id']}", 43)
    assert made["origins"] == [ORIGIN]
    assert secret not in json.dumps(listed)
    assert (listed["are_shown"], listed["embeds"][0]["id"]) == (True, made["id"])
    assert board.ask("DELETE", f"{API}/embeds/{made['id']}", json={}).status_code == 200
    assert board.ask("DELETE", f"{API}/embeds/{made['id']}", json={}).status_code == 404
    assert board.ask("GET", f"{API}/embeds").json()["embeds"] == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"origins": ["https://a.example"] * 50},
        {"origins": [f"https://a{n}.example" for n in range(50)]},
        {"origins": ["https://a.example\r\nx: y"]},
        {"origins": ["https://" + "a" * 10_000]},
        {"origins": [ORIGIN], "tag": 7},
        {"origins": [ORIGIN], "days": "many"},
        {"origins": [ORIGIN], "runs": "all"},
        {"origins": [ORIGIN], "tag": "x" * 10_001},
    ],
)
def test_what_is_no_card_is_refused_in_words(board: Board, body: dict[str, Any]) -> None:
    board.log("first", [scalars("loss", [1.0])])

    refused = board.ask("POST", f"{API}/embeds", json={"tag": "loss", "title": "a"} | body)

    assert refused.status_code == 400
    assert refused.json()["error"]
