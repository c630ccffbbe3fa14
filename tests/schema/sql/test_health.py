"""Leases by the database's clock, and what SQL tells of how ingest fares."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict

import pytest
from sqlalchemy import Engine, delete, insert, select, update

from orgboard_schema.sql import clock, tables
from orgboard_schema.sql.append import append
from orgboard_schema.sql.engine import begin_read, begin_write
from orgboard_schema.sql.flush import NewGap
from orgboard_schema.sql.health import file_health, logdir_health, run_health
from orgboard_schema.sql.leases import Holder, Renewed, Work, leave, renew
from support.ingested import migrated
from support.stores import NOW, Feed, new_feed, scalars

ME, OTHER = Holder("me", "host", 1), Holder("other", "elsewhere", 2)


@pytest.fixture
def engine(tables_url: str) -> Iterator[Engine]:
    """Give an empty database of each engine."""
    opened = migrated(tables_url)
    yield opened
    opened.dispose()


@pytest.fixture
def feed(engine: Engine) -> Feed:
    """Give a run to fill."""
    return new_feed(engine)


def _logdir_id(engine: Engine) -> int:
    with begin_read(engine) as conn:
        found: int = conn.execute(select(tables.logdir.c.logdir_id)).scalar_one()
    return found


def _renew(
    engine: Engine,
    holder: Holder,
    *,
    seconds: float = 60.0,
    before: float | None = None,
    work: Work | None = None,
) -> Renewed:
    logdir_id = _logdir_id(engine)
    with begin_write(engine) as conn:
        return renew(conn, logdir_id, holder, work or Work(), seconds=seconds, before=before)


def test_the_databases_clock_is_that_of_its_host(engine: Engine) -> None:
    before = time.time()
    with begin_read(engine) as conn:
        there = clock.now(conn)

    assert before - 0.01 <= there <= time.time() + 0.01


@pytest.mark.usefixtures("feed")
def test_who_shares_a_logdir_is_who_renewed_in_time(engine: Engine) -> None:
    first = _renew(engine, ME)
    second = _renew(engine, OTHER)
    again = _renew(engine, ME, before=first.until)

    assert (first.owners, first.unbroken, first.rivals_left_s) == (("me",), False, None)
    assert second.owners == ("me", "other")
    assert (again.owners, again.unbroken) == (("me", "other"), True)
    assert again.until > first.until
    assert again.rivals_left_s == pytest.approx(60.0, abs=5.0)


@pytest.mark.usefixtures("feed")
def test_a_lease_that_ran_out_is_no_share_and_whose_it_was_is_told(engine: Engine) -> None:
    mine = _renew(engine, ME, seconds=0.0)

    theirs = _renew(engine, OTHER)
    back = _renew(engine, ME, before=mine.until)

    assert theirs.owners == ("other",)
    assert back.owners == ("me", "other")
    assert not back.unbroken


@pytest.mark.usefixtures("feed")
def test_a_lease_that_an_older_state_took_back_is_told(engine: Engine) -> None:
    mine = _renew(engine, ME)
    with begin_write(engine) as conn:
        conn.execute(delete(tables.lease))

    assert not _renew(engine, ME, before=mine.until).unbroken


@pytest.mark.usefixtures("feed")
def test_leases_are_given_up_at_once_and_forgotten_after_an_hour(engine: Engine) -> None:
    _renew(engine, ME)
    _renew(engine, OTHER, seconds=-3590.0)
    _renew(engine, Holder("old", "host", 3), seconds=-3610.0)
    with begin_write(engine) as conn:
        leave(conn, [_logdir_id(engine)], "me")

    _renew(engine, Holder("new", "host", 4))

    with begin_read(engine) as conn:
        owners = conn.execute(select(tables.lease.c.owner)).scalars().all()
        (logdir,) = logdir_health(conn)
    assert sorted(owners) == ["new", "other"]
    assert {ingest.owner: ingest.alive for ingest in logdir.ingests} == {
        "new": True,
        "other": False,
    }


def test_what_a_process_tells_is_what_a_logdir_shows(engine: Engine, feed: Feed) -> None:
    feed.store([scalars("loss", [0, 1])], gaps=(NewGap(2, 3, "bad length"),))
    work = Work("polling", "on NFS \udcff", 1, 2, 3, 4, 5.5, 6, 7, 8.25, 9.75)

    _renew(engine, ME, work=work)

    with begin_read(engine) as conn:
        (logdir,) = logdir_health(conn)
        assert logdir_health(conn, [logdir.logdir_id]) == [logdir]
        assert logdir_health(conn, []) == []
    (ingest,) = logdir.alive
    assert asdict(ingest.work) == asdict(work)
    assert (ingest.host, ingest.pid) == ("host", 1)
    assert (logdir.project, logdir.path) == ("team/project", "/logs")
    assert (logdir.runs, logdir.gaps) == (1, 1)


def _grow(engine: Engine, feed: Feed, size: int) -> None:
    with begin_write(engine) as conn:
        conn.execute(
            update(tables.source_file)
            .where(tables.source_file.c.file_id == feed.file_id)
            .values(size=size)
        )


def test_a_run_and_its_files_tell_what_waits_and_since_when(engine: Engine, feed: Feed) -> None:
    feed.store([scalars("loss", [0])])
    with begin_read(engine) as conn:
        (done,) = file_health(conn, feed.run_id)
        read_at = conn.execute(select(tables.source_file.c.read_at)).scalar_one()
    _grow(engine, feed, 110)
    with begin_write(engine) as conn:
        conn.execute(update(tables.source_file).values(read_at=clock.clock - 30.0))

    with begin_read(engine) as conn:
        (behind,) = file_health(conn, feed.run_id)
        run = run_health(conn, [feed.run_id, 999_999])[feed.run_id]

    assert (done.pending_bytes, done.lag_s, done.read_at) == (0, 0.0, read_at)
    assert read_at == pytest.approx(time.time(), abs=5.0)
    assert (behind.size, behind.offset, behind.pending_bytes) == (110, 10, 100)
    assert behind.lag_s == pytest.approx(30.0, abs=5.0)
    assert (run.files, run.pending_bytes) == (1, 100)
    assert run.lag_s == pytest.approx(30.0, abs=5.0)


def test_gaps_are_those_of_the_generation_that_is_stored(engine: Engine, feed: Feed) -> None:
    feed.store([scalars("loss", [0])], gaps=(NewGap(2, 3, "bad length"), NewGap(6, 4, "zeros")))
    with begin_write(engine) as conn:
        conn.execute(
            insert(tables.gap).values(
                run_id=feed.run_id,
                file_id=feed.file_id,
                generation=7,
                offset=0,
                length=1000,
                reason="of another file",
                found_at=NOW,
            )
        )

    with begin_read(engine) as conn:
        (file,) = file_health(conn, feed.run_id)
        run = run_health(conn, [feed.run_id])[feed.run_id]

    assert (file.gaps, file.gap_bytes) == (2, 7)
    assert (run.gaps, run.gap_bytes) == (2, 7)


@pytest.mark.parametrize(("ahead_s", "in_future"), [(60.0, False), (3600.0, True)])
def test_wall_times_that_no_clock_shows_yet_are_marked(
    engine: Engine, feed: Feed, ahead_s: float, in_future: bool
) -> None:
    flush = feed.flush([scalars("loss", [0])])
    with begin_write(engine) as conn:
        append(conn, flush)
        conn.execute(update(tables.source_file).values(last_wall=clock.clock + ahead_s))

    with begin_read(engine) as conn:
        (file,) = file_health(conn, feed.run_id)
        run = run_health(conn, [feed.run_id])[feed.run_id]

    assert (file.in_future, run.in_future) == (in_future, in_future)


def test_an_unreadable_file_and_a_compressed_one_are_counted_as_such(
    engine: Engine, feed: Feed
) -> None:
    new_feed(engine, file="events.out.tfevents.2")
    with begin_write(engine) as conn:
        columns = tables.source_file.c
        conn.execute(
            update(tables.source_file)
            .where(columns.file_id == feed.file_id)
            .values(size=5, encoding="gzip", offset=1)
        )
        conn.execute(
            update(tables.source_file)
            .where(columns.file_id != feed.file_id)
            .values(error="Permission denied")
        )

    with begin_read(engine) as conn:
        packed, refused = file_health(conn, feed.run_id)
        run = run_health(conn, [feed.run_id])[feed.run_id]

    assert (packed.pending_bytes, refused.error) == (None, "Permission denied")
    assert (run.files, run.unreadable_files, run.pending_bytes) == (2, 1, 0)
