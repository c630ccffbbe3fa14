"""The examples in `writer/INTEGRATIONS.md` run as they stand there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.documents import Example, examples_of
from support.frameworks import framework
from support.runs_read import runs_below

PAGE = Path(__file__).parents[2] / "writer" / "INTEGRATIONS.md"

RUNS = {
    "A plain script": ["first", "*"],
    "Keras": ["keras"],
    "Lightning": ["line/version_0"],
    "Transformers": ["bert"],
    "Accelerate": ["first"],
    "Optuna": ["search/trial-0", "search/trial-1", "search/trial-2"],
    "Ray Tune": ["*"],
}
"""What each example leaves in `runs`."""


def keras_model() -> dict[str, Any]:
    """Make what the page takes for granted: a model and data."""
    keras = framework("keras")
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return {"model": model, "x": keras.ops.ones((10, 2)), "y": keras.ops.ones((10, 1))}


def bert() -> dict[str, Any]:
    """Make a model of some hundred weights and data."""
    torch, transformers = framework("torch"), framework("transformers")
    framework("accelerate")
    config = transformers.BertConfig(
        vocab_size=16,
        hidden_size=4,
        num_hidden_layers=1,
        num_attention_heads=1,
        intermediate_size=4,
    )
    sentence = {"input_ids": torch.zeros(4, dtype=torch.long), "labels": torch.tensor(1)}
    return {"model": transformers.BertForSequenceClassification(config), "data": [sentence] * 4}


def trainable() -> dict[str, Any]:
    """Make a search of one result, kept under `runs`."""

    def train(config: dict[str, Any]) -> dict[str, float]:
        return {"loss": config["lr"]}

    return {"trainable": train, "storage": str(Path("runs").absolute())}


GIVEN = {"Keras": keras_model, "Transformers": bert, "Ray Tune": trainable}
NEEDS = {
    "Lightning": "lightning",
    "Accelerate": "accelerate",
    "Optuna": "optuna",
    "Ray Tune": "ray",
}


@pytest.mark.parametrize("example", examples_of(PAGE), ids=lambda example: example.heading)
def test_an_example_runs_and_leaves_the_runs_that_it_names(
    example: Example,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    if example.heading == "Ray Tune":
        request.getfixturevalue("ray_cluster")
    if example.heading in NEEDS:
        framework(NEEDS[example.heading])
    monkeypatch.chdir(tmp_path)
    given = GIVEN.get(example.heading, dict)()

    exec(compile(example.code, f"{PAGE.name}: {example.heading}", "exec"), given)

    if example.heading == "Lightning":
        given["trainer"].logger.log_metrics({"loss": 1.0}, 0)
        given["trainer"].logger.finalize("success")
    expected = RUNS[example.heading]
    found = runs_below(tmp_path / "runs")
    assert len(found) == len(expected)
    assert set(expected) - {"*"} <= set(found)


def test_every_framework_on_the_page_has_an_example() -> None:
    assert {example.heading for example in examples_of(PAGE)} == set(RUNS)
