"""Measure the way from event files to a database: events a CPU second, bytes a scalar, restart.

All runs are logged first, then `orgboard ingest --once` reads them into a fresh SQLite file,
and once more to see what it costs to find that everything is there.
"""

from __future__ import annotations

import math
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from orgboard import SummaryWriter
from support.programs import ORGBOARD

RUNS = 20
TAGS = 20
STEPS = 2_500
POINTS = RUNS * TAGS * STEPS


def main() -> int:
    """Print rates and sizes for a million scalars."""
    with tempfile.TemporaryDirectory() as scratch:
        logdir, database = Path(scratch, "logs"), Path(scratch, "board.db")
        for number in range(RUNS):
            _log(logdir / f"run_{number:02}", number)
        first, wall = _ingest(logdir, database)
        again, _ = _ingest(logdir, database)
        logged = sum(path.stat().st_size for path in logdir.rglob("*") if path.is_file())
        stored = sum(path.stat().st_size for path in Path(scratch).glob("board.db*"))
    print(
        f"  {POINTS:,} scalars, {RUNS} runs of {TAGS} tags, SQLite, start of the program included"
    )
    print(f"  {POINTS / first / 1e6:.2f} M events per CPU second ({wall:.1f} s by the clock)")
    print(f"  {again:.2f} CPU seconds when everything is there already")
    print(f"  {stored / POINTS:.1f} bytes a scalar, {logged / POINTS:.1f} in the event files")
    return 0


def _log(run: Path, seed: int) -> None:
    """Log curves as training makes them: falling, and rough in every digit."""
    with SummaryWriter(str(run), max_queue=TAGS) as writer:
        for step in range(STEPS):
            for tag in range(TAGS):
                value = math.exp(-step / 500) + 0.1 * math.sin(step * (tag + 1) * 12.9898 + seed)
                writer.add_scalar(f"train/metric_{tag:02}", value, step)
            if step % 50 == 0:
                writer.flush()


def _ingest(logdir: Path, database: Path) -> tuple[float, float]:
    """Return the CPU seconds, of all processes, and the seconds by the clock."""
    before, began = _children_s(), time.perf_counter()
    command = map(str, [ORGBOARD, "ingest", logdir, "--db", database, "--once"])
    done = subprocess.run([*command], check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return _children_s() - before, time.perf_counter() - began


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(main())
