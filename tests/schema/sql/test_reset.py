from __future__ import annotations

import pytest
from sqlalchemy import Engine, select

from orgboard_schema.errors import OffsetMoved
from orgboard_schema.sql import tables
from orgboard_schema.sql.append import append
from orgboard_schema.sql.check import check_store
from orgboard_schema.sql.engine import begin_read, begin_write
from orgboard_schema.sql.flush import NewGap
from orgboard_schema.sql.read import restarts
from orgboard_schema.sql.reset import reset_run
from orgboard_schema.types import Blob, Media
from support.stores import NOW, Feed, new_feed, restart, scalars, values


def _assert_sound(engine: Engine) -> None:
    with begin_read(engine) as conn:
        assert list(check_store(conn)) == []


def _fill(feed: Feed) -> None:
    picture = Media((Blob(b"png", "image/png"),))
    feed.store([scalars("loss", range(1500)), values("i", "image", [picture])])
    feed.store([scalars("loss", [7], attempt=1)], restarts=(restart(1, 7),))
    feed.store(gaps=(NewGap(1, 2, "payload crc"),), finished="stop", hparams="{}")


def test_a_run_that_was_reset_is_read_again_from_the_start(engine: Engine) -> None:
    feed, other = new_feed(engine), new_feed(engine, run="other")
    _fill(feed)
    _fill(other)

    with begin_write(engine) as conn:
        reset_run(conn, feed.run_id, now=NOW)

    assert feed.read("loss") is None
    assert other.read("loss") is not None
    with begin_read(engine) as conn:
        row = conn.execute(select(tables.run).where(tables.run.c.run_id == feed.run_id)).one()
        assert (row.points, row.gaps, row.attempts, row.finished, row.segments) == (
            0,
            0,
            1,
            None,
            0,
        )
        assert row.revision == 4
        assert restarts(conn, [feed.run_id]) == {feed.run_id: []}
    _assert_sound(engine)

    feed.offset = 0
    _fill(feed)

    found = feed.read("loss")
    assert found is not None
    assert len(found) == 1501
    _assert_sound(engine)


def test_a_flush_under_way_during_a_reset_changes_nothing(engine: Engine) -> None:
    feed = new_feed(engine)
    _fill(feed)
    under_way = feed.flush([scalars("loss", [1])])

    with begin_write(engine) as conn:
        reset_run(conn, feed.run_id, now=NOW)

    with pytest.raises(OffsetMoved), begin_write(engine) as conn:
        append(conn, under_way)
    assert feed.read("loss") is None
