"""Charts of several tags and of arithmetic on them, in the form of `api.codec`."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, cast

import numpy as np
from fastapi import APIRouter, Request
from numpy.typing import NDArray
from sqlalchemy import Connection
from starlette.responses import Response

from orgboard_dashboard.aligned import Curve, apply
from orgboard_dashboard.api.bodies import read_object
from orgboard_dashboard.api.codec import Columns, encode
from orgboard_dashboard.api.groups import BandQuestion, band_line, parse_bands
from orgboard_dashboard.api.scalars import (
    MAX_WIDTH,
    Question,
    question_of,
    spelled,
)
from orgboard_dashboard.bands import Member, combine
from orgboard_dashboard.expressions import (
    Expression,
    ExpressionError,
    Tag,
    calls_of,
    parse_chart,
    tags_of,
)
from orgboard_dashboard.places import Axis, place
from orgboard_dashboard.queries.errors import BadQuery, TooMuch
from orgboard_dashboard.queries.expressions import find_named
from orgboard_dashboard.queries.series import ScalarsFound
from orgboard_dashboard.reduce import MAX_MARKS, Reduced, reduce_line
from orgboard_dashboard.services import Services
from orgboard_dashboard.viewer import Viewer

__all__ = ["MAX_OPERATIONS", "ChartQuestion", "answer_chart", "parse_chart_question", "routes"]

MAX_OPERATIONS: Final = 500_000_000
"""Of all formulas of a chart on all points: some seconds of work."""

_NO_FORMULAS: Final = (
    "A formula cannot be drawn by active time or by a metric."
    " Choose step, relative step, relative time or wall time."
)


@dataclass(frozen=True, slots=True)
class ChartQuestion:
    """Which expressions are wanted, of which runs or groups of them."""

    parts: tuple[tuple[str, Expression], ...]
    curves: Question
    bands: BandQuestion | None

    def tags(self) -> tuple[str, ...]:
        """Return the tags of all parts, each once."""
        return tuple(dict.fromkeys(tag for _, part in self.parts for tag in tags_of(part)))


def routes(services: Services) -> APIRouter:
    """Return the route, answering through `services`."""
    router = APIRouter(prefix="/api/ui/v1")

    @router.post("/p/{team}/{project}/expressions")
    async def expressions(team: str, project: str, request: Request) -> Response:
        question = parse_chart_question(await request.body())
        packed = await services.ask(answer_chart, team, project, question)
        return Response(packed, media_type="application/octet-stream")

    return router


def parse_chart_question(body: bytes) -> ChartQuestion:
    """Read a question.

    Raises:
        BadQuery: it is none, its expressions are none or have no place on its axis, or it
            asks for more than the limits.
    """
    asked = read_object(body)
    text = asked.get("chart")
    if not isinstance(text, str):
        raise BadQuery("`chart` is an expression.")
    try:
        parts = parse_chart(text)
    except ExpressionError as error:
        raise BadQuery(str(error)) from error
    # Which tags they are is known once the names are looked up.
    asked = {**asked, "cards": [{"tag": 1}], "since": None}
    bands = parse_bands(asked) if "groups" in asked else None
    curves = bands.curves if bands else question_of(asked)
    # There each tag has places of its own, which do not ascend or do not meet.
    if curves.is_whole() and not all(isinstance(part, Tag) for _, part in parts):
        raise BadQuery(_NO_FORMULAS)
    return ChartQuestion(parts, curves, bands)


def answer_chart(
    viewer: Viewer, conn: Connection, team: str, project: str, question: ChartQuestion
) -> bytes:
    """Return the answer, packed: a line for each part of each run, or of each group.

    All of the series is read for it, and of very long ones what a picture several times as
    fine shows.
    """
    found, numbers = find_named(
        viewer,
        conn,
        team,
        project,
        uids=question.curves.uids,
        tags=question.tags(),
        picture=replace(question.curves.picture(), columns=MAX_WIDTH, superseded=False),
        whole=question.curves.is_whole(),
        metric=question.curves.metric,
    )
    _refuse_too_much(found, question)
    columns = Columns()
    lines = [
        {**line, "part": part}
        for part, (_, expression) in enumerate(question.parts)
        for line in _lines(expression, found, numbers, question, columns)
    ]
    there = {tag_id for _, tag_id in (*found.series, *found.reduced)}
    header = {
        "revision": found.revision,
        "unchanged": [],
        "parts": [text for text, _ in question.parts],
        "missing": [tag for tag in question.tags() if numbers.get(tag) not in there],
        "cards": [{"tag": 0, "lines": lines}],
    }
    return encode(header, columns)


def _refuse_too_much(found: ScalarsFound, question: ChartQuestion) -> None:
    read = sum(len(data.step) for data in found.series.values())
    read += sum(len(line.x) for lines in found.reduced.values() for line in lines)
    # Each part is worked out on the points of all tags; one without arithmetic is sorted.
    work = read * sum(1 + calls_of(part) for _, part in question.parts)
    if work > MAX_OPERATIONS:
        raise TooMuch(
            f"That is {work:,} operations on points; {MAX_OPERATIONS:,} can be made at once."
            " Select fewer runs, or write the formula shorter."
        )


def _lines(
    expression: Expression,
    found: ScalarsFound,
    numbers: Mapping[str, int],
    question: ChartQuestion,
    columns: Columns,
) -> Iterator[dict[str, Any]]:
    tags = tuple(dict.fromkeys(tags_of(expression)))
    axis = question.curves.axis
    curves = {
        uid: apply(expression, read)
        for uid in question.curves.uids
        if (read := _read(uid, tags, found, numbers, axis))
    }
    if question.bands is None:
        yield from (_line(uid, curve, question.curves, columns) for uid, curve in curves.items())
        return
    bands = question.bands
    for name, uids in bands.groups:
        members = {uid: curves[uid] for uid in uids if uid in curves}
        if members:
            made = [Member(curve.x, curve.y) for curve in members.values()]
            marks = [m for uid, curve in members.items() for m in _marks(curve, bands.curves, uid)]
            band = combine(made, bands.window(), bands.centre, bands.band)
            yield band_line(name, band, marks, columns)


def _read(
    uid: str,
    tags: Sequence[str],
    found: ScalarsFound,
    numbers: Mapping[str, int],
    axis: Axis,
) -> dict[str, Curve]:
    """Return the curve of each tag in one run; nothing when the run lacks one of them."""
    curves: dict[str, Curve] = {}
    for tag in tags:
        key = (uid, numbers.get(tag, 0))
        if key in found.series:
            data = found.series[key]
            at = np.flatnonzero(~data.superseded)
            x = place(data, axis, found.metric.get(uid))[at]
            step = data.step[at].astype(np.float64)
            value = cast("NDArray[np.float64]", data.value)[at].astype(np.float64)
            curves[tag] = Curve(x, value, step, data.wall[at])
        elif key in found.reduced:
            (line, *_) = found.reduced[key]
            value = cast("NDArray[np.float64]", line.value).astype(np.float64)
            curves[tag] = Curve(line.x, value, line.step.astype(np.float64), line.wall)
        else:
            return {}
    return _same_start(curves, axis) if len(curves) > 1 else curves


def _same_start(curves: dict[str, Curve], axis: Axis) -> dict[str, Curve]:
    """Let the relative places of one run's tags all begin with the first of them."""
    if axis not in ("relative", "rstep"):
        return curves
    counted = {tag: curve.step if axis == "rstep" else curve.wall for tag, curve in curves.items()}
    begun = [float(counted[tag][0] - curve.x[0]) for tag, curve in curves.items() if curve.x.size]
    start = min((at for at in begun if math.isfinite(at)), default=0.0)
    return {tag: replace(curve, x=counted[tag] - start) for tag, curve in curves.items()}


def _line(uid: str, curve: Curve, question: Question, columns: Columns) -> dict[str, Any]:
    reduced = _reduced(curve, question, question.width)
    kept = curve.take(reduced.kept)
    return {
        "run": uid,
        "n": reduced.total,
        "shown": int(kept.x.size),
        "nonfinite": reduced.non_finite,
        "without_x": reduced.without_x,
        "blocks": {
            "x": columns.add(kept.x),
            "y": columns.add(kept.y),
            "step": columns.add(kept.step),
            "wall": columns.add(kept.wall),
        },
        "marks": list(_marks(curve, question)),
    }


def _reduced(curve: Curve, question: Question, columns: int) -> Reduced:
    return reduce_line(
        curve.x,
        curve.y,
        columns=columns,
        low=question.low,
        high=question.high,
        log_x=question.log_x,
    )


def _marks(curve: Curve, question: Question, uid: str | None = None) -> Iterator[dict[str, Any]]:
    reduced = _reduced(curve, question, 1)
    lost = curve.take(reduced.marks[:MAX_MARKS])
    for x, step, y in zip(lost.x.tolist(), lost.step.tolist(), lost.y.tolist(), strict=True):
        mark = {"x": x, "step": int(step), "value": spelled(y)}
        yield mark if uid is None else {**mark, "run": uid}
