"""Which points a restart superseded: a question asked of points, never written to them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, bindparam, select

from orgboard_schema.blocks.series import Ints, kind_number
from orgboard_schema.sql import tables
from orgboard_schema.types import KINDS, Kind

__all__ = [
    "EVERY_KIND",
    "EVERY_TAG",
    "Cut",
    "Mask",
    "load_cuts",
    "restart_row",
    "stored_cut",
    "superseded",
]

EVERY_TAG: Final = 0
EVERY_KIND: Final = -1

_restart = tables.restart.c
# Built once: to build a statement costs more than to run it.
_FIND_CUTS: Final = (
    select(_restart.run_id, _restart.attempt, _restart.tag_id, _restart.kind, _restart.step)
    .where(_restart.run_id.in_(bindparam("runs", expanding=True)))
    .order_by(_restart.run_id, _restart.attempt, _restart.tag_id, _restart.kind)
)

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Cut:
    """A row of `restart`: earlier attempts are superseded at `step` and after."""

    attempt: int
    tag_id: int
    """`EVERY_TAG` with kind None: in every series of the run."""
    kind: Kind | None
    step: int


def superseded(
    cuts: Iterable[Cut], tag_id: int, kind: Kind, attempt: npt.NDArray[np.int32] | int, step: Ints
) -> Mask:
    """Tell of each point of a series whether a later attempt superseded it."""
    mask = np.zeros(len(step), np.bool_)
    for cut in cuts:
        if cut.kind is None or (cut.tag_id, cut.kind) == (tag_id, kind):
            mask |= (step >= cut.step) & (attempt < cut.attempt)
    return mask


def load_cuts(conn: Connection, run_ids: Sequence[int]) -> dict[int, list[Cut]]:
    """Return the restarts of each of these runs (few enough for one IN list)."""
    cuts: dict[int, list[Cut]] = {run_id: [] for run_id in run_ids}
    rows = conn.execute(_FIND_CUTS, {"runs": run_ids})
    for run_id, attempt, tag_id, number, step in rows:
        cuts[run_id].append(stored_cut(attempt, tag_id, number, step))
    return cuts


def stored_cut(attempt: int, tag_id: int, number: int, step: int) -> Cut:
    """Return the restart that a row of `restart` stores."""
    return Cut(attempt, tag_id, None if number == EVERY_KIND else KINDS[number], step)


def restart_row(run_id: int, cut: Cut) -> dict[str, object]:
    """Return the row that stores `cut`."""
    return {
        "run_id": run_id,
        "attempt": cut.attempt,
        "tag_id": cut.tag_id,
        "kind": EVERY_KIND if cut.kind is None else kind_number(cut.kind),
        "step": cut.step,
    }
