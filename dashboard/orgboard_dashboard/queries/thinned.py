"""What an operator took away of series, told wherever they are shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from orgboard_schema.blocks.heads import SeriesHead
from orgboard_schema.sql.thinning.marks import Mark, load_marks
from orgboard_schema.types import Kind

__all__ = ["Thinned", "marks_of", "thinned", "told_of"]


@dataclass(frozen=True, slots=True)
class Thinned:
    """Of one series that was thinned, superseded points too."""

    kept: int
    logged: int
    """Kept and taken."""
    at: float
    """Seconds, when it was done last."""
    keep_every: int
    """Of how many one was kept, by the rule of that time."""


def marks_of(conn: Connection, run_id: int) -> Mapping[tuple[int, Kind], Mark]:
    """Return the marks of a run by series. Who asks has found the run for its viewer."""
    found = load_marks(conn, [run_id]).get(run_id, [])
    return {(mark.tag_id, mark.kind): mark for mark in found}


def thinned(head: SeriesHead, marks: Mapping[tuple[int, Kind], Mark]) -> Thinned | None:
    """Return what became of a series; None when nothing was taken of it."""
    mark = marks.get((head.tag_id, head.kind))
    return None if mark is None else told_of(head.n_all, mark)


def told_of(kept: int, mark: Mark) -> Thinned:
    """Return what is told of a series of which so many points are left."""
    return Thinned(kept, kept + mark.taken, mark.at, mark.keep_every)
