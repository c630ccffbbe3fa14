"""A database can be made again from the event files, and people keep what they made."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine, select, update

from orgboard_ingest.commands import ingest, verify
from orgboard_schema.commands import db
from orgboard_schema.sql import tables
from orgboard_schema.sql.check import check_store
from orgboard_schema.sql.engine import begin_read, begin_write, open_engine
from orgboard_schema.sql.logdirs import move_runs
from orgboard_schema.sql.registry import ensure_project
from orgboard_schema.sql.standing import DELETED, SHOWN
from support.event_files import event_file, scalar_event
from support.s3 import Bucket
from support.words import said, save_views, saved_views, say

pytestmark = pytest.mark.slow

PROJECT = "vision/detect"


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """Give a logdir of three runs."""
    root = tmp_path / "logs"
    for number, run in enumerate(("one", "two", "sweep/three")):
        folder = root / run
        folder.mkdir(parents=True)
        events = [scalar_event("loss", step, step + number) for step in range(2000)]
        (folder / "events.out.tfevents.1.host").write_bytes(event_file(*events))
    return root


def _ingest(logs: Path, url: str) -> None:
    assert ingest([str(logs), "--db", url, "--project", PROJECT, "--once"]) == 0


def _runs(url: str) -> dict[str, tuple[str, int, int, int]]:
    engine = open_engine(url)
    run = tables.run.c
    query = select(run.name, run.uid, run.color, run.points, run.standing)
    with begin_read(engine) as conn:
        rows = conn.execute(query.order_by(run.run_id)).all()
    engine.dispose()
    return {row.name: (row.uid, row.color, row.points, row.standing) for row in rows}


def _is_sound(logs: Path, url: str) -> None:
    engine = open_engine(url)
    with begin_read(engine) as conn:
        assert list(check_store(conn)) == []
    engine.dispose()
    assert verify([str(logs), "--db", url, "--project", PROJECT]) == 0


def _spoil(url: str, run: str) -> None:
    engine = open_engine(url)
    with begin_write(engine) as conn:
        chosen = select(tables.run.c.run_id).where(tables.run.c.name == run).scalar_subquery()
        conn.execute(
            update(tables.block).where(tables.block.c.run_id == chosen).values(payload=b"spoilt")
        )
    engine.dispose()


def test_damaged_points_are_read_again_and_the_run_stays_what_it_was(
    database_url: str, logs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _ingest(logs, database_url)
    before = _runs(database_url)
    _spoil(database_url, "two")
    assert db(["check", "--db", database_url]) == 3

    status = db(["rebuild", "--db", database_url, "--run", "^two$"])

    assert status == 0, capsys.readouterr()
    assert "1 runs read anew, 0 left as they are" in capsys.readouterr().out
    assert db(["check", "--db", database_url]) == 0
    shown = {name: row for name, row in _runs(database_url).items() if row[3] == SHOWN}
    assert shown == before
    _is_sound(logs, database_url)


def test_all_runs_can_be_read_anew(database_url: str, logs: Path) -> None:
    _ingest(logs, database_url)
    before = _runs(database_url)
    for run in before:
        _spoil(database_url, run)

    assert db(["rebuild", "--db", database_url, "--project", PROJECT]) == 0

    assert {n: row for n, row in _runs(database_url).items() if row[3] == SHOWN} == before
    _is_sound(logs, database_url)


def test_a_run_whose_files_are_gone_is_left_as_it_is(
    database_url: str, logs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _ingest(logs, database_url)
    before = _runs(database_url)
    shutil.rmtree(logs / "one")

    status = db(["rebuild", "--db", database_url])

    said = capsys.readouterr().out
    assert status == 1
    assert "left as it is: one: events.out.tfevents.1.host is gone" in said
    after = _runs(database_url)
    assert after["one"] == before["one"]
    assert after["two"] == before["two"]


def test_another_project_is_left_alone(
    database_url: str, logs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _ingest(logs, database_url)

    assert db(["rebuild", "--db", database_url, "--project", "vision/other"]) == 0

    assert "0 runs read anew" in capsys.readouterr().out


def _delete(url: str, name: str) -> None:
    engine = open_engine(url)
    with begin_write(engine) as conn:
        chosen = tables.run.c.name == name
        conn.execute(update(tables.run).where(chosen).values(standing=DELETED, color=41))
    engine.dispose()


def test_names_colours_and_addresses_outlive_a_file_that_is_beyond_repair(
    tmp_path: Path, logs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = tmp_path / "old.db", tmp_path / "new.db"
    noise = np.random.default_rng(2).normal(size=80_000).tolist()
    more = [scalar_event("lr", step, value) for step, value in enumerate(noise)]
    (logs / "two" / "events.out.tfevents.2.host").write_bytes(event_file(*more))
    _ingest(logs, str(old))
    engine = open_engine(str(old))
    with begin_write(engine) as conn:
        conn.execute(update(tables.run).where(tables.run.c.name == "one").values(color=17))
    for run in ("one", "sweep/three"):
        say(engine, run)
    save_views(engine, "detect")
    words = said(engine)
    views = saved_views(engine)
    _checkpoint(engine)
    _delete(str(old), "sweep/three")
    engine = open_engine(str(old))
    _checkpoint(engine)
    before = _runs(str(old))
    _tear(old)

    status = db(["rebuild", "--db", str(old), "--into", str(new)])

    assert status == 0, capsys.readouterr()
    after = _runs(str(new))
    assert {name: row[:2] for name, row in after.items()} == {
        name: row[:2] for name, row in before.items()
    }
    assert after["one"] == before["one"]
    assert after["one"][1] == 17
    assert after["sweep/three"][3] == DELETED
    assert after["sweep/three"][2] == 0
    engine = open_engine(str(new))
    assert said(engine) == words
    assert saved_views(engine) == views
    with begin_read(engine) as conn:
        assert list(check_store(conn)) == []
    engine.dispose()


def test_a_run_that_was_moved_by_itself_is_where_it_was_put(tmp_path: Path, logs: Path) -> None:
    old, new = tmp_path / "old.db", tmp_path / "new.db"
    _ingest(logs, str(old))
    engine, run = open_engine(str(old)), tables.run.c
    with begin_write(engine) as conn:
        other = ensure_project(conn, "secret/apart", now=1.0)
        run_id = conn.scalars(select(run.run_id).where(run.name == "one")).one()
        assert move_runs(conn, [run_id], other, 1.0) == 1
    _checkpoint(engine)

    assert db(["rebuild", "--db", str(old), "--into", str(new)]) == 0

    engine, project = open_engine(str(new)), tables.project.c
    query = select(run.name, project.name, run.points).join(tables.project)
    with begin_read(engine) as conn:
        assert set(conn.execute(query.where(run.standing == SHOWN)).all()) == {
            ("one", "apart", 2000),
            ("two", "detect", 2000),
            ("sweep/three", "detect", 2000),
        }
    engine.dispose()


def _checkpoint(engine: Engine) -> None:
    with engine.connect() as conn:
        conn.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").all()
    engine.dispose()


def _tear(path: Path) -> None:
    """Overwrite the end of the file, where the points lie."""
    octets = bytearray(path.read_bytes())
    random = np.random.default_rng(1)
    start = len(octets) * 3 // 4
    octets[start:] = random.bytes(len(octets) - start)
    path.write_bytes(bytes(octets))


def test_a_file_without_anything_readable_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = tmp_path / "old.db"
    old.write_bytes(bytes(100_000))

    status = db(["rebuild", "--db", str(old), "--into", str(tmp_path / "new.db")])

    assert status == 2
    assert "not even the logdirs can be read" in capsys.readouterr().err


def test_only_a_new_database_is_rebuilt_into(
    tmp_path: Path, logs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = tmp_path / "old.db", tmp_path / "new.db"
    _ingest(logs, str(old))
    shutil.copy(old, new)

    assert db(["rebuild", "--db", str(old), "--into", str(new)]) == 2

    assert "has runs already" in capsys.readouterr().err


def test_runs_of_a_bucket_are_read_anew_but_for_those_whose_objects_are_gone(
    s3_bucket: Bucket, sqlite_url: str, logs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    s3_bucket.upload(logs, "logs")
    url = s3_bucket.url("logs")
    assert ingest([url, "--db", sqlite_url, "--project", PROJECT, "--once"]) == 0
    before = _runs(sqlite_url)
    _spoil(sqlite_url, "two")
    s3_bucket.remove("logs/one/events.out.tfevents.1.host")
    s3_bucket.server.asked()
    capsys.readouterr()

    assert db(["rebuild", "--db", sqlite_url]) == 1

    said = capsys.readouterr().out
    assert f"left as it is: one: events.out.tfevents.1.host is gone from {url}" in said
    assert "2 runs read anew, 1 left as they are" in said
    shown = {name: row for name, row in _runs(sqlite_url).items() if row[3] == SHOWN}
    assert shown == before
    # However many runs, their objects are looked for by one listing; ingest makes another.
    listings = [one for one in s3_bucket.server.asked() if "prefix=logs%2F&" in one["query"]]
    assert len(listings) == 2


def test_a_bucket_that_cannot_be_listed_is_not_taken_for_one_without_files(
    s3_bucket: Bucket, sqlite_url: str, logs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    s3_bucket.upload(logs, "logs")
    url = s3_bucket.url("logs")
    assert ingest([url, "--db", sqlite_url, "--project", PROJECT, "--once"]) == 0
    before = _runs(sqlite_url)
    s3_bucket.server.fail(403)
    try:
        assert db(["rebuild", "--db", sqlite_url]) == 2
    finally:
        s3_bucket.server.fail(0)
    assert f"{url} cannot be listed: told to" in capsys.readouterr().err
    assert _runs(sqlite_url) == before
