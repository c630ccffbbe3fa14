"""What databases and networks do to ingest: 0 lost and 0 doubled, whatever it is.

Every test has real parts: a PostgreSQL cluster of its own that is crashed, filled or set
back, a proxy that breaks real connections, SQLite files that are exchanged, daemons that
are processes.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import URL, Engine, make_url
from sqlalchemy.exc import DBAPIError

from orgboard_schema.errors import DatabaseUnreachable
from support.daemons import daemon
from support.event_files import event_file, scalar_event
from support.faults import (
    WITHIN_S,
    assert_no_traceback,
    eager_config,
    opened,
    two_daemons,
    wait_until_equal,
    wait_until_read,
    wait_until_some,
)
from support.growing import GrowingFiles, Row, stored_rows
from support.postgres import Cluster, own_cluster
from support.socket_proxy import SocketProxy, proxy_to
from support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


def _through(proxy: SocketProxy, url: str) -> str:
    there: URL = make_url(url).set(port=proxy.port)
    return there.render_as_string(hide_password=False)


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

    with daemon(eager_config(cluster.url, files.logdir), tmp_path / "log") as running:
        wait_until(lambda: "database away" in running.output(), WITHIN_S, "it says so")
        cluster.start()
        with opened(cluster.url) as engine:
            wait_until_some(engine)
            wait_until_equal(engine, files)
        assert_no_traceback(running)


def test_crashes_of_the_server_under_two_daemons_lose_and_double_nothing(
    tmp_path: Path, cluster: Cluster
) -> None:
    files = GrowingFiles(tmp_path / "logs", random.Random(2))

    with (
        opened(cluster.url) as engine,
        two_daemons(eager_config(cluster.url, files.logdir), tmp_path) as daemons,
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
        wait_until_equal(engine, files)
        assert_no_traceback(*daemons)
        assert all("database back" in running.output() for running in daemons)


@pytest.mark.parametrize("grow_after", [False, True])
def test_a_failover_to_a_state_that_lost_commits_is_read_again(
    tmp_path: Path, cluster: Cluster, grow_after: bool
) -> None:
    files = GrowingFiles(tmp_path / "logs", random.Random(3))
    base = cluster.data.with_name("base")

    with (
        opened(cluster.url) as engine,
        two_daemons(eager_config(cluster.url, files.logdir), tmp_path) as daemons,
    ):
        files.grow(20)
        wait_until_some(engine)
        cluster.crash()
        cluster.copy_data(cluster.data, base)
        cluster.start()
        before = files.truth().total()
        files.grow(40)
        # Runs that the older state does not know: their numbers will be given out again.
        new = files.logdir / "zz-new" / "events.out.tfevents.0"
        new.parent.mkdir()
        new.write_bytes(event_file(scalar_event("loss", 0, 0.5, 1.0)))
        wait_until_some(engine, before)
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
        assert_no_traceback(*daemons)


def test_connections_cut_between_a_commit_and_its_answer_double_nothing(
    tmp_path: Path, postgres_database: str, proxy: SocketProxy
) -> None:
    files = GrowingFiles(tmp_path / "logs", random.Random(4))
    url = _through(proxy, postgres_database)

    with (
        opened(postgres_database) as engine,
        two_daemons(eager_config(url, files.logdir), tmp_path) as daemons,
    ):
        wait_until_read(engine, files)
        proxy.cut_commits = 0.15

        def cut() -> bool:
            files.grow_for(0.02)
            return proxy.cuts >= 20

        wait_until(cut, WITHIN_S, "many cuts")
        proxy.cut_commits = 0.0
        wait_until_equal(engine, files)
        assert_no_traceback(*daemons)


@pytest.mark.parametrize("trouble", ["reset", "refuse", "latency", "trickle", "black hole"])
def test_a_bad_network_delays_and_neither_loses_nor_doubles(
    tmp_path: Path, postgres_database: str, proxy: SocketProxy, trouble: str
) -> None:
    files = GrowingFiles(tmp_path / "logs", random.Random(5))
    url = _through(proxy, postgres_database)

    with (
        opened(postgres_database) as engine,
        two_daemons(eager_config(url, files.logdir), tmp_path) as daemons,
    ):
        wait_until_read(engine, files)
        files.grow_for(0.3)
        _make_trouble(proxy, trouble, files)
        wait_until_equal(engine, files)
        assert_no_traceback(*daemons)


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
        opened(postgres_database) as engine,
        two_daemons(eager_config(postgres_database, files.logdir), tmp_path) as daemons,
        psycopg.connect(postgres_database, autocommit=True) as connection,
    ):
        wait_until_read(engine, files)
        engine.dispose()
        for _ in range(30):
            files.grow_for(0.05)
            connection.execute(end)
        wait_until_equal(engine, files)
        assert_no_traceback(*daemons)


def test_while_the_database_is_away_nothing_is_read_and_memory_stays_flat(
    tmp_path: Path, postgres_database: str, proxy: SocketProxy
) -> None:
    logs = tmp_path / "logs"
    path = logs / "a" / "events.out.tfevents.0"
    path.parent.mkdir(parents=True)
    path.write_bytes(event_file(scalar_event("loss", 0, 0.0, 1.0)))
    config = eager_config(_through(proxy, postgres_database), logs)

    with opened(postgres_database) as engine, daemon(config, tmp_path / "log") as running:
        wait_until_some(engine)
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
        assert_no_traceback(running)


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
