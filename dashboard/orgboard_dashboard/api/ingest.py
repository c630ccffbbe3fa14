"""How ingest fares, for who runs the board."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from orgboard_dashboard.api.answers import answer
from orgboard_dashboard.queries.ingest import ingest_overview
from orgboard_dashboard.services import Services

__all__ = ["routes"]


def routes(services: Services) -> APIRouter:
    """Return the routes, answering through `services`."""
    router = APIRouter(prefix="/api/ui/v1/admin/ingest")

    @router.get("")
    async def ingest() -> Response:
        return answer(await services.ask(ingest_overview))

    return router
