"""A deleted run gives its space back, and its files bring it back."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine, func, select, text, update

from orgboard_schema.errors import RunIsLive, RunNotFound
from orgboard_schema.sql import tables
from orgboard_schema.sql.check import check_store
from orgboard_schema.sql.delete import delete_run, remove_deleted, restore_run, space_of
from orgboard_schema.sql.engine import begin_read, begin_write, open_engine
from orgboard_schema.sql.migrate import upgrade
from orgboard_schema.sql.space import give_back, needs_rewriting, size_of
from orgboard_schema.sql.standing import DELETED, SHOWN
from orgboard_schema.types import Blob, Media
from support.stores import NOW, Feed, new_feed, scalars, values

LATER = NOW + 1000


def _filled(engine: Engine, run: str = "run") -> Feed:
    feed = new_feed(engine, run=run)
    noise = np.random.default_rng(1).normal(size=90_000)
    feed.store([scalars("loss", range(90_000), noise.tolist(), dtype="float64")])
    feed.store([values("i", "image", [Media((Blob(b"png" + run.encode(), "image/png"),))])])
    feed.store([scalars("lr", [1, 2])])
    return feed


def _delete(engine: Engine, feed: Feed) -> None:
    with begin_write(engine) as conn:
        delete_run(conn, feed.run_id, now=LATER)


def _remove_all(engine: Engine, limit: int = 10) -> int:
    for rounds in range(10_000):
        with begin_write(engine) as conn:
            if not remove_deleted(conn, limit):
                return rounds
    raise AssertionError("it never ends")


def _rows(engine: Engine, run_id: int) -> dict[str, int]:
    found: dict[str, int] = {}
    with begin_read(engine) as conn:
        for table in tables.schema.sorted_tables:
            if "run_id" in table.c:
                query = select(func.count()).select_from(table).where(table.c.run_id == run_id)
                found[table.name] = conn.execute(query).scalar_one()
    return {name: count for name, count in found.items() if count}


def test_a_deleted_run_keeps_its_row_and_its_files_rows_alone(engine: Engine) -> None:
    feed, other = _filled(engine), _filled(engine, "other")
    before = _rows(engine, other.run_id)

    _delete(engine, feed)
    rounds = _remove_all(engine)

    assert rounds > 3
    assert _rows(engine, feed.run_id) == {"run": 1, "source_file": 1}
    assert _rows(engine, other.run_id) == before
    with begin_read(engine) as conn:
        standing = select(tables.run.c.standing).where(tables.run.c.run_id == feed.run_id)
        assert conn.execute(standing).scalar_one() == DELETED
        offset = select(tables.source_file.c.offset).where(
            tables.source_file.c.run_id == feed.run_id
        )
        assert conn.execute(offset).scalar_one() == feed.offset
        assert list(check_store(conn)) == []


def test_a_live_run_is_not_deleted(engine: Engine) -> None:
    feed = _filled(engine)

    with pytest.raises(RunIsLive, match="live"), begin_write(engine) as conn:
        delete_run(conn, feed.run_id, now=NOW + 60)

    assert feed.read("lr") is not None


def test_a_run_is_deleted_once(engine: Engine) -> None:
    feed = _filled(engine)
    _delete(engine, feed)

    with pytest.raises(RunNotFound):
        _delete(engine, feed)


def test_a_restored_run_is_read_from_the_beginning(engine: Engine) -> None:
    feed = _filled(engine)
    _delete(engine, feed)
    _remove_all(engine)

    with begin_write(engine) as conn:
        restore_run(conn, feed.run_id, now=LATER)
    feed.offset = 0
    feed.store([scalars("loss", [1, 2, 3])])

    data = feed.read("loss")
    assert data is not None
    assert data.step.tolist() == [1, 2, 3]
    with begin_read(engine) as conn:
        row = conn.execute(select(tables.run.c.standing, tables.run.c.points)).one()
        assert (row.standing, row.points) == (SHOWN, 3)
        assert list(check_store(conn)) == []


def test_only_a_deleted_run_is_restored(engine: Engine) -> None:
    feed = _filled(engine)

    with pytest.raises(RunNotFound), begin_write(engine) as conn:
        restore_run(conn, feed.run_id, now=LATER)


def test_the_space_of_a_run_is_told_before_it_is_deleted(engine: Engine) -> None:
    feed, other = _filled(engine), _filled(engine, "other")
    shared = values("shared", "image", [Media((Blob(b"same", "image/png"),))])
    feed.store([shared])
    other.store([shared])

    with begin_read(engine) as conn:
        space = space_of(conn, feed.run_id)

    assert space.points == 90_004
    assert space.point_bytes > 90_000 * 5
    assert (space.blobs, space.blob_bytes) == (1, len(b"pngrun"))


def test_a_sqlite_file_shrinks_after_a_delete(tmp_path: Path) -> None:
    engine = open_engine(str(tmp_path / "board.db"))
    upgrade(engine)
    feed = _filled(engine)
    full = size_of(engine)
    _delete(engine, feed)
    _remove_all(engine, limit=1000)

    left = list(give_back(engine))

    assert not needs_rewriting(engine)
    assert left[-1] == 0
    # The rest is the tables themselves, empty.
    assert size_of(engine) < full / 2
    assert (tmp_path / "board.db").stat().st_size == size_of(engine)
    engine.dispose()


def test_a_sqlite_file_of_an_older_release_is_written_anew(tmp_path: Path) -> None:
    path = tmp_path / "board.db"
    with sqlite3.connect(path) as old:
        old.execute("CREATE TABLE here (first INTEGER)")
    old.close()
    engine = open_engine(str(path))
    upgrade(engine)
    feed = _filled(engine)
    full = size_of(engine)
    _delete(engine, feed)
    _remove_all(engine, limit=1000)
    assert needs_rewriting(engine)
    list(give_back(engine))
    assert size_of(engine) == full

    list(give_back(engine, rewrite=True))

    assert not needs_rewriting(engine)
    # The rest is the tables themselves, empty.
    assert size_of(engine) < full / 2
    engine.dispose()


def test_postgresql_takes_the_space_for_new_rows(postgres_store: Engine) -> None:
    feed = _filled(postgres_store)
    full = size_of(postgres_store)
    _delete(postgres_store, feed)
    _remove_all(postgres_store, limit=1000)
    list(give_back(postgres_store))

    _filled(postgres_store, "next")

    # The points of one run take more.
    assert size_of(postgres_store) - full < 200_000


def test_what_a_rival_was_about_to_store_does_not_come_in(engine: Engine) -> None:
    feed = _filled(engine)
    with begin_read(engine) as conn:
        before = conn.execute(select(tables.run.c.revision)).scalar_one()
    _delete(engine, feed)

    with begin_write(engine) as conn:
        moved = conn.execute(
            update(tables.run).where(tables.run.c.revision == before).values(points=1)
        )

    assert moved.rowcount == 0


def test_what_is_removed_is_no_run_that_somebody_just_restores(postgres_store: Engine) -> None:
    feed = _filled(postgres_store)
    _delete(postgres_store, feed)

    with begin_write(postgres_store) as restoring, begin_write(postgres_store) as removing:
        restore_run(restoring, feed.run_id, now=LATER)
        removing.execute(text("SET LOCAL lock_timeout = '1s'"))
        # It neither waits for the run nor takes anything from it.
        assert not remove_deleted(removing, 10)
