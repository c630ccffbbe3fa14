"""Live ticks: whoever watches a project hears of each commit, and of nothing else's."""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import anyio
import pytest

from orgboard_dashboard.live import Board as Ticker
from orgboard_dashboard.live import News, Topic, Watcher
from orgboard_dashboard.pace import Pace, Work
from orgboard_dashboard.queries.visible import find_project
from orgboard_dashboard.viewer import LOCAL_VIEWER, Viewer
from orgboard_schema.sql.engine import begin_read
from support.boards import Board, scalars

WITHIN_S = 20.0


def _topic(board: Board, project: str = "board", viewer: Viewer = LOCAL_VIEWER) -> Topic:
    with begin_read(board.engine) as conn:
        return Topic(viewer, find_project(viewer, conn, "default", project))


async def _heard(
    watcher: Watcher, wanted: Callable[[dict[str, dict[str, Any]]], bool]
) -> dict[str, dict[str, Any]]:
    """Gather news by run until they are what is wanted."""
    heard: dict[str, dict[str, Any]] = {}
    async with asyncio.timeout(WITHIN_S):
        while not wanted(heard):
            await watcher.changed.wait()
            _, runs = watcher.take()
            heard |= {run["uid"]: run for run in runs}
    return heard


def _run(board: Board, scene: Callable[[Ticker], Awaitable[None]], clock: list[float]) -> None:
    async def play() -> None:
        pace = Pace(Work(time.monotonic), time.monotonic)
        ticker = Ticker(board.engine, lambda: clock[0], 0.01, pace)
        try:
            await scene(ticker)
        finally:
            ticker.close()

    anyio.run(play)


def test_each_commit_is_told_to_every_watcher(any_board: Board) -> None:
    uid = any_board.log("run", [scalars("loss", [1])], now=1000.0)
    topic = _topic(any_board)

    async def scene(ticker: Ticker) -> None:
        watchers = [ticker.watch(topic, LOCAL_VIEWER), ticker.watch(topic, LOCAL_VIEWER)]
        for watcher in watchers:
            await _heard(watcher, lambda heard: uid in heard)
        await anyio.to_thread.run_sync(
            lambda: any_board.log("run", [scalars("loss", [2, 3], step=[1, 2])], now=1001.0)
        )
        for watcher in watchers:
            heard = await _heard(watcher, lambda heard: uid in heard)
            assert heard[uid]["points"] == 3
            assert heard[uid]["last_step"] == 2
            assert watcher.revision == 1_001_000

    _run(any_board, scene, [1000.0])


def test_other_projects_and_hidden_directories_are_not_told_of(any_board: Board) -> None:
    any_board.log("a", [scalars("loss", [1])], now=1000.0)
    any_board.log("b", [scalars("loss", [1])], logdir="/hidden", now=1000.0)
    any_board.log("c", [scalars("loss", [1])], project="default/other", logdir="/c", now=1000.0)
    topic = _topic(any_board, viewer=Viewer("local", "you", logdirs=("/logs",)))

    async def scene(ticker: Ticker) -> None:
        heard = await _heard(ticker.watch(topic, LOCAL_VIEWER), bool)
        assert set(heard) == {any_board.uids["a"]}

    _run(any_board, scene, [1000.0])


def test_a_run_that_falls_silent_is_told_to_be_stale(board: Board) -> None:
    uid = board.log("run", [scalars("loss", [1])], now=1000.0)
    clock = [1000.0]

    async def scene(ticker: Ticker) -> None:
        watcher = ticker.watch(_topic(board), LOCAL_VIEWER)
        first = await _heard(watcher, lambda heard: uid in heard)
        clock[0] = 1200.0
        later = await _heard(watcher, lambda heard: uid in heard)
        assert (first[uid]["status"], later[uid]["status"]) == ("live", "stale")

    _run(board, scene, clock)


def test_who_comes_later_hears_what_was_committed_just_before(board: Board) -> None:
    uid = board.log("run", [scalars("loss", [1])], now=1000.0)

    async def scene(ticker: Ticker) -> None:
        topic = _topic(board)
        await _heard(ticker.watch(topic, LOCAL_VIEWER), lambda heard: uid in heard)
        late = await _heard(ticker.watch(topic, LOCAL_VIEWER), lambda heard: uid in heard)
        assert late[uid]["points"] == 1

    _run(board, scene, [1000.0])


def test_a_slow_watcher_is_left_one_entry_a_run() -> None:
    watcher = Watcher(LOCAL_VIEWER)
    for revision in range(1000):
        watcher.tell(revision, [News(uid="a", points=revision), News(uid="b", points=1)])

    assert watcher.take() == (999, [{"uid": "a", "points": 999}, {"uid": "b", "points": 1}])
    assert watcher.take() == (999, [])


def test_watchers_are_told_one_after_another_at_the_pace(board: Board) -> None:
    board.log("run", [scalars("loss", [1])], now=1000.0)
    topic = _topic(board)
    now = 0.0
    work = Work(lambda: now)
    pace = Pace(work, lambda: now)
    with work.question():
        now = 1.0
    pace.told()

    async def scene() -> None:
        ticker = Ticker(board.engine, lambda: 1000.0, 0.01, pace)
        try:
            told = [ticker.watch(topic, LOCAL_VIEWER).changed for _ in range(20)]
            async with asyncio.timeout(WITHIN_S):
                for before, changed in enumerate(told[:4]):
                    await changed.wait()
                    assert sum(each.is_set() for each in told) == before + 1
        finally:
            ticker.close()

    assert pace.pause_s(20) == 0.25
    anyio.run(scene)


def test_a_page_hears_about_how_often_it_is_told(board: Board) -> None:
    board.log("run", [scalars("loss", [1])])
    web = board.web(poll_every_s=0.01)

    async def scene() -> None:
        async with asyncio.timeout(WITHIN_S):
            first = await anext(_events(web.gate, "/api/ui/v1/p/default/board/live"))
            assert first["every"] == 0.0
            web.board.close()

    anyio.run(scene)


def test_a_wall_time_that_json_does_not_have_is_none(board: Board) -> None:
    uid = board.log("run", [scalars("loss", [1], wall=[math.inf])])
    web = board.web(poll_every_s=0.01)

    async def scene() -> None:
        async with asyncio.timeout(WITHIN_S):
            events = _events(web.gate, "/api/ui/v1/p/default/board/live")
            while not (runs := (await anext(events))["runs"]):
                pass
            assert [(run["uid"], run["last_event"]) for run in runs] == [(uid, None)]
            web.board.close()

    anyio.run(scene)


def test_nobody_watching_means_no_poller(board: Board) -> None:
    board.log("run", [scalars("loss", [1])], now=1000.0)

    async def scene(ticker: Ticker) -> None:
        topic = _topic(board)
        watcher = ticker.watch(topic, LOCAL_VIEWER)
        await _heard(watcher, bool)
        ticker.leave(topic, watcher)
        async with asyncio.timeout(WITHIN_S):
            await ticker.idle()
        assert ticker.watchers() == 0

    _run(board, scene, [1000.0])


def test_the_stream_speaks_at_once_then_of_changes(board: Board) -> None:
    uid = board.log("run", [scalars("loss", [1])])
    web = board.web(poll_every_s=0.01)

    async def scene() -> None:
        async with asyncio.timeout(WITHIN_S):
            events = _events(web.gate, "/api/ui/v1/p/default/board/live")
            first = await anext(events)
            assert first["runs"] == []
            assert first["revision"] > 0
            while True:
                event = await anext(events)
                if any(run["uid"] == uid for run in event["runs"]):
                    break
            web.board.close()
            with pytest.raises(StopAsyncIteration):
                await anext(events)

    anyio.run(scene)


async def _events(app: Any, path: str) -> AsyncIterator[dict[str, Any]]:
    """Ask for a stream as a browser does, and yield the data of each event."""
    bodies: asyncio.Queue[bytes | None] = asyncio.Queue()
    waits = asyncio.Event()
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"localhost"), (b"sec-fetch-site", b"same-origin")],
    }

    async def receive() -> dict[str, Any]:
        await waits.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body":
            await bodies.put(message.get("body", b""))
            if not message.get("more_body", False):
                await bodies.put(None)

    task = asyncio.create_task(app(scope, receive, send))
    while (body := await bodies.get()) is not None:
        for line in body.decode().splitlines():
            if line.startswith("data: "):
                yield json.loads(line.removeprefix("data: "))
    await task
