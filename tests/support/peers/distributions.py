"""Histograms and precision-recall curves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from support.frameworks import framework
from support.peers.cases import CLEANED, WALL, Case, Raises, calling

__all__ = ["cases"]


def cases() -> Iterator[Case]:
    """Give the cases of this family."""
    yield from _histograms()
    yield from _raw_histograms()
    yield from _pr_curves()


def _histograms() -> Iterator[Case]:
    torch = framework("torch")
    random = np.random.default_rng(7)
    samples: list[tuple[str, Any, dict[str, Any]]] = [
        ("normal float64", random.normal(size=1000), {}),
        ("normal float32", random.normal(size=1000).astype(np.float32), {}),
        ("float16", random.normal(size=100).astype(np.float16), {}),
        ("int64", np.arange(20), {}),
        ("uint8", np.arange(20, dtype=np.uint8), {}),
        ("bool", np.array([True, False, True]), {}),
        ("zeros", np.zeros(10), {}),
        ("all equal", np.full(7, 2.5), {}),
        ("one value", np.array([3.0]), {}),
        ("twelve magnitudes", np.array([1e-13, -5, 3e7]), {}),
        ("rank 3", random.normal(size=(3, 4, 5)), {}),
        ("float32 tensor", torch.arange(100.0) / 7, {}),
        ("tensor with gradient", (torch.arange(10.0) / 7).requires_grad_(), {}),
        ("bins='auto'", np.arange(20.0), {"bins": "auto"}),
        ("bins='fd'", random.normal(size=500), {"bins": "fd"}),
        ("bins=10", np.arange(20.0), {"bins": 10}),
        ("bins as edges", np.arange(20.0), {"bins": [0.0, 5.0, 30.0]}),
        ("max_bins=100", random.normal(size=5000), {"max_bins": 100}),
        ("max_bins=7", random.normal(size=5000), {"max_bins": 7}),
    ]
    for name, sample, options in samples:
        yield Case(
            "add_histogram",
            name,
            calling("add_histogram", "a", sample, 3, walltime=WALL, **options),
        )
    yield Case(
        "add_histogram",
        "a list",
        lambda w: w.add_histogram("a", [1.0, 2.0, 3.0], 3, walltime=WALL),
        torch=Raises("takes no list", "NotImplementedError"),
    )
    yield Case(
        "add_histogram",
        "a tag of many signs",
        lambda w: w.add_histogram("a b", np.arange(4.0), 3, walltime=WALL),
        tensorboardx=CLEANED,
    )


def _raw_histograms() -> Iterator[Case]:
    yield Case(
        "add_histogram_raw",
        "lists",
        lambda w: w.add_histogram_raw(
            "a", 0.0, 4.0, 10, 20.0, 60.0, [1.0, 2.0, 4.0], [3, 3, 4], 3, WALL
        ),
    )
    yield Case(
        "add_histogram_raw",
        "arrays",
        lambda w: w.add_histogram_raw(
            tag="a",
            min=np.float32(-1),
            max=1,
            num=5,
            sum=np.float64(0.5),
            sum_squares=3,
            bucket_limits=np.array([-1.0, 0.0, 1.0]),
            bucket_counts=np.array([0, 2, 3]),
            global_step=3,
            walltime=WALL,
        ),
    )


def _pr_curves() -> Iterator[Case]:
    torch = framework("torch")
    random = np.random.default_rng(7)
    labels = random.integers(0, 2, size=200)
    predictions = random.random(200)
    weights = random.random(200)
    given: list[tuple[str, Any, Any, dict[str, Any]]] = [
        ("arrays", labels, predictions, {}),
        ("float32 predictions", labels, predictions.astype(np.float32), {}),
        ("bool labels", labels.astype(bool), predictions, {}),
        ("tensors", torch.from_numpy(labels), torch.from_numpy(predictions), {}),
        ("rank 2", labels.reshape(20, 10), predictions.reshape(20, 10), {}),
        ("11 thresholds", labels, predictions, {"num_thresholds": 11}),
        ("more than 127 thresholds", labels, predictions, {"num_thresholds": 500}),
        ("weights", labels, predictions, {"weights": weights}),
        ("no positive", np.zeros(5, int), np.linspace(0, 1, 5), {}),
        ("no negative", np.ones(5, int), np.linspace(0, 1, 5), {}),
    ]
    for name, truth, scores, options in given:
        yield Case(
            "add_pr_curve",
            name,
            calling("add_pr_curve", "a b", truth, scores, 3, walltime=WALL, **options),
        )
    counts = [np.arange(5.0) + row for row in range(6)]
    yield Case(
        "add_pr_curve_raw",
        "arrays",
        lambda w: w.add_pr_curve_raw("a", *counts, 3, 5, walltime=WALL),
    )
    yield Case(
        "add_pr_curve_raw",
        "lists of counts",
        lambda w: w.add_pr_curve_raw("a", *[each.tolist() for each in counts], 3, 5, walltime=WALL),
    )
