"""When a run counts as finished, and what its hyperparameters are. Pure.

A run has finished when it said so and nothing newer came since. Some writers say so
first and log their final metrics right after, so what follows within a moment does not
take it back.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, cast

from orgboard_schema.wire.batch import Batch

if TYPE_CHECKING:
    from orgboard_schema.wire.hparams import HParamValue

__all__ = [
    "MOMENT_S",
    "Ending",
    "Reason",
    "ending_with",
    "hparams_json",
    "latest_ending",
    "said_to_end",
]

Reason: TypeAlias = Literal["stop", "hparams", "failed"]
"""A session log said so, a session of hyperparameters, or one that did not succeed."""

MOMENT_S: Final = 1.0
"""More than any writer takes from saying that it ends to its last point."""

_ENDED: Final[dict[str, Reason]] = {"success": "hparams", "failure": "failed"}


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a run counts as finished, and since when."""

    reason: Reason
    wall: float

    def holds(self, last_event: float | None) -> bool:
        """Tell whether nothing newer than the ending has come."""
        return last_event is None or last_event <= self.wall + MOMENT_S


def ending_with(
    finished: str | None, end_wall: float | None, newest: float | None, batch: Batch
) -> Ending | None:
    """Return why a run counts as finished with `batch`, having been so for `finished` before.

    `newest` is the run's latest event, those of the batch among them.
    """
    before = None
    if finished is not None and end_wall is not None:
        before = Ending(cast(Reason, finished), end_wall)
    said = said_to_end(batch)
    if before is not None and said is not None:
        said = latest_ending(before, said)
    if said is not None and said.holds(newest):
        return said
    return before if before is not None and before.holds(newest) else None


def said_to_end(batch: Batch) -> Ending | None:
    """Return the last word in `batch` that says the run ended."""
    endings = [Ending("stop", mark.wall_time) for mark in batch.sessions if mark.status == "stop"]
    for _, point in batch.points.parsed:
        if point.kind == "hparams" and point.metadata is not None:
            # Imported where it is met: few batches hold any, and all programs start.
            from orgboard_schema.wire.hparams import SessionEnd, parse_hparams

            said = parse_hparams(point.metadata.content)
            if isinstance(said, SessionEnd) and said.status in _ENDED:
                endings.append(Ending(_ENDED[said.status], point.wall_time))
    finite = sorted((each for each in endings if math.isfinite(each.wall)), key=lambda e: e.wall)
    return reduce(latest_ending, finite) if finite else None


def latest_ending(before: Ending, after: Ending) -> Ending:
    """Return the later ending. A run that failed and then closes its files has still failed."""
    if before.reason == "failed" and after.wall <= before.wall + MOMENT_S:
        return Ending("failed", after.wall)
    return after


def hparams_json(batch: Batch) -> str | None:
    """Return the hyperparameters of the last session that `batch` announces, as strict JSON."""
    for _, point in reversed(batch.points.parsed):
        if point.kind == "hparams" and point.metadata is not None:
            from orgboard_schema.wire.hparams import SessionStart, parse_hparams

            said = parse_hparams(point.metadata.content)
            if isinstance(said, SessionStart):
                values = {name: _sayable(value) for name, value in said.hparams.items()}
                return json.dumps(values, ensure_ascii=False, allow_nan=False)
    return None


def _sayable(value: HParamValue) -> HParamValue:
    # JSON has no such numbers: they are told by the names that the exports use.
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value
