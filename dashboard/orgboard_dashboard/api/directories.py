"""Which directories are read into which projects, for who runs the board."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from orgboard_dashboard.api.answers import answer
from orgboard_dashboard.api.bodies import read_object, text_of
from orgboard_dashboard.api.proof import require_proof
from orgboard_dashboard.queries.people.logdirs import (
    drop_rule,
    list_logdirs,
    list_rules,
    set_rule,
)
from orgboard_dashboard.services import Services

__all__ = ["routes"]

_MAX_PATH_CHARS = 4096


def routes(services: Services) -> APIRouter:
    """Return the routes, answering through `services`."""
    router = APIRouter(prefix="/api/ui/v1/directories")

    @router.get("")
    async def directories() -> Response:
        rows, rules = await services.ask(list_logdirs), await services.ask(list_rules)
        return answer({"directories": rows, "rules": rules})

    @router.post("")
    async def assign(request: Request) -> Response:
        asked = read_object(await request.body())
        is_trial = asked.get("trial") is True
        if not is_trial:
            require_proof(services.now())
        path = text_of(asked, "path", _MAX_PATH_CHARS)
        team, _, project = text_of(asked, "project", 1000).partition("/")
        moved = await services.edit(
            set_rule, path, team, project, services.now(), is_trial=is_trial
        )
        return answer(moved)

    @router.post("/drop")
    async def drop(request: Request) -> Response:
        require_proof(services.now())
        path = text_of(read_object(await request.body()), "path", _MAX_PATH_CHARS)
        await services.edit(drop_rule, path, services.now())
        return answer({"path": path})

    return router
