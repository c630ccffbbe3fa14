"""Every stored point, one series after another: what `orgboard export` writes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, select

from orgboard_dashboard.queries.errors import BadQuery, NotFound
from orgboard_dashboard.queries.runs import RunRow, rows_of
from orgboard_dashboard.queries.visible import visible_runs
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.blocks.heads import decode_heads
from orgboard_schema.blocks.series import kind_number
from orgboard_schema.sql import read, tables
from orgboard_schema.sql.dictionary import tag_names
from orgboard_schema.sql.read import SeriesData
from orgboard_schema.sql.registry import parse_project
from orgboard_schema.sql.text import from_sql
from orgboard_schema.types import Kind

__all__ = ["ExportedRun", "SeriesData", "exported_runs", "exported_series"]

_SERIES_TOGETHER: Final = 10_000
_POINTS_TOGETHER: Final = 50_000
"""Read at once, and held in memory; a longer series is streamed."""


@dataclass(frozen=True, slots=True)
class ExportedRun:
    """A run, and the project it is in as TEAM/PROJECT."""

    run_id: int
    project: str
    row: RunRow


def exported_runs(
    viewer: Viewer,
    conn: Connection,
    now: float,
    *,
    project: str | None,
    matches: Callable[[str], bool],
) -> Iterator[ExportedRun]:
    """Yield the visible runs whose name matches, by project and name in code-point order.

    Raises:
        BadQuery: `project` is not written TEAM/PROJECT.
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
    # Two directories of one project may have runs of the same name.
    order = sorted(
        (f"{row[2]}/{row[3]}", row[1], row[4], row[0]) for row in named if matches(row[1])
    )
    for place, _name, _path, run_id in order:
        row = rows_of(viewer, conn, [run_id], now).get(run_id)
        if row is not None:
            yield ExportedRun(run_id, place, row)


def exported_series(
    viewer: Viewer,
    conn: Connection,
    run: ExportedRun,
    kind: Kind,
    matches: Callable[[str], bool],
) -> Iterator[tuple[str, Iterator[SeriesData]]]:
    """Yield each series of a kind by tag in code-point order, and its points piece by piece."""
    head = tables.run_head
    payload = conn.execute(
        select(head.c.payload)
        .join(tables.run, tables.run.c.run_id == head.c.run_id)
        .where(head.c.run_id == run.run_id, visible_runs(viewer))
    ).scalar()
    if payload is None:
        return
    heads = decode_heads(payload)
    heads = heads[heads["kind"] == kind_number(kind)]
    points = dict(zip(heads["tag_id"].tolist(), heads["n_all"].tolist(), strict=True))
    named = sorted((name, tag) for tag, name in tag_names(conn, points).items() if matches(name))
    for some in _together([(name, tag, points[tag]) for name, tag in named]):
        if len(some) == 1:
            ((name, tag),) = some
            yield name, read.iter_series(conn, run.run_id, tag, kind)
            continue
        found = read.pieces_of(conn, run.run_id, [(tag, kind) for _, tag in some])
        for name, tag in some:
            yield name, iter(found.get((tag, kind), ()))


def _together(series: Iterable[tuple[str, int, int]]) -> Iterator[list[tuple[str, int]]]:
    """Group (name, tag, points) in their order: short series together, a long one alone."""
    some: list[tuple[str, int]] = []
    held = 0
    for name, tag, points in series:
        if some and (held + points > _POINTS_TOGETHER or len(some) == _SERIES_TOGETHER):
            yield some
            some, held = [], 0
        some.append((name, tag))
        held += points
    if some:
        yield some


def _project(written: str) -> tuple[str, str]:
    try:
        return parse_project(written)
    except ValueError as error:
        raise BadQuery(str(error)) from error
