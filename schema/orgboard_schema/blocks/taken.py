"""Points that were taken away on purpose: which they were, and a digest of each value.

About 24 octets a point. That much stays so that it can be proven that nothing else is
missing, and so that a second thinning counts as the first did.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from orgboard_schema.blocks.columns import Cursor, floats, ints
from orgboard_schema.blocks.digests import DIGEST, Digests
from orgboard_schema.blocks.frame import pack, unpack
from orgboard_schema.blocks.series import Ints
from orgboard_schema.errors import CorruptBlock

__all__ = ["Taken", "decode_taken", "encode_taken", "join_taken"]


@dataclass(frozen=True, slots=True, eq=False)
class Taken:
    """Points taken from one series and attempt. Four columns of the same length."""

    place: Ints
    """Where each stood among the points stored of that attempt, from 0, before any was taken."""
    step: Ints
    wall: npt.NDArray[np.float64]
    digest: Digests

    def __len__(self) -> int:
        return len(self.place)


def join_taken(parts: Sequence[Taken]) -> Taken:
    """Return the points of one part or more, in order of place."""
    place = np.concatenate([part.place for part in parts])
    order = np.argsort(place, kind="stable")
    return Taken(
        place[order],
        np.concatenate([part.step for part in parts])[order],
        np.concatenate([part.wall for part in parts])[order],
        np.concatenate([part.digest for part in parts])[order],
    )


def encode_taken(taken: Taken) -> bytes:
    """Return the payload of a row of `thinned`."""
    place, step = ints(taken.place, delta=True), ints(taken.step, delta=True)
    return pack(place + step + floats(taken.wall) + taken.digest.tobytes())


def decode_taken(payload: bytes) -> Taken:
    """Return the points of a payload.

    Raises:
        CorruptBlock: The payload is not what was written.
    """
    cursor = Cursor(unpack(payload))
    place, step = cursor.ints(delta=True), cursor.ints(delta=True)
    wall = cursor.floats(np.float64)
    digest = np.frombuffer(cursor.take(len(place) * DIGEST.itemsize), DIGEST)
    cursor.finish()
    if not len(place) == len(step) == len(wall):
        raise CorruptBlock("columns of different length")
    if len(place) and (place[0] < 0 or (np.diff(place) <= 0).any()):
        raise CorruptBlock("places that do not ascend")
    return Taken(place, step, wall, digest)
