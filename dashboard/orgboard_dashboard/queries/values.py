"""Values that are not scalars: texts, pictures, tensors, graphs. The newest, and how many more."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from sqlalchemy import Connection, select

from orgboard_dashboard.markdown import to_html
from orgboard_dashboard.queries.errors import BadQuery, NotFound, TooMuch
from orgboard_dashboard.queries.tags import kind_of
from orgboard_dashboard.queries.thinned import Thinned, marks_of, thinned
from orgboard_dashboard.queries.visible import ProjectRef, find_project, find_run, runs_of
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.blocks.heads import SeriesHead, decode_heads, head_rows
from orgboard_schema.blocks.series import StoredMedia, StoredValue
from orgboard_schema.errors import CorruptBlock
from orgboard_schema.sql import read, tables
from orgboard_schema.sql.dictionary import tag_names
from orgboard_schema.sql.text import to_sql
from orgboard_schema.types import Kind, ProtoHistogram, Tensor, TensorHistogram

__all__ = ["BlobRow", "SeriesValues", "ValuePoint", "ValuesQuery", "find_blob", "list_values"]

_log = logging.getLogger(__name__)

MAX_POINTS: Final = 1000
"""Points of one series in one answer."""
_MAX_SERIES: Final = 300
_MAX_POINTS_READ: Final = 200_000
"""Points that one question may make the server unpack."""
_DEFAULT_RUNS: Final = 20
"""Runs whose values are shown when none are named: the newest."""
_MAX_STRINGS: Final = 64
_MAX_CHARS: Final = 1 << 20
"""Of one text; the rest is in the export."""
_MAX_RENDERED: Final = 200_000
"""Characters of Markdown that one answer may make the server render."""


@dataclass(frozen=True, slots=True)
class ValuesQuery:
    """Which values are wanted."""

    kind: str
    tag_ids: tuple[int, ...] = ()
    """None named: all tags of the kind."""
    uids: tuple[str, ...] = ()
    limit: int = 100
    """Newest points of each series."""


@dataclass(frozen=True, slots=True)
class BlobRow:
    """Bytes that can be fetched by their hash."""

    sha256: str
    size: int
    media_type: str
    label: str


@dataclass(frozen=True, slots=True)
class ValuePoint:
    """One logged value. Of the last fields those of its kind are set."""

    step: int
    wall: float
    attempt: int
    superseded: bool
    dtype: str | None = None
    shape: tuple[int, ...] | None = None
    strings: tuple[str, ...] | None = None
    html: tuple[str | None, ...] | None = None
    """Each string as Markdown, made safe; None for one too long, or too old, to render."""
    blobs: tuple[BlobRow, ...] | None = None
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True)
class SeriesValues:
    """The newest points of one series, by step."""

    run: str
    tag: int
    name: str
    kind: Kind
    total: int
    """Visible points that there are."""
    thinned: Thinned | None
    """None: every point that was logged is stored."""
    points: tuple[ValuePoint, ...]


def list_values(
    viewer: Viewer, conn: Connection, team: str, project: str, query: ValuesQuery
) -> tuple[SeriesValues, ...]:
    """Return the series that `query` asks for, by tag name, then in the order of the runs.

    Raises:
        NotFound: there is no such project, or `viewer` may not see it.
        BadQuery: there is no such kind, or the limit is none.
        TooMuch: the series are too many or too long.
    """
    kind = kind_of(query.kind)
    if kind == "scalar" or not 0 < query.limit <= MAX_POINTS:
        raise BadQuery(f"Ask for 1 to {MAX_POINTS} points of any kind but scalar.")
    found = find_project(viewer, conn, team, project)
    asked = {
        (uid, run_id): _heads(conn, run_id, kind, query.tag_ids)
        for uid, run_id in _runs(viewer, conn, found, query.uids)
    }
    _refuse_too_much([head for heads in asked.values() for head in heads])
    names = tag_names(conn, {head.tag_id for heads in asked.values() for head in heads})
    listed = [
        _series(uid, head, names, data[head.tag_id, kind], thinned(head, marks), query.limit)
        for (uid, run_id), heads in asked.items()
        for data in (read.series(conn, run_id, [(head.tag_id, kind) for head in heads]),)
        for marks in (marks_of(conn, run_id) if heads else {},)
        for head in heads
    ]
    return _with_html(sorted(listed, key=lambda series: series.name))


def find_blob(viewer: Viewer, conn: Connection, uid: str, sha256: bytes) -> tuple[bytes, str]:
    """Return the bytes that a run refers to, and what they are.

    Raises:
        NotFound: there is none, or `viewer` may not see the run.
    """
    run_id = find_run(viewer, conn, uid)
    try:
        found = read.load_blob(conn, run_id, sha256)
    except CorruptBlock as error:
        _log.warning("a blob of run %s cannot be served: %s", uid, error)
        raise NotFound from error
    if found is None:
        raise NotFound
    return found.data, found.media_type


def _runs(
    viewer: Viewer, conn: Connection, project: ProjectRef, uids: Sequence[str]
) -> list[tuple[str, int]]:
    run = tables.run.c
    asked = select(run.uid, run.run_id).where(runs_of(viewer, project))
    if uids:
        rows = conn.execute(asked.where(run.uid.in_([to_sql(uid) for uid in uids]))).all()
        return sorted(((uid, run_id) for uid, run_id in rows), key=lambda row: uids.index(row[0]))
    newest = asked.where(run.archived_at.is_(None)).order_by(
        run.touched_ms.desc(), run.run_id.desc()
    )
    newest = newest.limit(_DEFAULT_RUNS)
    return [(uid, run_id) for uid, run_id in conn.execute(newest)]


def _heads(conn: Connection, run_id: int, kind: Kind, tag_ids: Sequence[int]) -> list[SeriesHead]:
    head = tables.run_head.c
    payload = conn.execute(select(head.payload).where(head.run_id == run_id)).scalar()
    rows = head_rows(decode_heads(payload)) if payload else []
    return [row for row in rows if row.kind == kind and (not tag_ids or row.tag_id in tag_ids)]


def _refuse_too_much(heads: Sequence[SeriesHead]) -> None:
    points = sum(head.n_all for head in heads)
    if len(heads) > _MAX_SERIES or points > _MAX_POINTS_READ:
        raise TooMuch(
            f"That is {points} values in {len(heads)} series; {_MAX_POINTS_READ} in {_MAX_SERIES}"
            " can be shown at once. Select fewer runs or tags."
        )


def _series(
    uid: str,
    head: SeriesHead,
    names: Mapping[int, str],
    data: read.SeriesData,
    taken: Thinned | None,
    limit: int,
) -> SeriesValues:
    shown = np.flatnonzero(~data.superseded)
    by_step = shown[np.argsort(data.step[shown], kind="stable")]
    points = tuple(_point(data, at, data.values[at]) for at in by_step[-limit:].tolist())
    name = names.get(head.tag_id, "")
    return SeriesValues(uid, head.tag_id, name, head.kind, int(shown.size), taken, points)


def _with_html(listed: Sequence[SeriesValues]) -> tuple[SeriesValues, ...]:
    """Render the texts: the newest of every series first, until `_MAX_RENDERED` is used up."""
    left = _MAX_RENDERED
    rendered = [list(series.points) for series in listed]
    places = ((at, points) for points in rendered for at in range(len(points)))
    for at, points in sorted(places, key=lambda place: len(place[1]) - place[0]):
        html: list[str | None] = []
        for text in points[at].strings or ():
            html.append(to_html(text) if len(text) <= left else None)
            left -= 0 if html[-1] is None else len(text)
        if html:
            points[at] = replace(points[at], html=tuple(html))
    return tuple(
        replace(series, points=tuple(points))
        for series, points in zip(listed, rendered, strict=True)
    )


def _point(data: read.SeriesData, at: int, value: StoredValue) -> ValuePoint:
    place = (
        int(data.step[at]),
        float(data.wall[at]),
        int(data.attempt[at]),
        bool(data.superseded[at]),
    )
    if isinstance(value, StoredMedia):
        blobs = tuple(
            BlobRow(blob.sha256.hex(), blob.size, blob.media_type, blob.label)
            for blob in value.blobs
        )
        return ValuePoint(*place, blobs=blobs, width=value.width, height=value.height)
    if isinstance(value, Tensor):
        strings = _strings(value)
        return ValuePoint(*place, dtype=value.dtype, shape=value.shape, strings=strings)
    if isinstance(value, TensorHistogram):
        return ValuePoint(*place, dtype=value.dtype, shape=(len(value.buckets), 3))
    return ValuePoint(*place, dtype="histogram", shape=(len(_counts(value)),))


def _counts(value: ProtoHistogram) -> tuple[float, ...]:
    return value.counts


def _strings(value: Tensor) -> tuple[str, ...] | None:
    if isinstance(value.data, bytes):
        return None
    texts = (part.decode("utf-8", "replace") for part in value.data[:_MAX_STRINGS])
    return tuple(text[:_MAX_CHARS] for text in texts)
