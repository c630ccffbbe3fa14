"""Histogram series of runs, within declared limits, in the columns that they are stored in."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from sqlalchemy import Connection, select

from orgboard_dashboard.queries.errors import TooMuch
from orgboard_dashboard.queries.runs import project_revision
from orgboard_dashboard.queries.thinned import Thinned, told_of
from orgboard_dashboard.queries.visible import find_project, runs_of
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.blocks.series import kind_number
from orgboard_schema.sql import read, tables
from orgboard_schema.sql.dictionary import tag_names
from orgboard_schema.sql.read import HistogramParts
from orgboard_schema.sql.text import to_sql
from orgboard_schema.sql.thinning.marks import load_marks

__all__ = [
    "MAX_FRAMES_READ",
    "HistogramParts",
    "HistogramsFound",
    "find_histograms",
    "find_layers",
]

MAX_FRAMES_READ: Final = 200_000
"""Histograms that one question may make the server unpack: some seconds of work."""
MAX_LAYERS: Final = 2000
"""Tags that a map of layers has rows for."""


@dataclass(frozen=True, slots=True)
class HistogramsFound:
    """Series by run and tag."""

    revision: int
    series: dict[tuple[str, int], HistogramParts]
    names: dict[int, str]
    """Of the tags that some series is of."""
    thinned: dict[tuple[str, int], Thinned]
    """What became of those series that were thinned."""


def find_histograms(
    viewer: Viewer,
    conn: Connection,
    team: str,
    project: str,
    *,
    uids: Sequence[str],
    tag_ids: Collection[int],
) -> HistogramsFound:
    """Read the histograms of these tags in these runs.

    Runs that do not exist, or are not visible, are not in the answer.

    Raises:
        NotFound: there is no such project, or `viewer` may not see it.
        TooMuch: there are more than `MAX_FRAMES_READ` histograms.
    """
    return _found(viewer, conn, team, project, uids, tag_ids)


def find_layers(
    viewer: Viewer, conn: Connection, team: str, project: str, *, uids: Sequence[str]
) -> HistogramsFound:
    """Read the histograms of all tags of these runs.

    Raises:
        NotFound: there is no such project, or `viewer` may not see it.
        TooMuch: there are more than `MAX_FRAMES_READ` histograms, or `MAX_LAYERS` tags.
    """
    return _found(viewer, conn, team, project, uids, None)


def _found(
    viewer: Viewer,
    conn: Connection,
    team: str,
    project: str,
    uids: Sequence[str],
    tag_ids: Collection[int] | None,
) -> HistogramsFound:
    found = find_project(viewer, conn, team, project)
    run = tables.run.c
    asked = select(run.uid, run.run_id).where(
        runs_of(viewer, found), run.uid.in_([to_sql(uid) for uid in uids])
    )
    uid_of = {run_id: uid for uid, run_id in conn.execute(asked)}
    # Before the points: what is committed in between is then sent twice, and not never.
    revision = project_revision(viewer, conn, found)
    keys = _keys(conn, uid_of, tag_ids)
    tags = {tag_id for _, tag_id in keys}
    series = {
        (uid_of[run_id], tag_id): parts
        for (run_id, tag_id), parts in read.histograms(conn, keys).items()
    }
    marks = {
        (uid_of[run_id], mark.tag_id): mark
        for run_id, found_marks in load_marks(conn, uid_of).items()
        for mark in found_marks
        if mark.kind == "histogram"
    }
    left = {key: told_of(len(series[key]), mark) for key, mark in marks.items() if key in series}
    return HistogramsFound(revision, series, tag_names(conn, tags), left)


def _keys(
    conn: Connection, uid_of: Mapping[int, str], tag_ids: Collection[int] | None
) -> set[tuple[int, int]]:
    keys: set[tuple[int, int]] = set()
    frames, number = 0, kind_number("histogram")
    for run_id, heads in read.heads(conn, uid_of).items():
        own = heads[heads["kind"] == number]
        if tag_ids is not None:
            own = own[np.isin(own["tag_id"], list(tag_ids))]
        keys |= {(run_id, tag_id) for tag_id in own["tag_id"].tolist()}
        frames += int(own["n_all"].sum())
    if frames > MAX_FRAMES_READ:
        raise TooMuch(
            f"That is {frames} histograms; {MAX_FRAMES_READ} can be read at once."
            " Select fewer runs, or fewer tags."
        )
    if tag_ids is None and len(keys) > MAX_LAYERS * max(1, len(uid_of)):
        raise TooMuch(f"A map has at most {MAX_LAYERS} tags; there are {len(keys)}.")
    return keys
