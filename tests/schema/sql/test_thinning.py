"""Thinning beside others, and what is told of it: rivals, shared media, damage, TensorBoard."""

from __future__ import annotations

from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, func, select, text, update

from orgboard_schema.blocks import StoredMedia
from orgboard_schema.blocks.digests import value_digests
from orgboard_schema.blocks.taken import Taken
from orgboard_schema.commands import db
from orgboard_schema.sql import tables
from orgboard_schema.sql.as_tensorboard import (
    Purges,
    kept_by_data_server,
    kept_by_python,
    load_purges,
    ordered,
)
from orgboard_schema.sql.check import check_store
from orgboard_schema.sql.engine import begin_read, begin_write, open_engine
from orgboard_schema.sql.flush import NewChunk, NewValues
from orgboard_schema.sql.migrate import upgrade
from orgboard_schema.sql.read import SeriesData, load_blob
from orgboard_schema.sql.retention import Policy
from orgboard_schema.sql.runs import RunState, lock_runs
from orgboard_schema.sql.space import size_of
from orgboard_schema.sql.thinning.doing import Thinned, thin_run
from orgboard_schema.sql.thinning.marks import load_marks, load_taken
from orgboard_schema.sql.thinning.plan import planned_thinning, shared_bytes
from orgboard_schema.sql.thinning.rule import Rule
from orgboard_schema.types import Blob, Kind, Media, ProtoHistogram, Tensor, TensorHistogram, Value
from support.stores import NOW, Feed, new_feed, scalars, values
from support.waiting import wait_until

LATER = NOW + 40 * 86_400.0
PICTURES: Rule = Rule(10, 30, frozenset({"image"}))


def pictures(looks: range, *, size: int = 50, start: int = 0) -> NewChunk:
    """Return new pictures at steps from `start` on, each of its own look."""
    step = np.arange(start, start + len(looks), dtype=np.int64)
    media = tuple(Media((Blob(b"%d" % look * size, "image/png"),)) for look in looks)
    return NewChunk(0, "p", "image", NewValues(step, NOW + step.astype(float), media))


def thin(feed: Feed, rule: Rule = PICTURES, *, at_once: int = 8192) -> Thinned:
    """Thin a run, long after it was written."""
    policy = Policy(thin=rule)
    return thin_run(feed.engine, feed.run_id, policy, rule, now=LATER, at_once=at_once)


def damage(engine: Engine) -> list[str]:
    """Return what the check finds."""
    with begin_read(engine) as conn:
        return [str(each) for each in check_store(conn)]


def test_a_run_that_grew_between_two_transactions_is_left_and_gone_on_with_the_next_time(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = new_feed(engine)
    feed.store([pictures(range(3000))])
    left = [1]

    def after_a_rival(given: Engine) -> object:
        left[0] -= 1
        if left[0] == -1:
            feed.store([pictures(range(5), start=3000)])
        return begin_write(given)

    monkeypatch.setattr("orgboard_schema.sql.thinning.doing.begin_write", after_a_rival)
    first = thin(feed, at_once=1)
    assert not first.is_done
    assert 0 < first.points < 2000
    assert damage(engine) == []

    # What came looks like the first ones, of which two are kept by that.
    assert thin(feed) == Thinned(2703 - first.points, 3000 - 301, is_done=True)
    data = feed.read("p", "image")
    assert data is not None
    assert data.step.tolist() == [*range(0, 3001, 10), 3004]
    assert damage(engine) == []


def test_a_picture_that_comes_back_while_it_is_let_go_is_kept(
    postgres_store: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = new_feed(postgres_store)
    feed.store([pictures(range(30))])
    goes_on = Event()

    def later(conn: Connection, run_ids: Collection[int]) -> dict[int, RunState]:
        assert goes_on.wait(60)
        return lock_runs(conn, run_ids)

    monkeypatch.setattr("orgboard_schema.sql.append.lock_runs", later)
    with ThreadPoolExecutor(2) as threads:
        # It has seen the reference to a picture that is about to go, and has not stored its own.
        storing = threads.submit(feed.store, [pictures(range(5, 6), start=30)])
        wait_until(lambda: _locks(postgres_store, granted=True), 30, "the picture to be seen")
        thinning = threads.submit(thin, feed)
        try:
            wait_until(lambda: _locks(postgres_store, granted=False), 30, "the thinning to wait")
        finally:
            goes_on.set()
        storing.result()
        assert thinning.result() == Thinned(26, 0, is_done=False)

    assert thin(feed).is_done
    data = feed.read("p", "image")
    assert data is not None
    assert data.step.tolist() == [0, 10, 20, 30]
    with begin_read(postgres_store) as conn:
        for value in data.values:
            assert isinstance(value, StoredMedia)
            assert load_blob(conn, feed.run_id, value.blobs[0].sha256) is not None
    assert damage(postgres_store) == []


def _locks(engine: Engine, *, granted: bool) -> bool:
    """Tell whether somebody has, or waits for, the lock of who stores a blob."""
    with engine.connect() as conn:
        query = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted = :granted"
        return bool(conn.scalar(text(query), {"granted": granted}))


def test_media_that_runs_share_is_counted_once_and_only_where_all_let_it_go(
    engine: Engine,
) -> None:
    one, other, third = (new_feed(engine, run=name) for name in ("one", "other", "third"))
    for feed in (one, other):
        feed.store([pictures(range(20), size=100)])
    third.store([pictures(range(5, 6), size=100)])
    with begin_read(engine) as conn:
        plans = list(planned_thinning(conn, Policy(thin=PICTURES), now=LATER))
        sizes = dict(conn.execute(select(tables.blob.c.sha256, tables.blob.c.size)).all())
    assert [plan.points for plan in plans] == [{"image": (17, 20)}] * 2
    assert [plan.blob_bytes for plan in plans] == [0, 0]

    for feed in (one, other):
        thin(feed)

    with begin_read(engine) as conn:
        refs = set(conn.scalars(select(tables.blob_ref.c.sha256)))
    # 0, 10, 19, and 5 of the third run.
    assert len(refs) == 4
    assert shared_bytes(plans) == sum(size for key, size in sizes.items() if key not in refs)


def test_every_kind_that_may_be_thinned_is_noted_as_it_was(engine: Engine) -> None:
    logged: dict[Kind, list[Value]] = {
        "histogram": [
            TensorHistogram("float64", ((0.0, 1.0, float(n)),))
            if n % 3
            else ProtoHistogram(0.0, 1.0, 1.0, float(n), 1.0, (1.0,), (1.0,))
            for n in range(40)
        ],
        "tensor": [Tensor("int64", (1,), bytes([n] * 8)) for n in range(40)],
        "text": [Tensor("string", (), (b"word %d" % n,)) for n in range(40)],
    }
    feed = new_feed(engine)
    feed.store([*(values("v", kind, some) for kind, some in logged.items()), scalars("s", [1, 2])])

    rule = Rule(7, 0, frozenset(logged))
    assert thin(feed, rule).is_done

    with begin_read(engine) as conn:
        taken, marks = load_taken(conn, feed.run_id), load_marks(conn, [feed.run_id])
    gone = [n for n in range(40) if n % 7 and n != 39]
    for kind, some in logged.items():
        mine = taken[feed.tag("v"), kind, 0]
        assert mine.place.tolist() == mine.step.tolist() == gone
        assert mine.digest.tolist() == value_digests([some[n] for n in gone]).tolist()  # type: ignore[misc]
    assert [mark.taken for mark in marks[feed.run_id]] == [len(gone)] * 3
    assert damage(engine) == []


def _change(conn: Connection, **columns: object) -> None:
    conn.execute(update(tables.thinned).values(columns))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda conn: _change(conn, n=7), "7 points promised, 17 there"),
        (lambda conn: _change(conn, payload=b"\x01nothing"), "thinned"),
        (lambda conn: _change(conn, tag_id=77), "the run has no such series"),
        (
            lambda conn: conn.execute(
                text(
                    "INSERT INTO thinned SELECT run_id, tag_id, kind, attempt, seq + 1000, at,"
                    " keep_every, after_days, settled, n, payload FROM thinned"
                )
            ),
            "points that were taken twice",
        ),
    ],
)
def test_damage_of_what_was_noted_is_named(
    engine: Engine, change: Callable[[Connection], object], named: str
) -> None:
    feed = new_feed(engine)
    feed.store([pictures(range(20))])
    thin(feed)
    with begin_write(engine) as conn:
        change(conn)

    assert any(named in line for line in damage(engine)), damage(engine)


def test_a_file_gets_smaller_by_what_it_was_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = open_engine(str(tmp_path / "board.db"))
    upgrade(engine)
    feed = new_feed(engine)
    feed.store([pictures(range(1000), size=1500)])
    with engine.connect() as conn:
        octets = conn.execute(select(func.sum(tables.blob.c.size))).scalar_one()
    full = size_of(engine)

    command = ["retain", "--db", str(tmp_path / "board.db"), "--thin-after", "1"]
    assert db([*command, "--keep-every", "10", "--apply"]) == 0

    assert "899 of 1,000 image" in capsys.readouterr().out
    assert size_of(engine) < full - octets * 0.85
    assert (tmp_path / "board.db").stat().st_size == size_of(engine)
    engine.dispose()


def test_events_that_were_thinned_still_tell_tensorboard_of_a_restart(engine: Engine) -> None:
    feed = new_feed(engine)
    feed.store([pictures(range(50))])
    with begin_read(engine) as conn:
        before = load_purges(conn, [feed.run_id])[feed.run_id].events
    thin(feed)
    with begin_read(engine) as conn:
        after = load_purges(conn, [feed.run_id])[feed.run_id].events

    assert before is not None
    assert after is not None
    assert after.step.tolist() == before.step.tolist() == list(range(50))


_point = st.tuples(st.integers(0, 2), st.integers(0, 9), st.booleans(), st.booleans())


@given(st.lists(_point, max_size=40), st.lists(st.tuples(st.integers(1, 2), st.integers(0, 9))))
def test_what_tensorboard_keeps_does_not_depend_on_what_was_thinned(
    drawn: list[tuple[int, int, bool, bool]], starts: list[tuple[int, int]]
) -> None:
    rows = sorted(drawn, key=lambda row: row[0])
    attempt = np.array([row[0] for row in rows], np.int32)
    step = np.array([row[1] for row in rows], np.int64)
    wall = np.array([at if row[2] else np.nan for at, row in enumerate(rows)], np.float64)
    stored = np.array([row[3] for row in rows], np.bool_)
    hidden = np.zeros(len(rows), np.bool_)
    whole = SeriesData(step, wall, np.empty(0), (), attempt, hidden)
    taken: dict[int, Taken] = {}
    for number in set(attempt.tolist()):
        mine = attempt == number
        gone = np.flatnonzero(~stored[mine])
        if len(gone):
            digests = np.zeros(len(gone), "V16")
            taken[number] = Taken(gone, step[mine][gone], wall[mine][gone], digests)
    left = whole.take(np.flatnonzero(stored))

    for purges in (Purges(tuple(starts)), Purges((), ordered(wall, step))):
        kept = kept_by_python(left, purges, taken=taken)
        assert kept.tolist() == kept_by_python(whole, purges)[stored].tolist()
    kept = kept_by_data_server(left, taken=taken)
    assert kept.tolist() == kept_by_data_server(whole)[stored].tolist()
