"""Live streams: many for a wall of screens, and not all of them for one."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack

from orgboard_dashboard.app import Web, create_app
from orgboard_dashboard.config import WebConfig
from orgboard_dashboard.turns import OF_STREAMS, Turns
from orgboard_dashboard.viewer import LOCAL_VIEWER, Viewer
from support.asgi import OWN_PAGE, Reply, call
from support.boards import Board, scalars
from support.signing_in import START, Browser, add_person, browser_at

PATH = "/api/ui/v1/p/default/board/live"
WITHIN_S = 30.0


async def _stream(browser: Browser, *, first_part_only: bool = True) -> Reply:
    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    headers = {**OWN_PAGE, "cookie": cookie}
    return await call(browser.web.gate, "GET", PATH, headers, first_part_only=first_part_only)


async def _are_open(web: Web, streams: int) -> None:
    async with asyncio.timeout(WITHIN_S):
        while web.board.watchers() != streams:
            await asyncio.sleep(0)


def test_one_session_does_not_take_all_streams(board: Board) -> None:
    board.log("run", [scalars("loss", [1.0])], now=START)
    add_person(board, "ana", is_admin=True)
    add_person(board, "ben", is_admin=True)
    web = create_app(WebConfig(accounts=True), board.engine, clock=lambda: START)
    ana, again, ben = (browser_at(web) for _ in range(3))

    async def scene() -> list[Reply]:
        for browser, name in ((ana, "ana"), (again, "ana"), (ben, "ben")):
            await browser.sign_in(name)
        taken = [
            asyncio.create_task(_stream(ana, first_part_only=False)) for _ in range(OF_STREAMS.each)
        ]
        await _are_open(web, OF_STREAMS.each)
        told = [await _stream(browser) for browser in (ana, again, ben)]
        for task in taken:
            task.cancel()
        await asyncio.gather(*taken, return_exceptions=True)
        await _are_open(web, 0)
        told.append(await _stream(ana))
        await web.board.idle()
        return told

    more, of_another_session, of_another, later = asyncio.run(scene())

    assert (more.status, more.header("retry-after")) == (429, "30")
    assert "Too many of your pages" in more.json()["error"]
    assert [reply.status for reply in (of_another_session, of_another, later)] == [200] * 3


def test_an_account_has_an_end_and_so_has_a_process() -> None:
    turns = Turns(OF_STREAMS)

    ana = [Viewer("account", "ana", account_id=1, via=f"s{n}") for n in range(4)]

    with ExitStack() as stack:
        account, rest = [
            [[stack.enter_context(turns.taken(viewer)) for _ in range(most)] for viewer in viewers]
            for viewers, most in ((ana, OF_STREAMS.each), ([LOCAL_VIEWER], OF_STREAMS.together))
        ]

    assert [told.count("") for told in account] == [30, 30, 30, 10]
    assert rest[0].count("") == OF_STREAMS.together - OF_STREAMS.account
    assert rest[0][-1] == "all"
