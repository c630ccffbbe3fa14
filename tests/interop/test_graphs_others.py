"""`add_graph` of TensorFlow, Keras and jax: what TensorBoard shows of each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from orgboard_schema.wire.reader import read_file
from support.frameworks import framework
from support.graphs import loaded, log
from support.logged_runs import event_files

tensorflow = framework("tensorflow")
keras = framework("keras")
jax = framework("jax")
plugin_loaders = framework("tensorboard.backend.event_processing.event_file_loader")
keras_util = framework("tensorboard.plugins.graph.keras_util")


@tensorflow.function  # type: ignore[untyped-decorator]
def affine(x: Any) -> Any:
    return tensorflow.matmul(x, tensorflow.ones((3, 2))) + 1.0


def given() -> Any:
    return tensorflow.zeros((1, 3))


def test_a_tensorflow_graph_and_function_are_shown_as_they_are(tmp_path: Path) -> None:
    concrete = affine.get_concrete_function(given())
    expected = concrete.graph.as_graph_def()

    for number, arguments in enumerate(
        [(concrete,), (concrete.graph,), (expected,), (affine, given())]
    ):
        log(tmp_path / str(number), *arguments)
        shown = loaded(tmp_path / str(number)).Graph()
        assert [(node.name, node.op, list(node.input)) for node in shown.node] == [
            (node.name, node.op, list(node.input)) for node in expected.node
        ]


def test_the_weights_that_a_graph_holds_are_left_out(tmp_path: Path) -> None:
    weights = tensorflow.constant(np.random.default_rng(1).normal(size=(200, 200)))

    @tensorflow.function  # type: ignore[untyped-decorator]
    def multiply(x: Any) -> Any:
        return tensorflow.matmul(x, tensorflow.constant(weights.numpy()))

    log(tmp_path, multiply, tensorflow.zeros((1, 200), tensorflow.float64))

    shown = loaded(tmp_path).Graph()
    constants = [node for node in shown.node if node.op == "Const"]
    assert [node.attr["value"].s for node in constants] == [b"(large constant)"]
    assert constants[0].attr["dtype"].type == 2
    assert sum(file.stat().st_size for file in event_files(tmp_path)) < 10_000


def sequential() -> Any:
    return keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(8, name="first"), keras.layers.Dense(2, name="last")]
    )


def functional() -> Any:
    x = keras.Input((4,), name="x")
    left, right = keras.layers.Dense(3, name="left")(x), keras.layers.Dense(3, name="right")(x)
    return keras.Model(x, keras.layers.Add(name="sum")([left, right]))


@pytest.mark.parametrize("make", [sequential, functional])
def test_a_keras_model_is_what_kerass_own_callback_logs(make: Any, tmp_path: Path) -> None:
    model = make()
    callbacks = framework("keras.src.callbacks.tensorboard")
    with tensorflow.summary.create_file_writer(str(tmp_path / "theirs")).as_default():
        assert callbacks.keras_model_summary("keras", model, step=0)

    log(tmp_path / "ours", model)

    ours, theirs = (summary_of(tmp_path / name) for name in ("ours", "theirs"))
    assert ours.tag == theirs.tag == "keras"
    assert ours.metadata == theirs.metadata
    assert ours.tensor == theirs.tensor
    names = [node.name for node in keras_util.keras_model_to_graph_def(
        json.loads(ours.tensor.string_val[0])
    ).node]  # fmt: skip
    assert {name.rpartition("/")[2] for name in names} >= {layer.name for layer in model.layers}


def summary_of(directory: Path) -> Any:
    """Give the graph that TensorBoard's plugin finds in a directory with one file."""
    (file,) = directory.glob("*tfevents*")
    values = [
        value
        for event in plugin_loaders.EventFileLoader(str(file)).Load()
        for value in event.summary.value
    ]
    (value,) = [
        each for each in values if each.metadata.plugin_data.plugin_name == "graph_keras_model"
    ]
    return value


def test_our_own_reader_stores_a_keras_model_as_a_graph(tmp_path: Path) -> None:
    log(tmp_path, sequential())

    with event_files(tmp_path)[0].open("rb") as file:
        batch = read_file(file, 0, {})

    assert [point.tag for _, point in batch.points if point.kind == "graph"] == ["keras"]


def test_a_function_of_jax_is_traced_with_its_arguments(tmp_path: Path) -> None:
    def loss(weights: Any, x: Any) -> Any:
        with jax.named_scope("layer"):
            y = jax.numpy.tanh(x @ weights["w"])
        return (y * 2).sum(), x

    weights = {"w": jax.numpy.ones((3, 4))}

    log(tmp_path / "function", loss, (weights, jax.numpy.ones((2, 3))))
    log(tmp_path / "jaxpr", jax.make_jaxpr(loss)(weights, jax.numpy.ones((2, 3))))

    shown = {node.name: node for node in loaded(tmp_path / "function").Graph().node}
    dot = next(node for node in shown.values() if node.op == "dot_general")
    assert list(dot.input) == ["input/1", "input/0"]
    assert dot.name.startswith("layer/")
    assert [size.size for size in dot.attr["_output_shapes"].list.shape[0].dim] == [2, 4]
    assert list(shown["output/1"].input) == ["input/1"]
    assert loaded(tmp_path / "jaxpr").Graph() == loaded(tmp_path / "function").Graph()
