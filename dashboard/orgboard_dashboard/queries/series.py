"""Points of scalar series, within declared limits. What was not asked for is not read."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, bindparam, func, select

from orgboard_dashboard.queries.by_metric import (
    MetricTags,
    OwnTag,
    find_metric_tags,
    scaled,
    scaled_line,
    series_number,
)
from orgboard_dashboard.queries.errors import TooMuch
from orgboard_dashboard.queries.kept_series import Of, kept_of
from orgboard_dashboard.queries.points_at_once import LARGE, points_at_once
from orgboard_dashboard.queries.runs import newest_touch, project_revision
from orgboard_dashboard.queries.visible import ProjectRef, find_project, runs_of, visible_runs
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.blocks.series import kind_number
from orgboard_schema.errors import TooManyPoints
from orgboard_schema.sql import read, tables
from orgboard_schema.sql.dictionary import chunked
from orgboard_schema.sql.picture import Axis as PictureAxis
from orgboard_schema.sql.pyramid import LONG_POINTS
from orgboard_schema.sql.read import Picture, ReducedLine, SeriesData
from orgboard_schema.sql.text import to_sql
from orgboard_schema.types import Kind

__all__ = [
    "MAX_POINTS_READ",
    "Picture",
    "PictureAxis",
    "ReducedLine",
    "ScalarsFound",
    "SeriesData",
    "find_scalars",
]

MAX_POINTS_READ: Final = 20_000_000
"""Points that one question may make the server unpack: some seconds of work."""

_OVERLAP_MS: Final = 15_000
"""A commit carries the time it began at, and may have waited this long for a lock."""

_SCALAR: Final[Kind] = "scalar"


@dataclass(frozen=True, slots=True)
class ScalarsFound:
    """Series by run and tag, and what was left out."""

    revision: int
    unchanged: tuple[str, ...]
    """Asked runs without a commit since the revision that the asker has."""
    series: dict[tuple[str, int], SeriesData]
    """All points, in the range that was asked for."""
    reduced: dict[tuple[str, int], list[ReducedLine]]
    """Of series too long for that: lines that are at screen width already."""
    cuts: dict[tuple[str, int], tuple[tuple[int, int], ...]]
    """Of series that were restarted: each newer attempt, and the step it goes on from."""
    metric: dict[str, SeriesData] = field(default_factory=dict)
    """By run, the series that is asked for as the axis."""
    own: dict[tuple[str, int], OwnTag] = field(default_factory=dict)
    """By run and metric, which of the metric's tags was taken."""


def find_scalars(
    viewer: Viewer,
    conn: Connection,
    team: str,
    project: str,
    *,
    uids: Sequence[str],
    tag_ids: Sequence[int],
    picture: Picture,
    step_range: tuple[int, int] | None = None,
    since: int | None = None,
    whole: bool = False,
    metric: str = "",
) -> ScalarsFound:
    """Read the series of these tags in these runs; of blocks only those in `step_range`.

    A number below 0 is that of a metric of the dictionary, whose series are put together of its
    tags' (`queries.by_metric`). Of long series no more is read than `picture` shows, unless they
    are wanted `whole`. `metric` names a tag, or a metric, whose series are read beside them.

    Runs that do not exist, or are not visible, are not in the answer.

    Raises:
        NotFound: there is no such project, or `viewer` may not see it.
        TooMuch: there are more than `MAX_POINTS_READ` points.
        TooBusy: there are millions, and others read as many.
    """
    found = find_project(viewer, conn, team, project)
    rows = _asked_runs(viewer, conn, found, [to_sql(uid) for uid in uids])
    # Before the points: what is committed in between is then sent twice, and not never.
    is_told = rows and found.several is None
    revision = rows[0].revision if is_told else project_revision(viewer, conn, found)
    oldest = -1 if since is None else since - _OVERLAP_MS
    changed = {row.uid: row.run_id for row in rows if row.touched_ms > oldest}
    points = {row.run_id: row.points for row in rows}
    beside = series_number(conn, metric) if metric else None
    wanted = {*tag_ids} if beside is None else {*tag_ids, beside}
    metrics = _metrics(conn, wanted, rows)
    asked_tags = {tag_id for tag_id in wanted if tag_id > 0} | metrics.ids
    keys = {(run_id, tag_id) for run_id in changed.values() for tag_id in asked_tags}
    uid_of = {run_id: uid for uid, run_id in changed.items()}
    # Small runs, which most are, have nothing long to be looked for.
    maybe_long = set() if whole else {key for key in keys if points[key[0]] >= LONG_POINTS}
    long = read.long_series(conn, maybe_long)
    if sum(points[run_id] for run_id in changed.values()) > min(LARGE, MAX_POINTS_READ):
        _make_room(conn, keys - long, step_range)
    try:
        reduced = read.reduced_scalars(conn, long, picture)
    except TooManyPoints as error:
        raise TooMuch(_too_much(error.points)) from error
    if long or step_range is not None:
        series = read.many_scalars(conn, keys - long, step_range=step_range)
    else:
        asked = [row for row in rows if row.uid in changed]
        series = _read_or_kept(conn, asked, frozenset(asked_tags))
    drawn = ScalarsFound(
        revision,
        tuple(row.uid for row in rows if row.uid not in changed),
        {(uid_of[run_id], tag_id): data for (run_id, tag_id), data in series.items()},
        {(uid_of[run_id], tag_id): lines for (run_id, tag_id), lines in reduced.items()},
        _cuts(conn, {row.uid: row.run_id for row in rows if row.attempts > 1}, asked_tags),
        own=dict(metrics.own),
    )
    _add_metrics(drawn)
    drawn.metric.update({uid: drawn.series[uid, tag] for uid, tag in drawn.series if tag == beside})
    return drawn


def _metrics(conn: Connection, wanted: Collection[int], rows: Sequence[Any]) -> MetricTags:
    numbers = {tag_id for tag_id in wanted if tag_id < 0}
    return find_metric_tags(conn, numbers, {row.uid: row.tag_set_id for row in rows})


def _add_metrics(found: ScalarsFound) -> None:
    """Put what each run has of a metric under the metric's number."""
    for (uid, number), own in found.own.items():
        if (uid, own.id) in found.series:
            found.series[uid, number] = scaled(found.series[uid, own.id], own.scale)
        if (uid, own.id) in found.reduced:
            lines = found.reduced[uid, own.id]
            found.reduced[uid, number] = [scaled_line(line, own.scale) for line in lines]
        if (uid, own.id) in found.cuts:
            found.cuts[uid, number] = found.cuts[uid, own.id]


def _read_or_kept(
    conn: Connection, rows: Sequence[Any], tags: frozenset[int]
) -> dict[tuple[int, int], SeriesData]:
    """Return whole series of runs that are visible, reading those that are not kept."""
    kept = kept_of(conn.engine)
    found: dict[tuple[int, int], SeriesData] = {}
    missing: dict[int, Of] = {}
    for row in rows:
        of = Of(row.run_id, row.run_revision, row.touched_ms, tags)
        series = kept.get(of)
        if series is None:
            missing[row.run_id] = of
        else:
            found |= {(row.run_id, tag_id): data for tag_id, data in series.items()}
    read_now = read.many_scalars(conn, {(run_id, tag) for run_id in missing for tag in tags})
    of_run: dict[int, dict[int, SeriesData]] = {run_id: {} for run_id in missing}
    for (run_id, tag_id), data in read_now.items():
        of_run[run_id][tag_id] = data
    for run_id, series in of_run.items():
        kept.put(missing[run_id], series)
    return found | read_now


def _cuts(
    conn: Connection, restarted: Mapping[str, int], tag_ids: Collection[int]
) -> dict[tuple[str, int], tuple[tuple[int, int], ...]]:
    if not restarted:
        return {}
    of_run = read.restarts(conn, restarted.values())
    return {
        (uid, tag_id): tuple(
            (cut.attempt, cut.step)
            for cut in of_run[run_id]
            if cut.kind is None or (cut.tag_id, cut.kind) == (tag_id, _SCALAR)
        )
        for uid, run_id in restarted.items()
        for tag_id in tag_ids
    }


def _asked_runs(
    viewer: Viewer, conn: Connection, project: ProjectRef, uids: Sequence[str]
) -> Sequence[Row[str, int, int, int, int, int, int | None, int]]:
    run = tables.run.c
    homes: Sequence[int] = (project.project_id,)
    if project.several is not None:
        asked = select(run.project_id).where(runs_of(viewer, project), run.uid.in_(uids))
        homes = conn.scalars(asked.distinct()).all()
    return [
        row
        for home in homes
        for row in conn.execute(_find_runs(viewer), {"project": home, "uids": uids})
    ]


# Built once for each viewer: to build a statement costs more than to run it.
@lru_cache(maxsize=512)
def _find_runs(viewer: Viewer) -> Select[str, int, int, int, int, int, int | None, int]:
    run = tables.run.c
    # Of the whole project, not of the row at hand.
    newest = newest_touch(viewer).correlate(None).scalar_subquery()
    return select(
        run.uid,
        run.run_id,
        run.touched_ms,
        run.points,
        run.attempts,
        run.revision.label("run_revision"),
        run.tag_set_id,
        newest.label("revision"),
    ).where(
        run.project_id == bindparam("project"),
        run.uid.in_(bindparam("uids", expanding=True)),
        visible_runs(viewer),
    )


def _make_room(
    conn: Connection, keys: Collection[tuple[int, int]], step_range: tuple[int, int] | None
) -> None:
    """Count what is to be read beside what others read, when it is much."""
    points = _points_of(conn, keys, step_range)
    if points > MAX_POINTS_READ:
        raise TooMuch(_too_much(points))
    if points >= LARGE:
        points_at_once(conn.engine).begin(conn, points)


def _points_of(
    conn: Connection, keys: Collection[tuple[int, int]], step_range: tuple[int, int] | None
) -> int:
    block = tables.block.c
    points = 0
    for runs in chunked(sorted({run_id for run_id, _ in keys})):
        for tags in chunked(sorted({tag_id for _, tag_id in keys})):
            asked = (
                select(block.run_id, block.tag_id, func.sum(block.n))
                .where(
                    block.run_id.in_(runs),
                    block.tag_id.in_(tags),
                    block.kind == kind_number(_SCALAR),
                    block.level == 0,
                )
                .group_by(block.run_id, block.tag_id)
            )
            if step_range is not None:
                first, last = step_range
                asked = asked.where(block.step_max >= first, block.step_min <= last)
            points += sum(
                n for run_id, tag_id, n in conn.execute(asked) if (run_id, tag_id) in keys
            )
    return points


def _too_much(points: int) -> str:
    return (
        f"That is {points} points; {MAX_POINTS_READ} can be drawn at once."
        " Select fewer runs, or zoom in."
    )
