"""What groups of the organisation's provider are here, as JSON."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from orgboard_dashboard.api.answers import answer
from orgboard_dashboard.api.bodies import read_object, role_of, text_of
from orgboard_dashboard.api.proof import require_proof
from orgboard_dashboard.config import WebConfig
from orgboard_dashboard.queries.people.group_rules import list_rules, set_rule
from orgboard_dashboard.services import Services

__all__ = ["routes"]


def routes(services: Services, config: WebConfig) -> APIRouter:
    """Return the routes, answering through `services`."""
    router = APIRouter(prefix="/api/ui/v1")

    @router.get("/groups")
    async def rules() -> Response:
        provider = config.provider.name if config.provider else ""
        return answer({"provider": provider, "rules": await services.ask(list_rules)})

    @router.post("/groups")
    async def put(request: Request) -> Response:
        require_proof(services.now())
        asked = read_object(await request.body())
        group, team = text_of(asked, "group", 500), text_of(asked, "team", 500)
        await services.edit(set_rule, group, team, role_of(asked), services.now())
        return answer({"group": group})

    return router
