"""What mentions the viewer, as JSON: listed, taken for seen, and counted for the bell with news."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from orgboard_dashboard.api.answers import answer
from orgboard_dashboard.api.bodies import is_uid, read_object
from orgboard_dashboard.queries.errors import BadQuery
from orgboard_dashboard.queries.mentions import (
    MAX_LISTED,
    list_mentions,
    mark_seen,
)
from orgboard_dashboard.queries.news import count_new
from orgboard_dashboard.services import Services

__all__ = ["routes"]


def routes(services: Services) -> APIRouter:
    """Return the routes, answering through `services`."""
    router = APIRouter(prefix="/api/ui/v1/mentions")

    @router.get("")
    async def mentions() -> Response:
        return answer({"mentions": await services.ask(list_mentions)})

    @router.get("/unseen")
    async def unseen() -> Response:
        return answer({"unseen": await services.ask(count_new, services.now())})

    @router.post("/seen")
    async def see(request: Request) -> Response:
        keys = _keys(read_object(await request.body()))
        return answer({"seen": await services.edit(mark_seen, keys, services.now())})

    return router


def _keys(asked: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Return which comments were seen; None: all."""
    if asked.get("all") is True:
        return None
    keys = asked.get("comments")
    if not isinstance(keys, list) or len(keys) > MAX_LISTED or not all(map(is_uid, keys)):
        raise BadQuery(f"Say `all`, or name at most {MAX_LISTED} `comments` by their ids.")
    return tuple(keys)
