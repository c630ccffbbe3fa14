"""Files with graphs from people's disks: what each is read as, and what is refused, in words."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgboard._encoding import protobuf as pb
from orgboard._graphs.graph_def import encode_graph
from orgboard._graphs.onnx import read_onnx
from orgboard_dashboard.graphs.difference import compare
from orgboard_dashboard.graphs.files import binary, onnx, refused, text
from orgboard_dashboard.graphs.files.reading import read_file
from orgboard_dashboard.graphs.files.refused import NotAGraph
from orgboard_dashboard.graphs.files.text import MAX_DEPTH, read_text
from orgboard_dashboard.graphs.reading import read_graph
from orgboard_dashboard.graphs.tree import Tree, build_tree
from orgboard_schema.wire.graph_pb2 import GraphDef
from orgboard_schema.wire.tensor_pb2 import DataType
from support.graph_defs import CHAIN, Row, graph_def
from support.graph_files import (
    as_text,
    meta_graph,
    onnx_model,
    onnx_operation,
    onnx_weight,
    saved_model,
)

WHOLE = graph_def(CHAIN)
LAYERS = json.dumps(
    {
        "class_name": "Sequential",
        "config": {"layers": [{"class_name": "Dense", "config": {"name": "d", "units": 3}}]},
    }
).encode()
AXIS = pb.text(1, "axis") + pb.whole(3, -1) + pb.whole(20, 2)
OPERATIONS = [
    onnx_operation("Gemm", ["x", "w", "b"], "h", AXIS),
    onnx_operation("Relu", ["h"], "y"),
]
MODEL = onnx_model(OPERATIONS, [onnx_weight("w", 64, 64), onnx_weight("b", 64)])

FILES = {
    "net.pb": WHOLE,
    "net.pbtxt": as_text(WHOLE),
    "net.meta": meta_graph(WHOLE),
    "saved_model.pb": saved_model(WHOLE, WHOLE),
    "net.onnx": MODEL,
    "net.json": LAYERS,
}


def tree(name: str, data: bytes) -> Tree:
    return build_tree(read_graph(read_file(name, data).graph))


def refusal(name: str, data: bytes) -> str:
    with pytest.raises(NotAGraph) as raised:
        read_file(name, data)
    return str(raised.value)


def rich() -> GraphDef:
    """Return a graph with every form of attribute, and a function."""
    graph = GraphDef.FromString(WHOLE)
    attr = graph.node[0].attr
    attr["T"].type = DataType.DT_FLOAT
    attr["s"].s = b"\x00\xff\"'\\\n\xc3\xa9"
    attr["f"].f = 1.5
    attr["inf"].f = float("-inf")
    attr["b"].b = True
    attr["i"].i = -(2**63)
    attr["shape"].shape.dim.add(size=-1, name=b"batch")
    attr["unknown"].shape.unknown_rank = True
    attr["func"].func.name = "inner"
    attr["func"].func.attr["deep"].list.i.extend([1, -2, 2**63 - 1])
    attr["list"].list.s.extend([b"a", b"b"])
    attr["types"].list.type.extend([DataType.DT_INT64, DataType.DT_BOOL])
    attr["value"].tensor.dtype = DataType.DT_INT32
    attr["value"].tensor.tensor_shape.dim.add(size=2)
    attr["value"].tensor.int_val.extend([7, 8])
    graph.node[1].device = "/device:GPU:0"
    function = graph.library.function.add()
    function.signature.name = "inner"
    function.signature.input_arg.add(name="a", type=DataType.DT_FLOAT)
    function.node_def.add(name="twice", op="Add", input=["a", "a"])
    function.ret["out"] = "twice:z:0"
    graph.versions.producer = 1882
    return graph


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("net.pb", "graph_def"),
        ("net.pbtxt", "graph_text"),
        ("net.meta", "meta_graph"),
        ("saved_model.pb", "saved_model"),
        ("net.onnx", "onnx"),
        ("net.json", "keras"),
    ],
)
def test_a_file_is_what_its_bytes_say_whatever_it_is_called(name: str, kind: str) -> None:
    for called in (name, "net", "net.onnx", "net.pb"):
        assert read_file(called, FILES[name]).kind == kind


@pytest.mark.parametrize("name", ["net.pb", "net.pbtxt", "net.meta", "saved_model.pb"])
def test_a_graph_is_the_same_in_whatever_message_it_comes(name: str) -> None:
    assert read_file(name, FILES[name]).graph == WHOLE


def test_text_says_what_the_binary_says() -> None:
    graph = rich()

    kind, message = read_text(as_text(graph.SerializeToString()))

    assert kind == "graph_def"
    assert GraphDef.FromString(message) == graph


numbers = st.integers(-(2**63), 2**63 - 1)
floats = st.floats(width=32, allow_nan=False)
attributes = st.one_of(
    st.binary(max_size=30).map(lambda value: ("s", value)),
    numbers.map(lambda value: ("i", value)),
    floats.map(lambda value: ("f", value)),
    st.booleans().map(lambda value: ("b", value)),
)


@given(st.lists(st.tuples(st.text(max_size=20), st.text(max_size=9), attributes), max_size=5))
def test_any_node_reads_alike_as_text_and_binary(rows: list[tuple[str, str, Any]]) -> None:
    graph = GraphDef()
    graph.versions.producer = 1
    for name, op, (way, value) in rows:
        node = graph.node.add(name=name, op=op)
        setattr(node.attr["x"], way, value)

    _, message = read_text(as_text(graph.SerializeToString()))

    assert GraphDef.FromString(message) == graph


def test_text_is_read_in_every_spelling_that_protobuf_takes() -> None:
    said = b"""# a graph
        node < name: 'a' "b"; op: "Op" , input: ["x:1", '^y'] input: "\\172\\x7a\\u00e9" >
        node: [{ name: "x" op: "X" attr { key: "n" value { i: 0x10 } } }, { name: "y" op: "Y" }]
        node { name: "f" op: "F" attr { key: "f" value { f: 1.5f } }
          attr { key: "o" value { i: 010 } } attr { key: "t" value { type: DT_OF_THE_FUTURE } }
          attr { key: "l" value { list { i: [1, 2 , 3] b: t b: False f: inf } } }
          of_the_future { more: [1, {x: 2}] text: "}" } [of.another] { a: 1 } }
        version: 3
    """

    graph = GraphDef.FromString(read_text(said)[1])

    first, x, _, last = graph.node
    assert (first.name, first.op, list(first.input)) == ("ab", "Op", ["x:1", "^y", "zz\u00e9"])
    assert (x.attr["n"].i, last.attr["o"].i, last.attr["f"].f) == (16, 8, 1.5)
    listed = last.attr["l"].list
    assert (list(listed.i), list(listed.b), list(listed.f)) == (
        [1, 2, 3],
        [True, False],
        [float("inf")],
    )
    assert graph.version == 3


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (rb"\x41\101\n\"\'\\", b"AA\n\"'\\"),
        (rb"\0\12\x4\XFf\?\q", b"\x00\n\x04\xff?q"),
        (rb"\u00e9\U0001f600\UFFFFFFFF", "\u00e9\U0001f600?".encode()),
        (rb"\777\300", b"\xff\xc0"),
        (rb"\000\377" * 1000, b"\x00\xff" * 1000),
    ],
)
def test_escapes_mean_what_they_mean_in_c(written: bytes, meant: bytes) -> None:
    text = b'node { name: "a" op: "A" attr { key: "s" value { s: "' + written + b'" } } }'

    assert GraphDef.FromString(read_text(text)[1]).node[0].attr["s"].s == meant


def test_an_onnx_file_is_the_graph_that_the_writer_logs_of_it() -> None:
    logged = build_tree(read_graph(encode_graph(read_onnx(MODEL))))

    opened = tree("net.onnx", MODEL)

    assert opened.graph.names == ("x", "y (output)", "h", "y", "w", "b")
    assert compare(logged, opened).counts == {}
    assert int(opened.parameters[-1]) == 64 * 64 + 64


def test_weights_and_constants_are_left_out_of_what_is_kept() -> None:
    heavy = onnx_model(OPERATIONS, [onnx_weight("w", 1024, 1024), onnx_weight("b", 64)])
    graph = GraphDef.FromString(WHOLE)
    tensor = graph.node[1].attr["value"].tensor
    tensor.tensor_shape.dim.add(size=250_000)
    tensor.tensor_content = bytes(1_000_000)
    graph.node[2].attr["value"].tensor.float_val.extend([0.5] * 50_000)
    whole = graph.SerializeToString()

    assert len(read_file("net.onnx", heavy).graph) < 1000
    assert len(read_file("net.pb", whole).graph) < 6000
    assert len(read_file("net.pbtxt", as_text(whole)).graph) < 6000
    shape = tree("net.pbtxt", as_text(whole)).graph.packed[1]
    assert b"value" in shape


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.pb", b"", "as a GraphDef, a MetaGraphDef or a SavedModel: it is empty."),
        ("a.pb", b"\xff" * 200, "from byte 0 on it cannot be read"),
        ("a.pb", WHOLE[:-7], "It may have been cut off"),
        ("a.pb", b"\x0a\x03abc", "its node 1, 3 bytes from byte 2 on, cannot be read"),
        ("a.pb", b"\x0a\x00\x0a\x00", "no node in it has a name and an operation"),
        ("a.pb", pb.whole(1, 1) + pb.blob(2, pb.text(1, "x")), "a MetaGraphDef without a graph"),
        ("a.pb", b"\x18\x01", "it has no node"),
        ("a.onnx", MODEL[:-9], "an ONNX model: from byte"),
        ("a.onnx", pb.whole(1, 8) + pb.text(8, "t"), "an ONNX model without a graph"),
        ("a.onnx", onnx_model([b"\x0a\x09"]), "its graph cannot be read (a field ends beyond"),
        ("a.onnx", onnx_model([]), "no node in it has an operation"),
        ("a.pbtxt", as_text(WHOLE)[:-9], "it ends within a message: it may have been cut off"),
        ("a.pbtxt", b'node { name: "a', "in line 1, a text has no end"),
        ("a.pbtxt", b'node { name: "a" }\n}', "in line 2, “}” ends nothing"),
        ("a.pbtxt", b'node { name: "a" }\nnodes { }', "in line 2, “nodes” is no field"),
        ("a.pbtxt", b'node { attr { value { i: "x" } } }', "“x” is no value of such a field"),
        ("a.pbtxt", b"node { attr { value { i: 99999999999999999999 } } }", "is no value"),
        ("a.pbtxt", b"ir_version: 8", "an ONNX model as text: save it as a binary .onnx file"),
        ("a.pbtxt", b"layer { }", "a network of Caffe"),
        ("a.pbtxt", b"hello, world", "no graph begins with “hello”"),
        ("a.json", b"{}", "a Keras model: The JSON has no list of layers"),
        ("a.json", b'{"a": ' * 10_000, "The JSON of the model cannot be read"),
        ("a.keras", b"PK\x03\x04" + bytes(40), "a zip archive"),
        ("a.h5", b"\x89HDF\r\n\x1a\n", "an HDF5 file: save the model's model.to_json()"),
        ("a.pb.gz", b"\x1f\x8b\x08\x00", "packed with gzip: unpack it first"),
        ("a.png", b"\x89PNG\r\n\x1a\n", "a picture"),
    ],
)  # fmt: skip
def test_what_is_no_whole_graph_is_refused_in_words(name: str, data: bytes, words: str) -> None:
    said = refusal(name, data)

    assert words in said
    assert said.startswith(f"“{name}” cannot be opened as a")


def test_a_graph_that_is_whole_and_strange_is_opened_and_what_is_strange_is_said() -> None:
    deep = "/".join("d" for _ in range(5000))
    rows: list[Row] = [
        ("a", "A", ("c",)),
        ("b", "B", ("a",)),
        ("c", "C", ("b", "gone")),
        ("a", "Again", ("a",)),
        (f"{deep}/x", "X", ("a",)),
    ]

    for name, data in (("a.pb", graph_def(rows)), ("a.pbtxt", as_text(graph_def(rows)))):
        named, dangling, depth = tree(name, data).problems
        assert named == "More than one node is named “a”."
        assert dangling == "“c” takes “gone”, which is not in the graph."
        assert depth.startswith("Scopes stand more than 200 deep")


@pytest.mark.parametrize("opening", [b"node {", b"node { attr { value { func <", b"x: [{", b"x {"])
def test_text_that_nests_for_ever_is_refused_at_a_depth(opening: bytes) -> None:
    said = refusal("a.pbtxt", b'node { name: "a" bogus { ' + opening * 500_000)

    assert f"messages stand more than {MAX_DEPTH} deep" in said


def test_messages_that_nest_for_ever_are_refused() -> None:
    inner = b""
    for _ in range(200):
        # AttrValue.func of NameAttrList.attr of AttrValue.
        inner = pb.blob(10, pb.blob(2, pb.text(1, "k") + pb.blob(2, inner, always=True)))
    node = pb.text(1, "a") + pb.text(2, "A") + pb.blob(5, pb.text(1, "f") + pb.blob(2, inner))

    assert "its node 1" in refusal("a.pb", pb.blob(1, node))


def test_a_length_that_promises_more_than_there_is_costs_nothing() -> None:
    promised = b"\x0a" + pb.varint(1 << 33) + b"abc"
    within = pb.text(1, "a") + pb.text(2, "Const") + b"\x2a" + pb.varint(1 << 40)

    assert "from byte 0 on it cannot be read" in refusal("a.pb", promised)
    assert "its node 1" in refusal("a.pb", pb.blob(1, within))
    assert "cut off" in refusal("a.onnx", pb.whole(1, 8) + b"\x3a" + pb.varint(1 << 33) + b"abc")


def test_more_nodes_than_are_looked_at_are_refused_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in (refused, binary, onnx):
        monkeypatch.setattr(module, "MAX_NODES", 500)
    monkeypatch.setattr(binary, "_MOST_FIELDS", 1000)
    monkeypatch.setattr(text, "_MOST_STEPS", 5000)
    node = pb.blob(1, pb.text(1, "a") + pb.text(2, "A"))
    operation = onnx_operation("A", [], "a")

    most = "it has more than 500 nodes, the most that are opened"
    assert most in refusal("a.pb", node * 501)
    assert most in refusal("a.onnx", onnx_model([operation] * 501))
    assert most in refusal("a.pbtxt", b'node{name:"a"op:"A"}' * 501)
    assert "too many parts: at most 500" in refusal("a.pb", b"\x0a\x00" * 1001)
    assert "too many parts: at most 500" in refusal("a.pbtxt", b"node{x:1}" * 5000)
    assert len(tree("a.pb", node * 500).graph.names) == 500


def test_a_node_of_millions_of_parts_is_refused() -> None:
    inputs = pb.text(1, "a") + pb.text(2, "A") + b"\x1a\x00" * 600_000
    taken = pb.text(2, "y") + pb.text(4, "A") + b"\x0a\x00" * 200_000
    dims = pb.text(1, "x") + pb.blob(2, pb.blob(1, pb.blob(2, b"\x0a\x00" * 200_000)))
    graph = pb.whole(1, 9) + pb.blob(7, pb.blob(1, OPERATIONS[0]) + b"\x30\x00" * 900_000)

    assert "too many edges" in refusal("a.pb", pb.blob(1, inputs) * 2)
    assert "more than 100000 fields" in refusal("a.onnx", onnx_model([taken]))
    value = pb.whole(1, 9) + pb.blob(7, pb.blob(11, dims))
    assert "more than 100000 fields" in refusal("a.onnx", value)
    assert "more than 800000 fields" in refusal("a.onnx", graph)


def test_an_attribute_of_millions_of_numbers_is_not_printed() -> None:
    floats = pb.text(1, "v") + pb.blob(7, bytes(4_000_000)) + pb.whole(20, 6)
    apart = pb.text(1, "v") + b"\x40\x00" * 1_000_000

    kept = read_file("a.onnx", onnx_model([onnx_operation("A", [], "y", floats, apart)])).graph

    assert b"(large constant)" in kept
    assert len(kept) < 1000


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_was_cut_anywhere_is_a_graph_or_refused(name: str) -> None:
    data = FILES[name]
    for end in range(0, len(data), 1 + len(data) // 400):
        _read_or_refuse(name, data[:end])


@given(st.sampled_from(sorted(FILES)), st.data())
def test_a_file_with_other_bytes_is_a_graph_or_refused(name: str, draws: st.DataObject) -> None:
    data = bytearray(FILES[name])
    for _ in range(draws.draw(st.integers(1, 4))):
        data[draws.draw(st.integers(0, len(data) - 1))] = draws.draw(st.integers(0, 255))

    _read_or_refuse(name, bytes(data))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_graph_or_refused(data: bytes) -> None:
    _read_or_refuse("a", data)
    _read_or_refuse("a.pbtxt", b"node {" + data)


def _read_or_refuse(name: str, data: bytes) -> None:
    try:
        found = read_file(name, data)
    except NotAGraph:
        return
    assert build_tree(read_graph(found.graph)).graph.names
