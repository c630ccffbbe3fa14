"""Server-sent events: which runs of a project changed. Data is fetched by whoever shows it."""

from __future__ import annotations

import asyncio
import json
import operator
from collections.abc import AsyncIterator
from typing import Any, Final

from fastapi import APIRouter
from sqlalchemy import Connection
from starlette.responses import Response, StreamingResponse

from orgboard_dashboard.api.answers import plain, refuse
from orgboard_dashboard.live import MAX_WATCHERS, Board, Topic, Watcher
from orgboard_dashboard.queries.runs import project_revision
from orgboard_dashboard.queries.visible import ProjectRef, find_project
from orgboard_dashboard.services import Services
from orgboard_dashboard.viewer import Viewer, current_viewer

__all__ = ["routes"]

_HEADERS: Final = {"cache-control": "no-store", "x-accel-buffering": "no"}
"""A proxy that buffers would hold news back."""

_TOPICS_KEPT: Final = 64
"""Whose last event is kept for the other streams."""


def routes(services: Services, board: Board, heartbeat_every_s: float) -> APIRouter:
    """Return the route of the event stream, fed by `board`."""
    router = APIRouter(prefix="/api/ui/v1")
    events = _Events()

    @router.get("/p/{team}/{project}/live")
    async def live(team: str, project: str) -> Response:
        found, revision = await services.ask(_current, team, project)
        if board.watchers() >= MAX_WATCHERS:
            return refuse(503, "Too many people watch this board live. Reload to see what is new.")
        topic = Topic(current_viewer(), found)
        stream = _stream(board, topic, revision, heartbeat_every_s, events)
        return StreamingResponse(stream, media_type="text/event-stream", headers=_HEADERS)

    return router


def _current(viewer: Viewer, conn: Connection, team: str, project: str) -> tuple[ProjectRef, int]:
    found = find_project(viewer, conn, team, project)
    return found, project_revision(viewer, conn, found)


async def _stream(
    board: Board, topic: Topic, revision: int, heartbeat_every_s: float, events: _Events
) -> AsyncIterator[bytes]:
    watcher = board.watch(topic)
    try:
        # Lets the browser see that it is connected, and whether it missed anything.
        yield _event(revision, [])
        while not board.closing.is_set():
            has_news = await _has_news(watcher, heartbeat_every_s)
            if not board.closing.is_set():
                yield events.encoded(topic, *watcher.take()) if has_news else b":\n\n"
    finally:
        board.leave(topic, watcher)


async def _has_news(watcher: Watcher, within_s: float) -> bool:
    try:
        async with asyncio.timeout(within_s):
            await watcher.changed.wait()
    except TimeoutError:
        return False
    return True


class _Events:
    """Encodes news. What many streams are told alike, as in most ticks, is encoded once."""

    def __init__(self) -> None:
        self._last: dict[Topic, tuple[int, list[dict[str, Any]], bytes]] = {}

    def encoded(self, topic: Topic, revision: int, runs: list[dict[str, Any]]) -> bytes:
        """Return the event that tells of `runs`, which nobody changes any more."""
        last = self._last.get(topic)
        if last is not None and last[0] == revision and _are_same(last[1], runs):
            return last[2]
        if len(self._last) >= _TOPICS_KEPT:
            self._last.clear()
        event = _event(revision, runs)
        self._last[topic] = revision, runs, event
        return event


def _are_same(one: list[dict[str, Any]], other: list[dict[str, Any]]) -> bool:
    return len(one) == len(other) and all(map(operator.is_, one, other))


def _event(revision: int, runs: list[dict[str, Any]]) -> bytes:
    data = json.dumps(plain({"revision": revision, "runs": runs}), separators=(",", ":"))
    return f"event: runs\ndata: {data}\n\n".encode()
