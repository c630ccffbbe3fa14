"""Server-sent events: which runs of a project changed. Data is fetched by whoever shows it."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import AsyncGenerator
from typing import Any, Final

from fastapi import APIRouter
from sqlalchemy import Connection
from starlette.responses import Response

from orgboard_dashboard.api.in_turn import InTurn, Refused
from orgboard_dashboard.live import Board, News, Topic, Watcher
from orgboard_dashboard.queries.runs import project_revision
from orgboard_dashboard.queries.visible import ProjectRef, find_project
from orgboard_dashboard.services import Services
from orgboard_dashboard.viewer import Viewer, current_viewer

__all__ = ["routes"]

_HEADERS: Final = {"cache-control": "no-store", "x-accel-buffering": "no"}
"""A proxy that buffers would hold news back."""

_REFUSED: Final = Refused(
    yours="Too many of your pages watch this board live. Close some, or reload to see what is new.",
    all="Too many people watch this board live. Reload to see what is new.",
    wait_s=30,
)

_OVER: Final = b"event: over\ndata: {}\n\n"
"""Whoever watches may not any more: a page asks at once what it may, and shows that."""

# Made once: to make one costs as much as to use it.
_ENCODER: Final = json.JSONEncoder(allow_nan=False, separators=(",", ":"))


def routes(services: Services, board: Board, heartbeat_every_s: float) -> APIRouter:
    """Return the route of the event stream, fed by `board`."""
    router = APIRouter(prefix="/api/ui/v1")

    @router.get("/p/{team}/{project}/live")
    async def live(team: str, project: str) -> Response:
        found, revision = await services.ask(_current, team, project)
        viewer = current_viewer()
        stream = _stream(board, viewer, found, revision, heartbeat_every_s)
        return InTurn(
            *(stream, services.streams, viewer, _REFUSED),
            media_type="text/event-stream",
            headers=_HEADERS,
        )

    return router


def _current(viewer: Viewer, conn: Connection, team: str, project: str) -> tuple[ProjectRef, int]:
    found = find_project(viewer, conn, team, project)
    return found, project_revision(viewer, conn, found)


async def _stream(
    board: Board, viewer: Viewer, project: ProjectRef, revision: int, heartbeat_every_s: float
) -> AsyncGenerator[bytes, None]:
    topic = Topic.of(viewer, project)
    watcher = board.watch(topic, viewer)
    try:
        # Lets the browser see that it is connected, and whether it missed anything.
        yield _event(revision, [], board.every_s())
        while not _is_over(board, watcher):
            has_news = await _has_news(watcher, heartbeat_every_s)
            if not _is_over(board, watcher):
                yield _event(*watcher.take(), board.every_s()) if has_news else b":\n\n"
        if watcher.is_over:
            yield _OVER
    finally:
        board.leave(topic, watcher)


def _is_over(board: Board, watcher: Watcher) -> bool:
    return board.closing.is_set() or watcher.is_over


async def _has_news(watcher: Watcher, within_s: float) -> bool:
    try:
        async with asyncio.timeout(within_s):
            await watcher.changed.wait()
    except TimeoutError:
        return False
    return True


def _event(revision: int, runs: list[News], every_s: float) -> bytes:
    told = b",".join(map(_spelled, runs))
    return b'event: runs\ndata: {"revision":%d,"every":%.1f,"runs":[%b]}\n\n' % (
        revision,
        every_s,
        told,
    )


def _spelled(news: News) -> bytes:
    """Return news as JSON: made once, however many are told of it."""
    try:
        return news.spelled
    except AttributeError:
        news.spelled = _ENCODER.encode(_sayable(news)).encode()
        return news.spelled


def _sayable(news: News) -> dict[str, Any]:
    """Return news as JSON can have them: a file's wall times may be anything."""
    last_event = news["last_event"]
    is_finite = last_event is None or math.isfinite(last_event)
    return news if is_finite else {**news, "last_event": None}
