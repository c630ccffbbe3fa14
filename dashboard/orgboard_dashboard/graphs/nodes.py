"""Nodes as they are read, as columns, of which strings and bytes are made when somebody asks."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from orgboard_dashboard.graphs.model import Attributes, Ints, Shapes

__all__ = ["Inputs", "Joined", "Nodes", "Packed"]


class Inputs:
    """Texts of inputs, one after the other; strings are made of them when somebody asks."""

    def __init__(self, joined: bytes) -> None:
        self._joined = joined
        self._texts: list[str] | None = None

    def texts(self) -> list[str]:
        """Return all of them."""
        if self._texts is None:
            self._texts = self._joined.decode("ascii").split("\0")[:-1]
        return self._texts


class Packed(Sequence[bytes]):
    """Messages within one piece of bytes, each cut out when somebody asks."""

    def __init__(self, data: bytes, starts: Ints, ends: Ints) -> None:
        self._data = data
        self._starts = starts
        self._ends = ends

    def __len__(self) -> int:
        return len(self._starts)

    @overload
    def __getitem__(self, at: int) -> bytes: ...
    @overload
    def __getitem__(self, at: slice) -> Packed: ...
    def __getitem__(self, at: int | slice) -> bytes | Packed:
        if isinstance(at, slice):
            return Packed(self._data, self._starts[at], self._ends[at])
        return self._data[self._starts[at] : self._ends[at]]


class Joined(Sequence[bytes | Attributes]):
    """Several sequences as one."""

    def __init__(self, pieces: list[Sequence[bytes | Attributes]]) -> None:
        self._pieces = pieces
        self._ends = list(accumulate(map(len, pieces)))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    @overload
    def __getitem__(self, at: int) -> bytes | Attributes: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[bytes | Attributes]: ...
    def __getitem__(self, at: int | slice) -> Any:
        if isinstance(at, slice):
            return [self[one] for one in range(*at.indices(len(self)))]
        piece = bisect_right(self._ends, range(len(self))[at])
        # Counted from the piece's end.
        return self._pieces[piece][range(len(self))[at] - self._ends[piece]]


@dataclass(frozen=True, slots=True)
class Nodes:
    """Nodes as they are read, as columns."""

    names: list[str]
    ops: list[str]
    devices: list[str]
    shapes: list[Shapes]
    parameters: list[int]
    packed: Sequence[bytes | Attributes]
    clusters: list[str]
    inputs: Inputs
    """Of all, one after the other."""
    sources: NDArray[np.int32]
    """Which of these nodes each input names; -1: look for it."""
    ends: list[int]
    """Where in the inputs those of each node end, behind where they begin."""
    has_initializers: bool = False

    def part(self, low: int, high: int) -> Nodes:
        """Return the nodes from one to before another."""
        if high - low == len(self.names):
            return self
        begin, end = self.ends[low] - self.ends[0], self.ends[high] - self.ends[0]
        sources = self.sources[begin:end]
        outside = (sources < low) | (sources >= high)
        return Nodes(
            self.names[low:high],
            self.ops[low:high],
            self.devices[low:high],
            self.shapes[low:high],
            self.parameters[low:high],
            self.packed[low:high],
            self.clusters[low:high],
            self.inputs,
            np.where(outside, np.int32(-1), sources - np.int32(low)),
            self.ends[low : high + 1],
            self.has_initializers,
        )
