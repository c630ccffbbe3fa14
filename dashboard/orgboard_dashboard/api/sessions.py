"""Everybody's sessions, for who runs the board."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from orgboard_dashboard.accounts.names import MAX_NAME_CHARS
from orgboard_dashboard.api.answers import answer
from orgboard_dashboard.api.bodies import read_object, text_of
from orgboard_dashboard.api.proof import require_proof
from orgboard_dashboard.queries.errors import BadQuery
from orgboard_dashboard.queries.people.sessions import (
    MOST_LISTED,
    end_session,
    end_sessions_of,
    list_all_sessions,
)
from orgboard_dashboard.services import Services

__all__ = ["routes"]

_MAX_WORDS_CHARS: Final = 200


def routes(services: Services) -> APIRouter:
    """Return the routes, answering through `services`."""
    router = APIRouter(prefix="/api/ui/v1/admin/sessions")

    @router.get("")
    async def sessions(q: str = "") -> Response:
        if len(q) > _MAX_WORDS_CHARS:
            raise BadQuery(f"`q` is at most {_MAX_WORDS_CHARS} characters.")
        rows = await services.ask(list_all_sessions, services.now(), q.strip())
        return answer({"sessions": rows, "is_all": len(rows) < MOST_LISTED})

    @router.post("/end")
    async def end(request: Request) -> Response:
        require_proof(services.now())
        asked = read_object(await request.body())
        session_id = text_of(asked, "id", 100)
        name = text_of(asked, "account", 4 * MAX_NAME_CHARS)
        if bool(session_id) == bool(name):
            raise BadQuery("Name one session by its `id`, or an `account` for all of its sessions.")
        if session_id:
            return answer({"ended": await services.edit(end_session, session_id, services.now())})
        return answer({"ended": await services.edit(end_sessions_of, name, services.now())})

    return router
