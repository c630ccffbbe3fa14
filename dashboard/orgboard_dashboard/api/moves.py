"""Move runs to another project, as JSON: told first, and then done."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from orgboard_dashboard.api.answers import answer, shallow
from orgboard_dashboard.api.bodies import read_object, text_of, uids_of
from orgboard_dashboard.api.proof import require_proof
from orgboard_dashboard.queries.edits import MAX_RUNS
from orgboard_dashboard.queries.people.moves import foresee_runs, move_runs
from orgboard_dashboard.services import Services
from orgboard_dashboard.viewer import current_viewer

__all__ = ["routes"]

_MAX_PLACE_CHARS: Final = 1000


def routes(services: Services) -> APIRouter:
    """Return the routes, answering through `services`."""
    router = APIRouter(prefix="/api/ui/v1/p/{team}/{project}/moves")

    @router.post("")
    async def move(team: str, project: str, request: Request) -> Response:
        asked, now = read_object(await request.body()), services.now()
        uids = uids_of(asked, MAX_RUNS)
        to_team, _, to_project = text_of(asked, "to", _MAX_PLACE_CHARS).partition("/")
        at, to = (team, project), (to_team, to_project)
        if asked.get("trial") is True:
            told = await services.ask(foresee_runs, at, uids, to, now)
            counts = {"runs": told.runs, "shares": told.shares, "embeds": told.embeds}
            return answer({**counts, **shallow(told.seen)})
        if current_viewer().kind == "account":
            # A board for one has no password, and nobody whose sight changes.
            require_proof(now)
        return answer({"moved": await services.edit(move_runs, at, uids, to, now)})

    return router
