"""Real models as the graphs page has them: scopes, shapes, parameters, layers, differences."""

# ruff: noqa: RUF001 - sizes are told with a multiplication sign

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest

from orgboard import SummaryWriter
from orgboard_dashboard.graphs.asked import layers
from orgboard_dashboard.graphs.difference import compare
from orgboard_dashboard.graphs.opened import MAX_CHILDREN, open_scope
from orgboard_dashboard.graphs.reading import read_graph
from orgboard_dashboard.graphs.tree import Tree, build_tree
from support.frameworks import framework
from support.graphs import loaded, log
from support.runs_read import read_run

torch = framework("torch")
theirs = framework("torch.utils.tensorboard")
keras = framework("keras")
tensorflow = framework("tensorflow")
onnx = framework("onnx")
nn = torch.nn


BLOCKS = (3, 4, 6, 3)
"""A ResNet-50's: bottlenecks in each of its four stages."""


class Bottleneck(nn.Module):  # type: ignore[misc,name-defined]
    """Three convolutions around a shortcut, as in a ResNet-50."""

    def __init__(self, given: int, width: int, stride: int) -> None:
        super().__init__()
        wide = 4 * width
        self.conv1 = nn.Conv2d(given, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, wide, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(wide)
        self.relu = nn.ReLU(inplace=True)
        self.downsample: Any = None
        if stride != 1 or given != wide:
            self.downsample = nn.Sequential(
                nn.Conv2d(given, wide, 1, stride, bias=False), nn.BatchNorm2d(wide)
            )

    def forward(self, x: Any) -> Any:
        kept = x if self.downsample is None else self.downsample(x)
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.relu(self.bn2(self.conv2(y)))
        return self.relu(self.bn3(self.conv3(y)) + kept)


def resnet50() -> Any:
    """Make a ResNet-50, as torchvision has it: 25 557 032 parameters."""
    layers: dict[str, Any] = {
        "conv1": nn.Conv2d(3, 64, 7, 2, padding=3, bias=False),
        "bn1": nn.BatchNorm2d(64),
        "relu": nn.ReLU(inplace=True),
        "maxpool": nn.MaxPool2d(3, 2, padding=1),
    }
    given = 64
    for stage, count in enumerate(BLOCKS):
        width, blocks = 64 << stage, []
        for block in range(count):
            blocks.append(Bottleneck(given, width, 2 if stage and not block else 1))
            given = 4 * width
        layers[f"layer{stage + 1}"] = nn.Sequential(*blocks)
    layers |= {
        "avgpool": nn.AdaptiveAvgPool2d(1),
        "flat": nn.Flatten(),
        "fc": nn.Linear(given, 1000),
    }
    return nn.Sequential(OrderedDict(layers))


def tree_in(directory: Path) -> Tree:
    return build_tree(read_graph(loaded(directory).Graph().SerializeToString()))


def every_scope(tree: Tree) -> int:
    """Open all scopes, each within its bounds; return how many there are."""
    scopes = [item for item in tree.items if item.kind != "node"]
    assert all(len(open_scope(tree, scope).children) <= MAX_CHILDREN for scope in scopes)
    return len(scopes)


@pytest.mark.parametrize("writer", ["ours", "theirs"])
def test_a_torch_resnet_50_is_scopes_of_its_modules(tmp_path: Path, writer: str) -> None:
    model = resnet50().eval()
    made = theirs.SummaryWriter(str(tmp_path)) if writer == "theirs" else SummaryWriter(tmp_path)
    made.add_graph(model, torch.zeros(1, 3, 32, 32))
    made.close()

    tree = tree_in(tmp_path)

    assert sum(parameter.numel() for parameter in model.parameters()) == 25_557_032
    paths = tree.items.paths
    blocks = [path for path in paths if path.rpartition("/")[2].startswith("Bottleneck[")]
    listed, _, parameters = layers(tree)
    convolutions = [row for row in listed if row.path.rpartition("/")[2].startswith("Conv2d[")]
    assert len(blocks) >= sum(BLOCKS)
    assert len(convolutions) == 1 + 3 * sum(BLOCKS) + len(BLOCKS)
    assert convolutions[0].shape == "1×64×16×16"
    # Torch's own writer names the weights and leaves their shapes out.
    assert parameters == (25_557_032 if writer == "ours" else 0)
    assert tree.problems == ()
    assert every_scope(tree) > 64


def test_a_torch_transformer_opens_scope_by_scope(tmp_path: Path) -> None:
    layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
    log(
        tmp_path, nn.TransformerEncoder(layer, 3, enable_nested_tensor=False), torch.zeros(1, 5, 16)
    )

    tree = tree_in(tmp_path)

    assert sum("TransformerEncoderLayer[" in item.label for item in tree.items) >= 3
    assert tree.problems == ()
    assert every_scope(tree) > 10


def test_another_width_of_a_torch_module_is_another_shape(tmp_path: Path) -> None:
    for name, width in (("a", 8), ("b", 12)):
        log(tmp_path / name, nn.Sequential(nn.Linear(4, width), nn.ReLU()), torch.zeros(1, 4))

    found = compare(tree_in(tmp_path / "a"), tree_in(tmp_path / "b"))

    assert found.counts.keys() == {"shape"}
    assert ("1×8", "1×12") in {(change.before, change.after) for change in found.changes}


def test_a_keras_network_has_the_shapes_and_parameters_that_keras_counts() -> None:
    network = keras.Sequential(
        [
            keras.layers.Input((28, 28, 1)),
            keras.layers.Conv2D(8, 3),
            keras.layers.BatchNormalization(),
            keras.layers.MaxPooling2D(),
            keras.layers.Flatten(),
            keras.layers.Dense(32),
            keras.layers.LayerNormalization(),
            keras.layers.Dense(10),
        ]
    )

    tree = build_tree(read_graph(network.to_json().encode()))

    listed, total, parameters = layers(tree)
    assert parameters == network.count_params()
    assert [row.parameters for row in listed if row.parameters] == [
        layer.count_params() for layer in network.layers if layer.count_params()
    ]
    assert total == 1 + len(network.layers)
    assert next(row.shape for row in listed if row.kind == "Conv2D") == "?×26×26×8"


L = keras.layers
KERAS_LAYERS: dict[str, tuple[Any, tuple[int | None, ...]]] = {
    "dense": (lambda: L.Dense(3), (7,)),
    "conv1d": (lambda: L.Conv1D(3, 5, padding="causal", dilation_rate=2), (20, 4)),
    "conv2d": (lambda: L.Conv2D(6, (3, 5), strides=(2, 1), groups=2), (20, 21, 4)),
    "conv2d same": (lambda: L.Conv2D(6, 3, strides=2, padding="same", use_bias=False), (9, 8, 4)),
    "conv2d first": (lambda: L.Conv2D(6, 3, data_format="channels_first"), (4, 9, 8)),
    "conv2d any size": (lambda: L.Conv2D(6, 3), (None, None, 4)),
    "conv3d": (lambda: L.Conv3D(2, 3), (5, 6, 7, 2)),
    "transposed": (lambda: L.Conv2DTranspose(3, 5, strides=2), (4, 5, 6)),
    "transposed same": (lambda: L.Conv2DTranspose(3, 3, strides=2, padding="same"), (4, 5, 6)),
    "depthwise": (lambda: L.DepthwiseConv2D(3, depth_multiplier=2), (8, 9, 3)),
    "separable": (lambda: L.SeparableConv2D(5, 3, depth_multiplier=2), (8, 9, 3)),
    "max pool": (lambda: L.MaxPooling2D(3, strides=2), (10, 11, 3)),
    "average pool": (lambda: L.AveragePooling1D(2, padding="same"), (11, 3)),
    "global pool": (lambda: L.GlobalAveragePooling2D(keepdims=True), (4, 5, 6)),
    "flatten": (lambda: L.Flatten(), (4, 5, 6)),
    "reshape": (lambda: L.Reshape((-1, 6)), (4, 9)),
    "permute": (lambda: L.Permute((2, 1)), (4, 9)),
    "repeat": (lambda: L.RepeatVector(3), (9,)),
    "upsampling": (lambda: L.UpSampling2D((2, 3)), (4, 5, 6)),
    "padding": (lambda: L.ZeroPadding2D(((1, 2), (0, 3))), (4, 5, 6)),
    "padding 1d": (lambda: L.ZeroPadding1D((1, 2)), (4, 5)),
    "cropping": (lambda: L.Cropping2D(1), (4, 5, 6)),
    "embedding": (lambda: L.Embedding(11, 4), (5,)),
    "batch norm": (lambda: L.BatchNormalization(axis=1), (5, 3)),
    "layer norm": (lambda: L.LayerNormalization(axis=[1, 2]), (5, 3)),
    "group norm": (lambda: L.GroupNormalization(3), (5, 6)),
    "lstm": (lambda: L.LSTM(4, return_sequences=True), (5, 3)),
    "gru": (lambda: L.GRU(4), (5, 3)),
    "rnn": (lambda: L.SimpleRNN(4, use_bias=False), (5, 3)),
    "bidirectional": (lambda: L.Bidirectional(L.LSTM(4)), (5, 3)),
    "bidirectional sum": (lambda: L.Bidirectional(L.GRU(4), merge_mode="sum"), (5, 3)),
    "each step": (lambda: L.TimeDistributed(L.Conv2D(2, 3)), (3, 8, 8, 1)),
    "dropout": (lambda: L.SpatialDropout2D(0.5), (4, 5, 6)),
}


@pytest.mark.parametrize("name", KERAS_LAYERS)
def test_a_shape_that_keras_does_not_write_is_the_one_that_it_computes(name: str) -> None:
    make, given = KERAS_LAYERS[name]
    network = keras.Sequential([L.Input(given), make()])
    told = json.loads(network.to_json())
    for layer in told["config"]["layers"]:
        layer.pop("build_config", None)

    rows, _, parameters = layers(build_tree(read_graph(json.dumps(told).encode())))

    shape = "×".join("?" if size is None else str(size) for size in network.output_shape)
    assert (rows[-1].shape, rows[-1].is_inferred) == (shape, True)
    assert parameters == network.count_params()


def test_attention_and_merging_layers_are_counted_as_keras_counts_them() -> None:
    given = L.Input((5, 8))
    seen = L.MultiHeadAttention(2, 3, value_dim=5)(given, L.Dense(6)(given))
    sums = L.Add()([given, seen])
    network = keras.Model(given, L.Concatenate(axis=1)([sums, L.ReLU()(given)]))

    rows, _, parameters = layers(build_tree(read_graph(network.to_json().encode())))

    assert parameters == network.count_params()
    assert [row.shape for row in rows if row.kind == "Concatenate"] == ["?×10×8"]


# A backend is chosen when Keras is imported, so each has a process of its own.
TRAINING = """
import sys
import numpy as np
import keras

logdir, backend = sys.argv[1:]
assert keras.backend.backend() == backend
layers = keras.layers
model = keras.Sequential([
    layers.Input((12, 12, 1)), layers.Conv2D(4, 3, activation="relu"), layers.MaxPooling2D(),
    layers.BatchNormalization(), layers.Flatten(), layers.Dense(10, activation="softmax"),
])
model.compile("adam", "sparse_categorical_crossentropy")
x, y = np.zeros((8, 12, 12, 1), "float32"), np.arange(8) % 10
model.fit(x, y, verbose=0, callbacks=[keras.callbacks.TensorBoard(logdir, write_graph=True)])
print(model.count_params(), len(model.layers))
"""


@pytest.mark.parametrize("backend", ["tensorflow", "torch"])
def test_what_keras_own_callback_logs_of_a_network_is_its_layers(
    tmp_path: Path, backend: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", TRAINING, tmp_path / "logs", backend],
        env={**os.environ, "KERAS_BACKEND": backend, "KERAS_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    count, layer_count = map(int, done.stdout.split()[-2:])

    run = read_run(tmp_path / "logs" / "train")
    [point] = [one for found in run.points.values() for _, one in found if one.kind == "graph"]
    tree = build_tree(read_graph(point.value.blobs[0].data, "graph_keras_model"))

    listed, total, parameters = layers(tree)
    assert tree.problems == ()
    assert total == 1 + layer_count
    assert parameters == count
    assert [row.kind for row in listed][:2] == ["InputLayer", "Conv2D"]


def test_a_keras_model_of_branches_has_their_edges() -> None:
    given = keras.Input((8,), name="given")
    left = keras.layers.Dense(4, name="left")(given)
    right = keras.layers.Dense(4, name="right")(given)
    model = keras.Model(given, keras.layers.Add(name="both")([left, right]))

    graph = read_graph(model.to_json().encode())

    named = {
        (graph.names[source], graph.names[target])
        for source, target in zip(graph.source.tolist(), graph.target.tolist(), strict=True)
    }
    assert named == {("given", "left"), ("given", "right"), ("left", "both"), ("right", "both")}


def test_an_onnx_file_is_shown_with_its_weights(tmp_path: Path) -> None:
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    weight = onnx.numpy_helper.from_array(torch.zeros(4, 3).numpy(), "weight")
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["x", "weight"], ["y"], "matmul"),
            helper.make_node("Relu", ["y"], ["z"], "relu"),
        ],
        "g",
        [helper.make_tensor_value_info("x", kind, [2, 4])],
        [helper.make_tensor_value_info("z", kind, [2, 3])],
        [weight],
    )
    onnx.save(helper.make_model(graph), tmp_path / "m.onnx")
    with SummaryWriter(tmp_path / "run") as writer:
        writer.add_onnx_graph(str(tmp_path / "m.onnx"))

    tree = tree_in(tmp_path / "run")

    assert dict(zip(tree.graph.names, tree.graph.ops, strict=True)) == {
        "x": "Variable",
        "z (output)": "Variable",
        "y": "MatMul",
        "z": "Relu",
        "weight": "initializer",
    }
    assert tree.problems == ()
    assert layers(tree)[2] == 12


def test_a_tf2_function_of_thousands_of_nodes_is_read_and_opened(tmp_path: Path) -> None:
    @tensorflow.function  # type: ignore[untyped-decorator]
    def deep(x: Any) -> Any:
        for block in range(60):
            with tensorflow.name_scope(f"block_{block}"):
                for _ in range(30):
                    x = tensorflow.nn.relu(tensorflow.matmul(x, x) + 1.0)
        return x

    graph = deep.get_concrete_function(tensorflow.TensorSpec((4, 4))).graph
    data = graph.as_graph_def(add_shapes=True).SerializeToString()

    tree = build_tree(read_graph(data))

    assert len(tree.graph.names) >= 5000
    assert tree.problems == ()
    assert every_scope(tree) >= 60
