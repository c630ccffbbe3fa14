"""One model of every graph, wherever it came from: columns of nodes and of edges."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Attributes",
    "Graph",
    "Ints",
    "Shape",
    "Shapes",
    "elements",
    "numbered",
    "shown",
    "spelled",
]

Shape: TypeAlias = tuple[int, ...] | None
"""Sizes; -1 is one that is not known, None a shape that is not known at all."""
Shapes: TypeAlias = tuple[Shape, ...]
Attributes: TypeAlias = tuple[tuple[str, str], ...]
Ints: TypeAlias = NDArray[np.int64]

_Value = TypeVar("_Value", bound=Hashable)

TIMES: Final = "\N{MULTIPLICATION SIGN}"
_MAX_SHOWN: Final = 80


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """Nodes in the order of the file, and the edges between them as columns."""

    kind: str
    """What it is, in words: "TensorFlow graph"."""
    names: tuple[str, ...]
    ops: tuple[str, ...]
    devices: tuple[str, ...]
    shapes: tuple[Shapes, ...]
    """Of each node's outputs, as far as they were logged."""
    parameters: NDArray[np.int64]
    """That a node itself holds."""
    packed: Sequence[bytes | Attributes]
    """Attributes: as text, or as the message that they are read from when somebody looks."""
    source: NDArray[np.int32]
    target: NDArray[np.int32]
    output: NDArray[np.int32]
    """Which output of the source."""
    control: NDArray[np.bool_]
    reference: NDArray[np.bool_]
    """Edges to an operation that may change the tensor itself, as "Assign" does its first."""
    clusters: tuple[str, ...]
    """The XLA cluster that each node was put into; "" where none is told."""
    inferred: frozenset[int] = frozenset()
    """Nodes whose shapes were not logged and follow from what stands before them."""
    uncounted: int = 0
    """Layers of kinds that do not tell how many parameters they hold."""
    problems: tuple[str, ...] = ()
    """What was wrong with the bytes, in words."""

    def edge_elements(self) -> NDArray[np.int64]:
        """Return how many numbers pass along each edge; 0 where that is not known."""
        which, kinds = numbered(self.shapes)
        starts = np.cumsum([0, *map(len, kinds)])
        sizes = np.array([elements(shape) for kind in kinds for shape in kind] + [0], np.int64)
        giving = which[self.source]
        at = starts[giving] + self.output
        return np.where(at < starts[giving + 1], sizes[np.minimum(at, len(sizes) - 1)], 0)


def numbered(values: Sequence[_Value]) -> tuple[Ints, list[_Value]]:
    """Return a number for each value, equal ones the same, and the value of each number."""
    numbers = {value: at for at, value in enumerate(dict.fromkeys(values))}
    return np.array([numbers[value] for value in values], np.int64), list(numbers)


def elements(shape: Shape) -> int:
    """Return how many numbers a tensor has, counting a size that is not known as one."""
    if shape is None:
        return 0
    count = 1
    for size in shape:
        count *= size if size > 0 else 1
    return min(count, 1 << 60)


def spelled(shape: Shape) -> str:
    """Write a shape as people read it: 2×8×?, scalar, ?."""
    if shape is None:
        return "?"
    return TIMES.join("?" if size < 0 else str(size) for size in shape) or "scalar"


def shown(text: str) -> str:
    """Quote a name in a sentence, cut when it is long."""
    short = text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"
    return f"“{short}”"
