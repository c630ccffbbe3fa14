"""Measure what a training feels of a disk that hangs: `hung_disk.py --seconds 10`.

The background thread is held inside a write, on a pipe that nobody reads. Meanwhile the training
logs scalars as fast as it can, and a picture now and then. Prints how long `add_scalar` took, the
wall time of each call, and how far the process grew.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import threading
import time

import numpy as np

from orgboard import SummaryWriter
from orgboard._log.outside import Outside
from orgboard._methods import recorder

PICTURE_EVERY = 1000
WARM_UP = 10_000


def main() -> int:
    """Print the percentiles of a call before and while the disk hangs, and the memory."""
    parser = argparse.ArgumentParser(description="add_scalar while the disk hangs")
    parser.add_argument("--seconds", type=float, default=10.0)
    arguments = parser.parse_args()
    hangs = threading.Event()
    reader, pipe = os.pipe()

    def append(descriptor: int, data: bytes) -> int:
        # A megabyte is more than a pipe holds: the kernel keeps the thread until somebody reads.
        return os.write(pipe, bytes(1 << 20)) if hangs.is_set() else os.write(descriptor, data)

    recorder.Outside = lambda: Outside(append=append)  # type: ignore[attr-defined,assignment,misc] # the disk to measure
    with tempfile.TemporaryDirectory() as directory:
        writer = SummaryWriter(directory)
        picture = np.zeros((3, 128, 128), np.uint8)
        writer.add_image("picture", picture, 0)
        _train(writer, picture, until=time.monotonic() + 1.0)
        _tell("a disk that works", _train(writer, picture, until=time.monotonic() + 1.0))
        writer.flush()
        before = _resident_mib()
        hangs.set()
        taken = _train(writer, picture, until=time.monotonic() + arguments.seconds)
        _tell("a disk that hangs", taken)
        grown = _resident_mib() - before - taken.nbytes / (1 << 20)
        print(
            f"  {writer.dropped:,} of {len(taken):,} dropped; the process grew by {grown:.0f} MiB"
        )
        began = time.monotonic()
        writer.close()
        print(f"  close() gave up after {time.monotonic() - began:.1f} s")
    os.close(reader)
    return 0


def _train(writer: SummaryWriter, picture: object, *, until: float) -> np.ndarray:
    """Log until then; give the nanoseconds of each `add_scalar`."""
    taken = np.empty(100_000_000, np.int32)
    clock = time.perf_counter_ns
    step = 0
    while step % 1000 or time.monotonic() < until:
        began = clock()
        writer.add_scalar("loss", 0.5, step)
        taken[step] = clock() - began
        step += 1
        if step % PICTURE_EVERY == 0:
            writer.add_image("picture", picture, step)
    return taken[:step].copy()


def _tell(what: str, taken: np.ndarray) -> None:
    middle, high, higher = np.percentile(taken, [50, 99, 99.9]) / 1000
    print(
        f"  {what}: {len(taken):,} calls, median {middle:.2f} µs, p99 {high:.2f} µs,"
        f" p99.9 {higher:.2f} µs, longest {taken.max() / 1000:.0f} µs"
    )


def _resident_mib() -> float:
    with open("/proc/self/status") as status:  # noqa: PTH123 (one line of a special file)
        return int(next(line.split()[1] for line in status if line.startswith("VmRSS"))) / 1024


if __name__ == "__main__":
    sys.exit(main())
