"""Curves for the cards on the screen: one question, one binary answer (`api.codec`)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast, get_args

import numpy as np
from fastapi import APIRouter, Request
from numpy.typing import NDArray
from sqlalchemy import Connection
from starlette.responses import Response

from orgboard_dashboard.api.bodies import number_of, read_object, uids_of
from orgboard_dashboard.api.codec import Columns, encode
from orgboard_dashboard.places import Axis, place
from orgboard_dashboard.queries.errors import BadQuery
from orgboard_dashboard.queries.series import (
    MAX_POINTS_READ,
    Picture,
    PictureAxis,
    ReducedLine,
    ScalarsFound,
    SeriesData,
    find_scalars,
)
from orgboard_dashboard.reduce import MAX_MARKS, reduce_line
from orgboard_dashboard.services import Services
from orgboard_dashboard.viewer import Viewer

__all__ = [
    "MAX_CARDS",
    "MAX_RUNS",
    "MAX_WIDTH",
    "Question",
    "answer_question",
    "pack",
    "parse_question",
    "question_of",
    "routes",
    "spelled",
]

MAX_CARDS: Final = 12
MAX_RUNS: Final = 200
MAX_WIDTH: Final = 4000
"""Pixel columns of the widest card."""

_INT64: Final = np.iinfo(np.int64)

Floats = NDArray[np.float64]
Values = NDArray[np.float32] | NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Question:
    """Which curves, on which axis, in how much detail."""

    tag_ids: tuple[int, ...]
    uids: tuple[str, ...]
    axis: Axis
    low: float | None
    high: float | None
    width: int
    superseded: bool
    since: int | None
    metric: str = ""
    """The tag on the axis `metric`."""
    log_x: bool = False

    def step_range(self) -> tuple[int, int] | None:
        """Return the steps that can be in the picture; None when every step can."""
        if self.axis != "step" or (self.low is None and self.high is None):
            return None
        low = _INT64.min if self.low is None else _clipped(math.ceil(self.low))
        high = _INT64.max if self.high is None else _clipped(math.floor(self.high))
        return low, high

    def picture(self) -> Picture:
        """Return what long series are reduced for before they are read."""
        return Picture(
            # Of the other axes nothing is reduced before it is read.
            axis="step" if self.is_whole() else cast("PictureAxis", self.axis),
            columns=self.width,
            low=self.low,
            high=self.high,
            superseded=self.superseded,
            marks=MAX_MARKS,
            most_points=MAX_POINTS_READ,
            log_x=self.log_x,
        )

    def is_whole(self) -> bool:
        """Tell whether a point's place depends on more than the point."""
        return self.axis in ("index", "active", "metric")


def routes(services: Services) -> APIRouter:
    """Return the route, answering through `services`."""
    router = APIRouter(prefix="/api/ui/v1")

    @router.post("/p/{team}/{project}/scalars")
    async def scalars(team: str, project: str, request: Request) -> Response:
        question = parse_question(await request.body())
        packed = await services.ask(answer_question, team, project, question)
        return Response(packed, media_type="application/octet-stream")

    return router


def answer_question(
    viewer: Viewer, conn: Connection, team: str, project: str, question: Question
) -> bytes:
    """Return the answer, packed. Reading and packing are one thread's work."""
    found = find_scalars(
        viewer,
        conn,
        team,
        project,
        uids=question.uids,
        tag_ids=question.tag_ids,
        picture=question.picture(),
        step_range=question.step_range(),
        since=question.since,
        whole=question.is_whole(),
        metric=question.metric,
    )
    return pack(found, question)


def pack(found: ScalarsFound, question: Question, **told: Any) -> bytes:
    """Reduce and pack what was read; `told` is said beside it. Pure."""
    columns = Columns()
    cards = [
        {
            "tag": tag_id,
            "lines": [
                line
                for uid in question.uids
                for line in _lines_of(uid, tag_id, found, question, columns)
            ],
        }
        for tag_id in question.tag_ids
    ]
    header = {"revision": found.revision, "unchanged": found.unchanged, "cards": cards}
    header |= told
    return encode(header, columns)


def parse_question(body: bytes) -> Question:
    """Read a question.

    Raises:
        BadQuery: it is none, or asks for more than the limits.
    """
    return question_of(read_object(body))


def question_of(asked: Mapping[str, Any]) -> Question:
    """Read a question that was JSON.

    Raises:
        BadQuery: it asks for more than the limits, or for what there is not.
    """
    axis, metric = _axis(asked.get("x", "step"))
    log_x, high = asked.get("lx", False) is True, number_of(asked, "to")
    if log_x and high is not None and high <= 0:
        raise BadQuery("On a log axis `to` is above 0.")
    return Question(
        tag_ids=_tag_ids(asked.get("cards")),
        uids=uids_of(asked, MAX_RUNS),
        axis=axis,
        low=number_of(asked, "from"),
        high=high,
        width=_whole(asked, "width", 500, 1, MAX_WIDTH),
        superseded=asked.get("superseded", False) is True,
        since=None if asked.get("since") is None else _whole(asked, "since", 0, 0, _INT64.max),
        metric=metric,
        log_x=log_x,
    )


def _lines_of(
    uid: str, tag_id: int, found: ScalarsFound, question: Question, columns: Columns
) -> Iterator[dict[str, Any]]:
    drawn: list[dict[str, Any]] = []
    if (uid, tag_id) in found.series:
        data = found.series[uid, tag_id]
        x = place(data, question.axis, found.metric.get(uid))
        drawn += _lines(uid, data, x, question, columns)
    drawn += (_reduced(uid, line, columns) for line in found.reduced.get((uid, tag_id), ()))
    cuts = [{"attempt": at, "step": step} for at, step in found.cuts.get((uid, tag_id), ())]
    own = found.own.get((uid, tag_id))
    told = {} if own is None else {"tag": own.tag, "scale": own.scale, "others": own.others}
    for line in drawn:
        is_newest = cuts and not line.get("superseded")
        yield {**line, **told, "cuts": cuts} if is_newest else {**line, **told}


def _reduced(uid: str, line: ReducedLine, columns: Columns) -> dict[str, Any]:
    marks = zip(line.mark_x.tolist(), line.mark_step.tolist(), line.mark_value, strict=True)
    drawn = {
        "run": uid,
        "n": line.total,
        "shown": len(line.x),
        "nonfinite": line.non_finite,
        "without_x": line.without_x,
        "attempts": line.attempts,
        "blocks": {
            "x": columns.add(line.x),
            "y": columns.add(cast("Values", line.value)),
            "step": columns.add(line.step.astype(np.float64)),
            "wall": columns.add(line.wall),
        },
        "marks": [{"x": x, "step": step, "value": spelled(float(y))} for x, step, y in marks],
    }
    if line.attempt is None:
        return drawn
    return {**drawn, "superseded": True, "attempt": line.attempt}


def _lines(
    uid: str, data: SeriesData, x: Floats, question: Question, columns: Columns
) -> Iterator[dict[str, Any]]:
    if not data.superseded.any():
        yield _line(uid, data, x, question, columns)
        return
    shown = np.flatnonzero(~data.superseded)
    if shown.size:
        yield _line(uid, data.take(shown), x[shown], question, columns)
    if not question.superseded:
        return
    for attempt in np.unique(data.attempt[data.superseded]).tolist():
        old = np.flatnonzero(data.superseded & (data.attempt == attempt))
        line = _line(uid, data.take(old), x[old], question, columns)
        yield {**line, "superseded": True, "attempt": attempt}


def _line(
    uid: str, data: SeriesData, x: Floats, question: Question, columns: Columns
) -> dict[str, Any]:
    value = cast("Values", data.value)
    reduced = reduce_line(
        x,
        value,
        columns=question.width,
        low=question.low,
        high=question.high,
        log_x=question.log_x,
    )
    kept = slice(None) if reduced.is_all else reduced.kept
    return {
        "run": uid,
        "n": reduced.total,
        "shown": int(reduced.kept.size),
        "nonfinite": reduced.non_finite,
        "without_x": reduced.without_x,
        # The points lie by attempt.
        "attempts": int(data.attempt[-1]) + 1,
        "blocks": {
            "x": columns.add(x[kept]),
            "y": columns.add(value[kept]),
            "step": columns.add(data.step[kept].astype(np.float64)),
            "wall": columns.add(data.wall[kept]),
        },
        "marks": [
            {"x": float(x[at]), "step": int(data.step[at]), "value": spelled(float(value[at]))}
            for at in reduced.marks.tolist()
        ],
    }


def spelled(value: float) -> str:
    """Write a value that is not finite as JavaScript does."""
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def _tag_ids(cards: Any) -> tuple[int, ...]:
    if not isinstance(cards, list) or not 0 < len(cards) <= MAX_CARDS:
        raise BadQuery(f"`cards` is a list of 1 to {MAX_CARDS} cards.")
    tags = [card.get("tag") if isinstance(card, dict) else None for card in cards]
    if not all(type(tag) is int and 0 < abs(tag) <= _INT64.max for tag in tags):
        raise BadQuery('Each card is {"tag": the number of a tag or, below 0, of a metric}.')
    return tuple(dict.fromkeys(cast("list[int]", tags)))


def _axis(text: Any) -> tuple[Axis, str]:
    """Return the axis, and the tag on it: `m:TAG` is the value of that tag."""
    if isinstance(text, str) and text.startswith("m:") and len(text) > 2:
        return "metric", text.removeprefix("m:")
    choices = [axis for axis in get_args(Axis) if axis != "metric"]
    if text not in choices:
        raise BadQuery(f"`x` is one of {', '.join(choices)}, or m:TAG.")
    return cast("Axis", text), ""


def _whole(asked: Mapping[str, Any], key: str, default: int, least: int, most: int) -> int:
    value = asked.get(key, default)
    if type(value) is not int or not least <= value <= most:
        raise BadQuery(f"`{key}` is a whole number from {least} to {most}.")
    return value


def _clipped(value: int) -> int:
    return max(_INT64.min, min(_INT64.max, value))
