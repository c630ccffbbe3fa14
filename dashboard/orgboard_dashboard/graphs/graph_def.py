"""GraphDef, MetaGraphDef and RunMetadata, read node by node.

The outer message is walked by hand: a node that cannot be read costs itself and not the graph,
bytes that end early cost what is missing, and a constant of a gigabyte is stepped over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final

from google.protobuf.message import DecodeError

from orgboard_dashboard.graphs.attributes import attributes_of, shape_of
from orgboard_dashboard.graphs.model import Builder, Graph, Shapes, elements
from orgboard_dashboard.graphs.thinned import LARGE_NODE, fields, thinned
from orgboard_schema.wire.graph_pb2 import AttrValue, FunctionDef, NodeDef

__all__ = ["read_graph_def", "read_meta_graph", "read_run_graphs"]

_KEPT_PACKED: Final = 4096
"""A node of more bytes is kept as text."""
_MAX_NODES: Final = 1_000_000

_CLUSTERS: Final = ("_XlaCluster", "_XlaScope")

_LIBRARY: Final = "functions/"
_VARIABLES: Final = frozenset({"VarHandleOp", "VariableV2"})
_HOLDING: Final = _VARIABLES | {"prim::GetAttr", "ReadVariableOp"}
_SHAPED: Final = _VARIABLES | {"Const", "Placeholder", "Variable"}


def read_graph_def(data: bytes | memoryview, kind: str = "graph") -> Graph:
    """Return the graph that a GraphDef says, as far as it is sound."""
    builder = Builder(kind)
    _take_graph(memoryview(data), builder, "")
    return builder.build()


def read_meta_graph(data: bytes | memoryview) -> Graph:
    """Return the graph within a MetaGraphDef."""
    builder = Builder("graph of a saved model")
    for number, part in _parts(memoryview(data), builder, "The message"):
        if number == 2:
            _take_graph(part, builder, "")
    return builder.build()


def read_run_graphs(data: bytes | memoryview) -> Graph:
    """Return the graphs of the functions that RunMetadata has, one scope for each when several."""
    builder = Builder("graphs of traced functions")
    functions = [
        found
        for number, part in _parts(memoryview(data), builder, "The message")
        if number == 4
        for found in [_before_optimization(part, builder)]
        if found is not None
    ]
    for at, part in enumerate(functions, 1):
        _take_graph(part, builder, f"function {at}/" if len(functions) > 1 else "")
    return builder.build()


def _before_optimization(part: memoryview, builder: Builder) -> memoryview | None:
    parts = dict(_parts(part, builder, "The functions"))
    return parts.get(2) or parts.get(1)


def _take_graph(data: memoryview, builder: Builder, within: str) -> None:
    taken = 0
    for number, part in _parts(data, builder, "The graph"):
        if number == 1:
            taken += 1
            if taken > _MAX_NODES:
                builder.problem(
                    f"The graph has more than {_MAX_NODES} nodes; the rest is left out."
                )
                return
            _take_node(part, builder, within, taken)
        elif number == 2:
            for inner, function in _parts(part, builder, "The library of functions"):
                if inner == 1:
                    _take_function(function, builder, within)


def _take_node(part: memoryview, builder: Builder, within: str, at: int) -> None:
    try:
        data = part.tobytes() if len(part) <= LARGE_NODE else thinned(part)
        node = NodeDef.FromString(data)
    except (DecodeError, ValueError):
        builder.problem(f"Node {at} of the graph, {len(part)} bytes, cannot be read.")
        return
    _add(builder, node, data, within)


def _add(builder: Builder, node: NodeDef, data: bytes, within: str) -> None:
    attributes, op = node.attr, node.op
    # To look for a name in the bytes is many times quicker than in the attributes.
    told = attributes.get("parameters") if b"parameters" in data else None
    if told is not None and told.WhichOneof("value") == "s":
        builder.has_initializers = True
    shapes = _shapes(attributes, op)
    builder.add(
        node.name,
        op,
        tuple(node.input),
        device=node.device,
        shapes=shapes,
        parameters=_parameters(node, shapes, told) if told is not None or op in _HOLDING else 0,
        packed=data if len(data) <= _KEPT_PACKED else attributes_of(node),
        cluster=_cluster(attributes) if b"_Xla" in data else "",
        within=within,
    )


def _cluster(attributes: Mapping[str, AttrValue]) -> str:
    """Name the XLA cluster of a node, or the scope that it is to be compiled with."""
    for name in _CLUSTERS:
        if name in attributes:
            return attributes[name].s.decode("utf-8", "replace")
    return ""


def _take_function(part: memoryview, builder: Builder, within: str) -> None:
    try:
        data = part.tobytes() if len(part) <= LARGE_NODE else thinned(part, "function")
        function = FunctionDef.FromString(data)
    except (DecodeError, ValueError):
        builder.problem(f"A function of {len(part)} bytes cannot be read.")
        return
    scope = f"{within}{_LIBRARY}{function.signature.name or '(no name)'}/"
    for argument in function.signature.input_arg:
        builder.add(argument.name, "argument", within=scope)
    for node in function.node_def:
        _add(builder, node, node.SerializeToString(), scope)
    for name, source in sorted(function.ret.items()):
        builder.add(f"{name} (result)", "result", (source,), within=scope)


@lru_cache(maxsize=4096)
def _listed_shapes(packed: bytes) -> Shapes:
    """Read a list of shapes; most nodes of a graph have one that another had before."""
    return tuple(shape_of(shape) for shape in AttrValue.FromString(packed).list.shape)


def _shapes(attributes: Mapping[str, AttrValue], op: str) -> Shapes:
    if "_output_shapes" in attributes:
        packed = attributes["_output_shapes"].SerializeToString()
        if len(packed) <= _KEPT_PACKED:
            return _listed_shapes(packed)
        return _listed_shapes.__wrapped__(packed)
    if op in _SHAPED:
        if "value" in attributes:
            return (shape_of(attributes["value"].tensor.tensor_shape),)
        if "shape" in attributes and attributes["shape"].WhichOneof("value") == "shape":
            return (shape_of(attributes["shape"].shape),)
    return ()


def _parameters(node: NodeDef, shapes: Shapes, told: AttrValue | None) -> int:
    if node.op in _VARIABLES:
        if "shape" in node.attr:
            return elements(shape_of(node.attr["shape"].shape))
        return elements(shapes[0]) if shapes else 0
    # Our writer says it of weights of torch models, and of modules that could not be traced.
    if told is not None and told.WhichOneof("value") == "i":
        return max(0, told.i)
    is_read = node.op == "ReadVariableOp" and not _is_of_variable(node)
    return elements(shapes[0]) if shapes and (is_read or node.op == "prim::GetAttr") else 0


def _is_of_variable(node: NodeDef) -> bool:
    """Whether the variable that is read stands in the graph and is counted there."""
    return not any("resource" in name.rpartition("/")[2].lower() for name in node.input)


def _parts(data: memoryview, builder: Builder, what: str) -> Iterator[tuple[int, memoryview]]:
    """Walk the fields of a message that have a length, and say where it stops to be one."""
    at, end = 0, len(data)
    try:
        for number, wire, _, body, at in fields(data):
            if wire == 2:
                yield number, data[body:at]
    except ValueError:
        rest = end - at
        builder.problem(
            f"{what} cannot be read from byte {at} on: {rest} of {end} bytes are left out."
        )
