"""Live streams of people: many are polled for as one; who may not any more, hears no more."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import anyio
import pytest
from sqlalchemy import Connection, Engine, delete, event, insert, update

from orgboard_dashboard.accounts.opaque import digest
from orgboard_dashboard.live import Board as Ticker
from orgboard_dashboard.live import Topic, Watcher
from orgboard_dashboard.pace import Pace, Work
from orgboard_dashboard.queries.people.accounts import change_account
from orgboard_dashboard.queries.people.members import put_member
from orgboard_dashboard.queries.people.ways_in import (
    IDLE_S,
    guess_at,
    open_session,
    viewer_of_session,
)
from orgboard_dashboard.queries.visible import find_project
from orgboard_dashboard.viewer import LOCAL_VIEWER, SystemViewer, Viewer, Within
from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_read, begin_write
from orgboard_schema.sql.roles import Role
from support.boards import Board, scalars
from support.signing_in import START, Clock, add_person, browser_at, door

WITHIN_S = 20.0


def _person(board: Board, name: str, role: Role | None = Role.VIEWER) -> Viewer:
    """Return somebody who is signed in, a member of the project's team."""
    account_id = add_person(board, name)
    with begin_write(board.engine) as conn:
        if role is not None:
            put_member(conn, _team(conn), account_id, role, START)
        guess = guess_at(conn, name)
        open_session(conn, guess, f"secret of {name}", START, address="", agent="")
        known = viewer_of_session(conn, f"secret of {name}", START, address="", can_edit=True)
    assert known is not None
    return known.viewer


def _team(conn: Connection) -> int:
    found = conn.scalar(tables.team.select().with_only_columns(tables.team.c.team_id))
    assert found is not None
    return int(found)


def _topic(board: Board, viewer: Viewer) -> Topic:
    with begin_read(board.engine) as conn:
        return Topic.of(viewer, find_project(viewer, conn, "default", "board"))


@asynccontextmanager
async def _ticking(board: Board, clock: Clock) -> AsyncIterator[Ticker]:
    ticker = Ticker(board.engine, clock, 0.01, Pace(Work(time.monotonic), time.monotonic))
    try:
        yield ticker
    finally:
        ticker.close()
        await ticker.idle()


async def _log(board: Board, steps: int) -> None:
    chunk = scalars("loss", [1.0] * steps, step=range(steps * 10, steps * 11))
    await anyio.to_thread.run_sync(lambda: board.log("run", [chunk], now=START))


async def _hears(watcher: Watcher) -> list[int]:
    """Return the points that are told next; nothing when the stream ends instead."""
    async with asyncio.timeout(WITHIN_S):
        await watcher.changed.wait()
    return [run["points"] for run in watcher.take()[1]]


def _leave_team(conn: Connection, viewer: Viewer) -> None:
    here = tables.team_member.c.account_id == viewer.account_id
    conn.execute(delete(tables.team_member).where(here))


def _end_session(conn: Connection, viewer: Viewer) -> None:
    conn.execute(delete(tables.session).where(tables.session.c.session_id == viewer.via))


def _disable(conn: Connection, viewer: Viewer) -> None:
    change_account(SystemViewer(), conn, viewer.name, START, is_disabled=True)


@pytest.mark.parametrize("take_away", [_leave_team, _end_session, _disable])
def test_who_may_not_any_more_hears_no_more_and_others_do(
    any_board: Board, take_away: Callable[[Connection, Viewer], None]
) -> None:
    any_board.log("run", [scalars("loss", [1.0])], now=START)
    add_person(any_board, "boss", is_admin=True)
    ana, ben = _person(any_board, "ana"), _person(any_board, "ben")
    topic = _topic(any_board, ana)

    async def scene() -> None:
        async with _ticking(any_board, Clock()) as ticker:
            of_ana, of_ben = ticker.watch(topic, ana), ticker.watch(topic, ben)
            assert (await _hears(of_ana), await _hears(of_ben)) == ([1], [1])
            with begin_write(any_board.engine) as conn:
                take_away(conn, ana)
            await _log(any_board, 2)
            assert await _hears(of_ben) == [3]
            assert await _hears(of_ana) == []
            assert (of_ana.is_over, of_ben.is_over) == (True, False)

    asyncio.run(scene())


def test_a_project_that_became_private_is_told_of_to_those_alone_whom_it_is_left(
    any_board: Board,
) -> None:
    any_board.log("run", [scalars("loss", [1.0])], now=START)
    ana, ben = _person(any_board, "ana"), _person(any_board, "ben")
    topic = _topic(any_board, ana)
    with begin_write(any_board.engine) as conn:
        row = {"project_id": topic.project.project_id, "account_id": ben.account_id}
        conn.execute(insert(tables.project_grant), row | {"role": 1, "since": START})

    async def scene() -> None:
        async with _ticking(any_board, Clock()) as ticker:
            of_ana, of_ben = ticker.watch(topic, ana), ticker.watch(topic, ben)
            assert (await _hears(of_ana), await _hears(of_ben)) == ([1], [1])
            with begin_write(any_board.engine) as conn:
                conn.execute(update(tables.project).values(visibility="private"))
            await _log(any_board, 2)
            assert (await _hears(of_ben), await _hears(of_ana)) == ([3], [])

    asyncio.run(scene())


def test_a_session_that_ran_out_ends_its_streams_without_any_commit(any_board: Board) -> None:
    any_board.log("run", [scalars("loss", [1.0])], now=START)
    ana = _person(any_board, "ana")
    clock = Clock()

    async def scene() -> None:
        async with _ticking(any_board, clock) as ticker:
            watcher = ticker.watch(_topic(any_board, ana), ana)
            assert await _hears(watcher) == [1]
            clock.now += IDLE_S
            assert await _hears(watcher) == []
            assert watcher.is_over

    asyncio.run(scene())


def test_share_links_that_were_revoked_end_their_streams(any_board: Board) -> None:
    any_board.log("run", [scalars("loss", [1.0])], now=START)
    project_id = _topic(any_board, _person(any_board, "ana")).project.project_id
    links = {"created_at": START, "expires_at": START + 9, "project_id": project_id, "path": "/"}
    with begin_write(any_board.engine) as conn:
        for key in ("kept", "revoked"):
            share = {"share_id": key, "secret_sha256": digest(key), "title": key}
            conn.execute(insert(tables.share), share | links)
    within = Within(project_id=project_id)
    kept, revoked = (Viewer("share", "guest", within=within, via=k) for k in ("kept", "revoked"))

    async def scene() -> None:
        async with _ticking(any_board, Clock()) as ticker:
            topic = _topic(any_board, kept)
            of_kept, of_revoked = ticker.watch(topic, kept), ticker.watch(topic, revoked)
            assert (await _hears(of_kept), await _hears(of_revoked)) == ([1], [1])
            with begin_write(any_board.engine) as conn:
                here = tables.share.c.share_id == "revoked"
                conn.execute(update(tables.share).where(here).values(revoked_at=START))
            await _log(any_board, 2)
            assert (await _hears(of_kept), await _hears(of_revoked)) == ([3], [])

    asyncio.run(scene())


def test_who_was_let_in_just_before_it_was_taken_away_hears_nothing(board: Board) -> None:
    board.log("run", [scalars("loss", [1.0])], now=START)
    ana, ben = _person(board, "ana"), _person(board, "ben")
    topic = _topic(board, ana)

    async def scene() -> None:
        async with _ticking(board, Clock()) as ticker:
            assert await _hears(ticker.watch(topic, ben)) == [1]
            with _counted(board.engine) as said:
                with begin_write(board.engine) as conn:
                    _leave_team(conn, ana)
                # Until the poller has seen that commit, and nothing rings any more.
                async with asyncio.timeout(WITHIN_S):
                    while not any("FROM session" in text for text in said):
                        await asyncio.sleep(0)
            late = ticker.watch(topic, ana)
            async with asyncio.timeout(WITHIN_S):
                while not late.is_over:
                    await late.changed.wait()
                    late.changed.clear()

    asyncio.run(scene())


@contextmanager
def _counted(engine: Engine) -> Iterator[list[str]]:
    said: list[str] = []

    def note(*told: object) -> None:
        said.append(str(told[2]))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield said
    finally:
        event.remove(engine, "before_cursor_execute", note)


def test_a_hundred_who_watch_are_polled_for_as_one(board: Board) -> None:
    board.log("run", [scalars("loss", [1.0])], now=START)
    people = [_person(board, f"ana{n}") for n in range(100)]

    async def scene() -> None:
        async with _ticking(board, Clock()) as ticker:
            watchers = [ticker.watch(_topic(board, viewer), viewer) for viewer in people]
            for watcher in watchers:
                assert await _hears(watcher) == [1]
            with _counted(board.engine) as said:
                await _log(board, 2)
                heard = [await _hears(watcher) for watcher in watchers]
            assert heard == [[3]] * 100
            # However often it was looked meanwhile: of who may stay once where news were read.
            asked = [text for text in said if "FROM session" in text]
            read = [text for text in said if "run.touched_ms >" in text]
            assert 0 < len(asked) <= len(read) < 20

    asyncio.run(scene())


def test_on_a_board_for_one_nobody_is_asked_for(board: Board) -> None:
    board.log("run", [scalars("loss", [1.0])], now=START)

    async def scene() -> None:
        async with _ticking(board, Clock()) as ticker:
            with _counted(board.engine) as said:
                watcher = ticker.watch(_topic(board, LOCAL_VIEWER), LOCAL_VIEWER)
                assert await _hears(watcher) == [1]
                await _log(board, 2)
                assert await _hears(watcher) == [3]
            assert not [text for text in said if "session" in text or "account" in text]

    asyncio.run(scene())


def test_the_first_account_ends_the_streams_of_the_board_for_one(board: Board) -> None:
    board.log("run", [scalars("loss", [1.0])], now=START)
    clock = Clock()

    async def scene() -> None:
        async with _ticking(board, clock) as ticker:
            watcher = ticker.watch(_topic(board, LOCAL_VIEWER), LOCAL_VIEWER)
            assert await _hears(watcher) == [1]
            add_person(board, "ana")
            clock.now += 10
            assert await _hears(watcher) == []
            assert watcher.is_over

    asyncio.run(scene())


def test_a_stream_ends_in_the_browser_when_one_signs_out_elsewhere(any_board: Board) -> None:
    any_board.log("run", [scalars("loss", [1.0])], now=START)
    _person(any_board, "ana")
    web = door(any_board, Clock(), poll_every_s=0.01)
    ana = browser_at(web)

    async def scene() -> tuple[int, bytes, int]:
        await ana.sign_in("ana")
        live = asyncio.create_task(ana.ask("GET", "/api/ui/v1/p/default/board/live"))
        async with asyncio.timeout(WITHIN_S):
            while not web.board.watchers():
                await asyncio.sleep(0)
            await ana.ask("POST", "/sign-out")
            reply = await live
        return reply.status, reply.body, web.board.watchers()

    status, told, watchers = asyncio.run(scene())
    assert (status, watchers) == (200, 0)
    assert told.startswith(b"event: runs")
    # So that what is on the screen is asked for anew at once, and not by a retry.
    assert told.endswith(b"event: over\ndata: {}\n\n")
