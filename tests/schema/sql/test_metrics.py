"""One series in every run, for a run table sorted by it."""

from __future__ import annotations

import math

from sqlalchemy import Engine

from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_read
from orgboard_schema.sql.metrics import find_metric
from support.stores import new_feed, restart, scalars


def test_a_metric_is_what_the_heads_say_of_every_run_that_has_it(engine: Engine) -> None:
    one, two, other = (new_feed(engine, run=name) for name in ("one", "two", "other"))
    one.store([scalars("loss", [0, 5], [3.5, -0.25]), scalars("acc", [0], [1.0])])
    two.store([scalars("acc", [1], [2.0]), scalars("loss", [7, 8], [1.5, math.nan])])
    other.store([scalars("acc", [1], [2.0])])

    with begin_read(engine) as conn:
        found = find_metric(conn, tables.run.c.run_id > 0, one.tag("loss"))

    at = {run_id: number for number, run_id in enumerate(found.run_id.tolist())}
    assert set(at) == {one.run_id, two.run_id}
    first, second = at[one.run_id], at[two.run_id]
    assert (found.last[first], found.least[first], found.most[first]) == (-0.25, -0.25, 3.5)
    assert math.isnan(found.last[second])
    assert (found.least[second], found.most[second]) == (1.5, 1.5)
    assert found.last_step[[first, second]].tolist() == [5, 8]
    assert found.n[[first, second]].tolist() == [2, 2]


def test_only_the_asked_runs_are_looked_at(engine: Engine) -> None:
    feeds = [new_feed(engine, run=name) for name in "ab"]
    for feed in feeds:
        feed.store([scalars("loss", [1])])

    with begin_read(engine) as conn:
        found = find_metric(conn, tables.run.c.run_id == feeds[1].run_id, feeds[0].tag("loss"))

    assert found.run_id.tolist() == [feeds[1].run_id]


def test_a_run_whose_points_are_all_superseded_has_no_metric(engine: Engine) -> None:
    feed = new_feed(engine)
    feed.store([scalars("loss", [5])])
    feed.store([scalars("acc", [1], attempt=1)], restarts=(restart(1, 0),))

    with begin_read(engine) as conn:
        found = find_metric(conn, tables.run.c.run_id > 0, feed.tag("loss"))

    assert found.run_id.tolist() == []
