"""`add_onnx_graph` and `add_openvino_graph`: the graphs are those of torch and tensorboardX."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from orgboard import SummaryWriter
from support.frameworks import framework
from support.graphs import loaded

onnx = framework("onnx")
helper = framework("onnx.helper")
theirs = framework("torch.utils.tensorboard._onnx_graph")
tensorboardx = framework("tensorboardX")
FLOAT, INT64, STRING = onnx.TensorProto.FLOAT, onnx.TensorProto.INT64, onnx.TensorProto.STRING


def value(name: str, kind: int, shape: list[Any] | None) -> Any:
    return helper.make_tensor_value_info(name, kind, shape)


def constant(name: str, tensor: Any) -> Any:
    return helper.make_node("Constant", [], [name], value=tensor)


def small_model() -> Any:
    """Every form of attribute that is not a graph, and all that a tensor may hold."""
    weights = np.arange(2000.0, dtype=np.float32).reshape(2, 1000)
    nodes = [
        helper.make_node("Conv", ["x", "w", ""], ["y", "second"], kernel_shape=[3, 3], group=0),
        helper.make_node("LeakyRelu", ["y"], ["z"], alpha=0.1, name="leaky"),
        helper.make_node("Upsample", ["z"], ["u"], mode="nearest", scales=[1.0, 2.5, -0.0]),
        helper.make_node("Tokenizer", ["t"], ["v"], pads=[-1, 0, 1 << 40], separators=["a", "é\n"]),
        helper.make_node("Custom", ["u"], ["out"], domain="mine", doc_string="said"),
        constant("raw", onnx.numpy_helper.from_array(np.array([[1, -2]], np.int64), "raw\"'\\é")),
        constant("floats", helper.make_tensor("f", FLOAT, [4], [0.1, 1e30, 1 / 3, -0.0])),
        constant("doubles", helper.make_tensor("d", onnx.TensorProto.DOUBLE, [2], [0.1, 2 / 3])),
        constant("wholes", helper.make_tensor("i", onnx.TensorProto.INT32, [2], [-7, 7])),
        constant("strings", helper.make_tensor("s", STRING, [1], [b"\x00\n\t\"'\\a\xff"])),
        constant(
            "unsigned", helper.make_tensor("q", onnx.TensorProto.UINT64, [1], [(1 << 64) - 1])
        ),
    ]
    nodes[0].attribute.append(helper.make_attribute("described", 5, doc_string="why"))
    graph = helper.make_graph(
        nodes,
        "small",
        [
            value("x", FLOAT, ["batch", 3, 8, 8]),
            value("t", STRING, []),
            value("scalar", INT64, None),
        ],
        [value("out", FLOAT, [1, 4])],
        [onnx.numpy_helper.from_array(weights, "w")],
    )
    return helper.make_model(graph)


def as_theirs(graph: Any) -> Any:
    """Leave out the nodes that only our writer has: the weights."""
    for node in [node for node in graph.node if node.op == "initializer"]:
        graph.node.remove(node)
    return graph


@pytest.mark.parametrize("is_input", [False, True])
def test_weights_have_their_shapes_and_are_counted(tmp_path: Path, is_input: bool) -> None:
    weights: dict[str, Any] = {
        "w": np.zeros((3, 4), np.float32),
        "large": np.zeros((4, 3000), np.float16),
    }
    weights |= {"sizes": np.array([2, 3]), "one": np.array(1.5)}
    nodes = [helper.make_node("Custom", ["x", *weights], ["y"])]
    inputs = [value("x", FLOAT, [1, 3])]
    inputs += [value(name, FLOAT, list(held.shape)) for name, held in weights.items() if is_input]
    held = [onnx.numpy_helper.from_array(array, name) for name, array in weights.items()]
    held[0] = helper.make_tensor("w", FLOAT, [3, 4], [0.5] * 12)
    model = helper.make_model(helper.make_graph(nodes, "g", inputs, [], held))

    with SummaryWriter(tmp_path) as writer:
        writer.add_onnx_graph(model)

    graph = loaded(tmp_path).Graph()
    told = {node.name: node for node in graph.node if node.attr["parameters"].HasField("i")}
    assert {name: node.attr["parameters"].i for name, node in told.items()} == {
        "w": 12,
        "large": 12_000,
        "sizes": 0,
        "one": 1,
    }
    shape = "shape" if is_input else "_output_shapes"
    sizes = told["large"].attr[shape]
    dims = sizes.shape.dim if is_input else sizes.list.shape[0].dim
    assert [dim.size for dim in dims] == [4, 3000]
    assert len(graph.node) == 2 + len(weights)


def test_an_onnx_graph_is_that_of_the_other_writers(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "small.onnx"
    onnx.save(small_model(), file)

    with SummaryWriter(tmp_path / "ours") as writer:
        writer.add_onnx_graph(str(file))
    assert capfd.readouterr().out == ""
    with tensorboardx.SummaryWriter(str(tmp_path / "tensorboardX")) as other:
        other.add_onnx_graph(str(file))

    shown = as_theirs(loaded(tmp_path / "ours").Graph())
    assert shown == theirs.load_onnx_graph(str(file))
    assert shown == loaded(tmp_path / "tensorboardX").Graph()
    assert len(shown.node) == 15
    assert writer.dropped == 0


def test_a_model_may_be_given_as_a_message_its_bytes_or_a_path(tmp_path: Path) -> None:
    file = tmp_path / "small.onnx"
    model = small_model()
    onnx.save(model, file)
    expected = theirs.load_onnx_graph(str(file))

    for number, given in enumerate([model, model.SerializeToString(), file]):
        with SummaryWriter(tmp_path / str(number)) as writer:
            writer.add_onnx_graph(given)
        assert as_theirs(loaded(tmp_path / str(number)).Graph()) == expected
    with SummaryWriter(tmp_path / "named") as writer:
        writer.add_onnx_graph(onnx_model_file=file)
    assert as_theirs(loaded(tmp_path / "named").Graph()) == expected


def test_a_graph_inside_of_a_node_and_a_large_constant_are_named_and_left_out(
    tmp_path: Path,
) -> None:
    branch = helper.make_graph([], "branch", [], [value("y", FLOAT, [1])])
    large = onnx.numpy_helper.from_array(np.zeros(5000, np.float32), "large")
    nodes = [
        helper.make_node("If", ["c"], ["y"], then_branch=branch, else_branch=branch),
        constant("weights", large),
    ]
    graph = helper.make_graph(nodes, "g", [value("c", FLOAT, [1])], [])

    with SummaryWriter(tmp_path) as writer:
        writer.add_onnx_graph(helper.make_model(graph))

    shown = {node.name: node.attr["parameters"].s for node in loaded(tmp_path).Graph().node}
    assert sorted(shown.pop("y").split(b", ")) == [
        b"else_branch = (graph) = 5",
        b"then_branch = (graph) = 5",
    ]
    assert shown["weights"] == b"value = (large constant) = 4"


OPENVINO = """<?xml version="1.0"?>
<net name="small" version="11">
  <layers>
    <layer id="0" name="x" type="Parameter"><data shape="1,3"/></layer>
    <layer id="1" name="weights" type="Const"/>
    <layer id="2" name="net/multiply" type="MatMul">
      <layers><layer id="0" name="inner" type="If"/></layers>
    </layer>
    <layer id="3" name="result &amp; all" type="Result"/>
  </layers>
  <edges>
    <edge from-layer="0" from-port="0" to-layer="2" to-port="0"/>
    <edge from-layer="1" from-port="0" to-layer="2" to-port="1"/>
    <edge from-layer="2" from-port="2" to-layer="3" to-port="0"/>
  </edges>
</net>
"""


def test_an_openvino_graph_is_that_of_tensorboardx(tmp_path: Path) -> None:
    file = tmp_path / "small.xml"
    file.write_text(OPENVINO)
    with tensorboardx.SummaryWriter(str(tmp_path / "theirs")) as other:
        other.add_openvino_graph(str(file))

    with SummaryWriter(tmp_path / "ours") as writer:
        writer.add_openvino_graph(str(file))

    expected = loaded(tmp_path / "theirs").Graph()
    assert loaded(tmp_path / "ours").Graph() == expected
    assert len(expected.node) == 3
