"""What a team did lately, as JSON."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

from orgboard_dashboard.api.answers import answer
from orgboard_dashboard.queries.errors import BadQuery
from orgboard_dashboard.queries.feed import team_feed
from orgboard_dashboard.services import Services

__all__ = ["routes"]

_MOST_DAYS: Final = 31
_LONGEST_DAY_S: Final = 2 * 86_400.0
"""A day has up to 25 hours, where clocks are put back."""
_FARTHEST_S: Final = 1e11
"""From the epoch, in either direction."""


def routes(services: Services) -> APIRouter:
    """Return the routes, answering through `services`."""
    router = APIRouter(prefix="/api/ui/v1")

    @router.get("/t/{team}/feed")
    async def feed(team: str, days: str = "") -> Response:
        return answer(await services.ask(team_feed, team, _days(days)))

    return router


def _days(text: str) -> tuple[float, ...]:
    """Read where days begin, and where the last one ends: the browser knows its time zone.

    Raises:
        BadQuery: these are no days.
    """
    parts = text.split(",")[: _MOST_DAYS + 2]
    try:
        days = tuple(map(float, parts))
    except ValueError:
        days = ()
    are_moments = all(math.isfinite(day) and abs(day) < _FARTHEST_S for day in days)
    are_days = are_moments and all(0 < b - a <= _LONGEST_DAY_S for a, b in pairwise(days))
    if not are_days or not 2 <= len(days) <= _MOST_DAYS + 1:
        raise BadQuery(
            f"`days` are the moments at which days begin, ascending, and the end of the last:"
            f" at most {_MOST_DAYS} days, in seconds, with commas between."
        )
    return days
