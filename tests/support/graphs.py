"""What TensorBoard shows of a graph that was logged, for tests in `tests/interop`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from orgboard import SummaryWriter
from support.frameworks import framework

__all__ = ["loaded", "log", "nodes"]


def loaded(directory: Path) -> Any:
    """Load a run as TensorBoard does."""
    accumulators = framework("tensorboard.backend.event_processing.event_accumulator")
    accumulator = accumulators.EventAccumulator(str(directory))
    accumulator.Reload()
    return accumulator


def nodes(directory: Path) -> dict[str, Any]:
    """Give the nodes that TensorBoard shows, by name."""
    return {node.name: node for node in loaded(directory).Graph().node}


def log(directory: Path, *arguments: Any, **options: Any) -> SummaryWriter:
    """Log one graph, and give the writer, which is closed."""
    with SummaryWriter(directory) as writer:
        writer.add_graph(*arguments, **options)
    return writer
