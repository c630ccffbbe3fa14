"""Every point of some tags and runs as a file, scalars or histograms.

It is streamed, bounded by time and never by count.
"""

from __future__ import annotations

import io
import re
import time
from collections.abc import AsyncIterator, Callable, Generator
from dataclasses import dataclass
from typing import Final, Literal, cast, get_args

import anyio
import anyio.to_thread
from fastapi import APIRouter
from sqlalchemy import Engine
from starlette.responses import StreamingResponse

from orgboard_dashboard.export.bucket_rows import BucketSink
from orgboard_dashboard.export.choice import Slice
from orgboard_dashboard.export.csv_rows import CsvSink
from orgboard_dashboard.export.json_lines import JsonSink
from orgboard_dashboard.export.marks import Sink
from orgboard_dashboard.queries.errors import BadQuery
from orgboard_dashboard.queries.exported import RunPlace, exported_series, places_of
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
    ) -> StreamingResponse:
        tag_ids, uids, written, of = _numbers(tags), _uids(runs), form_of(form), kind_of(kind)
        places = await services.ask(places_of, team, project, uids)
        # A tag's name may be known to who may see a run that has it, and to nobody else.
        listed = await services.ask(list_tags, team, project, of, uids)
        names = [row.name for row in listed if row.id in tag_ids]
        wanted = Wanted(tuple(places), frozenset(names), written, of, is_for_people=True)
        name = file_name(names[0] if len(names) == 1 else project)
        return file_of(current_viewer(), services.engine, wanted, name)

    return router


def stream_points(
    viewer: Viewer,
    engine: Engine,
    wanted: Wanted,
    clock: Callable[[], float] = time.monotonic,
) -> Generator[bytes, None, None]:
    """Yield the file part by part. Each run is read on a snapshot of its own.

    Raises:
        TimeoutError: it is not whole after `WITHIN_S`.
    """
    until = clock() + WITHIN_S
    matches = _any if wanted.tags is None else wanted.tags.__contains__
    buffer = io.BytesIO()
    sink = _sink(wanted, buffer)
    for run in wanted.places:
        with reading(engine, viewer) as conn:
            listed = exported_series(viewer, conn, run.run_id, (wanted.kind,), matches)
            for series in listed:
                for data in series.pieces:
                    sink.points(
                        Slice(run.project, run.name, series.tag, series.kind, series.plugin, data)
                    )
                    if clock() > until:
                        raise TimeoutError(f"an export took longer than {WITHIN_S:.0f} s")
                    if buffer.tell() >= PART_BYTES:
                        yield _taken(buffer)
    sink.close()
    yield _taken(buffer)


def file_of(viewer: Viewer, engine: Engine, wanted: Wanted, name: str) -> StreamingResponse:
    """Return the file as an answer, made while it is sent."""
    # What is in the file is somebody's text; a browser must not take it for a page.
    headers = {"content-disposition": f'attachment; filename="{name}.{wanted.form}"'}
    points = stream_points(viewer, engine, wanted)
    return StreamingResponse(_in_threads(points), media_type=_TYPES[wanted.form], headers=headers)


def _any(_tag: str) -> bool:
    return True


def _sink(wanted: Wanted, buffer: io.BytesIO) -> Sink:
    if wanted.form == "jsonl":
        return JsonSink(buffer, "scalars" if wanted.kind == "scalar" else "histograms")
    if wanted.kind != "scalar":
        return BucketSink(buffer)
    return CsvSink(buffer, "scalars", guards=wanted.is_for_people)


def _taken(buffer: io.BytesIO) -> bytes:
    part = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return part


async def _in_threads(parts: Generator[bytes, None, None]) -> AsyncIterator[bytes]:
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
