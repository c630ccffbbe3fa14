"""`orgboard ingest` as a daemon: it follows files, outlasts its database, and stops when asked."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import Engine, select
from sqlalchemy.exc import DBAPIError

from orgboard_ingest import looking
from orgboard_ingest.config import IngestConfig
from orgboard_ingest.daemon import Daemon
from orgboard_ingest.hints import Hints
from orgboard_ingest.source import Source
from orgboard_ingest.tail import Reading, read_on
from orgboard_schema.errors import DatabaseUnreachable
from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_read, open_engine
from support.event_files import event_file, scalar_event
from support.ingested import migrated, new_intake, stored_scalars
from support.programs import Start
from support.waiting import wait_until

NAME = "events.out.tfevents.1"
WITHIN_S = 30.0


def _grow(path: Path, *steps: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.write(event_file(*(scalar_event("loss", step, step, 1.0 + step) for step in steps)))


def _steps(engine: Engine, run: str) -> list[int]:
    try:
        return [point.step for point in stored_scalars(engine).get((run, "loss"), [])]
    except (DBAPIError, DatabaseUnreachable):
        return []


@contextmanager
def _opened(url: str) -> Iterator[Engine]:
    engine = open_engine(url)
    yield engine
    engine.dispose()


def _wait_for(engine: Engine, run: str, steps: list[int]) -> None:
    wait_until(lambda: _steps(engine, run) == steps, WITHIN_S, f"{run} has steps {steps}")


def test_it_follows_growing_files_and_new_runs_and_stops_cleanly(
    tmp_path: Path, sqlite_url: str, start_orgboard: Start
) -> None:
    logs = tmp_path / "logs"
    _grow(logs / "a" / NAME, 0)

    with (
        start_orgboard("ingest", logs, "--db", sqlite_url) as program,
        _opened(sqlite_url) as engine,
    ):
        _wait_for(engine, "a", [0])
        _grow(logs / "a" / NAME, 1, 2)
        _wait_for(engine, "a", [0, 1, 2])
        _grow(logs / "later" / "b" / NAME, 0)
        _wait_for(engine, "later/b", [0])
        (logs / "later").rename(logs / "moved")
        _wait_for(engine, "moved/b", [0])

        assert program.stop() == 0
        assert "Traceback" not in program.output()
        events = [line.partition(" event=")[2].split()[0] for line in program.output().splitlines()]
        assert events == ["started", "watching", "stopped"]
        assert set(stored_scalars(engine)) == {("a", "loss"), ("moved/b", "loss")}


def test_ctrl_c_in_a_terminal_stops_all_processes_of_an_ingest_in_order(
    tmp_path: Path, sqlite_url: str, start_orgboard: Start
) -> None:
    logs = tmp_path / "logs"
    for run in "abcdef":
        _grow(logs / run / NAME, 0)

    with start_orgboard("ingest", logs, "--db", sqlite_url, "--jobs", 2) as program:
        wait_until(lambda: "event=sharing" in program.output(), WITHIN_S, "both are at work")
        parent = program.process.pid
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        # As the terminal does, to each of them.
        for pid in [*map(int, children), parent]:
            os.kill(pid, signal.SIGINT)
        assert program.process.wait(WITHIN_S) == 0
        events = [line.partition(" event=")[2].split()[0] for line in program.output().splitlines()]
        assert events == ["started", "watching", "sharing", "stopped"]


def test_without_hints_live_files_are_polled(tmp_path: Path, sqlite_url: str) -> None:
    logs = tmp_path / "logs"
    _grow(logs / "a" / NAME, 0)
    engine = migrated(sqlite_url)
    config = IngestConfig((logs,), sqlite_url, poll_every_s=0.02, rescan_polling_s=0.05)
    daemon = Daemon(config, engine, [Source(config, new_intake(engine, logs), None)], Hints())
    thread = threading.Thread(target=daemon.run)
    thread.start()
    try:
        _wait_for(engine, "a", [0])
        _grow(logs / "a" / NAME, 1)
        _wait_for(engine, "a", [0, 1])
        _grow(logs / "b" / NAME, 0)
        _wait_for(engine, "b", [0])
        with begin_read(engine) as conn:
            assert conn.execute(select(tables.logdir.c.watch)).scalar_one() == "polling"
    finally:
        daemon.stop()
        thread.join(WITHIN_S)
    assert not thread.is_alive()
    engine.dispose()


def test_a_file_that_cannot_be_read_holds_up_no_other(
    tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs = tmp_path / "logs"
    _grow(logs / "bad" / NAME, 0)
    _grow(logs / "good" / NAME, 0)
    engine = migrated(sqlite_url)
    config = IngestConfig((logs,), sqlite_url, once=True)
    intake = new_intake(engine, logs)

    def read(path: str, *given: Any, **more: Any) -> Reading:
        if Path(path).parent.name == "bad":
            raise PermissionError(13, "Permission denied")
        return read_on(path, *given, **more)

    monkeypatch.setattr(looking, "read_on", read)

    daemon = Daemon(config, engine, [Source(config, intake, None)], Hints())
    daemon.run_once(lambda _: None)

    assert _steps(engine, "good") == [0]
    assert daemon.unreadable == {str(logs / "bad" / NAME): "Permission denied"}
    engine.dispose()


def test_how_large_a_file_is_shows_in_sql_before_it_is_read(
    tmp_path: Path, sqlite_url: str
) -> None:
    logs = tmp_path / "logs"
    _grow(logs / "a" / NAME, 0)
    with (logs / "a" / NAME).open("ab") as file:
        file.write(b"torn")
    engine = migrated(sqlite_url)
    intake = new_intake(engine, logs)
    config = IngestConfig((logs,), sqlite_url, once=True)
    source = Source(config, intake, None)
    Daemon(config, engine, [source], Hints()).run_once(lambda _: None)
    (known,) = source.found.values()
    assert intake.is_settled("a", NAME, known.size, known.mtime_ns)

    source.note_sizes(engine, [(("a", NAME), known.size + 70), (("gone", NAME), 5)])
    intake.load()

    row = intake.runs["a"].files[NAME].row
    assert (row.size, row.pending) == (known.size + 70, None)
    # Nor does it count as read when it is found to be that large, in the same instant.
    assert not intake.is_settled("a", NAME, row.size, row.mtime_ns)
    engine.dispose()


def _let_in(server_url: str, database_url: str, *, allow: bool) -> None:
    """Shut a database as if its server were away, or open it again."""
    name = database_url.rpartition("/")[2]
    with psycopg.connect(server_url, autocommit=True) as connection:
        alter = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
        connection.execute(alter.format(sql.Identifier(name), sql.Literal(allow)))
        if not allow:
            end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
            connection.execute(end, (name,))


def test_it_waits_for_a_database_that_is_away_and_then_catches_up(
    tmp_path: Path, postgres_url: str, postgres_database: str, start_orgboard: Start
) -> None:
    logs = tmp_path / "logs"
    _grow(logs / "a" / NAME, 0)
    migrated(postgres_database).dispose()
    _let_in(postgres_url, postgres_database, allow=False)

    with (
        start_orgboard("ingest", logs, "--db", postgres_database) as program,
        _opened(postgres_database) as engine,
    ):
        wait_until(lambda: "database away" in program.output(), WITHIN_S, "a word of it")
        _let_in(postgres_url, postgres_database, allow=True)
        _wait_for(engine, "a", [0])

        _let_in(postgres_url, postgres_database, allow=False)
        _grow(logs / "a" / NAME, 1, 2)
        _grow(logs / "b" / NAME, 0)
        wait_until(lambda: program.output().count("database away") > 1, WITHIN_S, "another")
        _let_in(postgres_url, postgres_database, allow=True)
        _wait_for(engine, "a", [0, 1, 2])
        _wait_for(engine, "b", [0])

        assert program.stop() == 0
        assert "Traceback" not in program.output()
