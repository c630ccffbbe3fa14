"""Files with graphs, as people have them on their disks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from google.protobuf import text_format

from orgboard._encoding import protobuf as pb
from orgboard_schema.wire.graph_pb2 import GraphDef, MetaGraphDef

__all__ = ["as_text", "meta_graph", "onnx_model", "onnx_operation", "onnx_weight", "saved_model"]

FLOAT = 1


def as_text(graph: bytes) -> bytes:
    """Return a GraphDef as `.pbtxt`, as protobuf writes it."""
    return text_format.MessageToString(GraphDef.FromString(graph)).encode()


def meta_graph(graph: bytes) -> bytes:
    """Return a MetaGraphDef."""
    tags = pb.text(4, "serve") + pb.text(5, "2.20.0")
    whole = MetaGraphDef(graph_def=GraphDef.FromString(graph), meta_info_def=tags, saver_def=b"")
    return whole.SerializeToString()


def saved_model(*graphs: bytes) -> bytes:
    """Return a SavedModel, as `saved_model.pb` is one."""
    return pb.whole(1, 1) + b"".join(pb.blob(2, meta_graph(graph)) for graph in graphs)


def onnx_model(operations: Iterable[bytes], weights: Iterable[bytes] = ()) -> bytes:
    """Return an ONNX model with an input `x` of 1 x 64 and an output `y`."""
    graph = b"".join(pb.blob(1, operation) for operation in operations)
    graph += pb.text(2, "net") + b"".join(pb.blob(5, weight) for weight in weights)
    graph += pb.blob(11, _value("x")) + pb.blob(12, _value("y"))
    return pb.whole(1, 9) + pb.text(2, "test") + pb.blob(7, graph) + pb.blob(8, pb.whole(2, 21))


def onnx_operation(kind: str, inputs: Sequence[str], output: str, *attributes: bytes) -> bytes:
    """Return a NodeProto."""
    taken = b"".join(pb.text(1, name, always=True) for name in inputs)
    told = b"".join(pb.blob(5, attribute) for attribute in attributes)
    return taken + pb.text(2, output) + pb.text(4, kind) + told


def onnx_weight(name: str, *sizes: int) -> bytes:
    """Return a TensorProto with all its numbers."""
    dims = b"".join(pb.whole(1, size) for size in sizes)
    numbers = 4
    for size in sizes:
        numbers *= size
    return dims + pb.whole(2, FLOAT) + pb.text(8, name) + pb.blob(9, bytes(numbers))


def _value(name: str) -> bytes:
    dims = b"".join(pb.blob(1, pb.whole(1, size)) for size in (1, 64))
    return pb.text(1, name) + pb.blob(2, pb.blob(1, pb.whole(1, FLOAT) + pb.blob(2, dims)))
