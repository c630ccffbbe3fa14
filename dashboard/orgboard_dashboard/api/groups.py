"""Groups of runs: which runs are in them (JSON), and their lines with bands (`api.codec`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
from fastapi import APIRouter, Request
from sqlalchemy import Connection
from starlette.responses import Response

from orgboard_dashboard.api.answers import answer
from orgboard_dashboard.api.bodies import groups_of, read_object
from orgboard_dashboard.api.codec import Columns, encode
from orgboard_dashboard.api.scalars import (
    MAX_RUNS,
    MAX_WIDTH,
    Question,
    question_of,
    spelled,
)
from orgboard_dashboard.bands import BANDS, CENTRES, Band, BandKind, Centre, Member, Window, combine
from orgboard_dashboard.places import place
from orgboard_dashboard.queries.errors import BadQuery
from orgboard_dashboard.queries.groups import group_runs
from orgboard_dashboard.queries.series import ReducedLine, ScalarsFound, SeriesData, find_scalars
from orgboard_dashboard.reduce import MAX_MARKS
from orgboard_dashboard.services import Services
from orgboard_dashboard.viewer import Viewer

__all__ = ["BandQuestion", "answer_bands", "band_line", "parse_bands", "parse_groups", "routes"]


@dataclass(frozen=True, slots=True)
class BandQuestion:
    """Which groups' lines are wanted, and what is drawn of them."""

    curves: Question
    """Of all members."""
    groups: tuple[tuple[str, tuple[str, ...]], ...]
    """What the asker calls each group, and the uids of its members."""
    centre: Centre
    band: BandKind

    def window(self) -> Window:
        """Return what the members are aligned on."""
        curves = self.curves
        return Window(curves.width, curves.low, curves.high, curves.log_x)


def routes(services: Services) -> APIRouter:
    """Return the routes, answering through `services`."""
    router = APIRouter(prefix="/api/ui/v1")

    @router.post("/p/{team}/{project}/groups")
    async def groups(team: str, project: str, request: Request) -> Response:
        uids, by = parse_groups(await request.body())
        return answer({"groups": await services.ask(group_runs, team, project, uids, by)})

    @router.post("/p/{team}/{project}/bands")
    async def bands(team: str, project: str, request: Request) -> Response:
        question = parse_bands(read_object(await request.body()))
        packed = await services.ask(answer_bands, team, project, question)
        return Response(packed, media_type="application/octet-stream")

    return router


def answer_bands(
    viewer: Viewer, conn: Connection, team: str, project: str, question: BandQuestion
) -> bytes:
    """Return the answer, packed.

    All of a series is read for it: what a member carries into a zoom was logged before. Of
    a very long one it is what a picture several times as fine shows.
    """
    curves = question.curves
    found = find_scalars(
        viewer,
        conn,
        team,
        project,
        uids=curves.uids,
        tag_ids=curves.tag_ids,
        picture=replace(curves.picture(), columns=MAX_WIDTH, superseded=False),
        whole=curves.is_whole(),
        metric=curves.metric,
    )
    columns = Columns()
    cards = [
        {
            "tag": tag_id,
            "lines": [
                line
                for name, uids in question.groups
                for line in _lines(name, tag_id, uids, found, question, columns)
            ],
        }
        for tag_id in curves.tag_ids
    ]
    return encode({"revision": found.revision, "unchanged": [], "cards": cards}, columns)


def parse_groups(body: bytes) -> tuple[tuple[str, ...], str]:
    """Read which runs are to be grouped, and by what.

    Raises:
        BadQuery: it is no such question.
    """
    asked = read_object(body)
    by = asked.get("by")
    if not isinstance(by, str):
        raise BadQuery("`by` says what the runs are grouped by.")
    return question_of({"cards": [{"tag": 1}], "runs": asked.get("runs")}).uids, by


def parse_bands(asked: Mapping[str, Any]) -> BandQuestion:
    """Read a question about the lines of groups.

    Raises:
        BadQuery: it is none, or asks for more than the limits.
    """
    groups = groups_of(asked, MAX_RUNS)
    everyone = [uid for _, uids in groups for uid in uids]
    return BandQuestion(
        curves=question_of({**asked, "runs": everyone, "since": None}),
        groups=groups,
        centre=cast("Centre", _choice(asked, "line", CENTRES)),
        band=cast("BandKind", _choice(asked, "band", BANDS)),
    )


def _lines(
    name: str,
    tag_id: int,
    uids: Sequence[str],
    found: ScalarsFound,
    question: BandQuestion,
    columns: Columns,
) -> Iterator[dict[str, Any]]:
    """Give the line of a group; none when no member has the tag."""
    axis, window = question.curves.axis, question.window()
    whole = {uid: found.series[uid, tag_id] for uid in uids if (uid, tag_id) in found.series}
    long = {uid: line for uid in uids for line in found.reduced.get((uid, tag_id), ())}
    if not whole and not long:
        return
    visible = {uid: np.flatnonzero(~data.superseded) for uid, data in whole.items()}
    members = {
        uid: Member(place(whole[uid], axis, found.metric.get(uid))[at], _y(whole[uid])[at])
        for uid, at in visible.items()
    }
    reduced = [Member(line.x, _y(line)) for line in long.values()]
    band = combine([*members.values(), *reduced], window, question.centre, question.band)
    marks = [
        *(
            mark
            for uid in whole
            for mark in _marks(uid, members[uid], whole[uid].step[visible[uid]], window)
        ),
        *(mark for uid, line in long.items() for mark in _carried_marks(uid, line)),
    ]
    drawn = band_line(name, band, marks, columns)
    drawn["n"] += sum(line.total - len(line.x) for line in long.values())
    drawn["nonfinite"] += sum(line.non_finite for line in long.values())
    drawn["without_x"] += sum(line.without_x for line in long.values())
    yield drawn


def band_line(
    name: str, band: Band, marks: Sequence[dict[str, Any]], columns: Columns
) -> dict[str, Any]:
    """Pack the line of a group, with the first of its members' marks."""
    return {
        "run": name,
        "n": band.total,
        "shown": int(band.x.size),
        "nonfinite": band.non_finite,
        "without_x": band.without_x,
        "members": band.members,
        "blocks": _blocks(band, columns),
        "marks": sorted(marks, key=lambda mark: float(mark["x"]))[:MAX_MARKS],
    }


def _y(data: SeriesData | ReducedLine) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return cast("np.ndarray[tuple[int], np.dtype[np.float64]]", data.value)


def _blocks(band: Band, columns: Columns) -> dict[str, Any]:
    return {
        "x": columns.add(band.x),
        "y": columns.add(band.y),
        "low": columns.add(band.low),
        "high": columns.add(band.high),
        "runs": columns.add(band.runs.astype(np.float32)),
    }


def _marks(
    uid: str, member: Member, step: np.ndarray[tuple[int], np.dtype[np.int64]], window: Window
) -> Iterator[dict[str, Any]]:
    lost = np.flatnonzero(window.inside(member.x) & ~np.isfinite(member.y))
    first = lost[np.argsort(member.x[lost], kind="stable")][:MAX_MARKS]
    for at in first.tolist():
        yield _mark(uid, float(member.x[at]), int(step[at]), float(member.y[at]))


def _carried_marks(uid: str, line: ReducedLine) -> Iterator[dict[str, Any]]:
    columns = (line.mark_x.tolist(), line.mark_step.tolist(), line.mark_value.tolist())
    for x, step, value in zip(*columns, strict=True):
        yield _mark(uid, x, step, float(value))


def _mark(uid: str, x: float, step: int, value: float) -> dict[str, Any]:
    return {"x": x, "step": step, "value": spelled(value), "run": uid}


def _choice(asked: Mapping[str, Any], key: str, choices: Sequence[str]) -> str:
    value = asked.get(key, choices[0])
    if value not in choices:
        raise BadQuery(f"`{key}` is one of {', '.join(choices)}.")
    return str(value)
