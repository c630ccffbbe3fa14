"""One-time links: each opens once, in time, and only as long as no newer one took its place."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from sqlalchemy import Connection, func, select

from orgboard_dashboard.accounts.opaque import new_secret
from orgboard_dashboard.queries.errors import Conflict
from orgboard_dashboard.queries.people.accounts import change_account
from orgboard_dashboard.queries.people.links import (
    INVITATION_S,
    RESET_S,
    SETUP_S,
    invite,
    reset,
    set_up,
)
from orgboard_dashboard.viewer import SystemViewer
from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_read, begin_write
from support.asgi import Reply
from support.boards import Board
from support.signing_in import PASSWORD, START, Browser, Clock, add_person, browser_at, door

HOST = SystemViewer()

Make = Callable[[Connection, str], None]


def _setup(conn: Connection, secret: str) -> None:
    set_up(conn, secret, START)


def _invite(conn: Connection, secret: str) -> None:
    invite(HOST, conn, secret, START)


def _reset(conn: Connection, secret: str) -> None:
    reset(HOST, conn, secret, "ana", START)


LINKS: dict[str, tuple[Make, float]] = {
    "setup": (_setup, SETUP_S),
    "invite": (_invite, INVITATION_S),
    "reset": (_reset, RESET_S),
}


@pytest.fixture(params=list(LINKS))
def purpose(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def _link(board: Board, purpose: str, *, people: bool = True) -> str:
    if purpose != "setup" and people:
        add_person(board, "ana")
    secret = new_secret()
    with begin_write(board.engine) as conn:
        LINKS[purpose][0](conn, secret)
    return secret


async def _open(browser: Browser, secret: str, name: str = "ben") -> Reply:
    body = {"secret": secret, "name": name, "password": PASSWORD}
    return await browser.ask("POST", "/welcome", body)


def test_a_link_opens_once(any_board: Board, purpose: str) -> None:
    secret = _link(any_board, purpose)
    web = door(any_board, Clock())

    async def twice() -> list[int]:
        looked = await browser_at(web).ask("POST", "/welcome/look", {"secret": secret})
        first = await _open(browser_at(web), secret)
        second = await _open(browser_at(web), secret, "carl")
        after = await browser_at(web).ask("POST", "/welcome/look", {"secret": secret})
        return [reply.status for reply in (looked, first, second, after)]

    assert asyncio.run(twice()) == [200, 200, 404, 404]


def test_of_two_who_open_a_link_at_once_one_gets_in(any_board: Board, purpose: str) -> None:
    secret = _link(any_board, purpose)
    web = door(any_board, Clock())
    browsers = [browser_at(web, f"10.0.0.{n}") for n in range(6)]

    async def all_at_once() -> list[int]:
        tries = (_open(browser, secret, f"ben{n}") for n, browser in enumerate(browsers))
        return sorted(reply.status for reply in await asyncio.gather(*tries))

    assert asyncio.run(all_at_once()) == [200, *[404] * 5]
    assert _accounts(any_board) == {"setup": 1, "invite": 2, "reset": 1}[purpose]


def test_a_link_ends(any_board: Board, purpose: str) -> None:
    secret = _link(any_board, purpose)
    clock = Clock(START + LINKS[purpose][1])

    late = asyncio.run(_open(browser_at(door(any_board, clock)), secret))

    assert late.status == 404
    clock.now -= 1
    assert asyncio.run(_open(browser_at(door(any_board, clock)), secret)).status == 200


@pytest.mark.parametrize("purpose", ["setup", "reset"])
def test_a_link_is_void_once_there_is_another(any_board: Board, purpose: str) -> None:
    old = _link(any_board, purpose)
    new = _link(any_board, purpose, people=False)
    web = door(any_board, Clock())

    async def both() -> list[int]:
        return [(await _open(browser_at(web), secret)).status for secret in (old, new)]

    assert asyncio.run(both()) == [404, 200]


def test_nobody_is_set_up_where_there_is_an_account(any_board: Board) -> None:
    secret = _link(any_board, "setup")
    add_person(any_board, "ana")

    late = asyncio.run(_open(browser_at(door(any_board, Clock())), secret))

    assert late.status == 404
    assert _accounts(any_board) == 1
    with begin_write(any_board.engine) as conn, pytest.raises(Conflict, match="accounts already"):
        set_up(conn, new_secret(), START)


def test_a_link_for_a_password_opens_nothing_for_an_account_asleep(any_board: Board) -> None:
    add_person(any_board, "boss", is_admin=True)
    secret = _link(any_board, "reset")
    with begin_write(any_board.engine) as conn:
        change_account(HOST, conn, "ana", START, is_disabled=True)

    assert asyncio.run(_open(browser_at(door(any_board, Clock())), secret)).status == 404


def test_what_is_wrong_with_a_password_leaves_the_link_as_it_is(board: Board) -> None:
    secret = _link(board, "invite")
    web = door(board, Clock())

    async def again() -> list[int]:
        body = {"secret": secret, "name": "ben", "password": "password123!"}
        weak = await browser_at(web).ask("POST", "/welcome", body)
        taken = await _open(browser_at(web), secret, "ANA")
        return [weak.status, taken.status, (await _open(browser_at(web), secret)).status]

    assert asyncio.run(again()) == [400, 409, 200]


def test_a_link_that_was_never_one_looks_like_one_that_is_over(board: Board) -> None:
    secret = _link(board, "invite")
    web = door(board, Clock(START + INVITATION_S + 1))

    async def both() -> tuple[Reply, Reply]:
        return await _open(browser_at(web), secret), await _open(browser_at(web), new_secret())

    over, never = asyncio.run(both())
    assert over == never


def test_an_old_password_opens_nothing_once_a_link_set_another(any_board: Board) -> None:
    secret = _link(any_board, "reset")
    web = door(any_board, Clock())
    before = browser_at(web)

    async def change() -> tuple[bool, bool, int]:
        await before.sign_in("ana")
        was_known = await before.is_known()
        body = {"secret": secret, "password": "a much better sentence than that"}
        await browser_at(web).ask("POST", "/welcome", body)
        old = await browser_at(web).sign_in("ana")
        return was_known, await before.is_known(), old.status

    assert asyncio.run(change()) == (True, False, 401)


def _accounts(board: Board) -> int:
    with begin_read(board.engine) as conn:
        return int(conn.scalar(select(func.count()).select_from(tables.account)) or 0)
