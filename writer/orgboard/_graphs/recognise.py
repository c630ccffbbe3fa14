"""What `add_graph` was given, and the events that hold its graph.

Libraries are recognised by what the value is or can do; none is imported. What has to be read
on the caller's thread is read here; a serialised graph is looked through in the background.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from orgboard._encoding import protobuf as pb
from orgboard._encoding.records import Encode, graph_body, summary_body
from orgboard._graphs.constants import without_large_constants
from orgboard._graphs.fx import read_fx
from orgboard._graphs.graph_def import Graph, Node, encode_graph
from orgboard._graphs.jaxpr import is_for_jax, read_jax
from orgboard._graphs.torch_model import is_torch_model, torch_graph
from orgboard._kinds.metadata import DT_STRING, metadata

__all__ = ["GraphEvent", "nodes_event", "read_graph"]

RUN_TAG: Final = "step1"
"""Under which torch's writer tells where the graph ran."""

KERAS_TAG: Final = "keras"
"""Under which Keras' own callback logs a model."""

Tell = Callable[[str], None]


class GraphEvent(NamedTuple):
    """What to put on the queue."""

    encode: Encode
    tag: str
    value: Any
    size: int


def read_graph(
    model: Any, given: Any, *, verbose: bool, strict: bool, tell: Tell
) -> list[GraphEvent]:
    """Read a graph of any library that is known.

    Raises:
        TypeError: it is not from one.
        Exception: what the library raises.
    """
    if isinstance(model, (bytes, bytearray, memoryview)):
        return [_serialised(bytes(model))]
    if _is_keras(model):
        json = model.to_json()
        return [GraphEvent(keras_body, KERAS_TAG, json, 4 * len(json))]
    if is_torch_model(model):
        return _events(torch_graph(model, given, verbose=verbose, strict=strict, tell=tell))
    if callable(getattr(getattr(model, "graph_module", None), "named_modules", None)):
        return [nodes_event(read_fx(model.graph_module.graph, model.graph_module))]
    if is_for_jax(model, given):
        return [nodes_event(read_jax(model, given))]
    return [_serialised(_graph_def(model, given))]


def nodes_event(nodes: list[Node]) -> GraphEvent:
    """Hold nodes, as bytes: those take a tenth of the memory, and are made in no time."""
    graph_def = encode_graph(nodes)
    return GraphEvent(graph_body, "", graph_def, len(graph_def))


def keras_body(tag: str, json: str) -> bytes:
    """Encode a Keras model's own description, from which TensorBoard draws its layers."""
    tensor = pb.whole(1, DT_STRING) + pb.blob(2, b"", always=True) + pb.text(8, json)
    return summary_body(pb.text(1, tag) + pb.blob(8, tensor) + metadata("graph_keras_model", b"1"))


def _events(graph: Graph) -> list[GraphEvent]:
    events = [nodes_event(graph.nodes)]
    if graph.device:
        events.append(GraphEvent(_run_body, RUN_TAG, graph.device, 0))
    return events


def _serialised(graph_def: bytes) -> GraphEvent:
    return GraphEvent(_graph_def_body, "", graph_def, len(graph_def))


def _graph_def_body(tag: str, graph_def: bytes) -> bytes:
    return graph_body(tag, without_large_constants(graph_def))


def _run_body(tag: str, device: str) -> bytes:
    run_metadata = pb.blob(1, pb.blob(1, pb.text(1, device)))
    return pb.blob(8, pb.text(1, tag) + pb.blob(2, run_metadata))


def _is_keras(model: Any) -> bool:
    kinds = type(model).__mro__
    is_own = any(str(kind.__module__).partition(".")[0] in ("keras", "tf_keras") for kind in kinds)
    return is_own and callable(getattr(model, "to_json", None)) and hasattr(model, "layers")


def _graph_def(model: Any, given: Any) -> bytes:
    """Serialise a GraphDef, or that of a TensorFlow graph or function."""
    if callable(getattr(model, "get_concrete_function", None)):
        if given is None:
            inputs: tuple[Any, ...] = ()
        else:
            inputs = tuple(given) if isinstance(given, (tuple, list)) else (given,)
        model = model.get_concrete_function(*inputs)
    if "tensorflow" in sys.modules and callable(
        getattr(getattr(model, "graph", None), "as_graph_def", None)
    ):
        model = model.graph
    if callable(getattr(model, "as_graph_def", None)):
        model = model.as_graph_def()
    if not callable(getattr(model, "SerializeToString", None)):
        raise TypeError(
            f"add_graph takes a model or a GraphDef; a {type(model).__name__} is not logged"
        )
    return bytes(model.SerializeToString())
