"""What is the viewer's own, as JSON: who it is, its sessions, its password, what it sees."""

from __future__ import annotations

from typing import Final

import anyio.to_thread
from fastapi import APIRouter, Request
from sqlalchemy import Connection
from starlette.responses import Response

from orgboard_dashboard.accounts.opaque import new_secret
from orgboard_dashboard.accounts.passwords import hash_of, password_problem
from orgboard_dashboard.api.answers import answer, refuse
from orgboard_dashboard.api.bodies import read_object, text_of
from orgboard_dashboard.api.proof import FRESH_S, prove
from orgboard_dashboard.config import WebConfig
from orgboard_dashboard.queries.errors import BadQuery
from orgboard_dashboard.queries.people.access import own_access
from orgboard_dashboard.queries.people.accounts import (
    change_own_password,
    end_sessions,
    list_sessions,
)
from orgboard_dashboard.queries.people.members import list_teams
from orgboard_dashboard.queries.people.ways_in import freshen
from orgboard_dashboard.services import Services
from orgboard_dashboard.signin.cookies import give_session
from orgboard_dashboard.viewer import Viewer, current_viewer

__all__ = ["routes"]

_MAX_PASSWORD_CHARS: Final = 1000
"""Of what is read; one that is longer than a password may be is told so."""


def routes(services: Services, config: WebConfig) -> APIRouter:
    """Return the routes, answering through `services`."""
    router = APIRouter(prefix="/api/ui/v1")
    _add_self(router, services, config)
    _add_password(router, services, config)
    _add_sessions(router, services)
    return router


def _add_self(router: APIRouter, services: Services, config: WebConfig) -> None:
    @router.get("/me")
    async def me() -> Response:
        viewer = current_viewer()
        is_signed_in = viewer.kind == "account"
        return answer(
            {
                "name": viewer.name,
                "kind": viewer.kind,
                "is_admin": viewer.runs_board,
                "signed_in": is_signed_in,
                "can_edit": viewer.can_edit,
                "read_only": config.read_only,
            }
        )

    @router.get("/access")
    async def access() -> Response:
        return answer(
            {
                "projects": await services.ask(own_access),
                "teams": await services.ask(list_teams),
            }
        )


def _add_password(router: APIRouter, services: Services, config: WebConfig) -> None:
    @router.post("/prove")
    async def prove_self(request: Request) -> Response:
        password = text_of(read_object(await request.body()), "password", _MAX_PASSWORD_CHARS)
        problem = await prove(services, current_viewer(), password)
        if problem is not None:
            return problem
        now, secret = services.now(), new_secret()
        await services.edit(freshen, secret, now)
        return give_session(answer({"fresh_until": now + FRESH_S}), config, secret)

    @router.post("/password")
    async def change_password(request: Request) -> Response:
        asked, viewer = read_object(await request.body()), current_viewer()
        current = text_of(asked, "current", _MAX_PASSWORD_CHARS)
        wanted = text_of(asked, "password", _MAX_PASSWORD_CHARS)
        unfit = password_problem(wanted, viewer.name)
        if unfit:
            return refuse(400, unfit)
        problem = await prove(services, viewer, current)
        if problem is not None:
            return problem
        kept = await anyio.to_thread.run_sync(hash_of, wanted)
        secret = new_secret()
        await services.edit(_replace_password, kept, secret, services.now())
        return give_session(answer({"changed": True}), config, secret)


def _add_sessions(router: APIRouter, services: Services) -> None:
    @router.get("/sessions")
    async def sessions() -> Response:
        return answer({"sessions": await services.ask(list_sessions)})

    @router.post("/sessions/end")
    async def end(request: Request) -> Response:
        asked = read_object(await request.body())
        session_id = text_of(asked, "id", 100)
        if bool(session_id) == (asked.get("others") is True):
            raise BadQuery("Name one session by its `id`, or say `others`.")
        ended = await services.edit(end_sessions, session_id or None, services.now())
        return answer({"ended": ended})


def _replace_password(viewer: Viewer, conn: Connection, kept: str, secret: str, now: float) -> None:
    change_own_password(viewer, conn, kept, now)
    freshen(viewer, conn, secret, now)
