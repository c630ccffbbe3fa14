from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event

from orgboard_schema.sql import read
from orgboard_schema.sql.dictionary import tag_ids
from orgboard_schema.sql.engine import begin_read
from orgboard_schema.sql.pieces import iter_pieces
from support.stores import new_feed, scalars


@contextmanager
def _counted(engine: Engine) -> Iterator[list[str]]:
    statements: list[str] = []

    def note(*arguments: Any) -> None:
        statements.append(arguments[2])

    event.listen(engine, "before_cursor_execute", note)
    yield statements
    event.remove(engine, "before_cursor_execute", note)


def test_many_series_of_many_runs_come_in_few_statements(engine: Engine) -> None:
    feeds = [new_feed(engine, run=f"run{number}") for number in range(6)]
    for number, feed in enumerate(feeds):
        feed.store([scalars(f"tag{tag}", [number, tag]) for tag in range(5)])
    keys = [(feed.run_id, feed.tag(f"tag{tag}")) for feed in feeds for tag in range(5)]

    with begin_read(engine) as conn, _counted(engine) as statements:
        found = read.many_scalars(conn, [*keys, (feeds[0].run_id, 10**6)])

    assert set(found) == set(keys)
    assert found[feeds[3].run_id, feeds[3].tag("tag2")].step.tolist() == [3, 2]
    assert len(statements) <= 6


def test_a_range_of_steps_brings_only_what_lies_in_it(engine: Engine) -> None:
    feed = new_feed(engine)
    feed.store([scalars("loss", range(3000))])
    key: read.SeriesKey = (feed.tag("loss"), "scalar")

    with begin_read(engine) as conn:
        found = read.series(conn, feed.run_id, [key], step_range=(1000, 1030))
        outside = read.series(conn, feed.run_id, [key], step_range=(5000, 6000))

    assert found[key].step.tolist() == list(range(1000, 1031))
    assert outside == {}


def test_a_run_of_very_many_series_is_read_in_few_statements(engine: Engine) -> None:
    feed = new_feed(engine)
    names = [f"tag{number:04}" for number in range(300)]
    feed.store([scalars(name, range(number % 3, 1030)) for number, name in enumerate(names)])
    with begin_read(engine) as conn:
        tags = tag_ids(conn, names)

    with begin_read(engine) as conn, _counted(engine) as statements:
        pieces = list(iter_pieces(conn, feed.run_id, [(tag, "scalar") for tag in tags.values()]))

    points: dict[int, list[int]] = {}
    for piece in pieces:
        points.setdefault(piece.tag_id, []).extend(piece.series.step.tolist())
    assert len(statements) <= 2 + 300 // 32 + 1
    assert points == {
        tags[name]: list(range(number % 3, 1030)) for number, name in enumerate(names)
    }
