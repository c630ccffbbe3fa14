"""Sessions: how long they last, what ends them, and the cookies that hold them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http.cookies import SimpleCookie
from typing import Any

import pytest
from sqlalchemy import insert, update

from orgboard_dashboard.accounts.opaque import csrf_of, digest, new_token
from orgboard_dashboard.queries.people.accounts import (
    change_account,
    change_own_password,
    end_sessions,
    list_sessions,
)
from orgboard_dashboard.queries.people.ways_in import ABSOLUTE_S, IDLE_S, viewer_of_session
from orgboard_dashboard.viewer import SystemViewer, Viewer
from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_read, begin_write
from support.boards import Board
from support.signing_in import PASSWORD, START, Browser, Clock, add_person, browser_at, door

HOURS = 3600.0


def test_a_session_that_nobody_uses_ends_after_twelve_hours(any_board: Board) -> None:
    add_person(any_board, "ana")
    clock = Clock()
    ana = browser_at(door(any_board, clock))

    async def look_after(pauses: list[float]) -> list[bool]:
        await ana.sign_in("ana")
        known = []
        for pause in pauses:
            clock.now += pause
            known.append(await ana.is_known())
        return known

    # Each use counts from anew; what ended does not begin again.
    assert IDLE_S == 12 * HOURS
    pauses = [IDLE_S - 60, IDLE_S - 60, IDLE_S - 60, IDLE_S, -60]
    assert asyncio.run(look_after(pauses)) == [True, True, True, False, True]


def test_a_session_ends_after_seven_days_however_much_it_is_used(any_board: Board) -> None:
    add_person(any_board, "ana")
    clock = Clock()
    ana = browser_at(door(any_board, clock))

    async def use_hourly() -> float:
        await ana.sign_in("ana")
        while await ana.is_known():
            clock.now += 6 * HOURS
        return clock.now - START

    assert asyncio.run(use_hourly()) == ABSOLUTE_S == 7 * 24 * HOURS


def test_signing_out_ends_the_session_and_takes_its_cookies(any_board: Board) -> None:
    add_person(any_board, "ana")
    web = door(any_board, Clock())
    ana, elsewhere = browser_at(web), browser_at(web)

    async def leave() -> tuple[int, dict[str, str], bool, bool]:
        await ana.sign_in("ana")
        await elsewhere.sign_in("ana")
        kept = dict(ana.cookies)
        left = await ana.ask("POST", "/sign-out")
        thief = Browser(web, cookies=kept)
        return left.status, ana.cookies, await thief.is_known(), await elsewhere.is_known()

    assert asyncio.run(leave()) == (200, {}, False, True)


def _sleep(board: Board, _ana: Viewer) -> None:
    with begin_write(board.engine) as conn:
        change_account(SystemViewer(), conn, "ana", START, is_disabled=True)


def _wake(board: Board, ana: Viewer) -> None:
    _sleep(board, ana)
    with begin_write(board.engine) as conn:
        change_account(SystemViewer(), conn, "ana", START, is_disabled=False)


def _change_password(board: Board, ana: Viewer) -> None:
    with begin_write(board.engine) as conn:
        change_own_password(ana, conn, "$argon2id$unused", START)


def _end_others(board: Board, ana: Viewer) -> None:
    with begin_write(board.engine) as conn:
        assert end_sessions(ana, conn, None, START) == 1


@pytest.mark.parametrize(
    ("end", "own", "other"),
    [
        (_sleep, False, False),
        (_wake, False, False),
        (_change_password, True, False),
        (_end_others, True, False),
    ],
)
def test_what_ends_sessions_is_felt_with_the_next_request(
    any_board: Board, end: Callable[[Board, Viewer], None], own: bool, other: bool
) -> None:
    add_person(any_board, "boss", is_admin=True)
    add_person(any_board, "ana")
    web = door(any_board, Clock())
    ana, elsewhere = browser_at(web), browser_at(web)

    async def look() -> tuple[bool, bool]:
        await ana.sign_in("ana")
        await elsewhere.sign_in("ana")
        assert await ana.is_known()
        assert await elsewhere.is_known()
        end(any_board, _viewer(any_board, ana))
        return await ana.is_known(), await elsewhere.is_known()

    assert asyncio.run(look()) == (own, other)


def test_nobody_ends_or_lists_the_sessions_of_another(any_board: Board) -> None:
    add_person(any_board, "ana")
    add_person(any_board, "ben")
    web = door(any_board, Clock())
    ana, ben = browser_at(web), browser_at(web)

    async def arrive() -> None:
        await ana.sign_in("ana")
        await ben.sign_in("ben")

    asyncio.run(arrive())
    of_ana, of_ben = _viewer(any_board, ana), _viewer(any_board, ben)

    with begin_write(any_board.engine) as conn:
        assert end_sessions(of_ben, conn, of_ana.via, START) == 0
        assert [row.id for row in list_sessions(of_ben, conn)] == [of_ben.via]
    assert asyncio.run(ana.is_known())


_RENEWING: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "/api/ui/v1/prove", {"password": PASSWORD}),
    ("POST", "/api/ui/v1/password", {"current": PASSWORD, "password": "inland, another sentence"}),
    ("PATCH", "/api/ui/v1/accounts/ben", {"admin": True}),
    ("PATCH", "/api/ui/v1/accounts/ana", {"admin": False}),
]


@pytest.mark.parametrize(("method", "path", "body"), _RENEWING)
def test_what_gives_a_session_more_gives_it_another_secret(
    any_board: Board, method: str, path: str, body: dict[str, Any]
) -> None:
    add_person(any_board, "boss", is_admin=True)
    add_person(any_board, "ana", is_admin=True)
    add_person(any_board, "ben")
    web = door(any_board, Clock())
    ana = browser_at(web)

    async def renew() -> tuple[int, bool, bool]:
        await ana.sign_in("ana")
        thief = Browser(web, cookies=dict(ana.cookies))
        assert await thief.is_known()
        told = await ana.ask(method, path, body)
        # Of its owner nothing is asked, and what changes something is believed, too.
        ended = await ana.ask("POST", "/api/ui/v1/sessions/end", {"others": True})
        assert ended.status == 200
        return told.status, await ana.is_known(), await thief.is_known()

    assert asyncio.run(renew()) == (200, True, False)


@pytest.mark.parametrize("path", ["/prove", "/password"])
def test_a_password_that_is_wrong_renews_nothing(any_board: Board, path: str) -> None:
    add_person(any_board, "ana")
    ana = browser_at(door(any_board, Clock()))

    async def guess() -> tuple[int, list[str], bool]:
        await ana.sign_in("ana")
        wrong = {"password": "a sentence of twelve", "current": "wrong"}
        told = await ana.ask("POST", f"/api/ui/v1{path}", wrong)
        return told.status, told.all("set-cookie"), await ana.is_known()

    assert asyncio.run(guess()) == (403, [], True)


@pytest.mark.parametrize("by", ["boss", "ana"])
def test_who_runs_the_board_or_does_not_any_more_signs_in_anew(any_board: Board, by: str) -> None:
    add_person(any_board, "boss", is_admin=True)
    add_person(any_board, "ana", is_admin=by == "ana")
    web = door(any_board, Clock())
    asker, elsewhere = browser_at(web), browser_at(web)

    async def change() -> tuple[bool, bool]:
        await asker.sign_in(by)
        await elsewhere.sign_in("ana")
        told = await asker.ask("PATCH", "/api/ui/v1/accounts/ana", {"admin": by == "boss"})
        assert told.status == 200
        return await asker.is_known(), await elsewhere.is_known()

    assert asyncio.run(change()) == (True, False)


def test_each_sign_in_makes_a_new_session_and_believes_in_no_other_cookie(board: Board) -> None:
    add_person(board, "ana")
    web = door(board, Clock())
    ana = browser_at(web)
    ana.cookies["ob_session"] = "chosen-by-somebody-else"

    async def arrive() -> list[str]:
        told = []
        for _ in range(2):
            await ana.sign_in("ana")
            told.append(ana.cookies["ob_session"])
        return told

    first, second = asyncio.run(arrive())
    assert len({"chosen-by-somebody-else", first, second}) == 3
    assert min(len(first), len(second)) == 43


def test_on_http_cookies_are_for_this_host_and_no_script(board: Board) -> None:
    add_person(board, "ana")
    ana = browser_at(door(board, Clock()))

    told = _cookies(asyncio.run(ana.sign_in("ana")).all("set-cookie"))

    assert set(told) == {"ob_session", "ob_csrf"}
    assert told["ob_session"]["httponly"]
    assert not told["ob_csrf"]["httponly"]
    for cookie in told.values():
        assert cookie["samesite"].lower() == "lax"
        assert (cookie["path"], cookie["domain"], cookie["secure"]) == ("/", "", "")


def test_on_https_cookies_are_bound_to_the_host_and_go_by_https_alone(board: Board) -> None:
    add_person(board, "ana")
    # Plain HTTP is taken from the proxy alone, which speaks HTTPS to browsers.
    web = door(board, Clock(), base_url="https://board.example", trusted_proxies=("10.0.0.0/24",))
    ana = browser_at(web, host="board.example")
    ana.csrf_cookie = "__Host-ob_csrf"

    reply = asyncio.run(ana.sign_in("ana"))
    told = _cookies(reply.all("set-cookie"))

    assert set(told) == {"__Host-ob_session", "__Host-ob_csrf"}
    assert told["__Host-ob_session"]["httponly"]
    for cookie in told.values():
        # What browsers ask of a name that begins so, else they drop it.
        assert cookie["secure"]
        assert (cookie["path"], cookie["domain"]) == ("/", "")
    assert asyncio.run(ana.is_known())
    ana.cookies = {"ob_session": ana.cookies["__Host-ob_session"]}
    assert not asyncio.run(ana.is_known())


def test_of_two_cookies_of_one_name_none_is_believed(board: Board) -> None:
    add_person(board, "ana")
    ana = browser_at(door(board, Clock()))
    asyncio.run(ana.sign_in("ana"))
    secret = ana.cookies["ob_session"]

    async def ask(cookie: str) -> int:
        fresh = browser_at(ana.web)
        return (await fresh.ask("GET", "/api/ui/v1/projects", cookie=cookie)).status

    one = f"ob_session={secret}"
    asked = (one, f"{one}; {one}", f"ob_session=x; {one}", f"{one}; ob_session=x", f"x{one}")
    assert [asyncio.run(ask(cookie)) for cookie in asked] == [200, 401, 401, 401, 401]


def test_whoever_sends_a_token_is_not_known_by_a_cookie(board: Board) -> None:
    account_id = add_person(board, "ana")
    ana = browser_at(door(board, Clock()))
    asyncio.run(ana.sign_in("ana"))
    token = new_token("tokenoftests")
    with begin_write(board.engine) as conn:
        row: dict[str, Any] = {"token_id": "tokenoftests", "secret_sha256": digest(token)}
        row |= {"account_id": account_id, "scope": "read", "name": "t", "created_at": 0.0}
        conn.execute(insert(tables.token), row | {"expires_at": START + 1})

    async def ask(said: str) -> int:
        return (await ana.ask("GET", "/api/v1/projects", authorization=said)).status

    asked = (f"Bearer {token}", f"bearer  {token}", "Bearer x", "Bearer", "Basic YTpi", token, "")
    assert [asyncio.run(ask(said)) for said in asked] == [200, 200, 401, 401, 401, 401, 401]
    with begin_write(board.engine) as conn:
        conn.execute(update(tables.token).values(revoked_at=START))
    assert asyncio.run(ask(f"Bearer {token}")) == 401


def test_what_the_database_has_of_a_session_does_not_open_it(board: Board) -> None:
    add_person(board, "ana")
    ana = browser_at(door(board, Clock()))
    asyncio.run(ana.sign_in("ana"))
    secret = ana.cookies["ob_session"]

    for stolen in (digest(secret).hex(), _viewer(board, ana).via, csrf_of(secret)):
        thief = Browser(ana.web, cookies={"ob_session": stolen})
        assert not asyncio.run(thief.is_known())


def _viewer(board: Board, browser: Browser) -> Viewer:
    secret = browser.cookies["ob_session"]
    with begin_read(board.engine) as conn:
        known = viewer_of_session(conn, secret, START, address="", can_edit=True)
    assert known is not None
    return known.viewer


def _cookies(headers: list[str]) -> SimpleCookie:
    told = SimpleCookie()
    for header in headers:
        told.load(header)
    return told
