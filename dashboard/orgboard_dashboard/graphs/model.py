"""One model of every graph, wherever it came from: columns of nodes and of edges."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "MAX_NAME",
    "Attributes",
    "Builder",
    "Graph",
    "Shape",
    "Shapes",
    "elements",
    "shown",
    "spelled",
]

Shape: TypeAlias = tuple[int, ...] | None
"""Sizes; -1 is one that is not known, None a shape that is not known at all."""
Shapes: TypeAlias = tuple[Shape, ...]
Attributes: TypeAlias = tuple[tuple[str, str], ...]

MAX_NAME: Final = 12_000
"""Characters of a name; a longer one is cut. Five thousand scopes have room."""
TIMES: Final = "\N{MULTIPLICATION SIGN}"
_CHANGING: Final = re.compile(
    r"assign(_add|_sub)?|count_up_to|scatter_(add|sub|update)"
    r"|Assign(Add|Sub)?|Scatter\w+|CountUpTo|Assign(Add|Sub)?VariableOp|ResourceScatter\w+"
    r"|(Resource)?(Sparse)?Apply[A-Z]\w*"
)
"""Operations that may change their first input: those that TensorBoard names, and what does the
same to variables of TensorFlow 2."""
_MAX_PROBLEMS: Final = 20
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
    packed: tuple[bytes | Attributes, ...]
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
        kinds = {shape: elements(shape) for shapes in set(self.shapes) for shape in shapes}
        giving = [self.shapes[node] for node in self.source.tolist()]
        places = zip(giving, self.output.tolist(), strict=True)
        return np.array(
            [kinds[shapes[at]] if at < len(shapes) else 0 for shapes, at in places], np.int64
        )


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


_Edges: TypeAlias = tuple[
    NDArray[np.int32], NDArray[np.int32], NDArray[np.int32], NDArray[np.bool_]
]
"""Source, target, output of the source, and whether it is a control edge."""


@dataclass(slots=True)
class Builder:
    """Takes nodes as they are read, names them apart, and ties their inputs when all are there."""

    kind: str
    has_initializers: bool = False
    """What inputs name and no node is called are weights, as ONNX has them."""
    uncounted: int = 0
    _names: list[str] = field(default_factory=list)
    _ops: list[str] = field(default_factory=list)
    _devices: list[str] = field(default_factory=list)
    _shapes: list[Shapes] = field(default_factory=list)
    _parameters: list[int] = field(default_factory=list)
    _packed: list[bytes | Attributes] = field(default_factory=list)
    _clusters: list[str] = field(default_factory=list)
    _inferred: set[int] = field(default_factory=set)
    _inputs: list[tuple[str, Sequence[str]]] = field(default_factory=list)
    _known: dict[str, int] = field(default_factory=dict)
    _taken: dict[str, int] = field(default_factory=dict)
    _problems: list[str] = field(default_factory=list)
    _more: int = 0

    def add(
        self,
        name: str,
        op: str,
        inputs: Sequence[str] = (),
        *,
        device: str = "",
        shapes: Shapes = (),
        parameters: int = 0,
        packed: bytes | Attributes = (),
        cluster: str = "",
        within: str = "",
        is_inferred: bool = False,
    ) -> None:
        """Take a node. Its inputs are names, as a GraphDef writes them, looked for below `within`
        first."""
        own = within + name
        if not own or own in self._known or len(own) > MAX_NAME or own[-1] == "/":
            self._let_pass(own, op)
            own = self._own(own)
        self._known[own] = len(self._names)
        self._names.append(own)
        self._ops.append(op[:MAX_NAME] or "no op")
        self._devices.append(device[:MAX_NAME])
        self._shapes.append(shapes)
        self._parameters.append(parameters)
        self._packed.append(packed)
        self._clusters.append(cluster[:MAX_NAME])
        self._inputs.append((within, inputs))
        if is_inferred:
            self._inferred.add(len(self._names) - 1)

    def problem(self, text: str) -> None:
        """Note what is wrong, in words; more than twenty are counted."""
        if len(self._problems) < _MAX_PROBLEMS:
            self._problems.append(text)
        else:
            self._more += 1

    def build(self) -> Graph:
        """Tie the edges and return the graph."""
        if self.has_initializers:
            self._add_initializers()
        source, target, output, control = self._tied()
        more = (f"{self._more} more problems of the same kinds.",) if self._more else ()
        return Graph(
            self.kind,
            tuple(self._names),
            tuple(self._ops),
            tuple(self._devices),
            tuple(self._shapes),
            np.array(self._parameters, np.int64),
            tuple(self._packed),
            source,
            target,
            output,
            control,
            self._references(target, control),
            tuple(self._clusters),
            frozenset(self._inferred),
            self.uncounted,
            (*self._problems, *more),
        )

    def _let_pass(self, name: str, op: str) -> None:
        """Make way for the node that gives an output of the graph, which has the same name.

        Writers of ONNX graphs list inputs and outputs first, as variables.
        """
        known = self._known.get(name)
        if known is None or self._ops[known] != "Variable" or op == "Variable":
            return
        shown_as = f"{name} (output)"
        if self._inputs[known][1] or shown_as in self._known:
            return
        self._names[known] = shown_as
        self._known[shown_as] = self._known.pop(name)
        self._inputs[known] = ("", (name,))

    def _add_initializers(self) -> None:
        for within, inputs in list(self._inputs):
            for text in inputs:
                if text and self._found(text.removeprefix("^"), within)[0] is None:
                    self.add(text, "initializer")

    def _own(self, name: str) -> str:
        """Add a name, changed until it is one and no other node's."""
        given = name
        if not name or name.endswith("/"):
            name += "(no name)"
            self.problem(f"Node {len(self._names) + 1} has no name.")
        if len(name) > MAX_NAME:
            name = name[:MAX_NAME]
            self.problem(f"The name {shown(name)} is longer than {MAX_NAME} characters and cut.")
        if name in self._known:
            self.problem(f"More than one node is named {shown(given)}.")
            taken = self._taken.get(name, 1) + 1
            while f"{name} ({taken})" in self._known:
                taken += 1
            self._taken[name] = taken
            name = f"{name} ({taken})"
        return name

    def _tied(self) -> _Edges:
        source: list[int] = []
        counts: list[int] = []
        special: list[tuple[int, int, bool]] = []
        known = self._known
        for within, inputs in self._inputs:
            before = len(source)
            for text in inputs:
                # Most inputs are names as they are.
                found, at, is_control = known.get(within + text), 0, False
                if found is None:
                    is_control = text.startswith("^")
                    found, at = self._found(text.removeprefix("^"), within)
                    if found is None:
                        self._dangles(len(counts), text)
                        continue
                    special.append((len(source), at, is_control))
                source.append(found)
            counts.append(len(source) - before)
        output, control = np.zeros(len(source), np.int32), np.zeros(len(source), np.bool_)
        for edge, at, is_control in special:
            output[edge], control[edge] = at, is_control
        target = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
        return np.array(source, np.int32), target, output, control

    def _references(
        self, target: NDArray[np.int32], control: NDArray[np.bool_]
    ) -> NDArray[np.bool_]:
        """Mark the first input of each operation that may change it."""
        reference = np.zeros(len(target), np.bool_)
        kinds = {op: bool(_CHANGING.fullmatch(op)) for op in set(self._ops)}
        changing = [node for node, op in enumerate(self._ops) if kinds[op]]
        starts = np.searchsorted(target, changing).tolist()
        for node, edge in zip(changing, starts, strict=True):
            within, inputs = self._inputs[node]
            # A first input that is not in the graph has no edge.
            if inputs and self._found(inputs[0], within)[0] is not None:
                reference[edge] = not control[edge]
        return reference

    def _dangles(self, node: int, text: str) -> None:
        # Torch names the module that holds a weight, and leaves the module out.
        if self._ops[node] != "prim::GetAttr":
            self.problem(
                f"{shown(self._names[node])} takes {shown(text)}, which is not in the graph."
            )

    def _found(self, text: str, within: str) -> tuple[int | None, int]:
        """Find "x", "x:1" and, in functions, "x:output:1"."""
        known = self._known
        node = known.get(within + text)
        if node is not None:
            return node, 0
        name, _, at = text.rpartition(":")
        if not at.isdecimal() or len(at) > 6:
            return None, 0
        node = known.get(within + name)
        if node is None:
            node = known.get(within + name.rpartition(":")[0])
        return node, int(at)


def shown(text: str) -> str:
    """Quote a name in a sentence, cut when it is long."""
    short = text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"
    return f"“{short}”"
