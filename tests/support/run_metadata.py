"""Run metadata made by hand, as TensorFlow logs it of a step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from orgboard_schema.types import Kind, Metadata
from orgboard_schema.wire.run_metadata_pb2 import RunMetadata

__all__ = ["CHAIN_STEP", "CPU", "STEP", "TAGGED", "Ran", "run_metadata"]

CPU = "/job:localhost/replica:0/task:0/device:CPU:0"
STEP = "step_3"
TAGGED: dict[tuple[str, Kind], Metadata] = {
    (STEP, "graph"): Metadata(plugin="graph_tagged_run_metadata")
}
"""What a board is told of the point of a step."""


class Ran(NamedTuple):
    """One execution of a node."""

    name: str
    start: int
    """Microseconds."""
    took: int
    given: Sequence[int] = ()
    """Bytes, an allocator each."""
    shapes: Sequence[Sequence[int]] = ()


CHAIN_STEP = {
    CPU: [
        Ran("_SOURCE", 100, 1),
        Ran("input", 101, 2, shapes=[(2, 8)]),
        Ran("net/dense/kernel", 101, 3),
        Ran("net/dense/MatMul", 105, 120, [32, 4096], [(2, 4)]),
        Ran("net/relu", 230, 10, [32], [(2, 4)]),
        Ran("loss", 245, 5, [4], [()]),
    ]
}
"""A step of the network of one layer."""


def run_metadata(devices: Mapping[str, Iterable[Ran]]) -> bytes:
    """Return a step of what ran on each device."""
    made = RunMetadata()
    for device, ran in devices.items():
        told = made.step_stats.dev_stats.add(device=device)
        for name, start, took, given, shapes in ran:
            entry = told.node_stats.add(
                node_name=name, all_start_micros=start, all_end_rel_micros=took
            )
            for size in given:
                entry.memory.add(total_bytes=size)
            for slot, sizes in enumerate(shapes):
                output = entry.output.add(slot=slot)
                output.tensor_description.shape.SetInParent()
                for one in sizes:
                    output.tensor_description.shape.dim.add(size=one)
    return made.SerializeToString()
