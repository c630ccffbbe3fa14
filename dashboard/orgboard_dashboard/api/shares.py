"""Share links of a project, for those who run it."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from orgboard_dashboard.accounts.opaque import new_secret
from orgboard_dashboard.api.answers import answer, plain
from orgboard_dashboard.api.bodies import number_of, read_object, text_of, uids_of
from orgboard_dashboard.api.proof import require_proof
from orgboard_dashboard.config import WebConfig
from orgboard_dashboard.queries.errors import BadQuery
from orgboard_dashboard.queries.people.shares import (
    DEFAULT_DAYS,
    MAX_RUNS,
    NewShare,
    list_shares,
    make_share,
    revoke_share,
)
from orgboard_dashboard.services import Services
from orgboard_dashboard.signin.places import SHARED, checked_next

__all__ = ["routes"]


def routes(services: Services, config: WebConfig) -> APIRouter:
    """Return the routes, answering through `services`."""
    router = APIRouter(prefix="/api/ui/v1/p/{team}/{project}/shares")

    @router.get("")
    async def shares(team: str, project: str) -> Response:
        return answer({"shares": await services.ask(list_shares, team, project, services.now())})

    @router.post("")
    async def share(team: str, project: str, request: Request) -> Response:
        require_proof(services.now())
        asked = read_object(await request.body())
        path = text_of(asked, "path", 10_000)
        if checked_next(path) != path or path == "/":
            raise BadQuery("`path` is the address of a page of this project.")
        days = number_of(asked, "days")
        new = NewShare(
            path=path,
            title=text_of(asked, "title", 1000),
            uids=None if asked.get("runs") is None else uids_of(asked, MAX_RUNS),
            days=DEFAULT_DAYS if days is None else int(days),
        )
        secret = new_secret()
        made = await services.edit(make_share, team, project, secret, new, services.now())
        # Said once: from here on only its hash is known.
        base = config.base_url or str(request.base_url).rstrip("/")
        return answer({**plain(made), "link": f"{base}{SHARED}#{secret}"})

    @router.delete("/{share_id}")
    async def revoke(team: str, project: str, share_id: str) -> Response:
        await services.edit(revoke_share, team, project, share_id, services.now())
        return answer({"id": share_id})

    return router
