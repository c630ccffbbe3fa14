"""Which directories go to which projects, as JSON, for who runs the board."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from orgboard_dashboard.api.answers import answer, shallow
from orgboard_dashboard.api.bodies import read_object, text_of
from orgboard_dashboard.api.proof import require_proof
from orgboard_dashboard.queries.people.access import foresee_assignment
from orgboard_dashboard.queries.people.logdirs import (
    drop_rule,
    list_logdirs,
    list_rules,
    set_rule,
)
from orgboard_dashboard.services import Services

__all__ = ["routes"]

_MAX_PATH_CHARS: Final = 4096
_MAX_PLACE_CHARS: Final = 500


def routes(services: Services) -> APIRouter:
    """Return the routes, answering through `services`."""
    router = APIRouter(prefix="/api/ui/v1")

    @router.get("/directories")
    async def directories() -> Response:
        listed, rules = await services.ask(list_logdirs), await services.ask(list_rules)
        return answer({"directories": listed, "rules": rules})

    @router.post("/directories/preview")
    async def preview(request: Request) -> Response:
        path, team, project = _asked(read_object(await request.body()))
        told = await services.ask(foresee_assignment, path, team, project, services.now())
        moved, foreseen = told
        return answer({"moved": moved, **shallow(foreseen)})

    @router.post("/directories")
    async def assign(request: Request) -> Response:
        require_proof(services.now())
        path, team, project = _asked(read_object(await request.body()))
        return answer(await services.edit(set_rule, path, team, project, services.now()))

    @router.post("/directories/drop")
    async def drop(request: Request) -> Response:
        require_proof(services.now())
        path, _, _ = _asked(read_object(await request.body()))
        await services.edit(drop_rule, path, services.now())
        return answer({"path": path})

    return router


def _asked(asked: Mapping[str, Any]) -> tuple[str, str, str]:
    path = text_of(asked, "path", _MAX_PATH_CHARS)
    team, project = (text_of(asked, key, _MAX_PLACE_CHARS) for key in ("team", "project"))
    return path, team, project
