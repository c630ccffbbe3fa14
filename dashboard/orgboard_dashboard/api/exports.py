"""Every point of some tags and runs as a file, scalars or histograms.

It is streamed, bounded by time and never by count:

    a snapshot of a run ──▶ spool ──▶ the connection goes back ──▶ parts ──▶ the client

While a client is waited for, the database is not held, but by a run of which the spool cannot take
all: then its snapshot waits, too, so that a run is always as it was at one instant.
"""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import AsyncGenerator, Callable, Collection, Generator, Iterator
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO, Final, Literal, cast, get_args

import anyio
import anyio.to_thread
from fastapi import APIRouter
from sqlalchemy import Connection, Engine
from starlette.responses import Response

from orgboard_dashboard.api.in_turn import InTurn, Refused
from orgboard_dashboard.export.bucket_rows import BucketSink
from orgboard_dashboard.export.choice import Slice
from orgboard_dashboard.export.csv_rows import CsvSink
from orgboard_dashboard.export.json_lines import JsonSink
from orgboard_dashboard.export.marks import Sink
from orgboard_dashboard.outgoing import BrokenOff
from orgboard_dashboard.queries.errors import BadQuery
from orgboard_dashboard.queries.exported import (
    RunPlace,
    are_visible,
    exported_series,
    places_of,
)
from orgboard_dashboard.queries.guard import reading
from orgboard_dashboard.queries.tags import list_tags
from orgboard_dashboard.services import Services
from orgboard_dashboard.viewer import Viewer, current_viewer
from orgboard_schema.types import Kind

__all__ = [
    "WITHIN_S",
    "Wanted",
    "file_name",
    "file_of",
    "form_of",
    "kind_of",
    "routes",
    "stream_points",
]

WITHIN_S: Final = 900.0
"""A file that is not whole by then is broken off, so that nobody takes it for whole."""

PART_BYTES: Final = 256 * 1024
_IN_MEMORY_BYTES: Final = 1024 * 1024
SPOOL_BYTES: Final = 64 * 1024 * 1024
"""What is read of a run before a client has taken it: beyond a little, in a file of its own."""

ASK_AGAIN_S: Final = 1.0
"""So soon after it was taken away, nobody gets more of a file."""

Stays = Callable[[Collection[int]], bool]
"""Tells whether who asked may still have points of these runs."""

_REFUSED: Final = Refused(
    yours="As many of your exports as go at once are under way. Wait until one is done.",
    all="As many exports as this board makes at once are under way. Try again later.",
    wait_s=10,
)

FileForm = Literal["csv", "jsonl"]
_TYPES: Final = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}
_KINDS: Final[tuple[Kind, ...]] = ("scalar", "histogram")
_MOST_RUNS: Final = 200
_MOST_TAGS: Final = 1000
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What goes into the file: these tags of these runs."""

    places: tuple[RunPlace, ...]
    tags: frozenset[str] | None
    """By name; None: all of them."""
    form: FileForm
    kind: Kind = "scalar"
    is_for_people: bool = False
    """Opened, perhaps, by a program that takes names for formulas."""


def routes(services: Services) -> APIRouter:
    """Return the route, answering through `services`."""
    router = APIRouter(prefix="/api/ui/v1")

    @router.get("/p/{team}/{project}/export")
    async def export(
        team: str,
        project: str,
        tags: str,
        runs: str,
        form: str = "csv",
        kind: str = "scalar",
    ) -> Response:
        tag_ids, uids, written, of = _numbers(tags), _uids(runs), form_of(form), kind_of(kind)
        places = await services.ask(places_of, team, project, uids)
        # A tag's name may be known to who may see a run that has it, and to nobody else.
        listed = await services.ask(list_tags, team, project, of, uids)
        names = [row.name for row in listed if row.id in tag_ids]
        wanted = Wanted(tuple(places), frozenset(names), written, of, is_for_people=True)
        name = file_name(names[0] if len(names) == 1 else project)
        return file_of(current_viewer(), services, wanted, name)

    return router


def _always(_run_ids: Collection[int]) -> bool:
    return True


def stream_points(
    viewer: Viewer,
    engine: Engine,
    wanted: Wanted,
    clock: Callable[[], float] = time.monotonic,
    spool_bytes: int = SPOOL_BYTES,
    stays: Stays = _always,
) -> Generator[bytes, None, None]:
    """Yield the file part by part. Each run is read on a snapshot of its own.

    Of a run of less than `spool_bytes` nothing is yielded before the snapshot is given back.

    Raises:
        BrokenOff: it is not whole after `WITHIN_S`, or `stays` says no of the runs in a part.
    """
    watch = _Watch(clock, stays)
    with tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES) as file:
        spool = cast("BinaryIO", file)
        sink = _sink(wanted, spool)
        for run in wanted.places:
            watch.run_ids.add(run.run_id)
            with reading(engine, viewer) as conn:
                for part in _slices(viewer, conn, run, wanted):
                    sink.points(part)
                    watch.check_time()
                    if spool.tell() >= spool_bytes:
                        yield from _taken(spool, watch)
            if spool.tell() >= PART_BYTES:
                yield from _taken(spool, watch)
                watch.run_ids.clear()
        sink.close()
        yield from _taken(spool, watch)


class _Watch:
    """Sees to it that a file goes on for so long, and to who may have it, and no longer."""

    def __init__(self, clock: Callable[[], float], stays: Stays) -> None:
        self._clock = clock
        self._stays = stays
        self._until = clock() + WITHIN_S
        self._asked_at = clock()
        self.run_ids: set[int] = set()
        """Of what waits in the spool."""

    def check_time(self) -> None:
        if self._clock() > self._until:
            raise BrokenOff(f"an export took longer than {WITHIN_S:.0f} s")

    def check(self) -> None:
        self.check_time()
        now = self._clock()
        if now - self._asked_at >= ASK_AGAIN_S:
            self._asked_at = now
            if not self._stays(self.run_ids):
                raise BrokenOff("who asked for an export may not have it any more")


def _slices(viewer: Viewer, conn: Connection, run: RunPlace, wanted: Wanted) -> Iterator[Slice]:
    matches = _any if wanted.tags is None else wanted.tags.__contains__
    for series in exported_series(viewer, conn, run.run_id, (wanted.kind,), matches):
        for data in series.pieces:
            yield Slice(run.project, run.name, series.tag, series.kind, series.plugin, data)


def file_of(
    viewer: Viewer,
    services: Services,
    wanted: Wanted,
    name: str,
    spool_bytes: int = SPOOL_BYTES,
) -> Response:
    """Return the file as an answer, made while it is sent."""
    # What is in the file is somebody's text; a browser must not take it for a page.
    headers = {"content-disposition": f'attachment; filename="{name}.{wanted.form}"'}
    stays = partial(_may_go_on, services, viewer)
    points = stream_points(viewer, services.engine, wanted, spool_bytes=spool_bytes, stays=stays)
    return InTurn(
        *(_in_threads(points), services.exports, viewer, _REFUSED),
        media_type=_TYPES[wanted.form],
        headers=headers,
    )


def _may_go_on(services: Services, viewer: Viewer, run_ids: Collection[int]) -> bool:
    if not services.stands(viewer):
        return False
    with reading(services.engine, viewer) as conn:
        return are_visible(viewer, conn, run_ids)


def _any(_tag: str) -> bool:
    return True


def _sink(wanted: Wanted, stream: BinaryIO) -> Sink:
    if wanted.form == "jsonl":
        return JsonSink(stream, "scalars" if wanted.kind == "scalar" else "histograms")
    if wanted.kind != "scalar":
        return BucketSink(stream)
    return CsvSink(stream, "scalars", guards=wanted.is_for_people)


def _taken(spool: BinaryIO, watch: _Watch) -> Iterator[bytes]:
    """Yield what is in the spool, and leave it empty."""
    spool.seek(0)
    while part := spool.read(PART_BYTES):
        watch.check()
        yield part
    spool.seek(0)
    spool.truncate()


async def _in_threads(parts: Generator[bytes, None, None]) -> AsyncGenerator[bytes, None]:
    """Hand on each part as a thread has made it; whoever goes away ends the reading."""
    try:
        while (part := await anyio.to_thread.run_sync(next, parts, b"")) != b"":
            yield part
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(parts.close)


def _numbers(text: str) -> tuple[int, ...]:
    parts = text.split(",")
    if len(parts) > _MOST_TAGS or not all(re.fullmatch("[0-9]{1,18}", part) for part in parts):
        raise BadQuery(f"`tags` are 1 to {_MOST_TAGS} numbers of tags, parted by commas.")
    return tuple(dict.fromkeys(map(int, parts)))


def _uids(text: str) -> tuple[str, ...]:
    parts = text.split(",")
    if len(parts) > _MOST_RUNS or not all(
        re.fullmatch("[0-9A-Za-z]{1,64}", part) for part in parts
    ):
        raise BadQuery(f"`runs` are 1 to {_MOST_RUNS} ids of runs, parted by commas.")
    return tuple(dict.fromkeys(parts))


def form_of(text: str) -> FileForm:
    if text not in get_args(FileForm):
        raise BadQuery(f"`form` is one of {', '.join(get_args(FileForm))}.")
    return cast("FileForm", text)


def kind_of(text: str) -> Kind:
    if text not in _KINDS:
        raise BadQuery(f"`kind` is one of {', '.join(_KINDS)}.")
    return text


def file_name(text: str) -> str:
    return _UNSAFE.sub("_", text)[:80].strip("._") or "points"
