"""Databases that are full, set back to an older state, or beset by many readers at once."""

from __future__ import annotations

import random
import sqlite3
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import Connection, event

from orgboard_ingest.config import IngestConfig
from orgboard_ingest.hints import Hints
from orgboard_ingest.run import make_daemon
from orgboard_schema.sql.engine import open_engine
from support.daemons import daemon
from support.event_files import event_file, scalar_event
from support.faults import (
    WITHIN_S,
    assert_no_traceback,
    eager_config,
    opened,
    wait_until_equal,
    wait_until_read,
    wait_until_some,
)
from support.growing import GrowingFiles, compare, stored_rows
from support.postgres import own_cluster
from support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


@pytest.mark.parametrize("in_place", [False, True])
def test_an_older_sqlite_file_put_in_the_place_of_the_database_is_caught_up(
    tmp_path: Path, sqlite_url: str, in_place: bool
) -> None:
    files = GrowingFiles(tmp_path / "logs", random.Random(8))
    older = tmp_path / "older.db"

    with (
        opened(sqlite_url) as engine,
        daemon(eager_config(sqlite_url, files.logdir), tmp_path / "log"),
    ):
        path = Path(str(engine.url.database))
        files.grow(20)
        wait_until_some(engine)
        _copy_sqlite(path, older)
        files.grow(20)
        # All of it, so that nothing is left to read that would show the difference.
        wait_until_equal(engine, files)
        engine.dispose()
        if in_place:
            _copy_sqlite(older, path)
        else:
            for name in (f"{path}-wal", f"{path}-shm"):
                Path(name).unlink(missing_ok=True)
            older.rename(path)
        wait_until_equal(engine, files)


def _noise(points: int) -> bytes:
    """Return a file of points that need room."""
    noise = random.Random(11)
    return event_file(
        *(scalar_event("x", step, noise.random(), 1.0 + step) for step in range(points))
    )


def _copy_sqlite(source: Path, target: Path) -> None:
    with (
        closing(sqlite3.connect(source, timeout=WITHIN_S)) as old,
        closing(sqlite3.connect(target, timeout=WITHIN_S)) as new,
    ):
        old.backup(new)


def test_a_full_sqlite_file_is_waited_for_until_there_is_room(
    tmp_path: Path, sqlite_url: str
) -> None:
    files = GrowingFiles(tmp_path / "logs", random.Random(9))
    config = eager_config(sqlite_url, files.logdir)
    most_pages = 10_000_000

    def set_room(conn: Connection) -> None:
        conn.exec_driver_sql(f"PRAGMA max_page_count = {most_pages}")

    with opened(sqlite_url) as engine:
        files.grow(5)
        event.listen(engine, "begin", set_room)
        running = make_daemon(config, engine, Hints())
        thread = threading.Thread(target=running.run)
        thread.start()
        try:
            wait_until_some(engine)
            most_pages = 1
            path = files.logdir / "big" / "events.out.tfevents.0"
            path.parent.mkdir()
            path.write_bytes(_noise(20_000))
            reason = wait_until(lambda: running.snapshot().away_reason, WITHIN_S, "it is full")
            assert "full" in reason
            most_pages = 10_000_000
            expected = files.truth().total() + 20_000
            files.finish()
            wait_until(
                lambda: sum(1 for _ in stored_rows(engine)) == expected, WITHIN_S, "all is stored"
            )
        finally:
            running.stop()
            thread.join(WITHIN_S)


def test_a_full_disk_of_the_server_is_waited_for_until_there_is_room(
    tmp_path: Path,
) -> None:
    files = GrowingFiles(tmp_path / "logs", random.Random(10))
    with own_cluster() as cluster, cluster.small_disk(24 << 20) as disk:
        with psycopg.connect(cluster.url, autocommit=True) as connection:
            connection.execute(
                sql.SQL("CREATE TABLESPACE small LOCATION {}").format(sql.Literal(str(disk.path)))
            )
            connection.execute("CREATE DATABASE board TABLESPACE small")
        url = cluster.url.removesuffix("postgres") + "board"
        with (
            opened(url) as engine,
            daemon(eager_config(url, files.logdir), tmp_path / "log") as running,
        ):
            wait_until_read(engine, files)
            disk.fill()
            path = files.logdir / "big" / "events.out.tfevents.0"
            path.parent.mkdir()
            path.write_bytes(_noise(20_000))
            wait_until(lambda: "No space left" in running.output(), WITHIN_S, "the disk is full")
            disk.empty()
            expected = files.truth().total() + 20_000
            files.finish()
            wait_until(
                lambda: sum(1 for _ in stored_rows(engine)) == expected, WITHIN_S, "all is stored"
            )
            assert_no_traceback(running)
        with psycopg.connect(cluster.url, autocommit=True) as connection:
            connection.execute("DROP DATABASE board WITH (FORCE)")
            connection.execute("DROP TABLESPACE small")


def test_eight_ingests_that_read_the_same_runs_at_once_store_each_point_once(
    tmp_path: Path, tables_url: str
) -> None:
    files = GrowingFiles(tmp_path / "logs", random.Random(7), runs=4)
    files.grow(40)
    files.finish()

    with opened(tables_url) as engine:
        rivals = [Reading(eager_config(tables_url, files.logdir)) for _ in range(8)]
        for rival in rivals:
            rival.start()
        for rival in rivals:
            rival.join()

        assert [rival.failed for rival in rivals] == [None] * 8
        assert compare(engine, files).equal


class Reading(threading.Thread):
    """An ingest that reads all of it once, beside others that do the same."""

    def __init__(self, config: IngestConfig) -> None:
        super().__init__()
        self.failed: Exception | None = None
        self._config = config

    def run(self) -> None:
        """Read."""
        engine = open_engine(self._config.db_url, reconnect=False)
        try:
            make_daemon(replace(self._config, once=True), engine, Hints()).run_once(lambda _: None)
        except Exception as error:  # noqa: BLE001 - told by the test
            self.failed = error
        engine.dispose()
