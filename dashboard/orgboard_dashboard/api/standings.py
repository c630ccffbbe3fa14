"""How groups of runs stand by a metric."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from orgboard_dashboard.api.answers import answer, shallow, spelled
from orgboard_dashboard.api.bodies import read_object, text_of
from orgboard_dashboard.queries.ranking import GroupPlace, StandingsQuery, standings
from orgboard_dashboard.services import Services

__all__ = ["routes"]

_MAX_CHARS: Final = 20_000
"""Of a key: tags of 10 KB are looked up like others."""


def routes(services: Services) -> APIRouter:
    """Return the route, answering through `services`."""
    router = APIRouter(prefix="/api/ui/v1")

    @router.post("/p/{team}/{project}/standings")
    async def of_project(team: str, project: str, request: Request) -> Response:
        asked = read_object(await request.body())
        query = StandingsQuery(
            key=text_of(asked, "key", _MAX_CHARS),
            q=text_of(asked, "q", _MAX_CHARS),
            by=text_of(asked, "by", _MAX_CHARS),
            archived=asked.get("archived") is True,
        )
        found = await services.ask(standings, team, project, query, services.now())
        tasks = [
            {"place": task.place, "left_out": task.left_out, "groups": list(map(_row, task.groups))}
            for task in found.tasks
        ]
        return answer({**shallow(found), "tasks": tasks})

    return router


def _row(one: GroupPlace) -> dict[str, Any]:
    numbers = {**shallow(one), **shallow(one.place)}
    numbers.pop("place")
    return {**numbers, "values": [spelled(value) for value in one.values]}
