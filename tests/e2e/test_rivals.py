"""Several daemons at work on the same logdirs: shared work, taken over, never done twice."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine

from orgboard_ingest.config import IngestConfig
from orgboard_schema.errors import DatabaseUnreachable
from orgboard_schema.sql.engine import begin_read
from orgboard_schema.sql.health import IngestHealth, logdir_health
from support.daemons import Daemon, daemon
from support.growing import GrowingFiles, compare
from support.ingested import migrated
from support.programs import run_orgboard
from support.waiting import wait_until

LEASE_S = 1.0
"""Shortened, so that nobody waits long for one to run out."""

WITHIN_S = 40.0

pytestmark = pytest.mark.slow


def _config(url: str, *files: GrowingFiles) -> IngestConfig:
    logdirs = tuple(some.logdir for some in files)
    return IngestConfig(
        logdirs,
        url,
        lease_s=LEASE_S,
        flush_every_s=0.0,
        batch_bytes=2000,
        rescan_every_s=0.2,
        poll_every_s=0.1,
    )


@contextmanager
def _daemons(config: IngestConfig, count: int, logs: Path) -> Iterator[list[Daemon]]:
    with ExitStack() as stack:
        yield [
            stack.enter_context(daemon(config, logs / f"daemon{number}.log"))
            for number in range(count)
        ]


def _at_work(engine: Engine) -> dict[int, list[IngestHealth]]:
    """Return the living processes by pid, a value for each logdir."""
    found: dict[int, list[IngestHealth]] = {}
    with begin_read(engine) as conn:
        for logdir in logdir_health(conn):
            for ingest in logdir.alive:
                found.setdefault(ingest.pid, []).append(ingest)
    return found


def _wait_for_members(engine: Engine, daemons: list[Daemon], logdirs: int = 1) -> None:
    pids = {running.pid for running in daemons}

    def joined() -> bool:
        try:
            members = _at_work(engine)
        except DatabaseUnreachable:
            return False
        return set(members) == pids and all(len(rows) == logdirs for rows in members.values())

    wait_until(joined, WITHIN_S, f"{len(pids)} daemons are members")


def _wait_until_equal(engine: Engine, *files: GrowingFiles) -> None:
    for some in files:
        some.finish()
    wait_until(lambda: compare(engine, *files).equal, WITHIN_S, "SQL equals the files")


def _pause(running: Daemon, engine: Engine) -> None:
    """Pause a daemon: on PostgreSQL anywhere, on SQLite where it holds no lock.

    A process that is paused while it holds SQLite's one lock stops everybody who writes.
    """
    if engine.dialect.name == "postgresql":
        running.pause()
        return

    def paused() -> bool:
        running.pause()
        with closing(sqlite3.connect(str(engine.url.database), timeout=0.5)) as probe:
            try:
                probe.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                running.resume()
                return False
            probe.rollback()
        return True

    wait_until(paused, WITHIN_S, "it is paused where it holds no lock")


@pytest.mark.parametrize("count", [2, 3])
def test_daemons_on_one_logdir_share_its_runs_and_store_each_point_once(
    tmp_path: Path, tables_url: str, count: int
) -> None:
    engine = migrated(tables_url)
    files = GrowingFiles(tmp_path / "logs", random.Random(count), runs=12, files_a_run=1)

    with _daemons(_config(tables_url, files), count, tmp_path) as daemons:
        _wait_for_members(engine, daemons)
        files.grow_for(1.5)
        _wait_until_equal(engine, files)
        wait_until(
            lambda: all(row.work.points for rows in _at_work(engine).values() for row in rows),
            WITHIN_S,
            "each daemon stored some",
        )
        wait_until(
            lambda: sum(rows[0].work.runs for rows in _at_work(engine).values()) == 12,
            WITHIN_S,
            "each run belongs to one of them",
        )
        assert [running.stop() for running in daemons] == [0] * count

    assert _at_work(engine) == {}
    assert compare(engine, files).equal
    engine.dispose()


def test_daemons_on_several_logdirs_of_one_database_share_each_of_them(
    tmp_path: Path, tables_url: str
) -> None:
    engine = migrated(tables_url)
    one = GrowingFiles(tmp_path / "one", random.Random(1), runs=6, files_a_run=1)
    two = GrowingFiles(tmp_path / "two", random.Random(2), runs=6, files_a_run=1)

    with (
        daemon(_config(tables_url, one, two), tmp_path / "a.log") as first,
        daemon(_config(tables_url, two, one), tmp_path / "b.log") as second,
        daemon(_config(tables_url, one), tmp_path / "c.log"),
    ):
        wait_until(
            lambda: sorted(len(rows) for rows in _at_work(engine).values()) == [1, 2, 2],
            WITHIN_S,
            "all are members",
        )
        for _ in range(10):
            one.grow()
            two.grow_for(0.05)
        _wait_until_equal(engine, one, two)
        members = _at_work(engine)
        assert len(members[first.pid]) == len(members[second.pid]) == 2
    engine.dispose()


def test_the_runs_of_a_killed_daemon_are_taken_over_when_its_lease_runs_out(
    tmp_path: Path, tables_url: str
) -> None:
    engine = migrated(tables_url)
    files = GrowingFiles(tmp_path / "logs", random.Random(3), runs=12, files_a_run=1)

    with _daemons(_config(tables_url, files), 2, tmp_path) as daemons:
        _wait_for_members(engine, daemons)
        files.grow_for(0.5)
        daemons[0].kill()
        files.grow_for(0.5)
        _wait_until_equal(engine, files)
        wait_until(lambda: "took over" in daemons[1].output(), WITHIN_S, "it says so")
        assert set(_at_work(engine)) == {daemons[1].pid}
    engine.dispose()


def test_a_daemon_that_slept_past_its_lease_finds_its_part_anew(
    tmp_path: Path, tables_url: str
) -> None:
    engine = migrated(tables_url)
    files = GrowingFiles(tmp_path / "logs", random.Random(4), runs=12, files_a_run=1)

    with _daemons(_config(tables_url, files), 2, tmp_path) as daemons:
        _wait_for_members(engine, daemons)
        files.grow_for(0.5)
        daemons[0].pause()
        files.grow_for(0.5)
        # On SQLite the sleeper may hold the one write lock, and nobody writes until it wakes.
        wait_until(
            lambda: (
                set(_at_work(engine)) == {daemons[1].pid} or "database away" in daemons[1].output()
            ),
            WITHIN_S,
            "the sleeper's lease has run out",
        )
        files.grow_for(0.3)
        daemons[0].resume()
        _wait_for_members(engine, daemons)
        files.grow_for(0.3)
        _wait_until_equal(engine, files)
        assert all(running.is_alive() for running in daemons)
        assert "Traceback" not in "".join(running.output() for running in daemons)
    engine.dispose()


def test_reading_once_beside_daemons_doubles_nothing(tmp_path: Path, tables_url: str) -> None:
    engine = migrated(tables_url)
    files = GrowingFiles(tmp_path / "logs", random.Random(5), runs=8)
    files.grow(30)

    with _daemons(_config(tables_url, files), 2, tmp_path):
        files.finish()
        once = run_orgboard("ingest", files.logdir, "--db", tables_url, "--once", "--jobs", "2")
        assert once.returncode == 0, once.stderr
        _wait_until_equal(engine, files)
    engine.dispose()
