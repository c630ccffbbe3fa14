"""Which points of a series stay. Pure.

    of each attempt, as its points were stored     every n-th from the first, and the last
    of what is visible                             the first and the last by step

Points keep the place that they had before any was taken, so that a rule applied again, to a
series that has grown since or was left half done, takes what it would have taken at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from orgboard_schema.blocks.series import Ints
from orgboard_schema.sql.supersede import Mask
from orgboard_schema.types import Kind

__all__ = ["THINNABLE", "USUAL_KINDS", "Rule", "Stood", "kept", "places_of"]

USUAL_KINDS: Final[tuple[Kind, ...]] = ("image", "audio", "video", "mesh")
"""What takes the room."""

THINNABLE: Final[tuple[Kind, ...]] = (
    *(*USUAL_KINDS, "histogram", "tensor", "text", "pr_curve", "embedding"),
)
"""Not scalars: they are what a run is judged by, and cost a few octets each. Not what there is
one of: graphs, settings, layouts."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What an operator asked for."""

    keep_every: int
    """2 or more."""
    after_days: float
    """Of runs that have not grown for so long."""
    kinds: frozenset[Kind]


@dataclass(frozen=True, slots=True, eq=False)
class Stood:
    """The stored points of one attempt of a series, in stored order. Columns."""

    place: Ints
    """Where each stood before any was taken."""
    step: Ints
    superseded: Mask


def places_of(count: int, taken: Ints) -> Ints:
    """Return the places of `count` stored points, given those of the taken ones in order."""
    at = np.arange(count, dtype=np.int64)
    stored_before = taken - np.arange(len(taken), dtype=np.int64)
    return at + np.searchsorted(stored_before, at, side="right")


def kept(attempts: Sequence[Stood], keep_every: int) -> list[Mask]:
    """Tell of each point of a series, attempt by attempt, whether it stays."""
    masks: list[Mask] = []
    for stood in attempts:
        mask: Mask = stood.place % keep_every == 0
        mask[:1] = mask[-1:] = True
        masks.append(mask)
    for attempt, at in _ends(attempts):
        masks[attempt][at] = True
    return masks


def _ends(attempts: Sequence[Stood]) -> list[tuple[int, int]]:
    """Return where the first and the last visible point is, as heads count them: of equal steps
    the first stored and the last stored."""
    visible = [np.flatnonzero(~stood.superseded) for stood in attempts]
    step = np.concatenate([stood.step[at] for stood, at in zip(attempts, visible, strict=True)])
    if not len(step):
        return []
    owner = np.repeat(np.arange(len(attempts)), [len(at) for at in visible])
    where = np.concatenate(visible)
    first, last = int(step.argmin()), len(step) - 1 - int(step[::-1].argmax())
    return [(int(owner[at]), int(where[at])) for at in (first, last)]
