"""What tests of faults have in common: eager daemons, and waiting for all to be stored."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from orgboard_ingest.config import IngestConfig
from orgboard_schema.errors import DatabaseUnreachable
from support.daemons import Daemon, daemon
from support.growing import GrowingFiles, compare, stored_rows
from support.ingested import migrated
from support.waiting import wait_until

__all__ = [
    "WITHIN_S",
    "assert_no_traceback",
    "eager_config",
    "opened",
    "two_daemons",
    "wait_until_equal",
    "wait_until_read",
    "wait_until_some",
]

WITHIN_S = 50.0
"""Far longer than anything waited for takes, on a machine that is busy."""


def eager_config(url: str, *logdirs: Path) -> IngestConfig:
    """Return a configuration that looks often, commits small and gives up leases soon."""
    return IngestConfig(
        logdirs,
        url,
        lease_s=1.0,
        flush_every_s=0.0,
        batch_bytes=2000,
        rescan_every_s=0.2,
        poll_every_s=0.1,
    )


@contextmanager
def opened(url: str) -> Iterator[Engine]:
    """Give the engine of a database with its tables."""
    engine = migrated(url)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def two_daemons(config: IngestConfig, logs: Path) -> Iterator[list[Daemon]]:
    """Run two daemons while the block runs."""
    with ExitStack() as stack:
        yield [stack.enter_context(daemon(config, logs / f"{name}.log")) for name in "ab"]


def wait_until_equal(engine: Engine, files: GrowingFiles) -> None:
    """Write what is still held, and wait until all of it is stored."""

    def equal() -> bool:
        try:
            return compare(engine, files).equal
        except (DBAPIError, DatabaseUnreachable):
            return False

    files.finish()
    wait_until(equal, WITHIN_S, "SQL equals the files")


def wait_until_some(engine: Engine, more_than: int = 0) -> None:
    """Wait for more points than these."""
    wait_until(lambda: sum(1 for _ in stored_rows(engine)) > more_than, WITHIN_S, "points")


def wait_until_read(engine: Engine, files: GrowingFiles) -> None:
    """Wait until ingest has begun to store the files."""
    files.grow(2)
    wait_until_some(engine)


def assert_no_traceback(*daemons: Daemon) -> None:
    """Check that the daemons live, and nothing went up that nobody meant."""
    assert all(running.is_alive() for running in daemons)
    assert [running.output() for running in daemons if "Traceback" in running.output()] == []
