"""What training scripts remarked on their runs: marks on the axis of every curve."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from sqlalchemy import Connection

from orgboard_dashboard.queries.own_tags import runs_with
from orgboard_dashboard.queries.visible import find_project
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.sql import read
from orgboard_schema.wire.own import ANNOTATION_TAG, told_object

__all__ = ["MAX_CHARS", "MAX_REMARKS", "Annotation", "list_annotations"]

MAX_REMARKS: Final = 200
"""Of one run: the newest."""
MAX_CHARS: Final = 500
"""Of one remark; what is longer ends with an ellipsis."""


@dataclass(frozen=True, slots=True)
class Annotation:
    """One remark on a run."""

    run: str
    step: int | None
    """None: the script gave none, and the remark lies at its time."""
    wall: float
    text: str


def list_annotations(
    viewer: Viewer, conn: Connection, team: str, project: str, uids: Sequence[str]
) -> tuple[Annotation, ...]:
    """Return the remarks on these runs, in the order of the runs, then as they were logged.

    What a restart replaced is left out, and so is what is no remark.

    Raises:
        NotFound: there is no such project, or `viewer` may not see it.
    """
    found = find_project(viewer, conn, team, project)
    tag_id, runs = runs_with(viewer, conn, found, uids, ANNOTATION_TAG, "tensor")
    listed: list[Annotation] = []
    for uid, run_id in runs.items():
        data = read.series(conn, run_id, [(tag_id, "tensor")]).get((tag_id, "tensor"))
        if data is not None:
            listed += list(_remarks(uid, data))[-MAX_REMARKS:]
    return tuple(listed)


def _remarks(uid: str, data: read.SeriesData) -> Iterator[Annotation]:
    for at in np.flatnonzero(~data.superseded).tolist():
        told = _told(data.values[at])
        wall = float(data.wall[at])
        if told is None:
            continue
        text, has_step = told
        if has_step or math.isfinite(wall):
            short = text if len(text) <= MAX_CHARS else text[: MAX_CHARS - 1] + "…"
            yield Annotation(uid, int(data.step[at]) if has_step else None, wall, short)


def _told(value: object) -> tuple[str, bool] | None:
    """Return the text and whether its step counts; None when another program wrote the record."""
    told = told_object(value)
    if told is None or not isinstance(told.get("text"), str) or not told["text"]:
        return None
    return told["text"], told.get("step", 0) is not None
