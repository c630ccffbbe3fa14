"""The series that an expression names: by tag, not by number.

`hist:TAG:STATISTIC` is a statistic of the histograms of TAG: `mean`, `std`, `min`, `max`, `num`,
`p5`, `p25`, `p50`, `p75`, `p95`. A scalar of that very name comes first.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sqlalchemy import Connection, select

from orgboard_dashboard.histograms.buckets import frames_of
from orgboard_dashboard.histograms.percentiles import Statistic, statistic
from orgboard_dashboard.queries.histograms import HistogramParts, find_histograms
from orgboard_dashboard.queries.series import Picture, ScalarsFound, SeriesData, find_scalars
from orgboard_dashboard.queries.statistics import split_statistic
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.sql import tables
from orgboard_schema.sql.text import sha256

__all__ = ["find_named"]


def find_named(
    viewer: Viewer,
    conn: Connection,
    team: str,
    project: str,
    *,
    uids: Sequence[str],
    tags: Sequence[str],
    picture: Picture,
    whole: bool = False,
    metric: str = "",
) -> tuple[ScalarsFound, dict[str, int]]:
    """Read the series of these tags in these runs, and return the numbers of those that exist.

    A tag of other projects only is a tag without a point: nobody can tell which. `whole` and
    `metric` are as in `find_scalars`.

    Raises:
        NotFound: there is no such project, or `viewer` may not see it.
        TooMuch: there are more points than can be read at once.
    """
    numbers = _numbers(conn, tags)
    found = find_scalars(
        viewer,
        conn,
        team,
        project,
        uids=uids,
        tag_ids=sorted(numbers.values()),
        picture=picture,
        whole=whole,
        metric=metric,
    )
    there = {tag_id for _, tag_id in (*found.series, *found.reduced)}
    statistics = {
        tag: split
        for tag in tags
        if numbers.get(tag) not in there and (split := split_statistic(tag)) is not None
    }
    if statistics:
        _add_statistics(viewer, conn, team, project, uids, statistics, found, numbers)
    return found, numbers


def _numbers(conn: Connection, tags: Sequence[str]) -> dict[str, int]:
    names = {sha256(tag): tag for tag in tags}
    columns = tables.tag.c
    asked = select(columns.name_sha256, columns.tag_id).where(columns.name_sha256.in_(names))
    return {names[bytes(digest)]: tag_id for digest, tag_id in conn.execute(asked)}


def _add_statistics(
    viewer: Viewer,
    conn: Connection,
    team: str,
    project: str,
    uids: Sequence[str],
    statistics: dict[str, tuple[str, Statistic]],
    found: ScalarsFound,
    numbers: dict[str, int],
) -> None:
    """Put each statistic beside the scalars, under a number below 0: no tag has such a one."""
    tags = _numbers(conn, [name for name, _ in statistics.values()])
    read = find_histograms(viewer, conn, team, project, uids=uids, tag_ids=frozenset(tags.values()))
    for at, (tag, (name, of)) in enumerate(statistics.items(), 1):
        numbers[tag] = -at
        for (uid, tag_id), parts in read.series.items():
            if tag_id == tags.get(name):
                found.series[uid, -at] = _series(parts, of)


def _series(parts: HistogramParts, of: Statistic) -> SeriesData:
    # In the order of a curve's points: by step, within one as they came.
    order = np.argsort(parts.step, kind="stable")
    value = statistic(frames_of(parts.parts), of)
    return SeriesData(
        parts.step[order],
        parts.wall[order],
        value[order],
        (),
        parts.attempt[order],
        parts.superseded[order],
    )
