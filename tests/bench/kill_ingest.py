"""Kill ingest hundreds of times while its files grow: `kill_ingest.py --kills 200 --engine sqlite`.

Prints how many points were lost or doubled; both must be 0. PostgreSQL runs in a cluster of
its own, or on the server that ORGBOARD_TEST_POSTGRES names.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.killing import kill_ingest
from support.postgres import fresh_database, server

ENGINES = ("sqlite", "postgres")


def main() -> int:
    """Kill on one engine or both; return 1 when a point was lost or doubled."""
    parser = argparse.ArgumentParser(description="kill -9 of ingest while files grow")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--engine", choices=ENGINES, action="append")
    parser.add_argument("--rivals", type=int, default=2, help="ingests at a time")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    arguments = parser.parse_args()
    faults = 0
    for engine in arguments.engine or ENGINES:
        with tempfile.TemporaryDirectory() as scratch, _database(engine, Path(scratch)) as url:
            began = time.perf_counter()
            outcome = kill_ingest(
                Path(scratch, "logs"),
                url,
                kills=arguments.kills,
                seed=arguments.seed,
                rivals=arguments.rivals,
            )
            seconds = time.perf_counter() - began
        print(
            f"  {engine}: {outcome.kills} kills, {outcome.points:,} points"
            f" ({outcome.survived:,} stored by the killed), {outcome.lost} lost,"
            f" {outcome.doubled} doubled, {len(outcome.differences)} differences"
            f" ({seconds:.0f} s, seed {arguments.seed})"
        )
        faults += outcome.lost + outcome.doubled + len(outcome.differences)
    return min(faults, 1)


@contextmanager
def _database(engine: str, scratch: Path) -> Iterator[str]:
    if engine == "sqlite":
        yield f"sqlite:///{scratch / 'board.db'}"
        return
    with server() as server_url, fresh_database(server_url) as url:
        yield url


if __name__ == "__main__":
    sys.exit(main())
