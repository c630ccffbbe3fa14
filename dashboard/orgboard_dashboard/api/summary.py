"""What the points of one tag come to between two places of the axis: exact, from all of them."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from fastapi import APIRouter, Request
from numpy.typing import NDArray
from sqlalchemy import Connection
from starlette.responses import Response

from orgboard_dashboard.api.answers import answer
from orgboard_dashboard.api.scalars import Question, parse_question
from orgboard_dashboard.places import place
from orgboard_dashboard.queries.errors import BadQuery
from orgboard_dashboard.queries.series import SeriesData, find_scalars
from orgboard_dashboard.services import Services
from orgboard_dashboard.viewer import Viewer

__all__ = ["routes", "summarise"]

Floats = NDArray[np.float64]

_NOTHING: Final[dict[str, Any]] = dict.fromkeys(
    ("min", "min_step", "max", "max_step", "start", "start_step", "end", "end_step", "mean")
)


def routes(services: Services) -> APIRouter:
    """Return the route, answering through `services`."""
    router = APIRouter(prefix="/api/ui/v1")

    @router.post("/p/{team}/{project}/summary")
    async def summary(team: str, project: str, request: Request) -> Response:
        question = parse_question(await request.body())
        if len(question.tag_ids) != 1:
            raise BadQuery("A summary is of one card.")
        return answer({"rows": await services.ask(_rows, team, project, question)})

    return router


def summarise(data: SeriesData, x: Floats, low: float | None, high: float | None) -> dict[str, Any]:
    """Return what the visible points of a series in `low <= x <= high` come to. Pure."""
    inside = np.isfinite(x) & ~data.superseded
    inside &= x >= (-math.inf if low is None else low)
    inside &= x <= (math.inf if high is None else high)
    places = np.flatnonzero(inside)
    places = places[np.argsort(x[places], kind="stable")]
    value = data.value[places].astype(np.float64)
    finite = np.isfinite(value)
    counts = {"n": int(places.size), "non_finite": int(np.count_nonzero(~finite))}
    places, value = places[finite], value[finite]
    if not value.size:
        return {**counts, **_NOTHING}
    least, most = int(value.argmin()), int(value.argmax())
    steps = data.step[places]
    return {
        **counts,
        "min": float(value[least]),
        "min_step": int(steps[least]),
        "max": float(value[most]),
        "max_step": int(steps[most]),
        "start": float(value[0]),
        "start_step": int(steps[0]),
        "end": float(value[-1]),
        "end_step": int(steps[-1]),
        # Each divided first, because the sum of doubles may not be a double.
        "mean": math.fsum((value / value.size).tolist()),
    }


def _rows(
    viewer: Viewer, conn: Connection, team: str, project: str, question: Question
) -> list[dict[str, Any]]:
    found = find_scalars(
        viewer,
        conn,
        team,
        project,
        uids=question.uids,
        tag_ids=question.tag_ids,
        picture=question.picture(),
        step_range=question.step_range(),
        whole=True,
        metric=question.metric,
    )
    (tag_id,) = question.tag_ids
    rows = []
    for uid in question.uids:
        data = found.series.get((uid, tag_id))
        if data is not None:
            x = place(data, question.axis, found.metric.get(uid))
            rows.append({"run": uid, **summarise(data, x, question.low, question.high)})
    return rows
