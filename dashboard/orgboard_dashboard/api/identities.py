"""What who is signed in is known by at the organisation's provider, as JSON."""

from __future__ import annotations

from fastapi import APIRouter, Request
from sqlalchemy import Connection
from starlette.responses import Response

from orgboard_dashboard.api.answers import answer
from orgboard_dashboard.api.bodies import read_object, text_of
from orgboard_dashboard.api.proof import require_proof
from orgboard_dashboard.queries.errors import NotFound
from orgboard_dashboard.queries.people.identities import (
    IdentityRow,
    disconnect,
    has_password,
    list_identities,
)
from orgboard_dashboard.services import Services
from orgboard_dashboard.signin.by_provider import Guide
from orgboard_dashboard.viewer import Viewer, current_viewer

__all__ = ["routes"]


def routes(services: Services, guide: Guide) -> APIRouter:
    """Return the routes, answering through `services`."""
    router = APIRouter(prefix="/api/ui/v1")

    @router.get("/identities")
    async def identities() -> Response:
        rows, by_password = await services.ask(_known_by)
        provider = guide.settings.name if guide.settings else ""
        return answer({"provider": provider, "identities": rows, "has_password": by_password})

    @router.post("/identities/{purpose}")
    async def leave(purpose: str, request: Request) -> Response:
        to = text_of(read_object(await request.body()), "next", 10_000)
        if purpose == "prove":
            return await guide.leave_known(current_viewer(), "prove", to)
        if purpose != "connect":
            raise NotFound
        require_proof(services.now())
        return await guide.leave_known(current_viewer(), "connect", to)

    @router.delete("/identities/{identity}")
    async def forget(identity: str) -> Response:
        if current_viewer().kind != "account":
            raise NotFound
        require_proof(services.now())
        await services.edit(disconnect, identity, services.now())
        return answer({"id": identity})

    return router


def _known_by(viewer: Viewer, conn: Connection) -> tuple[tuple[IdentityRow, ...], bool]:
    return list_identities(viewer, conn), has_password(viewer, conn)
