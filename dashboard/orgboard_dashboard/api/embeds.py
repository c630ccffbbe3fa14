"""Cards of a project in other sites' pages, for those who run the project."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from orgboard_dashboard.accounts.opaque import new_secret
from orgboard_dashboard.api.answers import answer, plain
from orgboard_dashboard.api.bodies import number_of, read_object, text_of, uids_of
from orgboard_dashboard.api.proof import require_proof
from orgboard_dashboard.config import WebConfig
from orgboard_dashboard.embeds.origins import checked_origins
from orgboard_dashboard.queries.errors import Forbidden
from orgboard_dashboard.queries.people.embeds import (
    DEFAULT_DAYS,
    MAX_RUNS,
    NewEmbed,
    list_embeds,
    make_embed,
    revoke_embed,
)
from orgboard_dashboard.services import Services
from orgboard_dashboard.viewer import current_viewer

__all__ = ["routes"]


def routes(services: Services, config: WebConfig) -> APIRouter:
    """Return the routes, answering through `services`."""
    router = APIRouter(prefix="/api/ui/v1/p/{team}/{project}/embeds")

    @router.get("")
    async def embeds(team: str, project: str) -> Response:
        found = await services.ask(list_embeds, team, project, services.now())
        return answer({"embeds": found, "are_shown": not config.no_embeds})

    @router.post("")
    async def embed(team: str, project: str, request: Request) -> Response:
        # Who is alone with the board has no password to give.
        if current_viewer().kind == "account":
            require_proof(services.now())
        asked = read_object(await request.body())
        days = number_of(asked, "days")
        new = NewEmbed(
            tag=text_of(asked, "tag", 10_000),
            state=text_of(asked, "state", 10_000),
            title=text_of(asked, "title", 1000),
            origins=checked_origins(asked.get("origins")),
            uids=None if asked.get("runs") is None else uids_of(asked, MAX_RUNS),
            days=DEFAULT_DAYS if days is None else int(days),
        )
        if config.no_embeds:
            raise Forbidden("This board is shown in no other site's pages (--no-embeds).")
        secret = new_secret()
        made = await services.edit(make_embed, team, project, secret, new, services.now())
        # Said once: from here on only its hash is known.
        base = config.base_url or str(request.base_url).rstrip("/")
        return answer({**plain(made), "address": f"{base}/embed/{made.id}#{secret}"})

    @router.delete("/{embed_id}")
    async def revoke(team: str, project: str, embed_id: str) -> Response:
        await services.edit(revoke_embed, team, project, embed_id, services.now())
        return answer({"id": embed_id})

    return router
