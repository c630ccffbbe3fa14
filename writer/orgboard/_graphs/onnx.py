"""ONNX models as the nodes of a GraphDef, as torch's and tensorboardX's writers write them."""

from __future__ import annotations

from typing import Any

from orgboard._graphs.graph_def import Node, integer, output_shapes, shape, text, whole_type
from orgboard_schema.onnx.model import OnnxNode
from orgboard_schema.onnx.model import read_onnx as read_model

__all__ = ["read_onnx"]


def read_onnx(model: Any) -> list[Node]:
    """Read the graph of a model: its path, its bytes, or a ModelProto.

    Raises:
        OSError, ValueError: it cannot be read, or is no ONNX model.
        TypeError: it is none of these.
    """
    return [Node(node.name, node.op, node.inputs, _attributes(node)) for node in read_model(model)]


def _attributes(node: OnnxNode) -> tuple[tuple[str, bytes], ...]:
    if node.told is not None:
        return (("parameters", text(node.told)),)
    held = () if node.parameters is None else (("parameters", integer(node.parameters)),)
    if node.op == "initializer":
        return ("_output_shapes", output_shapes([node.sizes])), *held
    # The numbers of ONNX's element types, which TensorBoard takes for TensorFlow's.
    return ("dtype", whole_type(node.elements)), ("shape", shape(node.sizes)), *held
