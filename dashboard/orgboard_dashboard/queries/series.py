"""Points of scalar series, within declared limits. What was not asked for is not read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, func, select

from orgboard_dashboard.queries.errors import TooMuch
from orgboard_dashboard.queries.runs import project_revision
from orgboard_dashboard.queries.visible import find_project, visible_runs
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.blocks.series import kind_number
from orgboard_schema.sql import read, tables
from orgboard_schema.sql.read import SeriesData
from orgboard_schema.types import Kind

__all__ = ["MAX_POINTS_READ", "ScalarsFound", "SeriesData", "find_scalars"]

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


def find_scalars(
    viewer: Viewer,
    conn: Connection,
    team: str,
    project: str,
    *,
    uids: Sequence[str],
    tag_ids: Sequence[int],
    step_range: tuple[int, int] | None = None,
    since: int | None = None,
) -> ScalarsFound:
    """Read the series of these tags in these runs; of blocks only those in `step_range`.

    Runs that do not exist, or are not visible, are not in the answer.

    Raises:
        NotFound: there is no such project, or `viewer` may not see it.
        TooMuch: there are more than `MAX_POINTS_READ` points.
    """
    found = find_project(viewer, conn, team, project)
    run = tables.run.c
    rows = conn.execute(
        select(run.uid, run.run_id, run.touched_ms).where(
            run.project_id == found.project_id, run.uid.in_(uids), visible_runs(viewer)
        )
    ).all()
    # Before the points: what is committed in between is then sent twice, and not never.
    revision = project_revision(viewer, conn, found)
    oldest = -1 if since is None else since - _OVERLAP_MS
    changed = {uid: run_id for uid, run_id, touched_ms in rows if touched_ms > oldest}
    _refuse_too_much(conn, list(changed.values()), tag_ids, step_range)
    keys = [(run_id, tag_id) for run_id in changed.values() for tag_id in tag_ids]
    uid_of = {run_id: uid for uid, run_id in changed.items()}
    series = {
        (uid_of[run_id], tag_id): data
        for (run_id, tag_id), data in read.many_scalars(conn, keys, step_range=step_range).items()
    }
    unchanged = tuple(uid for uid, _, _ in rows if uid not in changed)
    return ScalarsFound(revision, unchanged, series)


def _refuse_too_much(
    conn: Connection,
    run_ids: Sequence[int],
    tag_ids: Sequence[int],
    step_range: tuple[int, int] | None,
) -> None:
    block = tables.block.c
    asked = select(func.sum(block.n)).where(
        block.run_id.in_(run_ids),
        block.tag_id.in_(tag_ids),
        block.kind == kind_number(_SCALAR),
        block.level == 0,
    )
    if step_range is not None:
        asked = asked.where(block.step_max >= step_range[0], block.step_min <= step_range[1])
    points = conn.execute(asked).scalar() or 0
    if points > MAX_POINTS_READ:
        raise TooMuch(
            f"That is {points} points; {MAX_POINTS_READ} can be drawn at once."
            " Select fewer runs, or zoom in."
        )
