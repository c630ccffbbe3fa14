"""Second factors, as JSON: one's own, and for who runs the board the end of somebody else's."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from orgboard_dashboard.accounts.totp import link_of, picture_of, spelled
from orgboard_dashboard.api.answers import answer
from orgboard_dashboard.api.bodies import read_object, text_of
from orgboard_dashboard.api.proof import require_proof
from orgboard_dashboard.config import WebConfig
from orgboard_dashboard.queries.errors import NotFound
from orgboard_dashboard.queries.people.second_factors import (
    confirm,
    end,
    end_for,
    second_factor_of,
    start,
)
from orgboard_dashboard.services import Services
from orgboard_dashboard.viewer import current_viewer

__all__ = ["routes"]

_MOST_CODE_CHARS = 100


def routes(services: Services, config: WebConfig) -> APIRouter:
    """Return the routes, answering through `services`."""
    router = APIRouter(prefix="/api/ui/v1")

    def require_own_proof() -> None:
        # For a program, and where there are no accounts, there is none.
        if current_viewer().kind != "account":
            raise NotFound
        require_proof(services.now())

    @router.get("/second-factor")
    async def own() -> Response:
        return answer(await services.ask(second_factor_of))

    @router.post("/second-factor")
    async def begin() -> Response:
        require_own_proof()
        seed = await services.edit(start, services.now())
        board = f"orgboard {config.outside_host}"
        link = link_of(seed, current_viewer().name, board)
        return answer({"secret": spelled(seed), "link": link, "picture": picture_of(link)})

    @router.post("/second-factor/confirm")
    async def put_in_force(request: Request) -> Response:
        require_own_proof()
        code = text_of(read_object(await request.body()), "code", _MOST_CODE_CHARS)
        return answer({"codes": await services.edit(confirm, code, services.now())})

    @router.delete("/second-factor")
    async def give_up() -> Response:
        require_own_proof()
        await services.edit(end, services.now())
        return answer({"ended": True})

    @router.delete("/accounts/{name}/second-factor")
    async def end_somebodys(name: str) -> Response:
        require_proof(services.now())
        return answer({"ended": await services.edit(end_for, name, services.now())})

    return router
