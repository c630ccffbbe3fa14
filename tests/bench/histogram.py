"""Histograms of a million values: CPU on the caller and in all, beside one call of np.histogram."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from orgboard import SummaryWriter
from orgboard._kinds.counting import tensorflow_edges

SIZE = 1_000_000
TIMES = 9


def samples() -> dict[str, Any]:
    """Give what trainings log: weights, activations, half precision, a dead layer."""
    normal = np.random.default_rng(0).standard_normal(SIZE)
    constant = normal.astype(np.float32)
    constant.flags.writeable = False
    return {
        "float32": normal.astype(np.float32),
        "float64": normal,
        "float16": normal.astype(np.float16),
        "half of them zero": np.maximum(normal, 0).astype(np.float32),
        "all zero": np.zeros(SIZE, np.float32),
        "read-only float32": constant,
    }


def median_ms(
    clock: Callable[[], float], call: Callable[[], object], after: Callable[[], object]
) -> float:
    """Measure a call, some times, doing something unmeasured after each."""
    taken = []
    for _ in range(TIMES):
        start = clock()
        call()
        taken.append(clock() - start)
        after()
    return statistics.median(taken) * 1e3


def main() -> None:
    """Print a line a sample."""
    edges = tensorflow_edges()
    with (
        tempfile.TemporaryDirectory() as directory,
        SummaryWriter(directory, context=False) as writer,
    ):
        for name, values in samples().items():

            def add(values: Any = values) -> None:
                writer.add_histogram("h", values)

            def add_and_flush(values: Any = values) -> None:
                writer.add_histogram("h", values)
                writer.flush()

            def by_numpy(values: Any = values) -> None:
                np.histogram(values, bins=edges)

            add_and_flush()
            numpy_ms = median_ms(time.process_time, by_numpy, int)
            caller_ms = median_ms(time.thread_time, add, writer.flush)
            all_ms = median_ms(time.process_time, add_and_flush, int)
            print(
                f"  {name:18} caller {caller_ms:5.2f} ms, in all {all_ms:5.1f} ms, "
                f"np.histogram {numpy_ms:5.1f} ms: {all_ms / numpy_ms:.2f}x"
            )


if __name__ == "__main__":
    main()
