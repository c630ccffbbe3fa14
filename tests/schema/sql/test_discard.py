from __future__ import annotations

import pytest
from sqlalchemy import Engine, func, select, update

from orgboard_schema.errors import OffsetMoved
from orgboard_schema.sql import tables
from orgboard_schema.sql.append import append
from orgboard_schema.sql.check import check_store
from orgboard_schema.sql.discard import discard_some, remove_points
from orgboard_schema.sql.engine import begin_read, begin_write
from orgboard_schema.sql.flush import NewGap
from orgboard_schema.sql.shadow import begin_shadow, give_up_shadow, swap
from orgboard_schema.sql.standing import DISCARDED, SHADOW, SHOWN
from orgboard_schema.types import Blob, Media
from support.stores import NOW, Feed, new_feed, restart, scalars, values


def _filled(engine: Engine, run: str) -> Feed:
    feed = new_feed(engine, run=run)
    picture = Media((Blob(b"png", "image/png"),))
    feed.store([scalars("loss", range(3000)), values("i", "image", [picture])])
    feed.store([scalars("loss", [7], attempt=1)], restarts=(restart(1, 7),))
    feed.store(gaps=(NewGap(1, 2, "payload crc"),))
    return feed


def _rows(engine: Engine, run_id: int) -> int:
    """Count all that is stored of a run, its own row and its files' among it."""
    mine = [table for table in tables.schema.sorted_tables if "run_id" in table.c]
    with begin_read(engine) as conn:
        counts = (select(func.count()).where(table.c.run_id == run_id) for table in mine)
        return sum(conn.execute(count).scalar_one() for count in counts)


def _stand(engine: Engine, run_id: int, standing: int) -> None:
    with begin_write(engine) as conn:
        conn.execute(
            update(tables.run).where(tables.run.c.run_id == run_id).values(standing=standing)
        )


def _empty_the_bin(engine: Engine, limit: int) -> int:
    rounds = 1
    while True:
        with begin_write(engine) as conn:
            if not discard_some(conn, limit):
                return rounds
        rounds += 1


def _begin(engine: Engine, feed: Feed) -> int:
    with begin_write(engine) as conn:
        revision = conn.execute(
            select(tables.run.c.revision).where(tables.run.c.run_id == feed.run_id)
        ).scalar_one()
        return begin_shadow(conn, feed.run_id, revision=revision)


def test_a_discarded_run_is_removed_a_few_rows_at_a_time_and_no_other(engine: Engine) -> None:
    gone, stays = _filled(engine, "gone"), _filled(engine, "stays")
    kept = _rows(engine, stays.run_id)
    _stand(engine, gone.run_id, DISCARDED)

    before = _rows(engine, gone.run_id)
    with begin_write(engine) as conn:
        assert discard_some(conn, 2)
    assert before - _rows(engine, gone.run_id) == 2
    assert _empty_the_bin(engine, 2) > 2

    assert _rows(engine, gone.run_id) == 0
    assert _rows(engine, stays.run_id) == kept
    with begin_read(engine) as conn:
        assert list(check_store(conn)) == []


def test_the_newest_run_is_emptied_but_its_number_stays_taken(engine: Engine) -> None:
    _filled(engine, "stays")
    gone = _filled(engine, "gone")
    _stand(engine, gone.run_id, DISCARDED)
    _empty_the_bin(engine, 100)
    assert _rows(engine, gone.run_id) == 2

    later = new_feed(engine, run="later")
    _empty_the_bin(engine, 100)

    assert later.run_id > gone.run_id
    assert _rows(engine, gone.run_id) == 0


def test_points_are_removed_and_the_run_and_its_files_stay(engine: Engine) -> None:
    feed = _filled(engine, "run")
    rounds = 0
    with begin_write(engine) as conn:
        while remove_points(conn, feed.run_id, 1):
            rounds += 1

    assert rounds > 4
    assert _rows(engine, feed.run_id) == 2


def test_nobody_stores_in_a_run_that_has_a_shadow_without_noticing(engine: Engine) -> None:
    feed = _filled(engine, "run")
    with begin_read(engine) as conn:
        before = conn.execute(select(tables.run.c.revision)).scalar_one()

    shadow_id = _begin(engine, feed)

    with pytest.raises(OffsetMoved), begin_write(engine) as conn:
        begin_shadow(conn, feed.run_id, revision=before)
    with begin_read(engine) as conn:
        rows = conn.execute(select(tables.run).order_by(tables.run.c.run_id)).all()
    assert [(row.run_id, row.standing) for row in rows] == [
        (feed.run_id, SHOWN),
        (shadow_id, SHADOW),
    ]
    assert rows[0].revision == before + 1
    assert rows[1].points == 0


def test_a_shadow_takes_over_only_when_all_its_files_are_read(engine: Engine) -> None:
    feed = _filled(engine, "run")
    shadow_id = _begin(engine, feed)
    with begin_write(engine) as conn:
        assert not swap(conn, shadow_id, now=NOW)
        assert not swap(conn, feed.run_id, now=NOW)
        file_id = conn.execute(
            select(tables.source_file.c.file_id).where(tables.source_file.c.run_id == shadow_id)
        ).scalar_one()
    _filled_as(engine, shadow_id, file_id)
    with begin_write(engine) as conn:
        assert swap(conn, shadow_id, now=NOW)
        assert not swap(conn, shadow_id, now=NOW)

    new = new_feed(engine, run="run")
    assert new.run_id == shadow_id
    assert new.read("loss") is not None
    under_way = feed.flush([scalars("loss", [1])])
    with begin_write(engine) as conn:
        append(conn, under_way)
    assert _standing(engine, feed.run_id) == DISCARDED


def _filled_as(engine: Engine, run_id: int, file_id: int) -> None:
    feed = Feed(engine, run_id, file_id)
    for _ in range(3):
        feed.store([scalars("loss", [1, 2])])


def _standing(engine: Engine, run_id: int) -> int:
    with begin_read(engine) as conn:
        query = select(tables.run.c.standing).where(tables.run.c.run_id == run_id)
        return int(conn.execute(query).scalar_one())


def test_a_shadow_given_up_makes_room_for_another(engine: Engine) -> None:
    feed = _filled(engine, "run")
    first = _begin(engine, feed)
    with begin_write(engine) as conn:
        give_up_shadow(conn, first)
        give_up_shadow(conn, feed.run_id)

    second = _begin(engine, feed)

    assert second != first
    assert _standing(engine, feed.run_id) == SHOWN
    assert _standing(engine, first) == DISCARDED


def test_a_shadow_whose_run_is_shown_no_more_is_discarded(engine: Engine) -> None:
    feed = _filled(engine, "run")
    shadow_id = _begin(engine, feed)
    new_feed(engine, run="later")
    _stand(engine, feed.run_id, DISCARDED)

    _empty_the_bin(engine, 100)

    assert _rows(engine, shadow_id) == 0
