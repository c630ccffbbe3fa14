"""TensorBoard's projector opens what `add_embedding` leaves, in text and in binary."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from orgboard import SummaryWriter
from support.frameworks import framework

projector = framework("tensorboard.plugins.projector.projector_plugin")
base_plugin = framework("tensorboard.plugins.base_plugin")


def opened(logdir: Path) -> tuple[list[Any], Any]:
    """Let the projector read a logdir; give its entries and the points that it loaded."""
    plugin = projector.ProjectorPlugin(base_plugin.TBContext(logdir=str(logdir)))
    plugin._update_configs()
    return list(plugin._configs["."].embeddings), plugin.tensor_cache


@pytest.mark.parametrize("number", [5, 5000])
def test_the_projector_reads_the_points(tmp_path: Path, number: int) -> None:
    points = np.random.default_rng(7).normal(size=(number, 100))
    with SummaryWriter(tmp_path) as writer:
        writer.add_embedding(points, [str(at) for at in range(number)], tag="a b/ü", global_step=3)

    (entry,), cache = opened(tmp_path)
    assert list(entry.tensor_shape) == [number, 100]
    assert entry.tensor_name == "a b/ü:00003"
    read = cache.get((".", entry.tensor_name))
    np.testing.assert_array_equal(read, points.astype(np.float32))
    assert (tmp_path / entry.metadata_path).read_text().split() == [str(at) for at in range(number)]


def test_the_projector_reads_embeddings_of_every_writer_in_one_run(tmp_path: Path) -> None:
    points = np.ones((3, 2))
    for at, module in enumerate(("torch.utils.tensorboard", "tensorboardX")):
        with framework(module).SummaryWriter(str(tmp_path)) as peer:
            peer.add_embedding(points, tag=f"theirs{at}")
        with SummaryWriter(tmp_path) as writer:
            writer.add_embedding(points, tag=f"ours{at}")

    entries, _ = opened(tmp_path)
    assert [entry.tensor_name for entry in entries] == [
        "theirs0:00000",
        "ours0:00000",
        "theirs1:00000",
        "ours1:00000",
    ]
