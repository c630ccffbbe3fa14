"""From which step on the points of an attempt are superseded: two tables of cuts compared. Pure.

Points are marked by the tables alone. Where two tables differ, only the steps between
their answers matter, and only if the series has points there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from orgboard_ingest.attempts import Cut
from orgboard_ingest.stage import SeriesKey

__all__ = ["CutTable", "visible"]

_Cuts: TypeAlias = list[tuple[int, int]]
"""(attempt, step)."""


class CutTable:
    """Cuts, by series."""

    def __init__(self, cuts: Mapping[Cut, int]) -> None:
        self._of_all: _Cuts = []
        self._of: dict[SeriesKey, _Cuts] = {}
        for (attempt, series), step in cuts.items():
            mine = self._of_all if series is None else self._of.setdefault(series, [])
            mine.append((attempt, step))

    def superseded_from(self, series: SeriesKey, attempt: int) -> int | None:
        """Return the first step at which points of `attempt` are superseded; None: nowhere."""
        if not self._of_all and not self._of:
            return None
        cuts = (*self._of_all, *self._of.get(series, ()))
        return min((step for later, step in cuts if later > attempt), default=None)


def visible(step: npt.NDArray[np.int64], first: int | None) -> int:
    """Count the points that are not superseded, if those from step `first` on are."""
    return len(step) if first is None else int(np.count_nonzero(step < first))
