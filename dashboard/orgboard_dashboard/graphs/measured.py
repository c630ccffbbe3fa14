"""What RunMetadata tells of a step: how long nodes took on which device, what memory they were
given, and the shapes of what they gave. As columns, one row an execution.

Bounded as a graph is: an entry that cannot be read costs itself, and bytes that end early cost
what is missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from google.protobuf.message import DecodeError

from orgboard_dashboard.graphs.attributes import shape_of
from orgboard_dashboard.graphs.model import Ints, Shapes, shown
from orgboard_dashboard.graphs.thinned import parts
from orgboard_schema.wire.run_metadata_pb2 import NodeExecStats

__all__ = ["MOST", "UNTOLD", "Measured", "read_measured"]

UNTOLD: Final = -1
MOST: Final = 1 << 43
"""Nanoseconds (2.4 hours) or bytes (8 TiB) of one execution that are believed: the sum over a
million of them is still an int64."""
_MOST_START: Final = 1 << 62
"""Nanoseconds since 1970; the year 2116."""

_MOST_ENTRIES: Final = 500_000
_MOST_BYTES: Final = 1 << 18
"""Of one entry."""
_MOST_DEVICES: Final = 256
_MOST_NAME: Final = 200
_MOST_OUTPUTS: Final = 20
_MOST_PROBLEMS: Final = 20
_MOST_SIZES: Final = 32


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """Executions in the order of the file, as columns."""

    names: tuple[str, ...]
    """Of nodes, as the step called them."""
    device: Ints
    """Which of `devices` each ran on."""
    start: Ints
    """Nanoseconds since 1970; `UNTOLD` where the length is."""
    length: Ints
    """Nanoseconds from when the node was taken up until all of it was done, or `UNTOLD`."""
    size: Ints
    """Bytes that allocators gave it, or `UNTOLD`."""
    packed: Sequence[bytes]
    """The message of each, of which the rest is read when somebody looks."""
    devices: tuple[str, ...]
    problems: tuple[str, ...]

    def shapes(self, at: int) -> Shapes:
        """Return the shapes of what an execution gave, by output; None where one is not told."""
        entry = NodeExecStats.FromString(self.packed[at])
        told = {
            output.slot: shape_of(output.tensor_description.shape)
            for output in entry.output[: 4 * _MOST_OUTPUTS]
            if 0 <= output.slot < _MOST_OUTPUTS
            and output.HasField("tensor_description")
            and len(output.tensor_description.shape.dim) <= _MOST_SIZES
        }
        return tuple(told.get(slot) for slot in range(max(told, default=-1) + 1))


class _Reading:
    """Columns while they are filled."""

    def __init__(self) -> None:
        self.devices: list[str] = []
        self.problems: list[str] = []
        self._names: list[str] = []
        self._rows: list[tuple[int, int, int, int]] = []
        self._packed: list[bytes] = []
        self._unread = 0
        self._impossible = 0
        self._left = 0

    def tell(self, problem: str) -> None:
        """Keep what was wrong, the first few."""
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(problem)

    def take_device(self, part: memoryview) -> None:
        """Take all that ran on one device."""
        if len(self.devices) == _MOST_DEVICES:
            self._left += sum(number == 2 for number, _ in parts(part, None, ""))
            return
        name = next((text for number, text in parts(part, None, "") if number == 1), b"")
        called = bytes(name[: 4 * _MOST_NAME]).decode("utf-8", "replace")[:_MOST_NAME]
        at = len(self.devices)
        self.devices.append(called or "(no name)")
        for number, entry in parts(part, self.tell, f"What {shown(called)} did"):
            if number == 2:
                self._take(entry, at)

    def _take(self, part: memoryview, device: int) -> None:
        if len(self._rows) == _MOST_ENTRIES:
            self._left += 1
            return
        try:
            data = bytes(part[: _MOST_BYTES + 1])
            if len(data) > _MOST_BYTES:
                raise ValueError
            entry = NodeExecStats.FromString(data)
        except (DecodeError, ValueError):
            self._unread += 1
            return
        start, length = self._times(entry)
        self._rows.append((device, start, length, self._size(entry)))
        self._names.append(entry.node_name)
        self._packed.append(data)

    def _times(self, entry: NodeExecStats) -> tuple[int, int]:
        """Return when it started, and how long it took: the finer of the two that are told."""
        start, length = entry.all_start_nanos, entry.all_end_rel_nanos
        if not (start and length):
            start, length = entry.all_start_micros * 1000, entry.all_end_rel_micros * 1000
        if length == 0:
            return UNTOLD, UNTOLD
        if not (0 < length <= MOST and 0 <= start <= _MOST_START):
            self._impossible += 1
            return UNTOLD, UNTOLD
        return start, length

    def _size(self, entry: NodeExecStats) -> int:
        given, is_sound = UNTOLD, True
        for allocator in entry.memory:
            size = allocator.total_bytes
            is_sound = is_sound and size >= 0
            given = max(0, given) + max(0, size)
        if not is_sound or given > MOST:
            self._impossible += 1
        return min(given, MOST)

    def columns(self) -> Measured:
        """Return all that was taken."""
        rows = np.array(self._rows, np.int64).reshape(-1, 4)
        device, start, length, size = (np.ascontiguousarray(rows[:, at]) for at in range(4))
        return Measured(
            tuple(self._names),
            device,
            start,
            length,
            size,
            self._packed,
            tuple(self.devices),
            (*self.problems, *self._counted()),
        )

    def _counted(self) -> list[str]:
        told = {
            "Executions that cannot be read": self._unread,
            "Times or sizes that cannot be, and are not counted in full": self._impossible,
            f"Executions left out, beyond {_MOST_ENTRIES} or of too many devices": self._left,
        }
        return [f"{words}: {count}." for words, count in told.items() if count]


def read_measured(data: bytes | memoryview) -> Measured:
    """Return what RunMetadata tells of a step, as far as it is sound."""
    reading = _Reading()
    for number, step in parts(memoryview(data), reading.tell, "The run metadata"):
        if number == 1:
            for field, device in parts(step, reading.tell, "What was measured"):
                if field == 1:
                    reading.take_device(device)
    return reading.columns()
