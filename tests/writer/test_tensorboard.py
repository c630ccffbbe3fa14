"""TensorBoard reads what our writer wrote: same tags, steps, times and values, kind by kind."""

from __future__ import annotations

import base64
import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from orgboard import SummaryWriter
from orgboard_schema.wire.graph_pb2 import GraphDef, NodeDef
from orgboard_schema.wire.hparams_pb2 import HParamsPluginData
from support.tensorboard import TensorBoard

WALL = 1_700_000_000.125

# The first test to ask for TensorBoard may have to install it.
pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def shown(tensorboard: TensorBoard, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Log one value or more of every kind, and let TensorBoard read it all."""
    logdir = tmp_path_factory.mktemp("logs")
    with SummaryWriter(logdir) as writer:
        for step in range(5):
            writer.add_scalar("train/loss", 1 / (step + 1), step * 10, walltime=WALL + step)
        writer.add_scalar("double", 0.1, 1, walltime=WALL, double_precision=True)
        writer.add_scalars("both", {"a": 1.0, "b": 2.0}, 3, walltime=WALL)
        writer.add_histogram("weights", np.arange(100) / 128, 7, walltime=WALL)
        writer.add_image("picture", PIXELS, 8, walltime=WALL, dataformats="HWC")
        writer.add_text("note", "# Hello", 9, walltime=WALL)
        writer.add_graph(GraphDef(node=[NodeDef(name="input", op="Placeholder")]))
        writer.add_hparams({"lr": 0.1, "bn": True}, {"acc": 0.5}, run_name="trial")
    return tensorboard.read(logdir)


PIXELS = np.arange(5 * 4 * 3, dtype=np.uint8).reshape(5, 4, 3)


def values(run: dict[str, Any], tag: str) -> list[Any]:
    return [value for value in run["values"] if value["tag"] == tag]


def test_tensorboard_shows_the_scalars(shown: dict[str, Any]) -> None:
    found = values(shown["."], "train/loss")

    assert [(v["step"], v["wall_time"], v["value"]) for v in found] == [
        (step * 10, WALL + step, float(np.float32(1 / (step + 1)))) for step in range(5)
    ]
    assert {v["plugin"] for v in found} == {"scalars"}
    assert values(shown["."], "double")[0]["value"] == 0.1
    assert shown["."]["scalars"]["train/loss"] == [
        [v["wall_time"], v["step"], v["value"]] for v in found
    ]


def test_tensorboard_shows_scalars_of_one_tag_as_runs(shown: dict[str, Any]) -> None:
    assert values(shown["both_a"], "both")[0]["value"] == 1.0
    assert values(shown["both_b"], "both")[0]["value"] == 2.0


def test_tensorboard_shows_the_histogram(shown: dict[str, Any]) -> None:
    (found,) = values(shown["."], "weights")
    buckets = found["value"]

    assert (found["step"], found["wall_time"], found["plugin"]) == (7, WALL, "histograms")
    assert sum(count for _, _, count in buckets) == 100
    assert (buckets[0][0], buckets[-1][1]) == (0.0, 99 / 128)


def test_tensorboard_shows_the_image(shown: dict[str, Any]) -> None:
    (found,) = values(shown["."], "picture")
    width, height, png = map(base64.b64decode, found["value"])

    assert (found["step"], found["plugin"], width, height) == (8, "images", b"4", b"5")
    with Image.open(io.BytesIO(png)) as image:
        assert np.array_equal(np.asarray(image), PIXELS)


def test_tensorboard_shows_the_text(shown: dict[str, Any]) -> None:
    (found,) = values(shown["."], "note/text_summary")

    assert (found["step"], found["plugin"]) == (9, "text")
    assert [base64.b64decode(each) for each in found["value"]] == [b"# Hello"]


def test_tensorboard_knows_every_tag_of_a_run(shown: dict[str, Any]) -> None:
    tags = ["__run_graph__", "double", "note/text_summary", "picture", "train/loss", "weights"]

    assert shown["."]["tags"] == tags


def test_tensorboard_shows_the_graph(shown: dict[str, Any]) -> None:
    assert shown["."]["nodes"] == ["input"]


def test_tensorboard_shows_the_hyperparameters(shown: dict[str, Any]) -> None:
    (found,) = values(shown["trial"], "_hparams_/session_start_info")
    start = HParamsPluginData.FromString(base64.b64decode(found["content"])).session_start_info

    assert found["plugin"] == "hparams"
    assert start.hparams["lr"].number_value == 0.1
    assert start.hparams["bn"].bool_value is True
    assert values(shown["trial"], "acc")[0]["value"] == 0.5


def test_tensorboard_minds_no_record_of_ours(tensorboard: TensorBoard, tmp_path: Path) -> None:
    with SummaryWriter(tmp_path, context=True) as writer:
        writer.add_scalar("before", 1.0, 1, walltime=WALL)
        writer.annotate("a remark", 2)
        writer.add_scalar("wrong", "text", 1)
        writer.log({"after": 2.0, "and": 3.0}, 3, walltime=WALL)

    run = tensorboard.read(tmp_path)["."]

    assert run["scalars"] == {
        "before": [[WALL, 1, 1.0]],
        "after": [[WALL, 3, 2.0]],
        "and": [[WALL, 3, 3.0]],
    }
    ours = {value["tag"]: value["plugin"] for value in run["values"] if "orgboard" in value["tag"]}
    assert ours == dict.fromkeys(
        ("orgboard/annotation", "orgboard/context", "orgboard/dropped"), "orgboard"
    )


PEER = """
import sys
import numpy as np
from tensorboardX import SummaryWriter

with SummaryWriter(sys.argv[1]) as writer:
    for name, sample, options in np.load(sys.argv[2], allow_pickle=True):
        writer.add_histogram(name, sample, 1, walltime=1.0, **options)
"""


def test_histograms_equal_those_of_tensorboardx(tensorboard: TensorBoard, tmp_path: Path) -> None:
    random = np.random.default_rng(7)
    cases: list[tuple[str, Any, dict[str, Any]]] = [
        ("normal", random.normal(size=1000), {}),
        ("float32", random.normal(size=1000).astype(np.float32), {}),
        ("zeros", np.zeros(10), {}),
        ("spread", np.array([1e-13, -5, 3e7]), {}),
        ("integers", np.arange(20), {"bins": "auto"}),
        ("ten bins", np.arange(20.0), {"bins": 10}),
        ("edges", np.arange(20.0), {"bins": [0.0, 5.0, 30.0]}),
        ("merged", random.normal(size=5000), {"max_bins": 100}),
        ("few", random.normal(size=5000), {"max_bins": 7}),
        ("nan", np.array([np.nan, 1.0, 2.0]), {}),
    ]
    given = np.empty((len(cases), 3), dtype=object)
    for row, (name, sample, options) in enumerate(cases):
        given[row, 0], given[row, 1], given[row, 2] = name.replace(" ", "_"), sample, options
    np.save(tmp_path / "cases.npy", given, allow_pickle=True)

    with SummaryWriter(tmp_path / "ours") as writer:
        for name, sample, options in given:
            writer.add_histogram(name, sample, 1, walltime=1.0, **options)
    tensorboard.run(PEER, tmp_path / "theirs", tmp_path / "cases.npy")
    ours = tensorboard.read(tmp_path / "ours")["."]["values"]
    theirs = tensorboard.read(tmp_path / "theirs")["."]["values"]

    # As bytes: NaN equals nothing, itself included.
    assert [_bits(value) for value in ours] == [_bits(value) for value in theirs]


def _bits(value: dict[str, Any]) -> tuple[str, bytes]:
    flat = [number for bucket in value["value"] for number in bucket]
    return value["tag"], struct.pack(f"{len(flat)}d", *flat)
