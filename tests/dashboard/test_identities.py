"""Being connected with the provider: by one's account, by a link; proof anew; groups."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import pytest
from sqlalchemy import select

from orgboard_dashboard.accounts.opaque import new_secret
from orgboard_dashboard.host.team import team
from orgboard_dashboard.provider.settings import SECRET_VARIABLE
from orgboard_dashboard.queries.errors import Conflict
from orgboard_dashboard.queries.people.accounts import add_account, list_accounts
from orgboard_dashboard.queries.people.group_rules import list_rules, set_rule
from orgboard_dashboard.queries.people.links import invite, reset
from orgboard_dashboard.queries.people.members import make_team, set_member
from orgboard_dashboard.viewer import SystemViewer
from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_read, begin_write
from orgboard_schema.sql.roles import Role
from support.asgi import Reply
from support.boards import Board
from support.by_provider import ANA, back, connect_by_hand, known, records, round_trip, web_with
from support.provider import SECRET, Provider, provider_on_loopback
from support.signing_in import START, Browser, Clock, add_person, browser_at

HOST: Final = SystemViewer()
API: Final = "/api/ui/v1"


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    monkeypatch.setenv(SECRET_VARIABLE, SECRET)
    with provider_on_loopback() as served:
        yield served


async def go(browser: Browser, provider: Provider, purpose: str) -> Reply:
    """Leave the account's page for the provider, and come back."""
    left = await browser.ask("POST", f"{API}/identities/{purpose}", {"next": "/account"})
    if left.status != 200:
        return left
    return await back(browser, await asyncio.to_thread(provider.visit, left.json()["to"]))


async def identities(browser: Browser) -> Any:
    return (await browser.ask("GET", API + "/identities")).json()


def test_an_account_is_connected_and_then_opened_by_the_provider(
    any_board: Board, provider: Provider
) -> None:
    add_person(any_board, "ana")
    provider.person["email"] = "ana@acme.example"
    web = web_with(any_board, provider)
    ana = browser_at(web)

    async def connect() -> tuple[int, Any, int]:
        await ana.sign_in("ana")
        reply = await go(ana, provider, "connect")
        assert reply.json() == {"to": "/account"}
        told = await identities(ana)
        return reply.status, told, (await round_trip(browser_at(web), provider)).status

    status, told, opened = asyncio.run(connect())

    assert (status, opened) == (200, 200)
    assert [row["email"] for row in told["identities"]] == ["ana@acme.example"]
    assert (told["provider"], told["has_password"]) == ("Acme", True)
    assert ("identity.set", "ana", "done") in records(any_board)


def test_connecting_wants_fresh_proof_and_the_session_that_began_it(
    board: Board, provider: Provider
) -> None:
    clock = Clock()
    add_person(board, "ana")
    add_person(board, "eve")
    web = web_with(board, provider, clock)
    ana, eve = browser_at(web), browser_at(web, "10.1.0.1")

    async def misuse() -> list[int]:
        await ana.sign_in("ana")
        clock.now += 601
        told = [(await go(ana, provider, "connect")).status]
        await ana.ask("POST", API + "/prove", {"password": "a sentence that ana knows by heart"})
        left = await ana.ask("POST", API + "/identities/connect", {})
        query = await asyncio.to_thread(provider.visit, left.json()["to"])
        # Somebody else signs in with this browser meanwhile.
        assert (await ana.sign_in("eve")).status == 200
        told.append((await back(ana, query)).status)
        await eve.sign_in("eve")
        assert (await identities(eve))["identities"] == []
        return told

    assert asyncio.run(misuse()) == [403, 403]
    assert records(board)[-2][2] == "refused"


def test_an_identity_is_one_accounts(any_board: Board, provider: Provider) -> None:
    connect_by_hand(any_board, provider, add_person(any_board, "ana"))
    add_person(any_board, "eve")
    eve = browser_at(web_with(any_board, provider))

    async def take() -> Reply:
        await eve.sign_in("eve")
        return await go(eve, provider, "connect")

    reply = asyncio.run(take())

    assert reply.status == 409
    assert "another account" in reply.json()["error"]


def test_who_could_not_sign_in_any_more_is_not_disconnected(
    any_board: Board, provider: Provider
) -> None:
    ana = known(any_board, provider)
    add_person(any_board, "eve")
    connect_by_hand(any_board, provider, _invited(any_board, "lou"), "lou")

    async def end(subject: str) -> tuple[int, int]:
        provider.person["sub"], provider.wrong = subject, {"auth_time": int(START)}
        browser = browser_at(ana.web)
        assert (await round_trip(browser, provider)).status == 200
        (row,) = (await identities(browser))["identities"]
        elses = await browser.ask("DELETE", f"{API}/identities/{'00' * 32}")
        return elses.status, (await browser.ask("DELETE", f"{API}/identities/{row['id']}")).status

    assert asyncio.run(end(ANA)) == (404, 200)
    assert asyncio.run(end("lou")) == (404, 409)


def test_what_is_delicate_is_proved_by_signing_in_at_the_provider_again(
    any_board: Board, provider: Provider
) -> None:
    clock = Clock()
    ana = known(any_board, provider, clock=clock)

    async def prove() -> list[int]:
        told = [(await round_trip(ana, provider)).status]
        # Who only was signed in there has proved nothing yet.
        told.append((await go(ana, provider, "connect")).status)
        # It lets pass who signed in long ago, or does not say.
        for when in (int(clock.now) - 3600, None):
            provider.wrong = {"auth_time": when}
            told.append((await go(ana, provider, "prove")).status)
        # Somebody else signs in there.
        provider.wrong, provider.person = {}, {"sub": "somebody else"}
        told.append((await go(ana, provider, "prove")).status)
        told.append((await go(ana, provider, "connect")).status)
        provider.person = {"sub": ANA}
        told.append((await go(ana, provider, "prove")).status)
        assert (provider.seen["prompt"], provider.seen["max_age"]) == ("login", "0")
        told.append((await go(ana, provider, "connect")).status)
        return told

    assert asyncio.run(prove()) == [200, 403, 403, 403, 403, 403, 200, 200]
    assert len([one for one in records(any_board) if one[2] == "refused"]) == 3


def test_an_invitation_is_accepted_by_the_provider_once(
    any_board: Board, provider: Provider
) -> None:
    connect_by_hand(any_board, provider, add_person(any_board, "eve"), "eve")
    secret = new_secret()
    with begin_write(any_board.engine) as conn:
        make_team(HOST, conn, "red", START)
        invite(HOST, conn, secret, START, "red", Role.EDITOR)
    web = web_with(any_board, provider)

    async def accept() -> list[int]:
        told = []
        # Whose identity is another account's spends nothing; and neither does a name that is taken.
        provider.person = {"sub": "eve"}
        told.append((await round_trip(browser_at(web), provider, link=secret, name="lou")).status)
        provider.person = {"sub": "lou"}
        told.append((await round_trip(browser_at(web), provider, link=secret, name="Eve")).status)
        lou = browser_at(web)
        told.append((await round_trip(lou, provider, link=secret, name="l\u00f3u")).status)
        assert (await lou.ask("GET", API + "/me")).json()["name"] == "l\u00f3u"
        with begin_read(any_board.engine) as conn:
            (row,) = [one for one in list_accounts(HOST, conn) if one.name == "l\u00f3u"]
        assert (row.has_password, row.has_identity) == (False, True)
        told.append((await round_trip(browser_at(web), provider, link=secret, name="max")).status)
        # From then on without the link.
        told.append((await round_trip(browser_at(web), provider)).status)
        return told

    assert asyncio.run(accept()) == [409, 409, 200, 404, 200]
    assert members(any_board, "red") == {"l\u00f3u": ("editor", False)}


def test_a_link_of_an_account_connects_that_account(any_board: Board, provider: Provider) -> None:
    add_person(any_board, "ana")
    secret = new_secret()
    with begin_write(any_board.engine) as conn:
        reset(HOST, conn, secret, "ana", START)
    browser = browser_at(web_with(any_board, provider))

    async def use() -> str:
        assert (await round_trip(browser, provider, link=secret, name="eve")).status == 200
        return str((await browser.ask("GET", API + "/me")).json()["name"])

    assert asyncio.run(use()) == "ana"


def test_what_groups_give_comes_and_goes_with_them_and_what_people_gave_stays(
    any_board: Board, provider: Provider
) -> None:
    ana = known(any_board, provider, groups_claim="groups")
    add_person(any_board, "boss", is_admin=True)
    with begin_write(any_board.engine) as conn:
        for team in ("red", "blue", "green"):
            make_team(HOST, conn, team, START)
        set_member(HOST, conn, "green", "ana", Role.VIEWER, START)
        set_rule(HOST, conn, "ml", "red", Role.VIEWER, START)
        set_rule(HOST, conn, "ml-leads", "red", Role.ADMIN, START)
        set_rule(HOST, conn, "ml", "green", Role.ADMIN, START)
        set_rule(HOST, conn, "ops", "", Role.ADMIN, START)

    def come(*groups: str) -> tuple[dict[str, tuple[str, bool]], bool]:
        provider.person["groups"] = list(groups)
        assert asyncio.run(round_trip(ana, provider)).status == 200
        has = {team: members(any_board, team).get("ana") for team in ("red", "blue", "green")}
        return {team: role for team, role in has.items() if role}, is_admin(any_board, "ana")

    by_hand = {"green": ("viewer", False)}
    assert come() == (by_hand, False)
    assert come("ml", "sales") == ({"red": ("viewer", True), **by_hand}, False)
    assert come("ml", "ml-leads") == ({"red": ("admin", True), **by_hand}, False)
    assert come("ops") == (by_hand, True)
    assert come("Ml", "ml ", "OPS", "", "'; DROP TABLE team; --", "\0\ud800") == (by_hand, False)
    noted = [record for record in records(any_board) if record[0] in ("member.set", "account.set")]
    assert noted[-5:] == [
        ("member.set", "red: ana", "done"),
        ("member.set", "red: ana", "done"),
        ("member.set", "red: ana", "done"),
        ("account.set", "ana", "done"),
        ("account.set", "ana", "done"),
    ]


def test_what_a_group_gave_is_given_by_hand_once_somebody_says_so(
    board: Board, provider: Provider
) -> None:
    ana = known(board, provider, groups_claim="groups")
    with begin_write(board.engine) as conn:
        make_team(HOST, conn, "red", START)
        set_rule(HOST, conn, "ml", "red", Role.VIEWER, START)

    def come(*groups: str) -> dict[str, tuple[str, bool]]:
        provider.person["groups"] = list(groups)
        assert asyncio.run(round_trip(ana, provider)).status == 200
        return members(board, "red")

    assert come("ml") == {"ana": ("viewer", True)}
    with begin_write(board.engine) as conn:
        set_member(HOST, conn, "red", "ana", Role.EDITOR, START)
    assert come() == {"ana": ("editor", False)}


def test_with_the_last_rule_of_a_team_goes_what_groups_gave_there(
    any_board: Board, provider: Provider
) -> None:
    ana = known(any_board, provider, groups_claim="groups")
    with begin_write(any_board.engine) as conn:
        make_team(HOST, conn, "red", START)
        set_rule(HOST, conn, "ml", "red", Role.VIEWER, START)
        set_rule(HOST, conn, "ops", "red", Role.VIEWER, START)
    provider.person["groups"] = ["ml"]
    asyncio.run(round_trip(ana, provider))

    with begin_write(any_board.engine) as conn:
        set_rule(HOST, conn, "ml", "red", None, START)
    still = members(any_board, "red")
    with begin_write(any_board.engine) as conn:
        set_rule(HOST, conn, "ops", "red", None, START)
        rules = list_rules(HOST, conn)

    assert still == {"ana": ("viewer", True)}
    assert (members(any_board, "red"), rules) == ({}, ())


def test_what_a_group_changes_of_who_runs_the_board_ends_older_sessions(
    any_board: Board, provider: Provider
) -> None:
    add_person(any_board, "boss", is_admin=True)
    ana = known(any_board, provider, groups_claim="groups")
    with begin_write(any_board.engine) as conn:
        set_rule(HOST, conn, "ops", "", Role.ADMIN, START)

    def come(*groups: str) -> bool:
        """Come in anew, and tell whether who has the session from before is still known."""
        before = replace(ana, cookies=dict(ana.cookies))
        provider.person["groups"] = list(groups)
        assert asyncio.run(round_trip(ana, provider)).status == 200
        assert asyncio.run(ana.is_known())
        return asyncio.run(before.is_known())

    come()
    assert come()
    assert not come("ops")
    assert come("ops")
    assert not come()
    # And so it is where the rule goes.
    come("ops")
    with begin_write(any_board.engine) as conn:
        set_rule(HOST, conn, "ops", "", None, START)
    assert not asyncio.run(ana.is_known())


def test_the_last_who_runs_the_board_is_not_lost_with_a_group(
    any_board: Board, provider: Provider
) -> None:
    ana = known(any_board, provider, groups_claim="groups")
    with begin_write(any_board.engine) as conn:
        set_rule(HOST, conn, "ops", "", Role.ADMIN, START)

    def come(*groups: str) -> bool:
        provider.person["groups"] = list(groups)
        assert asyncio.run(round_trip(ana, provider)).status == 200
        return is_admin(any_board, "ana")

    assert come("ops")
    assert come()
    assert ("account.set", "ana", "refused") in records(any_board)
    with pytest.raises(Conflict), begin_write(any_board.engine) as conn:
        set_rule(HOST, conn, "ops", "", None, START)
    add_person(any_board, "boss", is_admin=True)
    assert not come()


def test_rules_on_groups_are_made_by_who_runs_the_board_after_fresh_proof(
    any_board: Board, provider: Provider
) -> None:
    clock = Clock()
    add_person(any_board, "boss", is_admin=True)
    add_person(any_board, "eve")
    with begin_write(any_board.engine) as conn:
        make_team(HOST, conn, "red", START)
    web = web_with(any_board, provider, clock)
    boss, eve = browser_at(web), browser_at(web, "10.1.0.1")
    rule = {"group": "ml", "team": "red", "role": "editor"}

    async def say() -> tuple[list[int], Any]:
        await boss.sign_in("boss")
        await eve.sign_in("eve")
        told = [(await eve.ask("GET", API + "/groups")).status]
        told.append((await eve.ask("POST", API + "/groups", rule)).status)
        told.append((await boss.ask("POST", API + "/groups", rule)).status)
        for key, wrong in (
            ("group", ""),
            ("group", "a\nb"),
            ("group", "x" * 301),
            ("team", "none"),
        ):
            reply = await boss.ask("POST", API + "/groups", rule | {key: wrong})
            told.append(reply.status)
        clock.now += 601
        told.append((await boss.ask("POST", API + "/groups", rule)).status)
        return told, (await boss.ask("GET", API + "/groups")).json()

    told, rules = asyncio.run(say())

    assert told == [404, 404, 200, 400, 400, 400, 404, 403]
    assert rules == {"provider": "Acme", "rules": [rule]}
    assert records(any_board)[-1] == ("group.set", "ml in red", "done")


def test_commands_say_what_groups_are(board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    with begin_write(board.engine) as conn:
        make_team(HOST, conn, "red", START)
    db = ["--db", str(board.engine.url.database)]

    assert team(["groups", "ml", "red", "editor", *db]) == 0
    assert team(["groups", "ops", "--admin", *db]) == 0
    assert team(["groups", "ml", *db]) == 2
    assert team(["groups", "ml", "blue", "editor", *db]) == 2
    capsys.readouterr()
    assert team(["groups", *db, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [
        {"group": "ml", "team": "red", "role": "editor"},
        {"group": "ops", "team": "", "role": "admin"},
    ]
    assert team(["groups", "ml", "red", "none", *db]) == 0
    assert team(["groups", "ops", "--admin", "--no", *db]) == 0


def members(board: Board, team: str) -> dict[str, tuple[str, bool]]:
    """Return who is in a team, as what, and whether by a group."""
    account, member, of = tables.account.c, tables.team_member.c, tables.team.c
    query = (
        select(account.name, member.role, member.by_group)
        .select_from(tables.team_member)
        .join(tables.account)
        .join(tables.team)
        .where(of.name == team)
    )
    with begin_read(board.engine) as conn:
        return {row.name: (Role(row.role).word, bool(row.by_group)) for row in conn.execute(query)}


def is_admin(board: Board, name: str) -> bool:
    of = tables.account.c
    with begin_read(board.engine) as conn:
        return bool(conn.scalar(select(of.is_admin).where(of.name == name)))


def _invited(board: Board, name: str) -> int:
    """Make an account without a password."""
    with begin_write(board.engine) as conn:
        return add_account(conn, name, START)
