"""Keras models whose JSON leaves shapes out: what follows is inferred, and said to be."""

# ruff: noqa: RUF001 - sizes are told with a multiplication sign

from __future__ import annotations

import json
from typing import Any

import pytest

from orgboard_dashboard.graphs.asked import card_of, layers
from orgboard_dashboard.graphs.keras_parameters import count_parameters
from orgboard_dashboard.graphs.keras_shapes import output_shape
from orgboard_dashboard.graphs.reading import read_graph
from orgboard_dashboard.graphs.tree import Tree, build_tree


def layer(kind: str, name: str, built: list[Any] | None = None, **config: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"class_name": kind, "config": {"name": name, **config}}
    return {**made, "build_config": {"input_shape": built}} if built else made


def tied(kind: str, name: str, *sources: str, **config: Any) -> dict[str, Any]:
    inbound = [[[source, 0, 0, {}] for source in sources]] if sources else []
    made = layer(kind, name)
    made["config"] |= config
    return {**made, "name": name, "inbound_nodes": inbound}


def sequential(*chain: dict[str, Any]) -> Tree:
    model = {"class_name": "Sequential", "config": {"layers": list(chain)}}
    return build_tree(read_graph(json.dumps(model).encode()))


def functional(*nodes: dict[str, Any]) -> Tree:
    config = {
        "layers": list(nodes),
        "input_layers": [[nodes[0]["name"], 0, 0]],
        "output_layers": [[nodes[-1]["name"], 0, 0]],
    }
    return build_tree(
        read_graph(json.dumps({"class_name": "Functional", "config": config}).encode())
    )


CONV: dict[str, Any] = {"filters": 4, "kernel_size": [3, 3], "strides": [1, 1], "padding": "valid"}
POOL: dict[str, Any] = {"pool_size": [2, 2], "strides": [2, 2], "padding": "valid"}


def test_shapes_that_the_model_leaves_out_follow_from_its_settings_and_are_said_to() -> None:
    # As Keras 3 writes it: what was built tells what went in, and the last layer nothing.
    tree = sequential(
        layer("InputLayer", "in", batch_shape=[None, 28, 28, 1]),
        layer("Conv2D", "conv", [None, 28, 28, 1], use_bias=True, **CONV),
        layer("MaxPooling2D", "pool", **POOL),
        layer("Flatten", "flat"),
        layer("Dense", "hidden", [None, 676], units=16, use_bias=True),
        layer("Dense", "out", [None, 16], units=10, use_bias=False),
    )

    listed, _, parameters = layers(tree)

    assert [(row.path, row.shape, row.is_inferred, row.parameters) for row in listed] == [
        ("in", "?×28×28×1", False, 0),
        ("conv", "?×26×26×4", True, 40),
        ("pool", "?×13×13×4", True, 0),
        # The next layer was built for it.
        ("flat", "?×676", False, 0),
        ("hidden", "?×16", False, 676 * 16 + 16),
        ("out", "?×10", True, 160),
    ]
    assert parameters == 40 + 676 * 16 + 16 + 160
    item = tree.find("out")
    assert item
    assert card_of(tree, item).item.is_inferred


def test_without_any_build_config_shapes_and_parameters_follow_from_the_input() -> None:
    tree = sequential(
        layer("InputLayer", "in", batch_input_shape=[None, 8]),
        layer("Dense", "a", units=4, use_bias=True),
        layer("Activation", "b"),
        layer("Dense", "c", units=2, use_bias=True),
    )

    listed, _, parameters = layers(tree)

    assert [row.shape for row in listed] == ["?×8", "?×4", "?×4", "?×2"]
    assert parameters == 36 + 10


def test_what_keras_2_says_of_a_first_layer_is_what_goes_into_it() -> None:
    tree = sequential(layer("Dense", "a", batch_input_shape=[None, 8], units=4, use_bias=True))

    (row,) = layers(tree)[0]

    assert (row.shape, row.parameters) == ("?×4", 36)


def test_branches_are_inferred_in_whatever_order_the_file_has_them() -> None:
    nodes = [
        tied("InputLayer", "x", batch_shape=[None, 6]),
        tied("Concatenate", "both", "left", "right", axis=-1),
        tied("Dense", "left", "x", units=3),
        tied("Dense", "right", "x", units=4),
        tied("Add", "sum", "left", "left"),
    ]

    shapes = {row.path: row.shape for row in layers(functional(*nodes))[0]}

    assert shapes == {"x": "?×6", "both": "?×7", "left": "?×3", "right": "?×4", "sum": "?×3"}


def test_a_kind_that_nobody_knows_has_no_shape_and_those_behind_it_neither() -> None:
    tree = sequential(
        layer("InputLayer", "in", batch_shape=[None, 8]),
        layer("MyOwn", "mine"),
        layer("Dense", "out", units=2),
    )

    assert [row.shape for row in layers(tree)[0]] == ["?×8", "", ""]
    assert tree.graph.uncounted == 2


def test_a_layer_that_is_called_again_takes_one_input_at_a_time() -> None:
    twice = tied("Dense", "shared", "x", units=2, use_bias=True)
    twice["inbound_nodes"] = [[["x", 0, 0, {}]], [["y", 0, 0, {}]]]
    merge = tied("Add", "again", "x", "shared")
    merge["inbound_nodes"] = [[["x", 0, 0, {}], ["x", 0, 0, {}]], [["y", 0, 0, {}]] * 2]

    tree = functional(
        tied("InputLayer", "x", batch_shape=[None, 4]),
        tied("InputLayer", "y", batch_shape=[None, 4]),
        twice,
        merge,
    )

    shapes = {row.path: (row.shape, row.parameters) for row in layers(tree)[0]}
    assert shapes["shared"] == ("?×2", 10)
    assert shapes["again"] == ("", 0)


def test_a_cycle_of_layers_ends() -> None:
    tree = functional(tied("Dense", "a", "b", units=2), tied("Dense", "b", "a", units=2))

    assert [row.shape for row in layers(tree)[0]] == ["", ""]


@pytest.mark.parametrize(
    ("kind", "config", "given", "expected"),
    [
        ("Conv1D", {"filters": 2, "kernel_size": [3], "padding": "causal"}, (-1, 9, 4), (-1, 3, 2)),
        ("Conv2D", {**CONV, "padding": "same", "strides": [2, 2]}, (1, 9, 8, 3), (1, 5, 4, 4)),
        ("Conv2D", {**CONV, "data_format": "channels_first"}, (1, 3, 9, 8), (1, 4, 7, 6)),
        ("Conv2D", {**CONV, "dilation_rate": [2, 2]}, (1, 9, 9, 3), (1, 5, 5, 4)),
        ("Conv2D", CONV, (1, -1, 9, 3), (1, -1, 7, 4)),
        ("GlobalAveragePooling2D", {}, (1, 7, 7, 5), (1, 5)),
        ("GlobalMaxPooling1D", {"keepdims": True}, (1, 7, 5), (1, 1, 5)),
        ("UpSampling2D", {"size": [2, 3]}, (1, 4, 4, 5), (1, 8, 12, 5)),
        ("ZeroPadding2D", {"padding": [[1, 2], [0, 3]]}, (1, 4, 4, 5), (1, 7, 7, 5)),
        ("Cropping1D", {"cropping": [1, 2]}, (1, 9, 5), (1, 6, 5)),
        ("Reshape", {"target_shape": [-1, 4]}, (2, 3, 8), (2, 6, 4)),
        ("Permute", {"dims": [2, 1]}, (1, 3, 4), (1, 4, 3)),
        ("LSTM", {"units": 7, "return_sequences": True}, (1, 5, 3), (1, 5, 7)),
        ("Embedding", {"output_dim": 8}, (1, 5), (1, 5, 8)),
    ],
)
def test_a_layer_gives_what_keras_says_that_it_gives(
    kind: str, config: dict[str, Any], given: tuple[int, ...], expected: tuple[int, ...]
) -> None:
    if kind == "Conv1D":
        config = {**config, "strides": [3]}

    assert output_shape(kind, config, [given]) == expected


@pytest.mark.parametrize(
    ("kind", "config", "given"),
    [
        ("Conv2D", {"filters": 2, "kernel_size": "large"}, (1, 2, 3, 4)),
        ("Conv2D", {**CONV, "strides": [0, 0]}, (1, 9, 9, 4)),
        ("Dense", {}, (1, 2)),
        ("Reshape", {"target_shape": [-1, 0]}, (1, 2)),
        ("RepeatVector", {"n": 2}, (1, 2, 3)),
        ("Bidirectional", {"layer": None}, (1, 2, 3)),
        ("Permute", {"dims": [9]}, (1, 2)),
    ],
)
def test_settings_that_make_no_sense_tell_no_shape(
    kind: str, config: dict[str, Any], given: tuple[int, ...]
) -> None:
    assert output_shape(kind, config, [given]) is None


@pytest.mark.parametrize(
    ("kind", "config", "given", "expected"),
    [
        ("Dense", {"units": 3}, (1, 4), 15),
        ("Dense", {"units": 3}, (1, -1), None),
        ("Dense", {"units": "many"}, (1, 4), None),
        ("MyOwn", {}, (1, 4), None),
        ("Flatten", {}, (1, 4), 0),
        ("Conv2D", {**CONV, "data_format": "channels_first"}, (1, 2, 9, 9), 4 * (9 * 2 + 1)),
    ],
)
def test_parameters_that_nothing_tells_are_not_taken_for_none(
    kind: str, config: dict[str, Any], given: tuple[int, ...], expected: int | None
) -> None:
    assert count_parameters(kind, config, [given]) == expected
