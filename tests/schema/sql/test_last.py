"""The last points of a series are found without reading what comes before them."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from sqlalchemy import Engine, event

from orgboard_schema.sql.compact import compact
from orgboard_schema.sql.engine import begin_read, begin_write
from orgboard_schema.sql.last import LastPoints, last_scalars
from orgboard_schema.sql.packing import BLOCK_POINTS
from support.stores import NOW, Feed, new_feed, restart, scalars

INT64 = np.iinfo(np.int64)

LONG = 20_000
"""Points of a series of some twenty blocks."""

COUNTS = [1, 7, 3000, 10**6]
STEPS = [None, 123_456, 119_999, 50_049, 0, -1, INT64.max, INT64.min]


def _last(feed: Feed, tag: str, count: int, upto: int | None = None) -> LastPoints | None:
    key = (feed.run_id, feed.tag(tag))
    with begin_read(feed.engine) as conn:
        return last_scalars(conn, [key], count=count, upto=upto).get(key)


def _plainly(feed: Feed, tag: str, count: int, upto: int | None) -> list[tuple[int, float]]:
    data = feed.read(tag)
    assert data is not None
    shown = ~data.superseded & (data.step <= (INT64.max if upto is None else upto))
    order = np.argsort(data.step[shown], kind="stable")[-count:]
    pairs = zip(data.step[shown][order].tolist(), data.value[shown][order].tolist(), strict=True)
    return list(pairs)


def _long(engine: Engine) -> Feed:
    """Return a run whose last steps came late in part, and were replaced in part."""
    feed = new_feed(engine)
    steps = np.arange(LONG, dtype=np.int64) * 10
    late = steps[5000:5010]
    steps = np.concatenate((np.delete(steps, slice(5000, 5010)), late))
    feed.store([scalars("long", steps.tolist()), scalars("short", [3, 1, 2], [30, 10, 20])])
    with begin_write(engine) as conn:
        compact(conn, feed.run_id, final=True, now=NOW)
    again = np.arange(12_000, 12_500) * 10
    feed.store(
        [scalars("long", again.tolist(), (-again).tolist(), attempt=1)],
        restarts=(restart(1, 120_000),),
    )
    return feed


@pytest.mark.parametrize("tag", ["long", "short"])
def test_the_last_points_are_those_that_looking_at_all_finds(engine: Engine, tag: str) -> None:
    feed = _long(engine)
    for count, upto in product(COUNTS, STEPS):
        found = _last(feed, tag, count, upto)

        told = () if found is None else zip(found.step.tolist(), found.value.tolist(), strict=True)
        assert list(told) == _plainly(feed, tag, count, upto), (count, upto)


def test_of_a_long_series_few_blocks_are_read(engine: Engine) -> None:
    feed = new_feed(engine)
    feed.store([scalars("long", range(LONG))])
    with begin_write(engine) as conn:
        compact(conn, feed.run_id, final=True, now=NOW)
    asked: list[object] = []

    @event.listens_for(engine, "before_cursor_execute")
    def _note(_conn: object, _cursor: object, _text: str, values: object, *_more: object) -> None:
        asked.append(values)

    try:
        found = _last(feed, "long", 10)
    finally:
        event.remove(engine, "before_cursor_execute", _note)

    assert found is not None
    assert found.step.tolist() == list(range(LONG - 10, LONG))
    # The statement that reads blocks names the first step that may be in one.
    assert str(LONG - LONG % BLOCK_POINTS) in str(asked[-1])


def test_a_series_that_is_not_there_has_no_last_points(engine: Engine) -> None:
    assert _last(new_feed(engine), "nothing", 3) is None
