"""Kill ingest, crash its server, cut its commits: `kill_ingest.py --kills 2000`.

Prints how many points were lost or doubled; both must be 0. Kills are of two rival ingests,
on both engines unless --engine names one. Crashes (`pg_ctl stop -m immediate`) and cuts (the
connection ends after COMMIT was forwarded and before its answer) are PostgreSQL's alone, in
a cluster of its own.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from support.killing import Outcome, crash_server, cut_commits, kill_ingest
from support.postgres import fresh_database, own_cluster, server
from support.socket_proxy import proxy_to

ENGINES = ("sqlite", "postgres")


def main() -> int:
    """Do what was asked for; return 1 when a point was lost or doubled."""
    parser = argparse.ArgumentParser(description="faults under ingest while files grow")
    parser.add_argument("--kills", type=int, default=200, help="kill -9 of an ingest, each engine")
    parser.add_argument("--crashes", type=int, default=2, help="of the PostgreSQL server")
    parser.add_argument("--cuts", type=int, default=50, help="of connections in a commit")
    parser.add_argument("--engine", choices=ENGINES, action="append")
    parser.add_argument("--rivals", type=int, default=2, help="ingests at a time")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    arguments = parser.parse_args()
    engines, seed = arguments.engine or ENGINES, arguments.seed
    # Expected, thousands of times.
    logging.getLogger("orgboard").setLevel(logging.ERROR)
    faults = 0
    if arguments.kills:
        for engine in engines:
            faults += _told(f"{engine}: kills", seed, partial(_kill, engine, arguments))
    if arguments.crashes and "postgres" in engines:
        faults += _told("postgres: crashes", seed, partial(_crash, arguments))
    if arguments.cuts and "postgres" in engines:
        faults += _told("postgres: cut commits", seed, partial(_cut, arguments))
    return min(faults, 1)


def _told(what: str, seed: int, inflict: Callable[[Path], Outcome]) -> int:
    """Do it, print what came of it, and return how many faults there were."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as scratch:
        outcome = inflict(Path(scratch))
    compared, seconds = outcome.compared, time.perf_counter() - began
    print(
        f"  {what}: {outcome.faults}, {compared.points:,} points"
        f" ({outcome.survived:,} stored meanwhile), {compared.lost} lost,"
        f" {compared.doubled} doubled, {len(compared.differences)} differences"
        f" ({seconds:.0f} s, seed {seed})",
        flush=True,
    )
    return compared.lost + compared.doubled + len(compared.differences)


def _kill(engine: str, given: argparse.Namespace, scratch: Path) -> Outcome:
    with _database(engine, scratch) as url:
        return kill_ingest(
            scratch / "logs", url, kills=given.kills, seed=given.seed, rivals=given.rivals
        )


def _crash(given: argparse.Namespace, scratch: Path) -> Outcome:
    with own_cluster() as cluster:
        return crash_server(scratch / "logs", cluster, crashes=given.crashes, seed=given.seed)


def _cut(given: argparse.Namespace, scratch: Path) -> Outcome:
    with own_cluster() as cluster, proxy_to(cluster.port, given.seed) as proxy:
        return cut_commits(scratch / "logs", cluster.url, proxy, cuts=given.cuts, seed=given.seed)


@contextmanager
def _database(engine: str, scratch: Path) -> Iterator[str]:
    if engine == "sqlite":
        yield f"sqlite:///{scratch / 'board.db'}"
        return
    with server() as server_url, fresh_database(server_url) as url:
        yield url


if __name__ == "__main__":
    sys.exit(main())
