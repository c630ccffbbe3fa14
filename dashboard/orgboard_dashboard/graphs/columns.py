"""Nodes of a GraphDef as columns: read by the compiled core, which leaves to Python what it
cannot vouch for.

Its twin reads node by node with protobuf (`graph_def.py`) and gives the same, to the bit.
"""

from __future__ import annotations

import ctypes
import secrets
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from orgboard_dashboard.graphs.attributes import shape_of
from orgboard_dashboard.graphs.model import Ints, Shape, Shapes, elements
from orgboard_dashboard.graphs.nodes import Inputs, Nodes, Packed
from orgboard_schema.blocks.columns import address
from orgboard_schema.wire.graph_pb2 import AttrValue
from orgboard_schema.wire.tensor_pb2 import TensorShapeProto

__all__ = [
    "HOLDING",
    "KEPT_PACKED",
    "SHAPED",
    "VARIABLES",
    "Left",
    "listed_shapes",
    "names_variable",
    "read_nodes",
]

KEPT_PACKED: Final = 4096
"""A node of more bytes is kept as text, and read by no core."""

VARIABLES: Final = frozenset({"VarHandleOp", "VariableV2"})
HOLDING: Final = VARIABLES | {"prim::GetAttr", "ReadVariableOp"}
SHAPED: Final = VARIABLES | {"Const", "Placeholder", "Variable"}

MOST_ROWS: Final = 1 << 17
"""At a time: what they take is given back before more are read."""
_FEW: Final = 4
"""Nodes in a row that are worth columns."""
_ROW: Final = np.dtype(
    [(name, "<i8") for name in ("at", "size", "parameters")]
    + [(name, "<i4") for name in ("left", "name", "inputs", "told", "op", "device")]
    + [(name, "<i4") for name in ("cluster", "listed", "value", "shape")]
)
_AS_NUMBER: Final = 1
_AS_STRING: Final = 2
_OF_ANOTHER_KIND: Final = -2

_Rows = NDArray[np.void]


class Left(NamedTuple):
    """A field that is left to Python, or the rest of a message that stops to be plainly one."""

    number: int
    """0: the rest."""
    at: int
    end: int


@lru_cache(maxsize=4096)
def listed_shapes(packed: bytes) -> Shapes:
    """Read a list of shapes; most nodes of a graph have one that another had before."""
    return tuple(shape_of(shape) for shape in AttrValue.FromString(packed).list.shape)


def names_variable(inputs: Iterable[str]) -> bool:
    """Whether a variable that is read stands in the graph and is counted there."""
    return not any("resource" in name.rpartition("/")[2].lower() for name in inputs)


def read_nodes(
    core: ctypes.CDLL, data: memoryview, node: int, others: tuple[int, ...]
) -> Iterator[Nodes | Left]:
    """Read the fields `node` of a message as nodes, in order with `others`, which are left."""
    octets = np.frombuffer(data, np.uint8)
    mask = sum(1 << number for number in others)
    at = 0
    while at < len(data):
        stretch = _Stretch(core)
        at = stretch.read(octets, at, node, mask)
        yield from stretch.told(data, node)
        if at < len(data) and not stretch.is_full():
            yield Left(0, at, len(data))
            return


class _Stretch:
    """What the core reads of a message at a time."""

    def __init__(self, core: ctypes.CDLL) -> None:
        self._core = core
        graph = core.ob_graph_new(secrets.randbits(64))
        if not graph:
            raise MemoryError
        self._handle = ctypes.c_void_p(graph)

    def __del__(self) -> None:
        # Not there when the core had no memory for it.
        if hasattr(self, "_handle"):
            self._core.ob_graph_free(self._handle)

    def read(self, octets: NDArray[np.uint8], at: int, node: int, others: int) -> int:
        """Read on from `at`; return where that ended."""
        core, data = self._core, octets.ctypes.data
        at = core.ob_graph_read(self._handle, data, len(octets), at, node, others, MOST_ROWS)
        if at < 0:
            raise MemoryError
        columns, used = (ctypes.c_void_p * 3)(), (ctypes.c_int64 * 3)()
        core.ob_graph_at(self._handle, columns, used)
        # Where the core has them: they live as long as this.
        self._rows = _at(columns[0], used[0] * _ROW.itemsize).view(_ROW)
        self._names = _at(columns[1], used[1])
        self._inputs = Inputs(_at(columns[2], used[2]).tobytes())
        self._words = _words(core, core.ob_graph_words(self._handle))
        return int(at)

    def is_full(self) -> bool:
        """Whether it ended because there are enough rows."""
        return len(self._rows) == MOST_ROWS

    def told(self, data: memoryview, node: int) -> Iterator[Nodes | Left]:
        """Tell the nodes of each stretch between two fields that are left, and those fields."""
        rows = self._rows
        places = np.flatnonzero(rows["left"])
        if _FEW * len(places) > len(rows):
            # Of stretches this short columns cost more than they save.
            places = np.arange(len(rows))
        left = rows[places]
        numbers = np.where(left["left"] == 0, node, left["left"]).tolist()
        told = map(Left, numbers, left["at"].tolist(), (left["at"] + left["size"]).tolist())
        whole = self._nodes(data) if len(left) < len(rows) else None
        low = passed = 0
        for high, field in zip(places.tolist(), told, strict=True):
            if whole is not None and low < high:
                yield whole.part(low - passed, high - passed)
            yield field
            low, passed = high + 1, passed + 1
        if whole is not None and low < len(rows):
            yield whole.part(low - passed, len(rows) - passed)

    def _nodes(self, data: memoryview) -> Nodes:
        """Judge what the core found as `graph_def` does, all nodes at a time."""
        rows = self._rows[self._rows["left"] == 0]
        texts = [word.decode("utf-8", "replace") for word in self._words]
        shapes, first, own = self._shapes(rows)
        return Nodes(
            self._names.tobytes().decode("ascii").split("\0")[:-1],
            [texts[word] for word in rows["op"].tolist()],
            [texts[word] for word in rows["device"].tolist()],
            shapes,
            self._parameters(rows, first, own).tolist(),
            _packed(data, rows["at"], rows["at"] + rows["size"]),
            [texts[word] if word >= 0 else "" for word in rows["cluster"].tolist()],
            self._inputs,
            self._sources(int(rows["inputs"].sum())),
            np.concatenate(([0], np.cumsum(rows["inputs"]))).tolist(),
            bool((rows["told"] == _AS_STRING).any()),
        )

    def _sources(self, count: int) -> NDArray[np.int32]:
        """Return which of the nodes each input names, -1 where somebody has to look."""
        sources = np.full(count, -1, np.int32)
        tied = self._core.ob_graph_tie(self._handle, address(sources))
        if tied < 0:
            raise MemoryError
        if tied:
            # Rows are nodes, but for those that are left.
            passed = np.append(np.cumsum(self._rows["left"] != 0, dtype=np.int32), np.int32(0))
            sources -= passed[sources]
        return sources

    def _are(self, rows: _Rows, ops: frozenset[str]) -> NDArray[np.bool_]:
        """Say which nodes have one of these operations."""
        named = {op.encode() for op in ops}
        are: NDArray[np.bool_] = np.array([word in named for word in self._words])[rows["op"]]
        return are

    def _shapes(self, rows: _Rows) -> tuple[list[Shapes], Ints, Ints]:
        """Return the shapes of each node, how many numbers the first of them has, and how many
        the attribute "shape" says, -1 where it is not there."""
        count = len(self._words)
        # Words may be read as a list of shapes or as one; behind them what no word says.
        kinds: list[Shapes] = [()] * (2 * count + 2)
        kinds[2 * count] = ((),)
        listed, value, shape = (rows[name] for name in ("listed", "value", "shape"))
        shaped = self._are(rows, SHAPED)
        chosen = np.full(len(rows), 2 * count + 1)
        chosen = np.where(shaped & (shape >= 0), count + shape, chosen)
        chosen = np.where(shaped & (value >= 0), count + value, chosen)
        chosen = np.where(shaped & (value == _OF_ANOTHER_KIND), 2 * count, chosen)
        chosen = np.where(listed >= 0, listed, chosen)
        said = np.where(shape >= 0, count + shape, 2 * count)
        used = np.zeros(len(kinds), np.bool_)
        used[chosen] = True
        used[said[self._are(rows, VARIABLES)]] = True
        for at in np.flatnonzero(used[: 2 * count]).tolist():
            word = self._words[at % count]
            kinds[at] = listed_shapes(word) if at < count else (_shape(word),)
        first = np.array([elements(kind[0]) if kind else 0 for kind in kinds], np.int64)
        own = np.where(shape == -1, -1, first[said])
        return [kinds[at] for at in chosen.tolist()], first[chosen], own

    def _parameters(self, rows: _Rows, first: Ints, own: Ints) -> Ints:
        """Count what each node holds, of which `first` is the size of its first output."""
        read = self._are(rows, frozenset({"ReadVariableOp"}))
        ends = np.cumsum(rows["inputs"])
        for node in np.flatnonzero(read).tolist():
            low = ends[node] - rows["inputs"][node]
            read[node] = not names_variable(self._inputs.texts()[low : ends[node]])
        holds = read | self._are(rows, frozenset({"prim::GetAttr"}))
        told = np.where(
            rows["told"] == _AS_NUMBER,
            np.maximum(rows["parameters"], 0),
            np.where(holds, first, 0),
        )
        return np.where(self._are(rows, VARIABLES), np.where(own < 0, first, own), told)


def _shape(word: bytes) -> Shape:
    return shape_of(TensorShapeProto.FromString(word))


def _at(where: int | None, size: int) -> NDArray[np.uint8]:
    """Return the octets that lie there in the core's memory."""
    if not where or not size:
        return np.empty(0, np.uint8)
    return np.frombuffer(memoryview((ctypes.c_uint8 * size).from_address(where)), np.uint8)


def _packed(data: memoryview, starts: Ints, ends: Ints) -> Sequence[bytes]:
    """Return the bytes of each node, without those of large ones between them."""
    low, high = int(starts[0]), int(ends[-1])
    if high - low <= 2 * int((ends - starts).sum()):
        return Packed(bytes(data[low:high]), starts - low, ends - low)
    pairs = zip(starts.tolist(), ends.tolist(), strict=True)
    return [bytes(data[begin:end]) for begin, end in pairs]


def _words(core: ctypes.CDLL, columns: object) -> list[bytes]:
    octets = ctypes.c_int64()
    ends = np.empty(core.ob_tags(columns, ctypes.byref(octets)), np.int64)
    joined = np.empty(octets.value, np.uint8)
    core.ob_names(columns, address(ends), address(joined))
    whole, starts = joined.tobytes(), [0, *ends.tolist()]
    return [whole[low:high] for low, high in pairwise(starts)]
