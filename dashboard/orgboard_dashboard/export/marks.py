"""What every form of export says of a point beside its value, and of a run. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from orgboard_dashboard.export.choice import Slice
from orgboard_dashboard.queries.exported import ExportedRun, SeriesData

__all__ = ["Sink", "marks", "run_fields"]


class Sink(Protocol):
    """Takes slices of series, or runs, and writes them in one form."""

    def points(self, part: Slice) -> None:
        """Write these points."""

    def runs(self, rows: Sequence[ExportedRun]) -> None:
        """Write these runs."""

    def close(self) -> None:
        """Write what is held back, and what ends the file."""


def marks(data: SeriesData) -> tuple[int, int] | list[tuple[int, int]]:
    """Return attempt and superseded (0 or 1) of every point: one pair where all agree."""
    attempt, hidden = data.attempt, data.superseded
    if (attempt == attempt[0]).all() and (hidden == hidden[0]).all():
        return int(attempt[0]), int(hidden[0])
    return list(zip(attempt.tolist(), map(int, hidden.tolist()), strict=True))


def run_fields(run: ExportedRun) -> dict[str, Any]:
    """Return the columns of `runs`, in order."""
    row = run.row
    return {
        "project": run.project,
        "run": row.name,
        "status": row.status,
        "attempts": row.attempts,
        "started": row.started,
        "last_event": row.last_event,
        "files": row.files,
        "points": row.points,
        "gaps": row.gaps,
        # As logged: what stands beside is the other run's.
        "hparams": {} if row.beside else dict(row.hparams),
    }
