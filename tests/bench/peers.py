"""Compare `add_scalar` with building a protobuf a call, and with the peers that are importable.

CPU microseconds a call: on the calling thread, and in the whole process. All in one process and
in turns, so that a busy machine is busy for everyone; the ratios are what to look at. To have
tensorboardX and torch here, install them into the environment that runs this.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from orgboard import SummaryWriter
from orgboard_schema.wire.event_pb2 import Event
from orgboard_schema.wire.frames import encode_frame
from orgboard_schema.wire.summary_pb2 import Summary

ROUNDS = 5
CALLS = 20_000
BURST = 2_000
"""Calls between flushes: a training loop does not log flat out."""

TAGS = [f"train/metric_{number}" for number in range(10)]


class ProtobufWriter:
    """Builds, serialises, frames and writes each event where it is called."""

    def __init__(self, directory: str) -> None:
        self._file = Path(directory, "events.out.tfevents.0").open("wb")  # noqa: SIM115 (close() closes it)

    def add_scalar(self, tag: str, value: float, step: int) -> None:
        """Write one scalar."""
        values = [Summary.Value(tag=tag.encode(), simple_value=value)]
        event = Event(wall_time=time.time(), step=step, summary=Summary(value=values))
        self._file.write(encode_frame(event.SerializeToString()))

    def flush(self) -> None:
        """Hand everything to the system."""
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def main() -> int:
    """Print the median cost a call of each writer, and its ratio to ours."""
    writers: dict[str, Callable[[str], Any]] = {
        "orgboard": SummaryWriter,
        "protobuf a call": ProtobufWriter,
    }
    for module in ("tensorboardX", "torch.utils.tensorboard"):
        try:
            writers[module] = import_module(module).SummaryWriter
        except ImportError:
            print(f"  {module}: not importable here")
    rounds = [{name: _log(make) for name, make in writers.items()} for _ in range(ROUNDS)]
    costs = {name: _median([each[name] for each in rounds]) for name in writers}
    ours = costs["orgboard"]
    for name, (caller, everything) in costs.items():
        print(
            f"  {name}: {caller:.2f} µs on the training thread ({caller / ours[0]:.1f}x), "
            f"{everything:.2f} µs in all ({everything / ours[1]:.1f}x)"
        )
    return 0


def _median(costs: list[tuple[float, float]]) -> tuple[float, float]:
    caller, everything = zip(*costs, strict=True)
    return statistics.median(caller), statistics.median(everything)


def _log(make: Callable[[str], Any]) -> tuple[float, float]:
    """Return the CPU microseconds a call, on this thread and in the whole process."""
    with tempfile.TemporaryDirectory() as logdir:
        writer = make(logdir)
        on_thread = 0.0
        everything = time.process_time()
        for start in range(0, CALLS, BURST):
            before = time.thread_time()
            for step in range(start, start + BURST):
                writer.add_scalar(TAGS[step % 10], 0.5, step)
            on_thread += time.thread_time() - before
            writer.flush()
        writer.close()
        everything = time.process_time() - everything
    return on_thread / CALLS * 1e6, everything / CALLS * 1e6


if __name__ == "__main__":
    sys.exit(main())
