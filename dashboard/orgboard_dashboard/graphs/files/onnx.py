"""ONNX models as the GraphDef that our writer logs of them, so that both can be compared."""

from __future__ import annotations

from orgboard_dashboard.graphs.files.refused import MAX_NODES, NotAGraph, too_many
from orgboard_schema.onnx.model import OnnxNode, TooManyNodes, read_onnx
from orgboard_schema.wire.graph_pb2 import GraphDef, NodeDef

__all__ = ["graph_of_onnx"]


def graph_of_onnx(data: bytes) -> bytes:
    """Return the graph of a model; of its weights the names, sizes and numbers of parameters.

    Raises:
        NotAGraph: it is none, or a broken or too large one.
    """
    try:
        nodes = read_onnx(data, MAX_NODES)
    except TooManyNodes as error:
        raise too_many() from error
    except ValueError as error:
        raise NotAGraph(f"a part of its graph cannot be read ({error})") from error
    if not any(node.told is not None and node.op for node in nodes):
        raise NotAGraph("no node in it has an operation")
    graph = GraphDef()
    for node in nodes:
        _put(graph.node.add(name=node.name, op=node.op, input=node.inputs), node)
    return graph.SerializeToString(deterministic=True)


def _put(into: NodeDef, node: OnnxNode) -> None:
    if node.told is not None:
        into.attr["parameters"].s = node.told.encode("utf-8", "replace")
        return
    if node.op == "initializer":
        shape = into.attr["_output_shapes"].list.shape.add()
    else:
        into.attr["dtype"].type = node.elements & 0x7FFFFFFF  # type: ignore[assignment]
        shape = into.attr["shape"].shape
        shape.SetInParent()
    for size in node.sizes:
        shape.dim.add(size=size)
    if node.parameters is not None:
        into.attr["parameters"].i = node.parameters
