"""What the compiled core reads of a graph is what protobuf reads of it node by node, to the bit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgboard_dashboard.graphs import columns
from orgboard_dashboard.graphs import graph_def as graph_def_module
from orgboard_dashboard.graphs.attributes import read_attributes
from orgboard_dashboard.graphs.model import Graph
from orgboard_dashboard.graphs.reading import read_graph
from orgboard_dashboard.graphs.thinned import put
from orgboard_schema.core.library import load_core
from orgboard_schema.types import Media
from orgboard_schema.wire.graph_pb2 import (
    AttrValue,
    FunctionDef,
    FunctionDefLibrary,
    GraphDef,
    MetaGraphDef,
    NodeDef,
)
from orgboard_schema.wire.reader import read_file
from orgboard_schema.wire.run_metadata_pb2 import RunMetadata
from orgboard_schema.wire.tensor_pb2 import DT_FLOAT, TensorProto, TensorShapeProto
from support.both_readers import need_core
from support.graph_defs import CHAIN, Row, graph_def, model

NAMES = ("a", "b", "a/b", "b/", "", "é", "a\0b", "resource", "x/Resource:0", "a" * 5000)
OPS = (*sorted(columns.SHAPED | columns.HOLDING), "Add", "Assign", "é", "")
ASKED = ("_output_shapes", "value", "shape", "parameters", "_XlaCluster", "_XlaScope", "other")

_shapes = st.builds(
    TensorShapeProto,
    dim=st.lists(st.builds(TensorShapeProto.Dim, size=st.sampled_from((-1, 0, 3, 1 << 40)))),
    unknown_rank=st.booleans(),
)
_tensors = st.builds(
    TensorProto,
    dtype=st.integers(0, 30),
    tensor_shape=st.none() | _shapes,
    tensor_content=st.sampled_from((b"", b"1234", bytes(5000), bytes(70_000))),
    int_val=st.lists(st.integers(-5, 300), max_size=2),
    double_val=st.lists(st.floats(), max_size=2),
)
_attributes = st.one_of(
    st.builds(AttrValue),
    st.builds(AttrValue, shape=_shapes),
    st.builds(AttrValue, tensor=_tensors),
    st.builds(AttrValue, s=st.sampled_from((b"", b"cluster", b"\xff"))),
    st.builds(AttrValue, i=st.integers(-(2**63), 2**63 - 1)),
    st.builds(AttrValue, placeholder=st.sampled_from(("p", "é"))),
    st.builds(AttrValue, list=st.builds(AttrValue.ListValue, shape=st.lists(_shapes, max_size=3))),
    st.builds(AttrValue, list=st.just(AttrValue.ListValue(f=[1.5], b=[True], s=[b"x"]))),
)
_inputs = st.tuples(
    st.sampled_from(("", "^")), st.sampled_from(NAMES), st.sampled_from(("", ":1", ":out:0"))
).map("".join)
_nodes = st.builds(
    NodeDef,
    name=st.sampled_from(NAMES) | st.integers(0, 9).map("n{}".format),
    op=st.sampled_from(OPS),
    input=st.lists(_inputs, max_size=3),
    device=st.sampled_from(("", "/gpu:0")),
    attr=st.dictionaries(st.sampled_from(ASKED), _attributes, max_size=4),
)
_lists_of_nodes = st.lists(_nodes, max_size=12)
_functions = st.builds(
    FunctionDef, node_def=_lists_of_nodes, ret=st.dictionaries(st.just("r"), _inputs, max_size=1)
)
_graphs = st.builds(
    GraphDef,
    node=_lists_of_nodes,
    version=st.integers(0, 1),
    library=st.builds(FunctionDefLibrary, function=st.lists(_functions, max_size=2)),
)


def read_by_both(data: bytes, plugin: str = "graphs") -> Graph:
    """Return the graph that the core gives, after checking that Python gives the same."""
    need_core()
    both = []
    for find in (load_core, lambda: None):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(graph_def_module, "load_core", find)
            both.append(read_graph(data, plugin))
    compiled, plain = both
    for each in fields(Graph):
        assert _comparable(getattr(compiled, each.name)) == _comparable(getattr(plain, each.name))
    return compiled


def _comparable(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.dtype, value.tobytes()
    return value if isinstance(value, (str, int, frozenset)) else tuple(value)


@given(_graphs)
def test_any_graph_is_the_same(graph: GraphDef) -> None:
    read_by_both(graph.SerializeToString())


@given(_lists_of_nodes, st.integers(1, 4))
def test_however_few_nodes_are_read_at_a_time(nodes: list[NodeDef], most: int) -> None:
    data = GraphDef(node=nodes).SerializeToString()
    whole = read_by_both(data)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(columns, "MOST_ROWS", most)
        few = read_by_both(data)

    assert few.names == whole.names
    assert few.source.tolist() == whole.source.tolist()


@given(_graphs, st.data())
def test_bytes_that_were_changed_are_the_same(graph: GraphDef, data: st.DataObject) -> None:
    changed = bytearray(graph.SerializeToString()[:3000])
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, max(0, len(changed) - 1)))
        changed[at : at + data.draw(st.integers(0, 1))] = data.draw(st.binary(max_size=2))

    read_by_both(bytes(changed))


def _small() -> bytes:
    graph = GraphDef.FromString(graph_def(CHAIN))
    node = NodeDef(name="w", op="VariableV2", input=["loss:0"])
    node.attr["shape"].shape.dim.add(size=3)
    node.attr["value"].tensor.dtype = DT_FLOAT
    node.attr["value"].tensor.tensor_shape.dim.add(size=4)
    node.attr["f"].func.attr["inner"].list.i.extend([1, 300])
    graph.node.append(node)
    function = graph.library.function.add(node_def=[node])
    function.signature.name = "f"
    function.ret["y"] = "w:out:0"
    return graph.SerializeToString()


def test_bytes_that_end_at_any_place_are_the_same() -> None:
    data = _small()

    for end in range(len(data)):
        read_by_both(data[:end])


@pytest.mark.parametrize("bit", [1, 8, 128])
def test_bytes_with_any_bit_turned_are_the_same(bit: int) -> None:
    data = _small()

    for at in range(len(data)):
        read_by_both(data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :])


def test_graphs_within_other_messages_are_the_same() -> None:
    graph = GraphDef.FromString(_small())
    run = RunMetadata()
    for _ in range(2):
        run.function_graphs.add().pre_optimization_graph.CopyFrom(graph)

    saved = read_by_both(MetaGraphDef(graph_def=graph).SerializeToString(), "graph_meta")
    traced = read_by_both(run.SerializeToString(), "graph_run_metadata_graph")

    assert len(saved.names) == len(read_graph(_small()).names)
    assert len(traced.names) == 2 * len(saved.names)


def _logged_graphs(folder: Path) -> Iterator[bytes]:
    """Give the graphs in the event files of a folder."""
    for path in sorted(path for path in folder.rglob("*tfevents*") if path.is_file()):
        with path.open("rb") as file:
            end = -1
            while (batch := read_file(file, max(0, end), {}, final=True)).end > end:
                end = batch.end
                for _, point in batch.points:
                    if point.kind == "graph" and isinstance(point.value, Media):
                        yield point.value.blobs[0].data


@pytest.mark.parametrize(
    "case", ["hostile/graph_malformed", "lightning", "tf2_summary", "torch_tb"]
)
def test_every_graph_of_the_corpus_is_the_same(corpus: Path, case: str) -> None:
    found = list(_logged_graphs(corpus / case / "logs"))

    assert found
    for data in found:
        for plugin in ("graphs", "graph_meta", "graph_run_metadata_graph"):
            read_by_both(data, plugin)


@pytest.mark.parametrize("most", [3, 5, 6])
def test_of_too_many_nodes_the_first_are_read_and_it_is_said(
    monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(graph_def_module, "_MAX_NODES", most)
    rows: list[Row] = [(name, "A", ()) for name in ("a", "b", "é", "d", "e", "f")]

    graph = read_by_both(graph_def(rows))

    assert len(graph.names) == most
    assert len(graph.problems) == (most < len(rows))


def test_plain_nodes_are_never_parsed_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    need_core()
    parsed: list[str] = []
    monkeypatch.setattr(graph_def_module, "_take_node", lambda *told: parsed.append(told[-1]))
    graph = GraphDef.FromString(model(10, 10))
    graph.library.function.add(node_def=graph.node)
    graph.node.add(name="é")

    found = read_graph(graph.SerializeToString())

    assert parsed == [f"Node {len(graph.node)} of the graph"]
    assert len(found.names) == 2 * (len(graph.node) - 1)


def test_names_that_stand_twice_cost_the_core_nothing() -> None:
    rows: list[Row] = [("a", "A", ("b",)), ("a", "A", ("a",)), ("b", "B", ("a (2)", "^a"))]

    graph = read_by_both(graph_def(rows))

    assert graph.names == ("a", "a (2)", "b")
    assert list(zip(graph.source.tolist(), graph.target.tolist(), strict=True)) == [
        (2, 0),
        (0, 1),
        (1, 2),
        (0, 2),
    ]


def test_a_node_that_makes_way_takes_its_inputs_along() -> None:
    """As writers of ONNX graphs have it: the output is listed first, as a variable."""
    need_core()
    rows: list[Row] = [("y", "Variable", ()), ("z", "B", ("y",)), ("é", "A", ())]
    rows += [("y", "Relu", ("é",)), ("x", "B", ("y",))]

    graph = read_by_both(graph_def(rows))

    assert graph.names == ("y (output)", "z", "é", "y", "x")
    assert list(zip(graph.source.tolist(), graph.target.tolist(), strict=True)) == [
        (3, 0),
        (3, 1),
        (2, 3),
        (3, 4),
    ]


def test_a_variable_that_is_read_is_counted_where_it_stands_if_it_is_in_the_graph() -> None:
    nodes = [
        NodeDef(name="read", op="ReadVariableOp", input=["held"]),
        NodeDef(name="argument", op="ReadVariableOp", input=["f/Resource:0"]),
        NodeDef(name="held", op="VarHandleOp"),
    ]
    for node in nodes[:2]:
        node.attr["_output_shapes"].list.shape.add().dim.add(size=5)
    nodes[2].attr["shape"].shape.dim.add(size=5)

    graph = read_by_both(GraphDef(node=nodes).SerializeToString())

    assert graph.parameters.tolist() == [0, 5, 5]


def test_a_function_that_ends_early_costs_what_is_missing() -> None:
    graph = GraphDef()
    function = graph.library.function.add(node_def=[NodeDef(name=name) for name in "abc"])
    function.signature.name = "f"
    part = function.SerializeToString()[:-1]
    library, data = bytearray(), bytearray()
    put(library, 1, part)
    put(data, 2, library)

    found = read_by_both(bytes(data))

    assert found.names == ("functions/f/a", "functions/f/b")
    assert len(found.problems) == 1
    assert found.problems[0].startswith("The function cannot be read from byte")


def test_attributes_are_read_from_what_was_kept_of_a_node() -> None:
    graph = read_by_both(_small())

    assert dict(read_attributes(graph.packed[-1])) == {}
    assert dict(read_attributes(graph.packed[5])) == {
        "f": "",
        "shape": "3",
        "value": "float32 [4], 16 B",
    }
