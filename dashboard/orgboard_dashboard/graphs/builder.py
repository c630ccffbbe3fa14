"""What takes nodes as they are read and makes a graph of them."""

from __future__ import annotations

import re
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from orgboard_dashboard.graphs.model import Attributes, Graph, Ints, Shapes, shown
from orgboard_dashboard.graphs.nodes import Joined, Nodes

__all__ = ["MAX_NAME", "Builder"]

MAX_NAME: Final = 12_000
"""Characters of a name; a longer one is cut. Five thousand scopes have room."""
_CHANGING: Final = re.compile(
    r"assign(_add|_sub)?|count_up_to|scatter_(add|sub|update)"
    r"|Assign(Add|Sub)?|Scatter\w+|CountUpTo|Assign(Add|Sub)?VariableOp|ResourceScatter\w+"
    r"|(Resource)?(Sparse)?Apply[A-Z]\w*"
)
"""Operations that may change their first input: those that TensorBoard names, and what does the
same to variables of TensorFlow 2."""
_MAX_PROBLEMS: Final = 20

_Edges: TypeAlias = tuple[
    NDArray[np.int32], NDArray[np.int32], NDArray[np.int32], NDArray[np.bool_], NDArray[np.bool_]
]
"""Source, target, output of the source, and whether it is a control edge and a reference."""


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
    _packed: list[Sequence[bytes | Attributes]] = field(default_factory=list)
    _packed_last: list[bytes | Attributes] = field(default_factory=list)
    _clusters: list[str] = field(default_factory=list)
    _inferred: set[int] = field(default_factory=set)
    _within: list[str] = field(default_factory=list)
    _sources: array[int] = field(default_factory=lambda: array("i"))
    """Of each input the node that it names, -1 where its text is still to be looked for."""
    _texts: dict[int, str] = field(default_factory=dict)
    _ends: list[int] = field(default_factory=lambda: [0])
    _renamed: dict[int, str] = field(default_factory=dict)
    """What nodes were called that had to make way. It is their one input now."""
    _known: dict[str, int] = field(default_factory=dict)
    _taken: dict[str, int] = field(default_factory=dict)
    _problems: list[str] = field(default_factory=list)
    _more: int = 0

    def __len__(self) -> int:
        return len(self._names)

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
        self._packed_last.append(packed)
        self._clusters.append(cluster[:MAX_NAME])
        self._within.append(within)
        for text in inputs:
            self._texts[len(self._sources)] = text
            self._sources.append(-1)
        self._ends.append(len(self._sources))
        if is_inferred:
            self._inferred.add(len(self._names) - 1)

    def extend(self, nodes: Nodes, within: str = "") -> None:
        """Take nodes, one after the other."""
        self.has_initializers |= nodes.has_initializers
        own = [within + name for name in nodes.names] if within else nodes.names
        first, taken = len(self._names), len(self._sources) - nodes.ends[0]
        known = dict(zip(own, range(first, first + len(own)), strict=True))
        if len(known) < len(own) or not _are_names(own) or not self._known.keys().isdisjoint(known):
            self._extend_one_by_one(nodes, within)
            return
        self._known.update(known)
        self._names += own
        self._ops += [op[:MAX_NAME] or "no op" for op in nodes.ops]
        self._devices += [device[:MAX_NAME] for device in nodes.devices]
        self._shapes += nodes.shapes
        self._parameters += nodes.parameters
        self._packed += [self._packed_last, nodes.packed]
        self._packed_last = []
        self._clusters += [cluster[:MAX_NAME] for cluster in nodes.clusters]
        self._within += [within] * len(own)
        self._take_inputs(nodes, first)
        self._ends += [taken + end for end in nodes.ends[1:]]

    def _take_inputs(self, nodes: Nodes, first: int) -> None:
        missing = np.flatnonzero(nodes.sources < 0).tolist()
        if missing:
            texts, begin, taken = nodes.inputs.texts(), nodes.ends[0], len(self._sources)
            self._texts.update((taken + at, texts[begin + at]) for at in missing)
        found = np.where(nodes.sources < 0, -1, nodes.sources + first)
        self._sources.frombytes(found.astype(np.int32).tobytes())

    def _extend_one_by_one(self, nodes: Nodes, within: str) -> None:
        texts = nodes.inputs.texts()
        for at, name in enumerate(nodes.names):
            self.add(
                name,
                nodes.ops[at],
                texts[nodes.ends[at] : nodes.ends[at + 1]],
                device=nodes.devices[at],
                shapes=nodes.shapes[at],
                parameters=nodes.parameters[at],
                packed=nodes.packed[at],
                cluster=nodes.clusters[at],
                within=within,
            )

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
        edges = self._tied()
        more = (f"{self._more} more problems of the same kinds.",) if self._more else ()
        return Graph(
            self.kind,
            tuple(self._names),
            tuple(self._ops),
            tuple(self._devices),
            tuple(self._shapes),
            np.array(self._parameters, np.int64),
            self._all_packed(),
            *edges,
            tuple(self._clusters),
            frozenset(self._inferred),
            self.uncounted,
            (*self._problems, *more),
        )

    def _all_packed(self) -> Sequence[bytes | Attributes]:
        pieces = [piece for piece in (*self._packed, self._packed_last) if len(piece)]
        return pieces[0] if len(pieces) == 1 else Joined(pieces)

    def _let_pass(self, name: str, op: str) -> None:
        """Make way for the node that gives an output of the graph, which has the same name.

        Writers of ONNX graphs list inputs and outputs first, as variables.
        """
        known = self._known.get(name)
        if known is None or self._ops[known] != "Variable" or op == "Variable":
            return
        shown_as = f"{name} (output)"
        has_inputs = self._ends[known] < self._ends[known + 1] or known in self._renamed
        if has_inputs or shown_as in self._known:
            return
        self._names[known] = shown_as
        self._known[shown_as] = self._known.pop(name)
        self._within[known] = ""
        self._renamed[known] = name

    def _takers(self) -> Ints:
        """Return the node that takes each input."""
        ends = np.array(self._ends, np.int64)
        return np.repeat(np.arange(len(ends) - 1), ends[1:] - ends[:-1])

    def _add_initializers(self) -> None:
        takers = self._takers()
        for at, text in list(self._texts.items()):
            within = self._within[takers[at]]
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
        """Find the node that each input names; an input that names none is no edge."""
        self._let_renamed_be_found()
        source = np.array(self._sources, np.int32)
        takers = np.concatenate((self._takers(), np.array(list(self._renamed), np.int64)))
        output, control = np.zeros(len(source), np.int32), np.zeros(len(source), np.bool_)
        for at in sorted(self._texts):
            taker, text = int(takers[at]), self._texts[at]
            within = self._within[taker]
            # Most inputs are names as they are.
            node = self._known.get(within + text)
            if node is None:
                control[at] = text.startswith("^")
                node, output[at] = self._found(text.removeprefix("^"), within)
            if node is None:
                self._dangles(taker, text)
            source[at] = -1 if node is None else node
        reference = self._references(control)
        order = np.argsort(takers, kind="stable") if self._renamed else np.arange(len(takers))
        kept = order[source[order] >= 0]
        target = takers.astype(np.int32)
        return source[kept], target[kept], output[kept], control[kept], reference[kept]

    def _let_renamed_be_found(self) -> None:
        """Look anew for what named nodes that made way, and give them their input."""
        if not self._renamed:
            return
        sources = np.array(self._sources, np.int32)
        for at in np.flatnonzero(np.isin(sources, list(self._renamed))).tolist():
            self._texts[at] = self._renamed[self._sources[at]]
        for name in self._renamed.values():
            self._texts[len(self._sources)] = name
            self._sources.append(-1)

    def _references(self, control: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Mark the first input of each operation that may change it."""
        reference = np.zeros(len(control), np.bool_)
        kinds = {op: bool(_CHANGING.fullmatch(op)) for op in set(self._ops)}
        ends = self._ends
        for node in [node for node, op in enumerate(self._ops) if kinds[op]]:
            if ends[node] < ends[node + 1]:
                reference[ends[node]] = not control[ends[node]]
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


def _are_names(texts: list[str]) -> bool:
    """Whether they need no change to be names, so far as each can tell for itself."""
    return (
        all(texts)
        and not any(text[-1] == "/" for text in texts)
        and (max(map(len, texts), default=0) <= MAX_NAME)
    )
