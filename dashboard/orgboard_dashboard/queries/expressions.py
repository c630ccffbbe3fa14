"""The series that an expression names: by tag, not by number.

`hist:TAG:STATISTIC` is a statistic of the histograms of TAG: `mean`, `std`, `min`, `max`, `num`,
`p5`, `p25`, `p50`, `p75`, `p95`. `metric:NAME` is a metric of the dictionary. A scalar of that very
name comes first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from sqlalchemy import Connection

from orgboard_dashboard.histograms.buckets import frames_of
from orgboard_dashboard.histograms.percentiles import Statistic, statistic
from orgboard_dashboard.queries.by_metric import series_numbers
from orgboard_dashboard.queries.histograms import HistogramParts, find_histograms
from orgboard_dashboard.queries.series import Picture, ScalarsFound, SeriesData, find_scalars
from orgboard_dashboard.queries.statistics import split_statistic
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.sql.dictionary import find_tags

__all__ = ["find_named"]

_FIRST_STATISTIC: Final = -(2**62)
"""Far from the numbers of tags, and from those of metrics, which are below 0."""


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
    numbers = series_numbers(conn, tags)
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
    """Put each statistic beside the scalars, under a number that no tag and no metric has."""
    tags = find_tags(conn, [name for name, _ in statistics.values()])
    read = find_histograms(viewer, conn, team, project, uids=uids, tag_ids=frozenset(tags.values()))
    for at, (tag, (name, of)) in enumerate(statistics.items(), _FIRST_STATISTIC):
        numbers[tag] = at
        for (uid, tag_id), parts in read.series.items():
            if tag_id == tags.get(name):
                found.series[uid, at] = _series(parts, of)


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
