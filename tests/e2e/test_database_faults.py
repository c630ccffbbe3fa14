"""What databases and networks do to ingest: 0 lost and 0 doubled, whatever it is.

Every test has real parts: a PostgreSQL cluster of its own that is crashed, filled or set
back, a proxy that breaks real connections, SQLite files that are exchanged, daemons that
are processes.
"""

from __future__ import annotations

import random
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import URL, Connection, Engine, event, make_url
from sqlalchemy.exc import DBAPIError

from orgboard_ingest.config import IngestConfig
from orgboard_ingest.run import make_daemon
from orgboard_ingest.watch import Hints
from orgboard_schema.errors import DatabaseUnreachable
from orgboard_schema.sql.engine import open_engine
from support.daemons import Daemon, daemon
from support.event_files import event_file, scalar_event
from support.growing import GrowingFiles, Row, compare, stored_rows
from support.ingested import migrated
from support.postgres import Cluster, own_cluster
from support.socket_proxy import SocketProxy, proxy_to
from support.waiting import wait_until

WITHIN_S = 50.0

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


def _config(url: str, *logdirs: Path) -> IngestConfig:
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
def _opened(url: str) -> Iterator[Engine]:
    engine = migrated(url)
    yield engine
    engine.dispose()


@contextmanager
def _two(config: IngestConfig, logs: Path) -> Iterator[list[Daemon]]:
    with ExitStack() as stack:
        yield [stack.enter_context(daemon(config, logs / f"{name}.log")) for name in "ab"]


def _wait_until_equal(engine: Engine, files: GrowingFiles) -> None:
    def equal() -> bool:
        try:
            return compare(engine, files).equal
        except (DBAPIError, DatabaseUnreachable):
            return False

    files.finish()
    wait_until(equal, WITHIN_S, "SQL equals the files")


def _wait_until_some(engine: Engine, more_than: int = 0) -> None:
    wait_until(lambda: sum(1 for _ in stored_rows(engine)) > more_than, WITHIN_S, "points")


def _through(proxy: SocketProxy, url: str) -> str:
    there: URL = make_url(url).set(port=proxy.port)
    return there.render_as_string(hide_password=False)


def _no_traceback(*daemons: Daemon) -> None:
    assert all(running.is_alive() for running in daemons)
    assert [running.output() for running in daemons if "Traceback" in running.output()] == []


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """Give a server that the test may crash."""
    with own_cluster() as mine:
        yield mine


@pytest.fixture
def proxy(postgres_database: str) -> Iterator[SocketProxy]:
    """Give a proxy before the tests' PostgreSQL."""
    port = make_url(postgres_database).port
    assert port is not None
    with proxy_to(port) as mine:
        yield mine


def test_a_server_that_is_down_at_the_start_is_waited_for(tmp_path: Path, cluster: Cluster) -> None:
    files = GrowingFiles(tmp_path / "logs", random.Random(1))
    files.grow(20)
    cluster.crash()

    with daemon(_config(cluster.url, files.logdir), tmp_path / "log") as running:
        wait_until(lambda: "database away" in running.output(), WITHIN_S, "it says so")
        cluster.start()
        with _opened(cluster.url) as engine:
            _wait_until_some(engine)
            _wait_until_equal(engine, files)
        _no_traceback(running)


def test_crashes_of_the_server_under_two_daemons_lose_and_double_nothing(
    tmp_path: Path, cluster: Cluster
) -> None:
    files = GrowingFiles(tmp_path / "logs", random.Random(2))

    with (
        _opened(cluster.url) as engine,
        _two(_config(cluster.url, files.logdir), tmp_path) as daemons,
    ):
        wait_until(
            lambda: all("started" in running.output() for running in daemons),
            WITHIN_S,
            "both follow the files",
        )
        for _ in range(2):
            files.grow_for(0.5)
            cluster.crash()
            files.grow_for(0.1)
            cluster.start()
        _wait_until_equal(engine, files)
        _no_traceback(*daemons)
        assert all("database back" in running.output() for running in daemons)


@pytest.mark.parametrize("grow_after", [False, True])
def test_a_failover_to_a_state_that_lost_commits_is_read_again(
    tmp_path: Path, cluster: Cluster, grow_after: bool
) -> None:
    files = GrowingFiles(tmp_path / "logs", random.Random(3))
    base = cluster.data.with_name("base")

    with (
        _opened(cluster.url) as engine,
        _two(_config(cluster.url, files.logdir), tmp_path) as daemons,
    ):
        files.grow(20)
        _wait_until_some(engine)
        cluster.crash()
        cluster.copy_data(cluster.data, base)
        cluster.start()
        before = files.truth().total()
        files.grow(40)
        # Runs that the older state does not know: their numbers will be given out again.
        new = files.logdir / "zz-new" / "events.out.tfevents.0"
        new.parent.mkdir()
        new.write_bytes(event_file(scalar_event("loss", 0, 0.5, 1.0)))
        _wait_until_some(engine, before)
        newer = files.logdir / "aa-newer" / "events.out.tfevents.0"
        newer.parent.mkdir()
        newer.write_bytes(event_file(scalar_event("loss", 0, 1.5, 1.0)))
        files.finish()
        wait_until(
            lambda: sum(1 for _ in stored_rows(engine)) == files.truth().total() + 2,
            WITHIN_S,
            "all is stored before the failover",
        )
        cluster.crash()
        cluster.data.rename(cluster.data.with_name("lost"))
        base.rename(cluster.data)
        cluster.start()
        if grow_after:
            files.grow(10)
        engine.dispose()

        files.finish()
        new_rows = [("zz-new", "loss", 0, 1.0, 0.5), ("aa-newer", "loss", 0, 1.0, 1.5)]
        expected = files.truth() + Counter(new_rows)
        wait_until(lambda: _counted(engine) == expected, WITHIN_S, "SQL equals the files")
        _no_traceback(*daemons)


def test_connections_cut_between_a_commit_and_its_answer_double_nothing(
    tmp_path: Path, postgres_database: str, proxy: SocketProxy
) -> None:
    files = GrowingFiles(tmp_path / "logs", random.Random(4))
    url = _through(proxy, postgres_database)

    with (
        _opened(postgres_database) as engine,
        _two(_config(url, files.logdir), tmp_path) as daemons,
    ):
        _wait_until_logdir(engine, files)
        proxy.cut_commits = 0.15

        def cut() -> bool:
            files.grow_for(0.02)
            return proxy.cuts >= 20

        wait_until(cut, WITHIN_S, "many cuts")
        proxy.cut_commits = 0.0
        _wait_until_equal(engine, files)
        _no_traceback(*daemons)


@pytest.mark.parametrize("trouble", ["reset", "refuse", "latency", "trickle", "black hole"])
def test_a_bad_network_delays_and_neither_loses_nor_doubles(
    tmp_path: Path, postgres_database: str, proxy: SocketProxy, trouble: str
) -> None:
    files = GrowingFiles(tmp_path / "logs", random.Random(5))
    url = _through(proxy, postgres_database)

    with (
        _opened(postgres_database) as engine,
        _two(_config(url, files.logdir), tmp_path) as daemons,
    ):
        _wait_until_logdir(engine, files)
        files.grow_for(0.3)
        _make_trouble(proxy, trouble, files)
        _wait_until_equal(engine, files)
        _no_traceback(*daemons)


def _make_trouble(proxy: SocketProxy, trouble: str, files: GrowingFiles) -> None:
    if trouble == "reset":
        for _ in range(15):
            files.grow_for(0.05)
            proxy.reset()
    elif trouble == "refuse":
        proxy.refuse()
        files.grow_for(0.6)
        proxy.listen()
    elif trouble == "latency":
        proxy.latency_s = 0.05
        files.grow_for(1.0)
        proxy.latency_s = 0.0
    elif trouble == "trickle":
        proxy.bytes_per_s = 1.0
        files.grow_for(1.0)
        proxy.bytes_per_s = None
        # What is under way still trickles.
        proxy.reset()
    else:
        proxy.held.set()
        files.grow_for(1.0)
        proxy.reset()
        proxy.held.clear()


def test_a_storm_of_ended_backends_loses_and_doubles_nothing(
    tmp_path: Path, postgres_database: str
) -> None:
    files = GrowingFiles(tmp_path / "logs", random.Random(6))
    end = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )

    with (
        _opened(postgres_database) as engine,
        _two(_config(postgres_database, files.logdir), tmp_path) as daemons,
        psycopg.connect(postgres_database, autocommit=True) as connection,
    ):
        _wait_until_logdir(engine, files)
        engine.dispose()
        for _ in range(30):
            files.grow_for(0.05)
            connection.execute(end)
        _wait_until_equal(engine, files)
        _no_traceback(*daemons)


def test_while_the_database_is_away_nothing_is_read_and_memory_stays_flat(
    tmp_path: Path, postgres_database: str, proxy: SocketProxy
) -> None:
    logs = tmp_path / "logs"
    path = logs / "a" / "events.out.tfevents.0"
    path.parent.mkdir(parents=True)
    path.write_bytes(event_file(scalar_event("loss", 0, 0.0, 1.0)))
    config = _config(_through(proxy, postgres_database), logs)

    with _opened(postgres_database) as engine, daemon(config, tmp_path / "log") as running:
        _wait_until_some(engine)
        proxy.refuse()
        wait_until(lambda: "database away" in running.output(), WITHIN_S, "it says so")
        read, memory = _bytes_read(running.pid), running.peak_memory()
        steps = range(1, 40_001)
        more = event_file(*(scalar_event("loss", step, float(step), 1.0 + step) for step in steps))
        for at in range(0, len(more), 1 << 16):
            with path.open("ab") as file:
                file.write(more[at : at + (1 << 16)])
        away = running.output().count("database")
        assert _bytes_read(running.pid) - read < len(more) / 4
        assert running.peak_memory() - memory < 16 << 20
        assert running.output().count("database") == away

        proxy.listen()
        wait_until(lambda: sum(1 for _ in stored_rows(engine)) == 40_001, WITHIN_S, "it caught up")
        _no_traceback(running)


@pytest.mark.parametrize("in_place", [False, True])
def test_an_older_sqlite_file_put_in_the_place_of_the_database_is_caught_up(
    tmp_path: Path, sqlite_url: str, in_place: bool
) -> None:
    files = GrowingFiles(tmp_path / "logs", random.Random(8))
    older = tmp_path / "older.db"

    with _opened(sqlite_url) as engine, daemon(_config(sqlite_url, files.logdir), tmp_path / "log"):
        path = Path(str(engine.url.database))
        files.grow(20)
        _wait_until_some(engine)
        _copy_sqlite(path, older)
        files.grow(20)
        # All of it, so that nothing is left to read that would show the difference.
        _wait_until_equal(engine, files)
        engine.dispose()
        if in_place:
            _copy_sqlite(older, path)
        else:
            for name in (f"{path}-wal", f"{path}-shm"):
                Path(name).unlink(missing_ok=True)
            older.rename(path)
        _wait_until_equal(engine, files)


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
    config = _config(sqlite_url, files.logdir)
    most_pages = 10_000_000

    def set_room(conn: Connection) -> None:
        conn.exec_driver_sql(f"PRAGMA max_page_count = {most_pages}")

    with _opened(sqlite_url) as engine:
        files.grow(5)
        event.listen(engine, "begin", set_room)
        running = make_daemon(config, engine, Hints())
        thread = threading.Thread(target=running.run)
        thread.start()
        try:
            _wait_until_some(engine)
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
    tmp_path: Path, cluster: Cluster
) -> None:
    files = GrowingFiles(tmp_path / "logs", random.Random(10))
    with cluster.small_disk(24 << 20) as disk:
        with psycopg.connect(cluster.url, autocommit=True) as connection:
            connection.execute(f"CREATE TABLESPACE small LOCATION '{disk.path}'")
            connection.execute("CREATE DATABASE board TABLESPACE small")
        url = cluster.url.removesuffix("postgres") + "board"
        with (
            _opened(url) as engine,
            daemon(_config(url, files.logdir), tmp_path / "log") as running,
        ):
            _wait_until_logdir(engine, files)
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
            _no_traceback(running)
        with psycopg.connect(cluster.url, autocommit=True) as connection:
            connection.execute("DROP DATABASE board WITH (FORCE)")
            connection.execute("DROP TABLESPACE small")


def _bytes_read(pid: int) -> int:
    (line,) = (
        line
        for line in Path(f"/proc/{pid}/io").read_text().splitlines()
        if line.startswith("rchar:")
    )
    return int(line.split()[1])


def _counted(engine: Engine) -> Counter[Row]:
    try:
        return Counter(stored_rows(engine))
    except (DBAPIError, DatabaseUnreachable):
        return Counter()


def _wait_until_logdir(engine: Engine, files: GrowingFiles) -> None:
    files.grow(2)
    _wait_until_some(engine)


def test_eight_processes_that_read_the_same_runs_at_once_store_each_point_once(
    tmp_path: Path, database_url: str
) -> None:
    files = GrowingFiles(tmp_path / "logs", random.Random(7), runs=4)
    files.grow(40)
    files.finish()

    with _opened(database_url) as engine:
        rivals = [Reading(_config(database_url, files.logdir)) for _ in range(8)]
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
