"""Those that are measured beside one another: our ingest on each engine, TensorBoard's readers."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import pytest
from sqlalchemy import func, select, text

from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import open_engine
from support.measured import Cost, measured, measured_until, server_cpu
from support.postgres import fresh_database, server
from support.programs import ORGBOARD

__all__ = [
    "DECODE",
    "PEERS",
    "Ingested",
    "MakeStore",
    "Store",
    "accumulator",
    "data_server",
    "decoded",
    "engines",
    "ingested",
    "loader",
    "postgres",
    "sqlite",
    "start_up",
]

REPOSITORY = Path(__file__).resolve().parents[2]
PEERS = REPOSITORY / ".venv-interop" / "bin" / "python"
"""The environment of `make test-interop` has TensorBoard and its data server."""

DECODE = Path(__file__).with_name("decoding.py")
LOADED = "Finished load cycle"
"""The data server's log says so when everything is in memory and can be asked for."""

FIND_SERVER = "import tensorboard_data_server as server; print(server.server_binary())"

TABLE_BYTES = """
    SELECT sum(pg_total_relation_size(oid)) FROM pg_class
    WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace
"""
"""Of our own tables, their indexes and long values."""


@dataclass(frozen=True, slots=True)
class Store:
    """A fresh database, and how to look at it from outside."""

    name: str
    url: str
    octets: Callable[[], int]
    """What it takes at rest."""
    server_cpu_s: Callable[[], float]
    """CPU of the database's own processes; 0 where it has none."""


MakeStore: TypeAlias = Callable[[str], AbstractContextManager[Store]]
"""Makes a fresh database, told apart by name, that lasts as long as the block."""


@dataclass(frozen=True, slots=True)
class Ingested:
    """What one `orgboard ingest --once` took and left."""

    cost: Cost
    server_cpu_s: float
    points: int
    octets: int

    @property
    def cpu_s(self) -> float:
        """Give the CPU of all that worked, the database's server included."""
        return self.cost.cpu_s + self.server_cpu_s


def ingested(logdir: Path, store: Store, *flags: object) -> Ingested:
    """Run `orgboard ingest --once`.

    Raises:
        RuntimeError: It did not end well.
    """
    before = store.server_cpu_s()
    cost = measured([ORGBOARD, "ingest", logdir, "--db", store.url, "--once", *flags])
    if cost.status != 0:
        raise RuntimeError(f"ingest ended with {cost.status}:\n{cost.said}")
    engine = open_engine(store.url)
    with engine.connect() as conn:
        points = conn.execute(select(func.sum(tables.run.c.points))).scalar_one()
    engine.dispose()
    spent = store.server_cpu_s() - before
    return Ingested(cost, spent, int(points or 0), store.octets())


def start_up(store: Store, scratch: Path) -> Ingested:
    """Measure what ingest takes when there is nothing to read, its database made before."""
    empty = scratch / "empty"
    empty.mkdir(exist_ok=True)
    ingested(empty, store)
    return ingested(empty, store)


@contextmanager
def sqlite(scratch: Path, name: str) -> Iterator[Store]:
    """Give a place for a SQLite file of that name; what it takes ends with the block."""

    def files() -> list[Path]:
        found = [path for path in scratch.glob(f"{name}.db*") if path.is_file()]
        return found + [path for path in scratch.glob(f"{name}.db*/**/*") if path.is_file()]

    try:
        yield Store(
            name="SQLite",
            url=f"sqlite:///{scratch / name}.db",
            octets=lambda: sum(path.stat().st_size for path in files()),
            server_cpu_s=lambda: 0.0,
        )
    finally:
        for path in files():
            path.unlink()


@contextmanager
def engines(scratch: Path) -> Iterator[list[MakeStore]]:
    """Give what makes fresh databases, on SQLite and, where a server can be had, on PostgreSQL."""
    makers: list[MakeStore] = [lambda name: sqlite(scratch, name)]
    with ExitStack() as stack:
        try:
            url = stack.enter_context(server())
        except pytest.skip.Exception:
            pass  # What is missing is seen by whoever prints the engines.
        else:
            makers.append(lambda _: postgres(url))
        yield makers


@contextmanager
def postgres(server_url: str) -> Iterator[Store]:
    """Give a fresh database on the server; it is dropped with the block."""
    with fresh_database(server_url) as url:
        yield Store(
            name="PostgreSQL",
            url=url,
            octets=lambda: _postgres_octets(url),
            server_cpu_s=lambda: server_cpu(url) or 0.0,
        )


def _postgres_octets(url: str) -> int:
    engine = open_engine(url)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        # As autovacuum does within minutes: until then ends of tables hold rows that are gone.
        conn.execute(text("VACUUM"))
        octets = int(conn.execute(text(TABLE_BYTES)).scalar_one() or 0)
    engine.dispose()
    return octets


def data_server(peers: Path, logdir: Path, *flags: str) -> Cost:
    """Let TensorBoard's data server load the logdir once, as TensorBoard starts it."""
    found = subprocess.run([peers, "-c", FIND_SERVER], check=True, capture_output=True, text=True)
    command = [found.stdout.strip(), "--logdir", logdir, "--reload", "once", "--port", "0", "-v"]
    return measured_until([*command, *flags], LOADED)


def decoded(python: Path | str, reader: str, paths: Sequence[Path]) -> tuple[int, float]:
    """Let a reader of `decoding` read the paths; return how many events, and the CPU seconds."""
    # -P: beside the program lies our own module of the name tensorboard.
    command = [str(python), "-P", str(DECODE), reader, *map(str, paths)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    events, seconds = done.stdout.split()[-2:]
    return int(events), float(seconds)


def loader(peers: Path, paths: Sequence[Path]) -> float:
    """Give the CPU seconds of TensorBoard's EventFileLoader, the faster of its two ways."""
    return min(decoded(peers, reader, paths)[1] for reader in ("loader", "loader-alone"))


def accumulator(peers: Path, logdir: Path) -> float:
    """Give the CPU seconds of TensorBoard's EventAccumulator, the faster way for scalars."""
    return decoded(peers, "accumulator-alone", [logdir])[1]
