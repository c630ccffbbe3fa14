"""Run metadata that TensorFlow logs of a step, as the graphs page has it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from orgboard_dashboard.graphs.measured import read_measured
from orgboard_dashboard.graphs.model import spelled
from orgboard_dashboard.graphs.reading import read_graph
from orgboard_dashboard.graphs.stats import join, ranked
from orgboard_dashboard.graphs.tree import Tree, build_tree
from support.frameworks import framework
from support.runs_read import read_run

tensorflow = framework("tensorflow")
v1 = tensorflow.compat.v1

TAG = "step_3"


class Stepped(NamedTuple):
    """What was logged of one step, and what TensorFlow itself says of it."""

    graph: bytes
    step: bytes
    said: Any


def network(layers: int) -> Any:
    """Make a network of layers whose names are scopes."""
    hidden = v1.placeholder(tensorflow.float32, [64, 256], name="x")
    for layer in range(layers):
        with v1.name_scope(f"net/layer_{layer}"):
            kernel = v1.get_variable(f"kernel_{layer}", [256, 256])
            hidden = tensorflow.nn.relu(
                tensorflow.matmul(hidden, kernel, name="MatMul"), name="relu"
            )
    return tensorflow.reduce_mean(hidden, name="loss")


@pytest.fixture(scope="module")
def stepped(tmp_path_factory: pytest.TempPathFactory) -> Stepped:
    """Run one step with a full trace, and log it with TensorFlow's writer."""
    logs = tmp_path_factory.mktemp("session")
    said = v1.RunMetadata()
    options = v1.RunOptions(trace_level=v1.RunOptions.FULL_TRACE)
    with tensorflow.Graph().as_default() as graph, v1.Session() as session:
        loss = network(3)
        session.run(v1.global_variables_initializer())
        fed = {"x:0": np.ones((64, 256), np.float32)}
        session.run(loss, fed, options=options, run_metadata=said)
        with v1.summary.FileWriter(str(logs), graph) as writer:
            writer.add_run_metadata(said, TAG, 3)
    logged = graphs_of(logs)
    return Stepped(logged["__run_graph__"], logged[TAG], said)


def graphs_of(logs: Path) -> dict[str, bytes]:
    """Give the newest bytes of each tag of a run's graphs."""
    return {
        tag: bytes(told[-1][1].value.blobs[0].data)
        for tag, told in read_run(logs).points.items()
        if told[-1][1].kind == "graph"
    }


@pytest.fixture(scope="module")
def tree(stepped: Stepped) -> Tree:
    return build_tree(read_graph(stepped.graph))


def test_every_node_took_what_tensorflow_says(stepped: Stepped, tree: Tree) -> None:
    stats = join(tree, read_measured(stepped.step))
    (device,) = stepped.said.step_stats.dev_stats
    names = set(tree.graph.names)
    said = {entry.node_name: entry for entry in device.node_stats if entry.node_name in names}

    rows = {
        tree.graph.names[item.node]: stats.detail(tree, item)
        for item in tree.items[tree.items.scopes : tree.items.scopes + tree.items.nodes]
    }

    assert {name for name, row in rows.items() if row.nodes} == said.keys()
    assert {"net/layer_0/MatMul", "net/layer_2/relu", "loss"} <= said.keys()
    for name, entry in said.items():
        shapes = [
            tuple(dim.size for dim in output.tensor_description.shape.dim)
            for output in entry.output
        ]
        assert rows[name].time == entry.all_end_rel_nanos
        assert rows[name].time // 1000 == pytest.approx(entry.all_end_rel_micros, abs=1)
        assert rows[name].memory == sum(memory.total_bytes for memory in entry.memory)
        assert rows[name].shapes == tuple(map(spelled, shapes))
        assert rows[name].devices == (device.device,)


def test_scopes_have_the_sums(stepped: Stepped, tree: Tree) -> None:
    stats = join(tree, read_measured(stepped.step))
    (device,) = stepped.said.step_stats.dev_stats
    net = [entry for entry in device.node_stats if entry.node_name.startswith("net/")]
    scope = tree.find("net")
    assert scope is not None

    figures = stats.figures(scope)

    assert figures.time == sum(entry.all_end_rel_nanos for entry in net)
    assert figures.memory == 3 * 64 * 256 * 4
    assert ranked(tree, stats, "scopes", "time")[0].path == "net"
    assert stats.summary().problems == ()


def test_a_profiled_function_is_a_graph_without_times(tmp_path: Path) -> None:
    @tensorflow.function  # type: ignore[untyped-decorator]
    def double(x: Any) -> Any:
        with tensorflow.name_scope("inner"):
            return x + x

    writer = tensorflow.summary.create_file_writer(str(tmp_path / "logs"))
    outside = str(tmp_path / "profile")
    tensorflow.summary.trace_on(graph=True, profiler=True, profiler_outdir=outside)
    double(tensorflow.ones((2, 2)))
    with writer.as_default():
        tensorflow.summary.trace_export("double", step=0)
    writer.close()

    data = graphs_of(tmp_path / "logs")["double"]
    tree = build_tree(read_graph(data, "graph_run_metadata", "double"))

    assert any(name.endswith("inner/add") for name in tree.graph.names)
    assert join(tree, read_measured(data)).summary().problems == ()
