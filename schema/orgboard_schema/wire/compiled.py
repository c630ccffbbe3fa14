"""What one batch holds gathered by the compiled core: whole stretches of a file in one call.

The core takes in what is plainly a scalar, or another value of a common form, and stops at
anything else; protobuf reads that, and what it found teaches the core what to take in from
then on: what a tag's tensors are is said by metadata, which only Python understands.
`scalars` is the same in Python.
"""

from __future__ import annotations

import ctypes
import math
import os
from array import array
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from orgboard_schema.types import Kind, Metadata
from orgboard_schema.wire.compiled_values import CompiledValues, read_tags
from orgboard_schema.wire.moulds import Reading
from orgboard_schema.wire.points import TakenValues
from orgboard_schema.wire.summary_pb2 import Summary
from orgboard_schema.wire.values import Scalar, decode_text

__all__ = ["OTHER", "CompiledScalars", "HeldColumns"]

OTHER: Final = 2
"""Why the core stopped: at a sound record that is none of plain scalars."""
_NO_MEMORY: Final = 3

FILE_VERSION: Final = "brain.Event:2"
"""What every writer says."""

_SEED: Final = int.from_bytes(os.urandom(8), "little")
"""Of this process: who makes names up cannot know where they collide."""

_Number = TypeVar("_Number", int, float)

_LESSONS: Final = 3
"""How many records of a tag are learned from: a writer whose metadata changes each time is
read by protobuf."""


class CompiledScalars:
    """Columns that grow while a batch is read."""

    __slots__ = (
        "_columns",
        "_core",
        "_lessons",
        "_metadata",
        "_told",
        "_values",
        "file_version",
        "first_wall",
    )

    def __init__(self, core: ctypes.CDLL) -> None:
        self._core = core
        columns = core.ob_new(_SEED)
        if not columns:
            raise MemoryError
        self._columns = ctypes.c_void_p(columns)
        self._values = CompiledValues(core, _SEED)
        self._told = (ctypes.c_int64 * 4)()
        self._metadata: dict[str, Metadata] = {}
        self._lessons: dict[int, int] = {}
        self.file_version: str | None = None
        """What `scan` was told by the event that a file begins with."""
        self.first_wall: float | None = None
        """First finite wall time of what `scan` took in."""

    def __del__(self) -> None:
        # Not there when the core had no memory for it.
        if hasattr(self, "_columns"):
            self._core.ob_free(self._columns)

    def __len__(self) -> int:
        return int(self._core.ob_count(self._columns))

    @property
    def gathered(self) -> int:
        """Octets that the values taken in by `scan` would take in memory, scalars not counted."""
        return self._values.gathered

    def scan(
        self, data: bytes, position: int, limit: int, most: int
    ) -> tuple[int, int, int, bytes]:
        """Take in sound records of plain values from `position` on, while `gathered` is no
        more than `most`. Each call for one batch gives the same data.

        Returns why it stopped, where, how many records it took in, and for `OTHER` the
        payload of the record there.
        """
        told = self._told
        values = self._values.handle
        why = self._core.ob_scan(
            self._columns, values, data, len(data), position, limit, most, told
        )
        if why == _NO_MEMORY:
            raise MemoryError
        if self.first_wall is None and told[1]:
            wall = self._core.ob_first_wall(self._columns)
            self.first_wall = None if math.isnan(wall) else wall
        if self.file_version is None and self._core.ob_versions(self._columns):
            self.file_version = FILE_VERSION
        end, records, start, length = told
        return why, end, records, data[start : start + length] if why == OTHER else b""

    def add(
        self, name: bytes, step: int, wall: float, scalar: Scalar, metadata: Metadata | None
    ) -> None:
        """Take in one point. `metadata` as sent with it."""
        if metadata is not None:
            self._metadata.setdefault(decode_text(name), metadata)
        tag = self._core.ob_tag(self._columns, name, len(name))
        if tag < 0 or not self._core.ob_add(self._columns, tag, step, wall, *scalar):
            raise MemoryError

    def add_moulded(self, payload: bytes) -> bool:  # noqa: ARG002 - the twin's
        """Take in nothing: what `scan` would take in never comes here."""
        return False

    def learn(
        self,
        payload: bytes,  # noqa: ARG002 - the twin's
        scalars: Sequence[Summary.Value],
        read: Callable[[bytes], Reading | None],  # noqa: ARG002 - the twin's
    ) -> None:
        """Remember how these values of the record just added say that they are scalars."""
        for value in scalars:
            if not value.tag:
                continue  # Named the obsolete way, which the core does not read.
            tag = self._core.ob_tag(self._columns, value.tag, len(value.tag))
            if tag < 0:
                raise MemoryError
            seen = self._lessons[tag] = self._lessons.get(tag, 0) + 1
            if seen > _LESSONS:
                continue
            is_tensor = value.WhichOneof("value") == "tensor"
            said = value.metadata.SerializeToString() if value.HasField("metadata") else None
            size = -1 if said is None else len(said)
            if not self._core.ob_learn(self._columns, tag, said, size, is_tensor):
                raise MemoryError

    def note_other(self) -> int:
        """Number a value that is no scalar; scalars take the numbers left between."""
        return self._values.note(len(self))

    def teach(self, name: bytes, own: bytes | None, metadata: Metadata | None, kind: Kind) -> None:
        """Remember that tensors of that name with this metadata of their own, also given as
        it was sent, claim to be of that kind."""
        self._values.teach(name, own, metadata, kind)

    def others(self, data: bytes) -> TakenValues | None:
        """Return the values taken in from `data` that are no scalars."""
        return self._values.columns(data)

    def last_wall(self) -> float | None:
        """Return the latest finite wall time."""
        walls = (self._core.ob_last_wall(self._columns), self._values.last_wall())
        return max((wall for wall in walls if not math.isnan(wall)), default=None)

    def columns(self) -> HeldColumns:
        """Freeze the columns."""
        tags = read_tags(self._core, self._columns)
        return HeldColumns(self, len(self), tags, tuple(self._metadata.items()))

    def addresses(self) -> tuple[int | None, ...]:
        """Return where tag, step, wall, value and width lie; None while there is no point."""
        at = (ctypes.c_void_p * 5)()
        self._core.ob_columns_at(self._columns, at)
        return tuple(at)

    def places(self, count: int) -> array[int]:
        """Return the place of each of the scalars among all values."""
        order = array("q", bytes(8 * count))
        others, other_count = self._values.before()
        self._core.ob_places(others, other_count, count, order.buffer_info()[0])
        return order


class HeldColumns:
    """`ScalarColumns` that stay where the core made them; read there, or copied out by name."""

    __slots__ = ("_compiled", "_count", "metadata", "tags")

    def __init__(
        self,
        compiled: CompiledScalars,
        count: int,
        tags: tuple[str, ...],
        metadata: tuple[tuple[str, Metadata], ...],
    ) -> None:
        self._compiled = compiled
        self._count = count
        self.tags = tags
        self.metadata = metadata

    def __len__(self) -> int:
        return self._count

    def addresses(self) -> tuple[int | None, ...]:
        """Return where tag, step, wall, value and dtype lie, as long as this is held."""
        return self._compiled.addresses()

    @property
    def tag(self) -> array[int]:
        """As in `ScalarColumns`."""
        return self._column(0, array("i"))

    @property
    def step(self) -> array[int]:
        """As in `ScalarColumns`."""
        return self._column(1, array("q"))

    @property
    def wall(self) -> array[float]:
        """As in `ScalarColumns`."""
        return self._column(2, array("d"))

    @property
    def value(self) -> array[float]:
        """As in `ScalarColumns`."""
        return self._column(3, array("d"))

    @property
    def dtype(self) -> array[int]:
        """As in `ScalarColumns`."""
        return self._column(4, array("b"))

    @property
    def order(self) -> array[int]:
        """As in `ScalarColumns`."""
        return self._compiled.places(self._count)

    def _column(self, number: int, empty: array[_Number]) -> array[_Number]:
        at = self.addresses()[number]
        if at is not None and self._count:
            empty.frombytes(ctypes.string_at(at, self._count * empty.itemsize))
        return empty
