"""What the viewer watches, and what there is to tell of it, as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from orgboard_dashboard.api.answers import answer
from orgboard_dashboard.api.bodies import read_object
from orgboard_dashboard.queries.errors import BadQuery
from orgboard_dashboard.queries.news import MAX_NEWS, list_news, see_news
from orgboard_dashboard.queries.watches import is_watched, list_watches, unwatch, watch
from orgboard_dashboard.services import Services

__all__ = ["routes"]


def routes(services: Services) -> APIRouter:
    """Return the routes, answering through `services`."""
    router = APIRouter(prefix="/api/ui/v1")

    @router.get("/watches")
    async def watches() -> Response:
        return answer({"watches": await services.ask(list_watches, services.now())})

    @router.get("/r/{uid}/watch")
    async def is_one(uid: str) -> Response:
        return answer({"watched": await services.ask(is_watched, uid)})

    @router.post("/r/{uid}/watch")
    async def begin(uid: str) -> Response:
        await services.edit(watch, uid, services.now())
        return answer({"watched": True})

    @router.delete("/r/{uid}/watch")
    async def stop(uid: str) -> Response:
        await services.edit(unwatch, uid)
        return answer({"watched": False})

    @router.get("/news")
    async def news() -> Response:
        return answer({"news": await services.ask(list_news, services.now())})

    @router.post("/news/seen")
    async def see(request: Request) -> Response:
        ids = _ids(read_object(await request.body()))
        await services.edit(see_news, ids, services.now())
        return answer({"seen": len(ids)})

    return router


def _ids(asked: Mapping[str, Any]) -> list[str]:
    ids = asked.get("news")
    is_list = isinstance(ids, list) and all(isinstance(each, str) for each in ids)
    if not isinstance(ids, list) or not is_list or len(ids) > MAX_NEWS:
        raise BadQuery(f"Name at most {MAX_NEWS} `news` by their ids.")
    return ids
