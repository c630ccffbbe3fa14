"""Kill trainings while they log: `kill_writer.py --kills 1000`.

Prints how many flushed values were lost and how many are wrong; both must be 0. Beside them, how
old the oldest lost value was that nobody had flushed: at most the flush interval, and what the
machine kept the background thread waiting.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from support.killed_writers import FLUSH_SECS, kill_writers


def main() -> int:
    """Kill, and return 1 when a flushed value was lost or one is wrong."""
    parser = argparse.ArgumentParser(description="kill -9 of a training that logs")
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    arguments = parser.parse_args()
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as directory:
        killed = kill_writers(Path(directory), kills=arguments.kills, seed=arguments.seed)
    print(
        f"  {killed.kills} kills, {killed.logged:,} values logged, {killed.flushed:,} flushed,"
        f" {killed.read:,} read: {killed.lost} flushed ones lost, {killed.wrong} runs wrong,"
        f" {killed.torn} torn tails\n"
        f"  the oldest value lost had been logged {1000 * killed.oldest_lost_s:.0f} ms before,"
        f" at a flush interval of {1000 * FLUSH_SECS:.0f} ms"
        f" ({time.perf_counter() - began:.0f} s, seed {arguments.seed})"
    )
    return int(killed.lost + killed.wrong > 0 or killed.torn > killed.kills)


if __name__ == "__main__":
    sys.exit(main())
