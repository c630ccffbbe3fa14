"""Every stored point, one series after another: what `orgboard export` writes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from sqlalchemy import Connection, func, select

from orgboard_dashboard.queries.errors import BadQuery, NotFound
from orgboard_dashboard.queries.language import UnknownField
from orgboard_dashboard.queries.matching import matching_runs
from orgboard_dashboard.queries.runs import RunRow, rows_of
from orgboard_dashboard.queries.thinned import marks_of
from orgboard_dashboard.queries.visible import find_project, find_runs, visible_runs
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.blocks import HeadTable
from orgboard_schema.blocks.heads import decode_heads
from orgboard_schema.blocks.series import kind_number
from orgboard_schema.errors import CorruptBlock
from orgboard_schema.sql import read, tables
from orgboard_schema.sql.dictionary import chunked, tag_names
from orgboard_schema.sql.packing import BLOCK_BYTES
from orgboard_schema.sql.read import SeriesData
from orgboard_schema.sql.registry import parse_project
from orgboard_schema.sql.text import from_sql
from orgboard_schema.types import KINDS, Kind

__all__ = [
    "ExportedRun",
    "ExportedSeries",
    "RunPlace",
    "SeriesData",
    "are_visible",
    "exported_blob",
    "exported_rows",
    "exported_runs",
    "exported_series",
    "places_of",
]

_SERIES_TOGETHER: Final = 10_000
_POINTS_TOGETHER: Final = 50_000
_BYTES_TOGETHER: Final = 8 * 1024 * 1024
"""Read at once, and held in memory; a longer series, or one of larger values, is streamed."""

_UNPACKS_TO: Final = 64
"""How many times its size a block of values may take unpacked, where nothing better is known."""


@dataclass(frozen=True, slots=True)
class RunPlace:
    """Which run, and the project it is in as TEAM/PROJECT."""

    run_id: int
    project: str
    name: str


@dataclass(frozen=True, slots=True)
class ExportedRun:
    """A run as the table of runs shows it, and its project as TEAM/PROJECT."""

    project: str
    row: RunRow


@dataclass(frozen=True, slots=True)
class ExportedSeries:
    """A series, and its points piece by piece, to be read before the next series is."""

    tag: str
    kind: Kind
    plugin: str
    """What the writer called the kind; "" when it said nothing."""
    pieces: Iterator[SeriesData]
    taken: int
    """Points that were thinned, and are in no piece."""


@dataclass(frozen=True, slots=True)
class _Listed:
    """A series that is to be read, before it is."""

    tag: str
    kind: Kind
    tag_id: int
    plugin: str
    points: int
    octets: int
    """That its values take unpacked, about; 0 for scalars."""
    taken: int


def exported_runs(
    viewer: Viewer,
    conn: Connection,
    *,
    project: str | None,
    matches: Callable[[str], bool],
    where: str,
    now: float,
) -> list[RunPlace]:
    """Return the visible runs whose name matches, by project and name in code-point order.

    `where` is a query that lets through those that are wanted; all, when it is empty.

    Raises:
        BadQuery: `project` is not written TEAM/PROJECT, or `where` is no query.
        NotFound: it does not exist, or `viewer` may not see it.
    """
    wanted = None if project is None else _project(project)
    run, of, team = tables.run.c, tables.project.c, tables.team.c
    rows = conn.execute(
        select(run.run_id, run.name, team.name, of.name, tables.logdir.c.path)
        .select_from(tables.run)
        .join(tables.project, of.project_id == run.project_id)
        .join(tables.team, team.team_id == of.team_id)
        .join(tables.logdir, tables.logdir.c.logdir_id == run.logdir_id)
        .where(visible_runs(viewer))
    )
    named = [(run_id, *map(from_sql, texts)) for run_id, *texts in rows]
    if wanted is not None:
        named = [row for row in named if (row[2], row[3]) == wanted]
        if not named:
            raise NotFound
    if where.strip():
        passing = _passing(viewer, conn, {(row[2], row[3]) for row in named}, where, now)
        named = [row for row in named if row[0] in passing]
    # Two directories of one project may have runs of the same name.
    order = sorted(
        (f"{row[2]}/{row[3]}", row[1], row[4], row[0]) for row in named if matches(row[1])
    )
    return [RunPlace(run_id, place, name) for place, name, _path, run_id in order]


def places_of(
    viewer: Viewer, conn: Connection, team: str, project: str, uids: Sequence[str]
) -> list[RunPlace]:
    """Return these runs of a project, in their order; without those that `viewer` may not see.

    Raises:
        NotFound: there is no such project, or `viewer` may not see it.
    """
    found = find_project(viewer, conn, team, project)
    run_ids = find_runs(viewer, conn, found, tuple(uids))
    run, of = tables.run.c, tables.team.c
    rows = conn.execute(
        select(run.run_id, of.name, tables.project.c.name, run.name)
        .select_from(tables.run)
        .join(tables.project, tables.project.c.project_id == run.project_id)
        .join(tables.team)
        .where(run.run_id.in_(list(run_ids.values())), visible_runs(viewer))
    )
    places = {
        run_id: RunPlace(run_id, f"{from_sql(owner)}/{from_sql(home)}", from_sql(name))
        for run_id, owner, home, name in rows
    }
    return [places[run_ids[uid]] for uid in uids if uid in run_ids]


def _passing(
    viewer: Viewer, conn: Connection, projects: set[tuple[str, str]], where: str, now: float
) -> set[int]:
    """Return the runs that a query lets through, of all these projects."""
    passing: set[int] = set()
    strange: list[UnknownField] = []
    for team, name in sorted(projects):
        project = find_project(viewer, conn, team, name)
        try:
            passing.update(matching_runs(viewer, conn, project, q=where, now=now).page)
        except UnknownField as error:
            strange.append(error)
    # What only some projects have, the others have no run with. What none has is a mistake.
    if strange and len(strange) == len(projects):
        raise strange[0]
    return passing


def exported_rows(
    viewer: Viewer, conn: Connection, places: Sequence[RunPlace], now: float
) -> list[ExportedRun]:
    """Return the rows of these runs in their order, without those that are gone by now."""
    rows = rows_of(viewer, conn, [place.run_id for place in places], now)
    return [
        ExportedRun(place.project, rows[place.run_id]) for place in places if place.run_id in rows
    ]


def exported_series(
    viewer: Viewer,
    conn: Connection,
    run_id: int,
    kinds: Collection[Kind],
    matches: Callable[[str], bool],
) -> Iterator[ExportedSeries]:
    """Yield each series of these kinds by tag and kind in code-point order."""
    head = tables.run_head
    payload = conn.execute(
        select(head.c.payload)
        .join(tables.run, tables.run.c.run_id == head.c.run_id)
        .where(head.c.run_id == run_id, visible_runs(viewer))
    ).scalar()
    if payload is None:
        return
    heads = decode_heads(bytes(payload))
    heads = heads[np.isin(heads["kind"], [kind_number(kind) for kind in kinds])]
    listed = _listed(conn, run_id, heads, matches)
    for some in _together(listed):
        if len(some) == 1:
            pieces = read.iter_series(conn, run_id, some[0].tag_id, some[0].kind)
            yield ExportedSeries(some[0].tag, some[0].kind, some[0].plugin, pieces, some[0].taken)
            continue
        found = read.pieces_of(conn, run_id, [(each.tag_id, each.kind) for each in some])
        for each in some:
            pieces = iter(found.pop((each.tag_id, each.kind), ()))
            yield ExportedSeries(each.tag, each.kind, each.plugin, pieces, each.taken)


def are_visible(viewer: Viewer, conn: Connection, run_ids: Collection[int]) -> bool:
    """Tell whether `viewer` may see all of these runs."""
    wanted = set(run_ids)
    seen = select(func.count()).where(tables.run.c.run_id.in_(wanted), visible_runs(viewer))
    return conn.execute(seen).scalar() == len(wanted)


def exported_blob(viewer: Viewer, conn: Connection, run_id: int, sha256: bytes) -> bytes | None:
    """Return the bytes that a visible run refers to; None when the store has lost them."""
    visible = select(tables.run.c.run_id).where(tables.run.c.run_id == run_id, visible_runs(viewer))
    if conn.execute(visible).first() is None:
        return None
    try:
        blob = read.load_blob(conn, run_id, sha256)
    except CorruptBlock:
        return None
    return None if blob is None else blob.data


def _listed(
    conn: Connection, run_id: int, heads: HeadTable, matches: Callable[[str], bool]
) -> list[_Listed]:
    names = tag_names(conn, set(heads["tag_id"].tolist()))
    plugins = _plugins(conn, set(heads["metadata_id"].tolist()))
    octets, marks = _octets(conn, run_id, heads), marks_of(conn, run_id)
    columns = ("tag_id", "kind", "metadata_id", "n_all")
    rows = zip(*(heads[name].tolist() for name in columns), strict=True)
    listed = [
        _Listed(
            names[tag_id],
            KINDS[kind],
            tag_id,
            plugins.get(metadata_id, ""),
            points,
            octets.get((tag_id, kind), 0),
            marks[tag_id, KINDS[kind]].taken if (tag_id, KINDS[kind]) in marks else 0,
        )
        for tag_id, kind, metadata_id, points in rows
        if matches(names[tag_id])
    ]
    return sorted(listed, key=lambda each: (each.tag, each.kind))


def _plugins(conn: Connection, ids: Collection[int]) -> dict[int, str]:
    columns = tables.metadata.c
    found: dict[int, str] = {}
    for some in chunked(sorted(ids)):
        query = select(columns.metadata_id, columns.plugin).where(columns.metadata_id.in_(some))
        found |= {number: from_sql(plugin) for number, plugin in conn.execute(query)}
    return found


def _octets(conn: Connection, run_id: int, heads: HeadTable) -> dict[tuple[int, int], int]:
    """Return about how much the values of each series take in memory; scalars are not counted."""
    numbers = sorted(set(heads["kind"].tolist()) - {kind_number("scalar")})
    if not numbers:
        return {}
    rows = zip(heads["tag_id"].tolist(), heads["kind"].tolist(), strict=True)
    octets = dict(zip(rows, heads["waiting_bytes"].tolist(), strict=True))
    columns = tables.block.c
    packed = conn.execute(
        select(columns.tag_id, columns.kind, func.count(), func.sum(func.length(columns.payload)))
        .where(columns.run_id == run_id, columns.level == 0, columns.kind.in_(numbers))
        .group_by(columns.tag_id, columns.kind)
    )
    for tag_id, kind, blocks, size in packed:
        unpacked = int(size) + min(blocks * BLOCK_BYTES, _UNPACKS_TO * int(size))
        octets[tag_id, kind] = octets.get((tag_id, kind), 0) + unpacked
    return octets


def _together(listed: Iterable[_Listed]) -> Iterator[list[_Listed]]:
    """Group series in their order: short ones together, a long one alone."""
    some: list[_Listed] = []
    points = octets = 0
    for each in listed:
        full = points + each.points > _POINTS_TOGETHER or octets + each.octets > _BYTES_TOGETHER
        if some and (full or len(some) == _SERIES_TOGETHER):
            yield some
            some, points, octets = [], 0, 0
        some.append(each)
        points += each.points
        octets += each.octets
    if some:
        yield some


def _project(written: str) -> tuple[str, str]:
    try:
        return parse_project(written)
    except ValueError as error:
        raise BadQuery(str(error)) from error
