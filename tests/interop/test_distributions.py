"""The bands of our distributions are TensorBoard's, by its own code."""

from __future__ import annotations

import numpy as np
import pytest

from orgboard_dashboard.histograms.nine import BANDS, interpolated
from support.frameworks import framework

compressor = framework("tensorboard.plugins.distribution.compressor")

SHAPES = (
    "normal",
    "uniform",
    "atoms",
    "holes",
    "tails",
    "one",
    "empty counts",
    "TensorBoard's edges",
)


def made(shape: str, seed: int) -> list[tuple[float, float, float]]:
    """Make a histogram of this shape."""
    rng = np.random.default_rng(seed)
    low, high = sorted(rng.normal(0, 10, 2).tolist())
    edges = np.linspace(low, high, int(rng.integers(2, 40)))
    counts = rng.integers(0, 1000, len(edges) - 1).astype(float)
    if shape == "normal":
        counts, edges = np.histogram(rng.normal(3, 2, 10_000), 30)
    elif shape == "atoms":
        edges = np.repeat(edges, 2)
        counts = rng.integers(0, 50, len(edges) - 1)
    elif shape == "holes":
        counts[rng.random(len(counts)) < 0.7] = 0
    elif shape == "tails":
        counts[0], counts[-1] = 1e9, 1
    elif shape == "one":
        edges, counts = edges[:2], counts[:1]
    elif shape == "empty counts":
        counts[:] = 0
    elif shape == "TensorBoard's edges":
        positive = 1e-12 * 1.1 ** np.arange(300)
        edges = np.concatenate([-positive[::-1], [0], positive])
        counts, _ = np.histogram(rng.normal(0, 0.01, 100_000), edges)
    counts = np.asarray(counts, np.float64)
    return list(zip(edges[:-1].tolist(), edges[1:].tolist(), counts.tolist(), strict=True))


def test_the_nine_percentiles_are_tensorboards() -> None:
    assert [round(100 * band) for band in BANDS] == list(compressor.NORMAL_HISTOGRAM_BPS)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_bands_are_tensorboards(shape: str) -> None:
    places = np.array(compressor.NORMAL_HISTOGRAM_BPS, np.float64)
    for seed in range(50):
        rows = made(shape, seed)

        left, right, count = np.array(rows).T
        found = interpolated(left, right, count, places)

        theirs = [band[1] for band in compressor.compress_histogram(rows)]
        assert found == pytest.approx(np.array(theirs), rel=1e-6, abs=0)
