"""Who asks for what he may not do is in the audit log, is not told so, and does not fill it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from orgboard_dashboard.accounts.opaque import new_token
from orgboard_dashboard.app import Web
from orgboard_dashboard.policies import rules_for
from orgboard_dashboard.queries.people.audit import Record, list_records
from orgboard_dashboard.queries.people.tokens import NewToken, make_token
from orgboard_dashboard.refusals import EVERY_S, Refusals
from orgboard_dashboard.services import Services
from orgboard_dashboard.urls import PAGES
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.sql.engine import begin_read, begin_write
from orgboard_schema.sql.roles import Role
from support.boards import Board
from support.people import HOST, add_person, add_project, put
from support.permission_actions import ACTIONS
from support.permission_oracle import Need
from support.signing_in import START, Browser, Clock, browser_at, door
from support.signing_in import add_person as add_signing

_P = "/api/ui/v1/p/red/one"
_CARD = {"tag": "loss", "title": "a card", "origins": ["https://wiki.example"]}
ASKED: list[tuple[str, str, Any, str, str]] = [
    ("POST", "/api/ui/v1/accounts", {"name": "new"}, "account.made", ""),
    ("PATCH", "/api/ui/v1/accounts/ana", {"admin": False}, "account.set", "ana"),
    ("POST", "/api/ui/v1/accounts/ana/link", {}, "password.link", "ana"),
    ("POST", "/api/ui/v1/invitations", {"team": "red", "role": "admin"}, "account.invite", ""),
    ("POST", "/api/ui/v1/teams", {"name": "new"}, "team.made", ""),
    ("POST", "/api/ui/v1/teams/red/members", {"name": "ben", "role": "admin"}, "member.set", "red"),
    ("POST", "/api/ui/v1/teams/blue/members", {"name": "ben"}, "member.set", "blue"),
    ("POST", "/api/ui/v1/directories/drop", {"path": "/logs"}, "logdir.rule", ""),
    ("DELETE", "/api/ui/v1/tokens/tokenofana01", {}, "token.revoked", "tokenofana01"),
    ("POST", f"{_P}/access", {"visibility": "private"}, "visibility.set", "red/one"),
    ("POST", f"{_P}/access/grants", {"name": "ben", "role": "admin"}, "grant.set", "red/one"),
    ("POST", f"{_P}/deletion", {"runs": ["x"]}, "run.delete", "red/one"),
    ("POST", f"{_P}/shares", {"path": "/p/red/one/runs"}, "share.made", "red/one"),
    ("POST", f"{_P}/embeds", _CARD, "embed.made", "red/one"),
    ("DELETE", f"{_P}/embeds/nosuchcard", {}, "embed.revoked", "red/one/nosuchcard"),
    ("POST", "/api/ui/v1/p/blue/one/access", {"visibility": "team"}, "visibility.set", "blue/one"),
]
"""By an editor of red/one, who sees nothing of blue."""


def _people(board: Board) -> None:
    """Make ana, who runs the board, and ben, an editor of red."""
    add_signing(board, "ana", is_admin=True)
    add_signing(board, "ben")
    for team in ("red", "blue"):
        add_project(board, team, "one")
    put(board, "red", "ben", Role.EDITOR)
    with begin_write(board.engine) as conn:
        token = NewToken("nightly", owner="ana")
        make_token(HOST, conn, "tokenofana01", new_token("tokenofana01"), token, START)


async def _signed_in(web: Web, name: str) -> Browser:
    browser = browser_at(web)
    assert (await browser.sign_in(name)).status == 200
    return browser


@pytest.mark.parametrize(("method", "path", "body", "action", "subject"), ASKED)
def test_what_somebody_may_not_do_is_noted_and_answered_as_before(
    any_board: Board, method: str, path: str, body: Any, action: str, subject: str
) -> None:
    _people(any_board)
    web = door(any_board, Clock())

    async def ask() -> tuple[int, bytes]:
        ben = await _signed_in(web, "ben")
        reply = await ben.ask(method, path, body)
        return reply.status, reply.body

    status, said = asyncio.run(ask())
    (record,) = _refused(any_board)

    assert status in (403, 404)
    assert (record.actor, record.action, record.subject) == ("ben", action, subject)
    assert record.address == "10.0.0.7"
    # What is not there is answered in the same words.
    if status == 404:
        assert b"There is nothing here, or it is not shared with you." in said


def test_what_one_may_do_and_what_only_is_not_there_is_no_refusal(any_board: Board) -> None:
    _people(any_board)
    web = door(any_board, Clock())

    async def ask() -> list[int]:
        ana, ben = await _signed_in(web, "ana"), await _signed_in(web, "ben")
        asked = [
            await ana.ask("PATCH", "/api/ui/v1/accounts/nobody", {"disabled": True}),
            await ana.ask("DELETE", "/api/ui/v1/tokens/nosuchtoken"),
            await ana.ask("POST", f"{_P}/access/grants", {"name": "nobody", "role": "viewer"}),
            await ben.ask(
                "POST", f"{_P}/edits", {"edits": [{"runs": ["nosuchrun000"], "starred": True}]}
            ),
            await ben.ask("GET", "/api/ui/v1/p/blue/one/runs"),
        ]
        return [reply.status for reply in asked]

    assert asyncio.run(ask()) == [404, 404, 404, 200, 404]
    assert _refused(any_board) == []


def test_who_is_asked_for_the_password_first_was_not_refused(any_board: Board) -> None:
    _people(any_board)
    clock = Clock()
    web = door(any_board, clock)

    async def ask() -> int:
        ana = await _signed_in(web, "ana")
        clock.now += 3600
        return (await ana.ask("POST", f"{_P}/access", {"visibility": "private"})).status

    assert asyncio.run(ask()) == 403
    assert _refused(any_board) == []


def test_what_a_program_asks_for_and_no_token_gives_is_noted(any_board: Board) -> None:
    _people(any_board)
    token = new_token("reader000001")
    with begin_write(any_board.engine) as conn:
        made = NewToken("reader", scope="read", owner="ana")
        make_token(HOST, conn, "reader000001", token, made, START)
    web = door(any_board, Clock())

    async def ask() -> int:
        program = Browser(web)
        change = {"name": "loss", "unit": "", "direction": "min", "aliases": []}
        by = {"authorization": f"Bearer {token}"}
        return (await program.ask("POST", "/api/v1/metrics", change, **by)).status

    assert asyncio.run(ask()) == 403
    assert [(one.actor, one.via, one.action) for one in _refused(any_board)] == [
        ("ana", "reader000001", "metric.change")
    ]


def test_a_flood_of_refusals_is_a_row_a_minute_with_their_count(any_board: Board) -> None:
    _people(any_board)
    clock = Clock()
    web = door(any_board, clock)

    async def flood() -> None:
        ben = await _signed_in(web, "ben")
        for _minute in range(3):
            for _ in range(20):
                await ben.ask("POST", f"{_P}/access", {"visibility": "private"})
            clock.now += EVERY_S + 1
        # Of another action apart.
        await ben.ask("POST", "/api/ui/v1/teams", {"name": "new"})

    asyncio.run(flood())

    told = [(one.action, one.after) for one in reversed(_refused(any_board))]
    counted = sum(1 if not after else int(after.split(": ")[1][:-1]) for _, after in told[:-1])
    assert told[0] == ("visibility.set", "")
    assert counted == 60
    assert len(told) <= 5
    assert told[-1] == ("team.made", "")


def test_what_was_counted_is_written_down_when_the_board_ends(board: Board) -> None:
    _people(board)
    refusals = Refusals(Services(board.engine, Clock()))
    ben = Viewer("account", "ben", can_edit=True, account_id=2)

    async def ask() -> None:
        for _ in range(7):
            await refusals.note(ben, "team.made", {})
        await refusals.tell(rest=True)

    asyncio.run(ask())

    assert [one.after for one in _refused(board)] == ['{"times": 6}', ""]


def test_a_log_that_cannot_be_written_makes_no_refusal_an_error(
    board: Board, caplog: pytest.LogCaptureFixture
) -> None:
    _people(board)
    web = door(board, Clock())
    add_person(board, "spare")

    async def ask() -> int:
        ben = await _signed_in(web, "ben")
        with begin_write(board.engine) as conn:
            conn.exec_driver_sql("ALTER TABLE audit RENAME TO audit_away")
        return (await ben.ask("POST", "/api/ui/v1/teams", {"name": "new"})).status

    assert asyncio.run(ask()) == 403
    assert "a refusal was not written down" in caplog.text


def test_the_log_is_asked_for_refusals_alone(any_board: Board) -> None:
    _people(any_board)
    web = door(any_board, Clock())

    async def ask() -> tuple[Any, Any, int]:
        ana, ben = await _signed_in(web, "ana"), await _signed_in(web, "ben")
        await ben.ask("POST", "/api/ui/v1/teams", {"name": "new"})
        told = await ana.ask("GET", "/api/ui/v1/audit?outcome=refused")
        as_csv = await ana.ask("GET", "/api/ui/v1/audit.csv?outcome=refused")
        wrong = await ana.ask("GET", "/api/ui/v1/audit?outcome=perhaps")
        return told.json()["records"], as_csv.body.decode(), wrong.status

    records, as_csv, wrong = asyncio.run(ask())

    assert [(one["actor"], one["action"], one["outcome"]) for one in records] == [
        ("ben", "team.made", "refused")
    ]
    assert len(as_csv.splitlines()) == 2
    assert wrong == 400


def test_each_change_that_only_some_may_make_has_a_name_in_the_log() -> None:
    rules = {(rule.method, rule.path): rule for rule in rules_for(PAGES).rules}
    of_admins = (
        *(Need.ADMINISTER, Need.GRANT, Need.INSTANCE),
        *(Need.FOUND, Need.BUILD, Need.RUN_TEAM),
    )
    nameless = [
        action.name
        for action in ACTIONS
        if action.method != "GET" and action.need in of_admins
        if not rules[action.method, action.path].action
    ]

    # It only tells what would be, to who may do it.
    assert nameless == ["foresee"]


def _refused(board: Board) -> list[Record]:
    with begin_read(board.engine) as conn:
        return list(list_records(HOST, conn, outcome="refused"))
