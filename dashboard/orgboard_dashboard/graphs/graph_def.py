"""GraphDef, MetaGraphDef and RunMetadata, read node by node.

A node that cannot be read costs itself and not the graph, bytes that end early cost what is
missing, and a constant of a gigabyte is stepped over. Most nodes are plain and read by the
compiled core (`columns.py`); where it is not, or leaves one, protobuf reads it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from google.protobuf.message import DecodeError

from orgboard_dashboard.graphs.attributes import attributes_of, shape_of
from orgboard_dashboard.graphs.builder import Builder
from orgboard_dashboard.graphs.columns import (
    HOLDING,
    KEPT_PACKED,
    SHAPED,
    VARIABLES,
    listed_shapes,
    names_variable,
    read_nodes,
)
from orgboard_dashboard.graphs.model import Graph, Shapes, elements
from orgboard_dashboard.graphs.nodes import Nodes
from orgboard_dashboard.graphs.thinned import LARGE_NODE, parts, put, thinned
from orgboard_schema.core.library import load_core
from orgboard_schema.wire.graph_pb2 import AttrValue, FunctionDef, NodeDef

__all__ = ["read_graph_def", "read_meta_graph", "read_run_graphs"]

_MAX_NODES: Final = 1_000_000

_CLUSTERS: Final = ("_XlaCluster", "_XlaScope")

_LIBRARY: Final = "functions/"


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
    found = dict(_parts(part, builder, "The functions"))
    return found.get(2) or found.get(1)


def _take_graph(data: memoryview, builder: Builder, within: str) -> None:
    for _, library in _take_nodes(data, 1, (2,), builder, within):
        for number, function in _parts(library, builder, "The library of functions"):
            if number == 1:
                _take_function(function, builder, within)


def _take_function(data: memoryview, builder: Builder, within: str) -> None:
    """Take a function of the library as a scope, with its arguments and what it returns."""
    shell = bytearray()
    for found in _found(data, 0, (1, 4), None):
        if not isinstance(found, Nodes) and found[0] in (1, 4):
            put(shell, *found)
    try:
        function = FunctionDef.FromString(bytes(shell))
    except (DecodeError, ValueError):
        builder.problem(f"A function of {len(data)} bytes cannot be read.")
        return
    scope = f"{within}{_LIBRARY}{function.signature.name or '(no name)'}/"
    for argument in function.signature.input_arg:
        builder.add(argument.name, "argument", within=scope)
    for _ in _take_nodes(data, 3, (), builder, scope, "function"):
        pass
    for name, source in sorted(function.ret.items()):
        builder.add(f"{name} (result)", "result", (source,), within=scope)


def _take_nodes(
    data: memoryview,
    node: int,
    others: tuple[int, ...],
    builder: Builder,
    within: str,
    whole: str = "graph",
) -> Iterator[tuple[int, memoryview]]:
    """Take the nodes of a message, and give its parts `others` where they stand among them."""
    taken = 0
    for found in _found(data, node, others, builder, f"The {whole}"):
        most = _MAX_NODES - max(taken, len(builder))
        count = len(found.names) if isinstance(found, Nodes) else int(found[0] == node)
        if isinstance(found, Nodes):
            builder.extend(found.part(0, max(0, min(count, most))), within)
        elif found[0] in others:
            yield found
        elif count <= most and found[0] == node:
            _take_node(found[1], builder, within, f"Node {taken + 1} of the {whole}")
        taken += count
        if count > most:
            builder.problem(f"The graph has more than {_MAX_NODES} nodes; the rest is left out.")
            return


def _found(
    data: memoryview,
    node: int,
    others: tuple[int, ...],
    builder: Builder | None,
    what: str = "",
) -> Iterator[Nodes | tuple[int, memoryview]]:
    """Give the fields of a message in order, nodes as columns where the core reads them."""
    core = load_core()
    if core is None:
        yield from _parts(data, builder, what)
        return
    for found in read_nodes(core, data, node, others):
        if isinstance(found, Nodes):
            yield found
        elif found.number:
            yield found.number, data[found.at : found.end]
        else:
            yield from _parts(data, builder, what, found.at)


def _take_node(part: memoryview, builder: Builder, within: str, what: str) -> None:
    try:
        data = part.tobytes() if len(part) <= LARGE_NODE else thinned(part)
        node = NodeDef.FromString(data)
    except (DecodeError, ValueError):
        builder.problem(f"{what}, {len(part)} bytes, cannot be read.")
        return
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
        parameters=_parameters(node, shapes, told) if told is not None or op in HOLDING else 0,
        packed=data if len(data) <= KEPT_PACKED else attributes_of(node),
        cluster=_cluster(attributes) if b"_Xla" in data else "",
        within=within,
    )


def _cluster(attributes: Mapping[str, AttrValue]) -> str:
    """Name the XLA cluster of a node, or the scope that it is to be compiled with."""
    for name in _CLUSTERS:
        if name in attributes:
            return attributes[name].s.decode("utf-8", "replace")
    return ""


def _shapes(attributes: Mapping[str, AttrValue], op: str) -> Shapes:
    if "_output_shapes" in attributes:
        packed = attributes["_output_shapes"].SerializeToString()
        if len(packed) <= KEPT_PACKED:
            return listed_shapes(packed)
        return listed_shapes.__wrapped__(packed)
    if op in SHAPED:
        if "value" in attributes:
            return (shape_of(attributes["value"].tensor.tensor_shape),)
        if "shape" in attributes and attributes["shape"].WhichOneof("value") == "shape":
            return (shape_of(attributes["shape"].shape),)
    return ()


def _parameters(node: NodeDef, shapes: Shapes, told: AttrValue | None) -> int:
    if node.op in VARIABLES:
        if "shape" in node.attr:
            return elements(shape_of(node.attr["shape"].shape))
        return elements(shapes[0]) if shapes else 0
    # Our writer says it of weights of torch models, and of modules that could not be traced.
    if told is not None and told.WhichOneof("value") == "i":
        return max(0, told.i)
    is_read = node.op == "ReadVariableOp" and not names_variable(node.input)
    return elements(shapes[0]) if shapes and (is_read or node.op == "prim::GetAttr") else 0


def _parts(
    data: memoryview, builder: Builder | None, what: str, start: int = 0
) -> Iterator[tuple[int, memoryview]]:
    return parts(data, None if builder is None else builder.problem, what, start)
