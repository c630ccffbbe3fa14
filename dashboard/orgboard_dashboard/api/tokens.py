"""Tokens as their owners manage them: listed, made, revoked. One is told once, when it is made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from orgboard_dashboard.accounts.names import MAX_NAME_CHARS
from orgboard_dashboard.accounts.opaque import new_token
from orgboard_dashboard.api.answers import answer, shallow
from orgboard_dashboard.api.bodies import number_of, read_object, text_of
from orgboard_dashboard.api.proof import require_proof
from orgboard_dashboard.queries.errors import BadQuery, NotFound
from orgboard_dashboard.queries.people.tokens import (
    DEFAULT_DAYS,
    NewToken,
    list_tokens,
    make_token,
    new_token_id,
    revoke_token,
)
from orgboard_dashboard.services import Services
from orgboard_dashboard.viewer import current_viewer

__all__ = ["routes"]

_MAX_CHARS: Final = 500
"""Of a name that is read; what may be one, the queries know."""


def routes(services: Services) -> APIRouter:
    """Return the routes, answering through `services`."""
    router = APIRouter(prefix="/api/ui/v1")

    @router.get("/tokens")
    async def tokens(everybodys: bool = False) -> Response:
        _require_person()
        now = services.now()
        return answer({"tokens": await services.ask(list_tokens, now, everybodys=everybodys)})

    @router.post("/tokens")
    async def make(request: Request) -> Response:
        _require_person()
        now = services.now()
        require_proof(now)
        new = _new(read_object(await request.body()))
        token_id = new_token_id()
        secret = new_token(token_id)
        made = await services.edit(make_token, token_id, secret, new, now)
        return answer({**shallow(made), "token": secret})

    @router.delete("/tokens/{token_id}")
    async def revoke(token_id: str) -> Response:
        _require_person()
        await services.edit(revoke_token, token_id, services.now())
        return answer({"revoked": token_id})

    return router


def _require_person() -> None:
    """Let through who is signed in: a program does not see what else its owner gave away.

    Raises:
        NotFound: nobody is.
    """
    if current_viewer().kind != "account":
        raise NotFound


def _new(asked: Mapping[str, Any]) -> NewToken:
    days = number_of(asked, "days")
    if days is not None and days != int(days):
        raise BadQuery("`days` is a whole number.")
    return NewToken(
        name=text_of(asked, "name", _MAX_CHARS),
        scope=text_of(asked, "scope", 16) or "read",
        days=DEFAULT_DAYS if days is None else int(days),
        team=text_of(asked, "team", _MAX_CHARS),
        project=text_of(asked, "project", _MAX_CHARS),
        owner=text_of(asked, "owner", 4 * MAX_NAME_CHARS),
    )
