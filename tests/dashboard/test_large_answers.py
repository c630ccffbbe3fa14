"""Large answers: bounded in memory while they are made and while they wait to be taken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from orgboard_dashboard.app import create_app
from orgboard_dashboard.config import WebConfig
from orgboard_dashboard.limits import OF_SESSION
from orgboard_dashboard.outgoing import PART_BYTES, BrokenOff, Outgoing, time_for
from orgboard_dashboard.queries.errors import TooBusy
from orgboard_dashboard.queries.points_at_once import MOST, PointsAtOnce, points_at_once
from orgboard_dashboard.turns import Lanes
from orgboard_dashboard.unsent import Room, Unsent
from orgboard_dashboard.viewer import LOCAL_VIEWER, Viewer
from orgboard_schema.sql.engine import begin_read
from support.boards import Board, scalars
from support.curves import tag_id
from support.signing_in import START, add_person, browser_at
from support.slow_readers import Reader

SIZE = 200_000
ROUTE = "/api/ui/v1/p/default/board/scalars"


async def _answer(_scope: Any, _receive: Any, send: Any) -> None:
    headers = [(b"content-length", str(SIZE).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"x" * SIZE})


def _account(number: int) -> Viewer:
    return Viewer("account", "ana", account_id=number, via=f"s{number}")


def test_what_waits_for_its_clients_has_an_end_for_one_and_for_all() -> None:
    unsent = Unsent(Room(each=SIZE + 1, together=2 * SIZE + 1))
    outgoing = Outgoing(_answer, unsent)

    async def begin(viewer: Viewer) -> tuple[Reader, asyncio.Task[None]]:
        reader, scope = Reader(), {"type": "http", "state": {"viewer": viewer}}
        task = asyncio.create_task(outgoing(scope, reader.receive, reader.send))
        await reader.came.wait()
        return reader, task

    async def scene() -> tuple[list[Reader], list[int]]:
        begun = [await begin(viewer) for viewer in map(_account, (1, 1, 2, 3))]
        begun.append(await begin(LOCAL_VIEWER))
        waiting = [unsent.together()]
        for reader, task in begun:
            reader.reads.set()
            await task
        waiting.append(unsent.together())
        later, task = await begin(_account(1))
        later.reads.set()
        await task
        return [*(reader for reader, _ in begun), later], waiting

    readers, waiting = asyncio.run(scene())

    assert [reader.status for reader in readers] == [200, 429, 200, 503, 503, 200]
    assert {len(reader.body) for reader in readers if reader.status == 200} == {SIZE}
    assert waiting == [2 * SIZE, 0]
    assert b"Large answers wait for you" in readers[1].body
    assert b"busy with large answers" in readers[3].body
    assert {readers[n].headers["retry-after"] for n in (1, 3)} == {"5"}
    assert readers[1].headers["content-length"] == str(len(readers[1].body))


def test_one_answer_that_is_larger_than_the_room_is_answered_all_the_same() -> None:
    unsent = Unsent(Room(each=10, together=10))
    reader = Reader()
    reader.reads.set()
    scope = {"type": "http", "client": ("10.0.0.1", 5)}
    asyncio.run(Outgoing(_answer, unsent)(scope, reader.receive, reader.send))

    assert (reader.status, len(reader.body)) == (200, SIZE)


def test_who_takes_a_large_answer_too_slowly_leaves_it_in_memory_no_longer() -> None:
    unsent, reader = Unsent(), Reader()
    outgoing = Outgoing(_answer, unsent, lambda _size: 0.0)

    with pytest.raises(BrokenOff):
        asyncio.run(outgoing({"type": "http"}, reader.receive, reader.send))

    assert unsent.together() == 0
    assert time_for(16 << 20) < 600


def test_the_board_sends_all_that_it_answers_that_way(board: Board) -> None:
    assert isinstance(board.web().gate._app, Outgoing)
    board.log("run", [scalars(f"{n:04}" + "x" * 900, [1.0]) for n in range(200)])

    answer = board.ask("GET", "/api/ui/v1/p/default/board/tags?kind=scalar")

    assert len(answer.content) > 2 * PART_BYTES
    assert len(answer.json()["tags"]) == 200


def test_large_questions_are_counted_until_their_transaction_ends(any_board: Board) -> None:
    points, engine = PointsAtOnce(most=10), any_board.engine

    with begin_read(engine) as one, begin_read(engine) as two:
        points.begin(one, 6)
        points.begin(one, 6)
        with pytest.raises(TooBusy):
            points.begin(two, 1)
        assert points.under_way() == 12
    assert points.under_way() == 0

    with begin_read(engine) as conn:
        points.begin(conn, 6)
        assert points.under_way() == 6
        conn.rollback()
    assert points.under_way() == 0
    with begin_read(engine) as again:
        points.begin(again, 99)


def _asks(board: Board, **more: Any) -> Callable[[], httpx.Response]:
    body = {"cards": [{"tag": tag_id(board, "loss")}], "runs": list(board.uids.values()), **more}
    return lambda: board.ask("POST", ROUTE, json={"x": "index", "width": 100, **body})


def test_large_questions_are_answered_a_few_at_a_time(
    any_board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orgboard_dashboard.queries.series.LARGE", 10_000)
    any_board.log("run", [scalars("loss", [1.0] * 30_000)])
    asks = _asks(any_board)
    engine = any_board._served()

    with begin_read(engine) as conn:
        points_at_once(engine).begin(conn, MOST)
        busy = asks()
    free = asks()

    assert (busy.status_code, busy.headers["retry-after"]) == (429, "2")
    assert "Try again in a moment" in busy.json()["error"]
    assert free.status_code == 200
    assert points_at_once(engine).under_way() == 0


def test_a_large_question_costs_by_its_points(
    board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orgboard_dashboard.queries.series.LARGE", 10_000)
    monkeypatch.setattr("orgboard_dashboard.services.POINTS_A_TOKEN", 10)
    uid = board.log("run", [scalars("loss", [1.0] * 30_000), scalars("acc", [1.0])])
    ids = {tag: tag_id(board, tag) for tag in ("loss", "acc")}
    add_person(board, "ana", is_admin=True)
    web = create_app(
        WebConfig(accounts=True), board.engine, clock=lambda: START, monotonic=lambda: 0.0
    )
    ana = browser_at(web)

    async def scene() -> list[int]:
        await ana.sign_in("ana")
        told = []
        for tag in ("acc", "loss", "acc"):
            body = {"cards": [{"tag": ids[tag]}], "runs": [uid], "x": "index", "width": 100}
            told.append((await ana.ask("POST", ROUTE, body)).status)
        return told

    assert asyncio.run(scene()) == [200, 200, 429]
    assert OF_SESSION.burst < 30_000 / 10


def test_very_large_answers_are_made_a_few_at_a_time_and_nobody_waits_behind_anothers() -> None:
    lanes, order = Lanes(each=1, together=2), list[str]()

    async def make(viewer: Viewer, name: str, done: asyncio.Event) -> None:
        async with lanes.lane(viewer):
            order.append(name)
            await done.wait()

    async def scene() -> None:
        names = {"a1": 1, "a2": 1, "b": 2, "c": 3}
        done = {name: asyncio.Event() for name in names}
        tasks = [
            asyncio.create_task(make(_account(number), name, done[name]))
            for name, number in names.items()
        ]
        await asyncio.sleep(0)
        # The second of the first waits behind its first, and takes nobody else's place.
        assert order == ["a1", "b"]
        done["b"].set()
        await tasks[2]
        done["c"].set()
        await tasks[3]
        assert order == ["a1", "b", "c"]
        done["a1"].set()
        done["a2"].set()
        await asyncio.gather(*tasks)
        assert order[3] == "a2"

    asyncio.run(scene())

    assert not lanes._own


def test_a_picture_is_read_when_there_is_a_lane_for_it(board: Board) -> None:
    web = board.web()
    taken: list[str] = []

    @asynccontextmanager
    async def lane(_lanes: Lanes, viewer: Viewer) -> AsyncIterator[None]:
        taken.append(viewer.kind)
        yield

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Lanes, "lane", lane)
        board.ask("GET", f"/api/ui/v1/r/nothing/blob/{'0' * 64}", web=web)
        board.ask("GET", "/api/ui/v1/p/default/board/tags?kind=scalar", web=web)
        board.ask("GET", "/api/v1/projects/default/board/tags?kind=scalar", web=web)

    assert taken == ["local"] * 3
