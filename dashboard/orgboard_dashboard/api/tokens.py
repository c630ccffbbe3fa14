"""One's own tokens, for programs: made, listed, revoked."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from orgboard_dashboard.accounts.opaque import new_token
from orgboard_dashboard.api.answers import answer, plain
from orgboard_dashboard.api.bodies import number_of, read_object, text_of
from orgboard_dashboard.api.proof import require_proof
from orgboard_dashboard.queries.people.tokens import (
    DEFAULT_DAYS,
    NewToken,
    list_tokens,
    make_token,
    new_token_id,
    revoke_token,
)
from orgboard_dashboard.services import Services

__all__ = ["routes"]


def routes(services: Services) -> APIRouter:
    """Return the routes, answering through `services`."""
    router = APIRouter(prefix="/api/ui/v1/tokens")

    @router.get("")
    async def tokens() -> Response:
        return answer({"tokens": await services.ask(list_tokens, services.now())})

    @router.post("")
    async def make(request: Request) -> Response:
        asked = read_object(await request.body())
        require_proof(services.now())
        team, _, project = text_of(asked, "place", 1000).partition("/")
        days = number_of(asked, "days")
        new = NewToken(
            name=text_of(asked, "name", 1000),
            scope=text_of(asked, "scope", 20) or "read",
            days=DEFAULT_DAYS if days is None else int(days),
            team=team,
            project=project,
        )
        token_id = new_token_id()
        token = new_token(token_id)
        made = await services.edit(make_token, token_id, token, new, services.now())
        # Said once: from here on only its hash is known.
        return answer({**plain(made), "token": token})

    @router.delete("/{token_id}")
    async def revoke(token_id: str) -> Response:
        await services.edit(revoke_token, token_id, services.now())
        return answer({"id": token_id})

    return router
