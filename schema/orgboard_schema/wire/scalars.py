"""The scalars of one batch, gathered as columns; most of them without parsing their records.

Most records of most files are one float32 scalar, and of one tag they differ
in nothing but time, step and the four bytes of the value. So each tag's second
record is taken as a mould, if it proves to be one, and later records that fit
it are not parsed at all. What fits no mould goes to protobuf, whose answer is
the definition: both ways give the same columns.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Sequence
from itertools import pairwise
from struct import Struct
from typing import Final

from orgboard_schema.types import Kind, Metadata
from orgboard_schema.wire.batch import FLOAT32, FLOAT64, ScalarColumns
from orgboard_schema.wire.moulds import STEP_KEY, WALL_KEY, Reading, find_mould, find_rest
from orgboard_schema.wire.summary_pb2 import Summary
from orgboard_schema.wire.values import Scalar, decode_text

__all__ = ["ScalarGathering", "latest", "places"]

_TRIALS: Final = 3
"""How many records of a tag are tried as a mould."""
_MAX_SUFFIXES: Final = 8
"""Each length of suffix costs one more look-up a record; writers have one or two."""

_SHORTEST: Final = 16
"""No shorter record holds time, step and value."""

_WALL: Final = Struct("<d")
_FLOAT: Final = Struct("<f")


class ScalarGathering:
    """Columns that grow while a batch is read."""

    __slots__ = (
        "_metadata",
        "_moulds",
        "_others",
        "_seen",
        "_step",
        "_tag",
        "_tags",
        "_value",
        "_wall",
        "_wide",
    )

    def __init__(self) -> None:
        self._tags: dict[bytes, int] = {}
        self._metadata: dict[str, Metadata] = {}
        self._tag = array("i")
        self._step = array("q")
        self._wall = array("d")
        self._value = array("d")
        self._wide: list[int] = []  # places of the float64 values: rare
        self._others: list[int] = []  # how many scalars came before each value that is none
        self._moulds: dict[int, dict[bytes, int]] = {}  # by length of suffix, by key
        self._seen: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._tag)

    def add(
        self, name: bytes, step: int, wall: float, scalar: Scalar, metadata: Metadata | None
    ) -> None:
        """Take in one point. `metadata` as sent with it."""
        value, dtype = scalar
        if metadata is not None:
            self._metadata.setdefault(decode_text(name), metadata)
        if dtype == FLOAT64:
            self._wide.append(len(self._tag))
        self._tag.append(self._tags.setdefault(name, len(self._tags)))
        self._step.append(step)
        self._wall.append(wall)
        self._value.append(value)

    def add_moulded(self, payload: bytes) -> bool:
        """Take in a record that fits a mould; tell whether it did."""
        end = len(payload)
        if end < _SHORTEST or payload[0] != WALL_KEY or payload[9] != STEP_KEY:
            return False
        # Step as `find_rest` reads it, in place: this is the loop that all the time goes to.
        step = payload[10]
        start = 11
        if step > 0x7F:
            high = payload[11]
            step += (high << 7) - 0x80
            start = 12
            if high > 0x7F:
                rest = find_rest(payload)
                if rest is None:
                    return False
                step, start = rest
        for suffix, moulds in self._moulds.items():
            at = end - suffix - 4
            if at <= start:
                continue
            tag = moulds.get(payload[start:at] + payload[at + 4 :])
            if tag is not None:
                self._tag.append(tag)
                self._step.append(step)
                self._wall.append(_WALL.unpack_from(payload, 1)[0])
                self._value.append(_FLOAT.unpack_from(payload, at)[0])
                return True
        return False

    def learn(
        self,
        payload: bytes,
        scalars: Sequence[Summary.Value],
        read: Callable[[bytes], Reading | None],
    ) -> None:
        """Keep the mould of the record just added, if it has one.

        `scalars` are its values, all of them scalars; `read` reads a record by protobuf, as
        a point of this tag if it is one.
        """
        if len(scalars) != 1:
            return
        tag = self._tags.get(scalars[0].tag)
        if tag is None or self._tag[-1] != tag:
            return
        seen = self._seen[tag] = self._seen.get(tag, 0) + 1
        # A tag's only record teaches nothing, and there may be 100 000 such tags.
        if not 2 <= seen < 2 + _TRIALS or len(self._moulds) >= _MAX_SUFFIXES:
            return
        mould = find_mould(payload, (self._wall[-1], self._step[-1], self._value[-1]), read)
        if mould is not None:
            self._moulds.setdefault(mould.suffix, {})[mould.key] = tag

    def last_wall(self) -> float | None:
        """Return the latest finite wall time."""
        return latest(self._wall)

    @property
    def gathered(self) -> int:
        """Octets of the values taken in that are no scalars: the twin's."""
        return 0

    def note_other(self) -> int:
        """Number a value that is no scalar; scalars take the numbers left between."""
        order = len(self._tag) + len(self._others)
        self._others.append(len(self._tag))
        return order

    def teach(self, name: bytes, own: bytes | None, metadata: Metadata | None, kind: Kind) -> None:
        """Remember nothing: it is the twin that takes in values that are no scalars."""

    def others(self, data: bytes) -> None:
        """Return the values taken in that are no scalars: none."""

    def columns(self) -> ScalarColumns:
        """Freeze the columns."""
        dtype = array("b", bytes([FLOAT32]) * len(self._tag))
        for place in self._wide:
            dtype[place] = FLOAT64
        return ScalarColumns(
            tags=tuple(decode_text(tag) for tag in self._tags),
            tag=self._tag,
            step=self._step,
            wall=self._wall,
            value=self._value,
            dtype=dtype,
            order=places(self._others, len(self._tag)),
            metadata=tuple(self._metadata.items()),
        )


def latest(walls: Sequence[float]) -> float | None:
    """Return the latest finite one."""
    if not math.isfinite(sum(walls)):
        walls = [wall for wall in walls if math.isfinite(wall)]
    return max(walls, default=None)


def places(others: Sequence[int], count: int) -> array[int]:
    """Return the place of each of `count` scalars among all values of a batch.

    `others`: how many scalars came before each value that is none.
    """
    order = array("q")
    for before, (first, last) in enumerate(pairwise((0, *others, count))):
        order.extend(array("q", range(first + before, last + before)))
    return order
