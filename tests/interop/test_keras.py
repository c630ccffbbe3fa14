"""The Keras callback logs what `fit` reports, on each backend."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from orgboard_schema.wire.graph_pb2 import GraphDef
from support.frameworks import framework
from support.runs_read import RunRead, as_stored, read_run, runs_below

framework("keras")

# A backend is chosen when Keras is imported, so each has a process of its own.
TRAINING = """
import json, os, sys
import numpy as np
import keras
from orgboard.integrations.keras import OrgboardCallback

logdir, backend = sys.argv[1:]
assert keras.backend.backend() == backend

class Batches(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.seen = []
    def on_train_batch_end(self, batch, logs=None):
        self.seen.append(float(logs["loss"]))

keras.utils.set_random_seed(1)
x = np.random.default_rng(1).normal(size=(24, 3)).astype("float32")
y = x @ np.array([[1.0], [2.0], [3.0]], "float32")
inputs = keras.Input((3,), name="features")
hidden = keras.layers.Dense(4, activation="relu", name="hidden")(inputs)
both = keras.layers.Concatenate(name="both")([inputs, hidden])
model = keras.Model(inputs, keras.layers.Dense(1, name="answer")(both), name="tiny")
model.compile(keras.optimizers.Adam(0.01), loss="mse", metrics=["mae"])

callback = OrgboardCallback(logdir, update_freq=2, histogram_freq=2, config={"note": "first"})
batches = Batches()
history = model.fit(
    x, y, batch_size=6, epochs=3, validation_split=1 / 3, shuffle=False, verbose=0,
    callbacks=[batches, callback],
)
weights = {w.path: keras.ops.convert_to_numpy(w).tolist() for w in model.weights}
evaluated = model.evaluate(x, y, verbose=0, return_dict=True, callbacks=[callback])
callback.writer.close()
print(json.dumps({
    "history": history.history, "batches": batches.seen, "weights": weights,
    "evaluated": {name: float(value) for name, value in evaluated.items()},
    "dropped": callback.writer.dropped,
}))
"""


def train(logdir: Path, backend: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", TRAINING, logdir, backend],
        env={**os.environ, "KERAS_BACKEND": backend, "KERAS_HOME": str(logdir.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    reported: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return reported


@pytest.fixture(scope="module", params=["tensorflow", "jax", "torch"])
def trained(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, Any], RunRead, Path]:
    framework(request.param)
    logdir = tmp_path_factory.mktemp(request.param) / "run"
    return train(logdir, request.param), read_run(logdir), logdir


def test_a_training_is_one_run_with_the_metrics_of_its_history(
    trained: tuple[dict[str, Any], RunRead, Path],
) -> None:
    reported, run, logdir = trained

    assert runs_below(logdir) == ["."]
    assert set(reported["history"]) == {"loss", "mae", "val_loss", "val_mae"}
    for name, values in reported["history"].items():
        assert run.scalars[f"epoch/{name}"] == as_stored([0, 1, 2], values)
    assert run.scalars["epoch/learning_rate"] == as_stored([0, 1, 2], [0.01] * 3)
    assert reported["dropped"] == 0


def test_every_second_batch_is_logged_by_the_count_of_steps(
    trained: tuple[dict[str, Any], RunRead, Path],
) -> None:
    reported, run, _ = trained

    steps = [2, 4, 6, 8]
    assert len(reported["batches"]) == 9
    values = [reported["batches"][step - 1] for step in steps]
    assert run.scalars["batch/loss"] == as_stored(steps, values)


def test_an_evaluation_outside_of_fit_is_logged_at_the_step_reached(
    trained: tuple[dict[str, Any], RunRead, Path],
) -> None:
    reported, run, _ = trained

    for name, value in reported["evaluated"].items():
        assert run.scalars[f"evaluation/{name}"] == as_stored([9], [value])


def test_weights_are_histograms_at_the_epochs_asked_for(
    trained: tuple[dict[str, Any], RunRead, Path],
) -> None:
    reported, run, _ = trained

    assert len(reported["weights"]) == 4
    for path, values in reported["weights"].items():
        points = run.points[f"weights/{path}"]
        flat = np.asarray(values, np.float32).ravel()
        assert [step for step, _ in points] == [0, 2]
        assert points[-1][1].value.num == flat.size
        assert points[-1][1].value.min == flat.min()


def test_settings_graph_and_end_are_logged(
    trained: tuple[dict[str, Any], RunRead, Path],
) -> None:
    _, run, _ = trained

    assert run.hparams["optimizer/name"] == "adam"
    assert run.hparams["optimizer/learning_rate"] == pytest.approx(0.01)
    assert run.hparams["loss"] == "mse"
    assert run.hparams["epochs"] == 3
    assert run.hparams["model/parameters"] == 24
    assert run.hparams["note"] == "first"
    assert (run.outcome, run.is_closed) == ("success", True)
    [(_, point)] = [
        point for points in run.points.values() for point in points if point[1].kind == "graph"
    ]
    graph = GraphDef.FromString(point.value.blobs[0].data)
    assert {node.name: list(node.input) for node in graph.node} == {
        "features": [],
        "hidden": ["features"],
        "both": ["features", "hidden"],
        "answer": ["both"],
    }
