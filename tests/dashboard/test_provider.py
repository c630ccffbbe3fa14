"""Sign-in by the organisation's provider: who comes in, and all that brings nobody in."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from sqlalchemy import select

from orgboard_dashboard.accounts.opaque import digest
from orgboard_dashboard.provider.settings import SECRET_VARIABLE, ProviderSettings
from orgboard_dashboard.queries.people.accounts import change_account
from orgboard_dashboard.viewer import SystemViewer
from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_read, begin_write
from support.asgi import Reply
from support.boards import Board
from support.by_provider import (
    BASE,
    back,
    known,
    leave,
    records,
    round_trip,
    sessions,
    web_with,
)
from support.provider import CLIENT, SECRET, Provider, provider_on_loopback
from support.signing_in import Clock, add_person, browser_at, door


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    monkeypatch.setenv(SECRET_VARIABLE, SECRET)
    with provider_on_loopback() as served:
        yield served


def test_who_is_known_by_the_provider_comes_in_and_goes_on(
    any_board: Board, provider: Provider
) -> None:
    ana = known(any_board, provider)

    reply = asyncio.run(round_trip(ana, provider, next="/account"))

    assert reply.json() == {"to": "/account"}
    assert asyncio.run(ana.is_known())
    assert sessions(any_board) == ["identity"]
    assert ("sign-in", "by the provider", "done") in records(any_board)
    # What bound the browser to the way is of no more use.
    assert set(ana.cookies) == {"ob_session", "ob_csrf"}


def test_the_way_there_is_bound_to_this_browser_and_says_no_more_than_it_must(
    board: Board, provider: Provider
) -> None:
    ana = known(board, provider, scopes=("groups",))

    address = asyncio.run(leave(ana))

    asked = parse_qs(urlsplit(address).query)
    assert address.startswith(provider.issuer + "/authorize?")
    assert asked["redirect_uri"] == [BASE + "/sign-in/back"]
    assert asked["scope"] == ["openid profile email groups"]
    assert asked["code_challenge_method"] == ["S256"]
    kept = ana.cookies["ob_provider"]
    secrets = {asked[name][0] for name in ("state", "nonce", "code_challenge")}
    assert len(secrets) == 3
    assert not any(secret in kept for secret in secrets)


def test_a_state_is_good_once_in_its_browser_and_for_ten_minutes(
    any_board: Board, provider: Provider
) -> None:
    clock = Clock()
    ana = known(any_board, provider, clock=clock)
    other = browser_at(ana.web, "10.3.0.1")

    async def misuse() -> list[int]:
        told: list[int] = []
        # Somebody else is sent the way back, having begun one, too.
        query = await asyncio.to_thread(provider.visit, await leave(ana))
        await leave(other)
        told.append((await back(other, query)).status)
        # That spent it.
        told.append((await back(ana, query)).status)
        # Too late.
        query = await asyncio.to_thread(provider.visit, await leave(ana))
        clock.now += 601
        told.append((await back(ana, query)).status)
        # Once, and with the cookie of that once.
        query = await asyncio.to_thread(provider.visit, await leave(ana))
        cookie = ana.cookies["ob_provider"]
        assert (await back(ana, query)).status == 200
        ana.cookies["ob_provider"] = cookie
        told.append((await back(ana, query)).status)
        # One that was never made; twice in one address; none at all.
        told.append((await back(ana, "?state=made-up&code=code-0")).status)
        told.append((await back(ana, f"{query}&state=another")).status)
        told.append((await back(ana, "")).status)
        return told

    assert asyncio.run(misuse()) == [403] * 7
    assert sessions(any_board) == ["identity"]
    refused = [record for record in records(any_board) if record[2] == "refused"]
    assert len(refused) == 7


def test_who_sends_made_up_states_all_the_time_does_not_fill_the_log(
    board: Board, provider: Provider
) -> None:
    ana = known(board, provider)

    async def come_often() -> None:
        for number in range(50):
            assert (await back(ana, f"?state={number}&code=x")).status == 403
        # And nobody is kept out by that.
        assert (await round_trip(ana, provider)).status == 200

    asyncio.run(come_often())

    assert len([record for record in records(board) if record[2] == "refused"]) < 20


def test_a_code_that_was_used_before_opens_nothing(any_board: Board, provider: Provider) -> None:
    ana = known(any_board, provider)

    async def use_twice() -> Reply:
        first = await asyncio.to_thread(provider.visit, await leave(ana))
        assert (await back(ana, first)).status == 200
        second = await asyncio.to_thread(provider.visit, await leave(ana))
        code = parse_qs(first[1:])["code"][0]
        state = parse_qs(second[1:])["state"][0]
        told = {"code": code, "state": state, "iss": provider.issuer}
        return await back(ana, "?" + urlencode(told))

    assert asyncio.run(use_twice()).status == 403
    assert len(sessions(any_board)) == 1


def test_a_code_that_somebody_else_began_is_of_no_use_without_the_verifier(
    board: Board, provider: Provider
) -> None:
    ana = known(board, provider)
    other = browser_at(ana.web, "10.3.0.1")

    async def inject() -> Reply:
        stolen = parse_qs((await asyncio.to_thread(provider.visit, await leave(ana)))[1:])
        own = parse_qs((await asyncio.to_thread(provider.visit, await leave(other)))[1:])
        told = {"code": stolen["code"][0], "state": own["state"][0], "iss": provider.issuer}
        return await back(other, "?" + urlencode(told))

    assert asyncio.run(inject()).status == 403
    assert sessions(board) == []


def test_keys_that_change_are_looked_for_again_and_not_all_the_time(
    board: Board, provider: Provider
) -> None:
    clock = Clock()
    ana = known(board, provider, clock=clock)

    async def change_keys() -> list[int]:
        told = [(await round_trip(ana, provider)).status]
        clock.now += 60
        provider.kids, provider.signs_with = ("two",), "two"
        told.append((await round_trip(ana, provider)).status)
        provider.signs_with = "made up"
        return told + [(await round_trip(ana, provider)).status for _ in range(5)]

    assert asyncio.run(change_keys()) == [200, 200, 403, 403, 403, 403, 403]
    assert provider.asked.count("/keys") == 2
    assert provider.asked.count("/.well-known/openid-configuration") == 1


def test_a_key_that_was_withdrawn_is_believed_an_hour_at_most(
    board: Board, provider: Provider
) -> None:
    clock = Clock()
    ana = known(board, provider, clock=clock)

    async def withdraw() -> list[int]:
        told = [(await round_trip(ana, provider)).status]
        provider.kids = ("two",)
        clock.now += 3601
        told.append((await round_trip(ana, provider)).status)
        return told

    assert asyncio.run(withdraw()) == [200, 403]


@pytest.mark.parametrize(
    "to",
    ["https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example", "/sign-out", "x"],
)
def test_after_the_provider_one_is_led_nowhere_else(
    board: Board, provider: Provider, to: str
) -> None:
    assert asyncio.run(round_trip(known(board, provider), provider, next=to)).json() == {"to": "/"}


def test_who_the_provider_knows_and_the_board_does_not_is_found_by_no_name_and_no_address(
    any_board: Board, provider: Provider
) -> None:
    add_person(any_board, "ana")
    provider.person |= {"email": "ana", "preferred_username": "ana", "email_verified": True}
    stranger = browser_at(web_with(any_board, provider))

    reply = asyncio.run(round_trip(stranger, provider))

    assert reply.status == 403
    assert sessions(any_board) == []
    assert records(any_board)[-1][2] == "refused"


def test_an_account_asleep_looks_as_if_there_was_none(any_board: Board, provider: Provider) -> None:
    ana = known(any_board, provider, sign_up=True)
    add_person(any_board, "boss", is_admin=True)
    unknown = browser_at(web_with(any_board, provider))
    with begin_write(any_board.engine) as conn:
        change_account(SystemViewer(), conn, "ana", 1.0, is_disabled=True)

    asleep = asyncio.run(round_trip(ana, provider))
    provider.person = {"sub": "somebody else"}
    nobody = asyncio.run(round_trip(unknown, provider))

    assert asleep.status == 403
    assert asleep.body == nobody.body
    assert sessions(any_board) == []


def test_with_sign_up_a_stranger_gets_an_account_of_its_own(
    any_board: Board, provider: Provider
) -> None:
    add_person(any_board, "ana")
    web = web_with(any_board, provider, sign_up=True)
    provider.person |= {"preferred_username": "ana@acme.example", "email": "ana@acme.example"}

    async def come_twice() -> list[str]:
        names = []
        for address in ("10.0.0.7", "10.0.0.8"):
            browser = browser_at(web, address)
            assert (await round_trip(browser, provider)).status == 200
            names.append((await browser.ask("GET", "/api/ui/v1/me")).json()["name"])
        return names

    assert asyncio.run(come_twice()) == ["ana2", "ana2"]
    assert ("account.made", "ana2", "done") in records(any_board)


def test_nobody_signs_up_before_there_is_who_runs_the_board(
    any_board: Board, provider: Provider
) -> None:
    stranger = browser_at(web_with(any_board, provider, sign_up=True))

    assert asyncio.run(round_trip(stranger, provider)).status == 403
    with begin_read(any_board.engine) as conn:
        assert conn.execute(select(tables.account)).all() == []


def test_ways_to_the_provider_that_nobody_comes_back_from_do_not_pile_up(
    board: Board, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orgboard_dashboard.queries.people.identities._MOST_ATTEMPTS", 3)
    clock = Clock()
    web = web_with(board, provider, clock)

    async def leave_often() -> list[str]:
        addresses = []
        for _ in range(10):
            clock.now += 1
            addresses.append(await leave(browser_at(web)))
        return addresses

    last = asyncio.run(leave_often())[-1]

    state = parse_qs(urlsplit(last).query)["state"][0]
    with begin_read(board.engine) as conn:
        kept = list(conn.scalars(select(tables.identity_attempt.c.state_sha256)))
    assert len(kept) <= 4
    assert digest(state) in kept


def test_a_browser_comes_back_from_elsewhere_and_no_other_page_sends_what_it_brings(
    board: Board, provider: Provider
) -> None:
    ana = known(board, provider)
    elsewhere = {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate"}

    async def come() -> tuple[Reply, Reply]:
        query = await asyncio.to_thread(provider.visit, await leave(ana))
        page = await ana.ask("GET", "/sign-in/back" + query, **elsewhere)
        sent = await ana.ask("POST", "/sign-in/back", {"query": query}, sec_fetch_site="cross-site")
        return page, sent

    page, sent = asyncio.run(come())

    assert (page.status, sent.status) == (200, 403)
    assert page.header("referrer-policy") == "same-origin"
    assert sessions(board) == []


@pytest.mark.parametrize(
    ("wish", "name"),
    [
        ("Ana L\u00f3pez", "Ana.L\u00f3pez"),
        ("<img src=x onerror=alert(1)>", "img.src.x.onerror.alert.1"),
        ("../../etc/passwd", "etc.passwd"),
        ("\u202e\0\ud800", "person"),
        ("@@@", "person"),
        ("x" * 500, "x" * 64),
    ],
)
def test_whatever_the_provider_calls_somebody_a_name_comes_of_it(
    board: Board, provider: Provider, wish: str, name: str
) -> None:
    add_person(board, "boss", is_admin=True)
    provider.person |= {"preferred_username": wish}
    browser = browser_at(web_with(board, provider, sign_up=True))

    async def come() -> str:
        assert (await round_trip(browser, provider)).status == 200
        return str((await browser.ask("GET", "/api/ui/v1/me")).json()["name"])

    assert asyncio.run(come()) == name


def test_only_who_is_in_a_group_that_is_let_in_comes_in(
    any_board: Board, provider: Provider
) -> None:
    ana = known(any_board, provider, groups_claim="groups", only_groups=("ml", "ops"))

    def come(groups: object) -> int:
        provider.wrong = {"groups": groups}
        return asyncio.run(round_trip(ana, provider)).status

    assert [come(groups) for groups in (["sales"], [], None, ["sales", "ops"])] == [
        *(403, 403, 403),
        200,
    ]


def test_a_board_without_a_provider_offers_none(board: Board) -> None:
    add_person(board, "ana")
    browser = browser_at(door(board, Clock()))

    async def look() -> tuple[int, int, bytes]:
        left = await browser.ask("POST", "/sign-in/provider", {})
        came = await back(browser, "?state=a&code=b")
        return left.status, came.status, (await browser.ask("GET", "/sign-in")).body

    left, came, page = asyncio.run(look())

    assert (left, came) == (404, 404)
    assert b"provider" not in page


def test_the_page_names_the_provider_and_takes_no_markup_from_it(
    board: Board, provider: Provider
) -> None:
    add_person(board, "ana")
    settings = ProviderSettings(provider.issuer, CLIENT, "<b>Acme & Co</b>")
    browser = browser_at(door(board, Clock(), base_url=BASE, provider=settings))

    page = asyncio.run(browser.ask("GET", "/sign-in")).body.decode()

    assert "Sign in with &lt;b&gt;Acme &amp; Co&lt;/b&gt;" in page


def test_no_secret_of_the_provider_is_left_in_the_database_or_told(
    board: Board, provider: Provider
) -> None:
    ana = known(board, provider)

    async def come() -> str:
        query = await asyncio.to_thread(provider.visit, await leave(ana))
        assert (await back(ana, query)).status == 200
        return query

    said = parse_qs(asyncio.run(come())[1:])

    with begin_read(board.engine) as conn:
        rows = [
            json.dumps([str(cell) for cell in row])
            for table in tables.schema.sorted_tables
            for row in conn.execute(select(table))
        ]
    kept = "\n".join(rows)
    for secret in (
        SECRET,
        said["state"][0],
        said["code"][0],
        "an access token",
        ana.cookies["ob_session"],
    ):
        assert secret not in kept
