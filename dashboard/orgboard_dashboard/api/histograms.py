"""Histograms for the cards on the screen, and the map of layers, in the form of `api.codec`.

A card has at most `MOST_FRAMES` histograms of each run, evenly chosen, with their exact buckets
as they were logged; `n` says how many there are. What cannot be drawn is told in words. Groups of
runs are asked for as they are for curves, and have the sum of their runs' buckets at each step.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, cast

import numpy as np
from fastapi import APIRouter, Request
from numpy.typing import NDArray
from sqlalchemy import Connection
from starlette.responses import Response

from orgboard_dashboard.api.bodies import groups_of, is_uid, number_of, read_object, uids_of
from orgboard_dashboard.api.codec import Columns, Floats, encode
from orgboard_dashboard.histograms.buckets import FAULTS, Frames, frames_in_order
from orgboard_dashboard.histograms.layers import MEASURES, Layer, Measure, columns_of, layer_map
from orgboard_dashboard.histograms.merged import Member, all_steps, last_of_each, merge
from orgboard_dashboard.histograms.percentiles import bands, statistic
from orgboard_dashboard.queries.errors import BadQuery
from orgboard_dashboard.queries.histograms import (
    HistogramParts,
    HistogramsFound,
    find_histograms,
    find_layers,
)
from orgboard_dashboard.services import Services
from orgboard_dashboard.viewer import Viewer

__all__ = ["HistogramQuestion", "MapQuestion", "answer_histograms", "answer_map", "routes"]

MAX_CARDS: Final = 12
MAX_RUNS: Final = 200
MOST_FRAMES: Final = 100
_MOST_BUCKETS: Final = 400_000
"""Of one line: some megabytes. Fewer histograms are sent where each has very many."""

Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class HistogramQuestion:
    """Which histograms, and how many of each series."""

    tag_ids: tuple[int, ...]
    uids: tuple[str, ...]
    frames: int
    low: float | None = None
    high: float | None = None
    """Steps that are wanted."""
    groups: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """What the asker calls each group, and the uids of its members; then only groups have lines."""

    def holds(self, step: Ints) -> NDArray[np.bool_]:
        """Tell which steps are wanted."""
        low = -np.inf if self.low is None else self.low
        high = np.inf if self.high is None else self.high
        return (step >= low) & (step <= high)


@dataclass(frozen=True, slots=True)
class MapQuestion:
    """The layers of which run, beside which other, measured how."""

    uid: str
    other: str | None
    measure: Measure
    columns: int


def routes(services: Services) -> APIRouter:
    """Return the routes, answering through `services`."""
    router = APIRouter(prefix="/api/ui/v1")

    @router.post("/p/{team}/{project}/histograms")
    async def histograms(team: str, project: str, request: Request) -> Response:
        question = parse_histograms(await request.body())
        packed = await services.ask(answer_histograms, team, project, question)
        return Response(packed, media_type="application/octet-stream")

    @router.post("/p/{team}/{project}/layers")
    async def layers(team: str, project: str, request: Request) -> Response:
        question = parse_map(await request.body())
        packed = await services.ask(answer_map, team, project, question)
        return Response(packed, media_type="application/octet-stream")

    return router


def parse_histograms(body: bytes) -> HistogramQuestion:
    """Read a question about cards.

    Raises:
        BadQuery: it is none, or asks for more than the limits.
    """
    asked = read_object(body)
    cards = asked.get("cards")
    if not isinstance(cards, list) or not 0 < len(cards) <= MAX_CARDS:
        raise BadQuery(f"`cards` is a list of 1 to {MAX_CARDS} cards.")
    tags = [card.get("tag") if isinstance(card, dict) else None for card in cards]
    if not all(type(tag) is int and 0 < tag < 2**63 for tag in tags):
        raise BadQuery('Each card is {"tag": the number of a tag}.')
    groups = groups_of(asked, MAX_RUNS) if "groups" in asked else ()
    everyone = {"runs": [uid for _, uids in groups for uid in uids]} if groups else asked
    return HistogramQuestion(
        tuple(dict.fromkeys(cast("list[int]", tags))),
        uids_of(everyone, MAX_RUNS),
        _up_to(asked, "frames", 50, MOST_FRAMES),
        number_of(asked, "from"),
        number_of(asked, "to"),
        groups,
    )


def parse_map(body: bytes) -> MapQuestion:
    """Read a question about the layers of a run.

    Raises:
        BadQuery: it is none.
    """
    asked = read_object(body)
    run, other, measure = asked.get("run"), asked.get("other"), asked.get("measure", "w1")
    if not is_uid(run) or not (other is None or is_uid(other)):
        raise BadQuery("`run` is the id of a run, `other` one or null.")
    if measure not in MEASURES:
        raise BadQuery(f"`measure` is one of {', '.join(MEASURES)}.")
    return MapQuestion(
        cast("str", run),
        cast("str | None", other),
        cast("Measure", measure),
        _up_to(asked, "columns", 100, MOST_FRAMES),
    )


def answer_histograms(
    viewer: Viewer, conn: Connection, team: str, project: str, question: HistogramQuestion
) -> bytes:
    """Return the answer, packed."""
    found = find_histograms(
        viewer, conn, team, project, uids=question.uids, tag_ids=question.tag_ids
    )
    columns = Columns()
    cards = [
        {
            "tag": tag_id,
            "lines": [
                line | {"thinned": _thinned(found, tag_id, line.get("of", [line["run"]]))}
                for line in _lines(tag_id, found, question, columns)
            ],
        }
        for tag_id in question.tag_ids
    ]
    header = {"revision": found.revision, "unchanged": [], "bits": FAULTS, "cards": cards}
    return encode(header, columns)


def answer_map(
    viewer: Viewer, conn: Connection, team: str, project: str, question: MapQuestion
) -> bytes:
    """Return the map, packed."""
    uids = [uid for uid in (question.uid, question.other) if uid is not None]
    found = find_layers(viewer, conn, team, project, uids=uids)
    other = None if question.other is None else _layers(found, question.other)
    mine = _layers(found, question.uid)
    drawn = layer_map(mine, other, found.names, question.measure, question.columns)
    columns = Columns()
    line = {
        "run": question.uid,
        "rows": [{"tag": tag, "name": found.names.get(tag, "")} for tag in drawn.tags],
        "n": len(columns_of([layer.step for layer in mine.values()], 2**31)),
        "thinned": [asdict(told) for (uid, _), told in found.thinned.items() if uid in uids],
        "blocks": {
            "x": columns.add(drawn.steps.astype(np.float64)),
            "values": columns.add(drawn.values.ravel().astype(np.float32)),
            "at": columns.add(drawn.at.ravel().astype(np.float64)),
        },
    }
    header = {
        "revision": found.revision,
        "measure": MEASURES[question.measure],
        "cards": [{"tag": 0, "lines": [line]}],
    }
    return encode(header, columns)


def _thinned(found: HistogramsFound, tag_id: int, uids: Iterable[str]) -> list[dict[str, Any]]:
    """Tell of those runs whose series was thinned what became of it."""
    keys = ((uid, tag_id) for uid in uids)
    return [asdict(found.thinned[key]) for key in keys if key in found.thinned]


def _layers(found: HistogramsFound, uid: str) -> dict[int, Layer]:
    layers = {}
    for (of, tag_id), parts in found.series.items():
        shown = _in_order(parts)
        if of == uid and shown.size:
            layers[tag_id] = Layer(parts.step[shown], parts.wall[shown], shown, parts.parts)
    return layers


def _in_order(parts: HistogramParts) -> Ints:
    """Return which histograms are shown, by step."""
    shown = np.flatnonzero(~parts.superseded)
    return shown[np.argsort(parts.step[shown], kind="stable")]


def _lines(
    tag_id: int, found: HistogramsFound, question: HistogramQuestion, columns: Columns
) -> Iterator[dict[str, Any]]:
    """Give the lines of a card: of runs, or of groups."""
    series = {uid: parts for (uid, of), parts in found.series.items() if of == tag_id}
    if not question.groups:
        yield from (
            _line(uid, series[uid], question, columns) for uid in question.uids if uid in series
        )
    for name, uids in question.groups:
        members = {uid: series[uid] for uid in uids if uid in series}
        if members:
            yield _group_line(name, members, question, columns)


def _group_line(
    name: str, members: Mapping[str, HistogramParts], question: HistogramQuestion, columns: Columns
) -> dict[str, Any]:
    """Pack the sum of the members: at each chosen step of those that logged there."""
    shown = {uid: _in_order(parts) for uid, parts in members.items()}
    steps = {uid: members[uid].step[at] for uid, at in shown.items()}
    inside = all_steps(list(steps.values()))
    inside = inside[question.holds(inside)]
    chosen = evenly(inside, question.frames)
    frames, counts = _merged(members, shown, chosen)
    if len(frames.count) > _MOST_BUCKETS:
        each = len(frames.count) / len(chosen)
        chosen = evenly(inside, max(1, int(_MOST_BUCKETS / each)))
        frames, counts = _merged(members, shown, chosen)
    walls, since, start = _times(members, shown, chosen)
    first = [int(step[0]) for step in steps.values() if step.size]
    line = {
        "run": name,
        "members": len(members),
        "of": list(members),
        "n": int(inside.size),
        "shown": int(chosen.size),
        "start": start,
        "first_step": min(first, default=None),
        **_packed(frames, chosen, walls, columns),
    }
    line["blocks"]["runs"] = columns.add(counts.astype(np.float32))
    line["blocks"]["since"] = columns.add(since)
    return line


def _times(
    members: Mapping[str, HistogramParts], shown: Mapping[str, Ints], chosen: Ints
) -> tuple[Doubles, Doubles, float | None]:
    """Return when the first member came to each step, how long members took to it since their own
    begin, in the mean, and when the first began."""
    first = np.full(len(chosen), np.nan)
    took, counted = np.zeros(len(chosen)), np.zeros(len(chosen))
    starts = []
    for uid, parts in members.items():
        step, wall = parts.step[shown[uid]], parts.wall[shown[uid]]
        at = last_of_each(step, chosen)
        start = _first_finite(wall)
        if start is None:
            continue
        starts.append(start)
        timed = at[np.isfinite(wall[at])]
        places = np.searchsorted(chosen, step[timed])
        first[places] = np.fmin(first[places], wall[timed])
        took[places] += wall[timed] - start
        counted[places] += 1
    since = np.divide(took, counted, out=np.full(len(chosen), np.nan), where=counted > 0)
    return first, since, min(starts, default=None)


def _merged(
    members: Mapping[str, HistogramParts], shown: Mapping[str, Ints], chosen: Ints
) -> tuple[Frames, Ints]:
    """Read of each member what it logged at these steps, and add it."""
    read = []
    for uid, parts in members.items():
        step = parts.step[shown[uid]]
        at = last_of_each(step, chosen)
        read.append(Member(step[at], frames_in_order(parts.parts, shown[uid][at])))
    return merge(read, chosen)


def _first_finite(values: Doubles) -> float | None:
    finite = values[np.isfinite(values)]
    return float(finite[0]) if finite.size else None


def _line(
    uid: str, parts: HistogramParts, question: HistogramQuestion, columns: Columns
) -> dict[str, Any]:
    shown = _in_order(parts)
    step = parts.step[shown]
    inside = shown[question.holds(step)]
    chosen = evenly(inside, question.frames)
    frames = frames_in_order(parts.parts, chosen)
    if len(frames.count) > _MOST_BUCKETS:
        each = len(frames.count) / len(chosen)
        chosen = evenly(inside, max(1, int(_MOST_BUCKETS / each)))
        frames = frames_in_order(parts.parts, chosen)
    return {
        "run": uid,
        "n": int(inside.size),
        "shown": int(chosen.size),
        "start": _first_finite(parts.wall[shown]),
        "first_step": int(step[0]) if step.size else None,
        **_packed(frames, parts.step[chosen], parts.wall[chosen], columns),
    }


def _packed(frames: Frames, step: Ints, wall: Doubles, columns: Columns) -> dict[str, Any]:
    following = np.ones(len(frames.count), np.bool_)
    following[1:] = frames.left[1:] == frames.right[:-1]
    following[frames.starts()[frames.lengths > 0]] = True
    blocks = {
        "x": columns.add(step.astype(np.float64)),
        "wall": columns.add(wall),
        "lengths": columns.add(frames.lengths.astype(np.float64)),
        "right": columns.add(_narrow(frames.right)),
        "count": columns.add(_narrow(frames.count)),
        "bands": columns.add(bands(frames).ravel()),
        "mean": columns.add(statistic(frames, "mean")),
        "std": columns.add(statistic(frames, "std")),
        "num": columns.add(statistic(frames, "num")),
        "faults": columns.add(frames.faults.astype(np.float32)),
        "left_out": columns.add(frames.left_out.astype(np.float64)),
    }
    # Mostly a bucket begins where the one before ends: then only the first edges are sent.
    if following.all():
        firsts = np.zeros(len(frames))
        firsts[frames.lengths > 0] = frames.left[frames.starts()[frames.lengths > 0]]
        blocks["first"] = columns.add(firsts)
    else:
        blocks["left"] = columns.add(_narrow(frames.left))
    return {"blocks": blocks}


def evenly(places: Ints, most: int) -> Ints:
    """Return at most so many, evenly, the first and the last among them (of one: the last)."""
    if len(places) <= most:
        return places
    if most == 1:
        return places[-1:]
    return places[np.linspace(0, len(places) - 1, most).round().astype(np.int64)]


def _narrow(values: Doubles) -> Floats:
    """Return the column in half of its bytes where that loses no bit."""
    with np.errstate(over="ignore"):
        narrow = values.astype(np.float32)
    return narrow if np.array_equal(narrow.astype(np.float64), values) else values


def _up_to(asked: Mapping[str, Any], key: str, default: int, most: int) -> int:
    value = asked.get(key, default)
    if type(value) is not int or not 1 <= value <= most:
        raise BadQuery(f"`{key}` is a whole number from 1 to {most}.")
    return value
