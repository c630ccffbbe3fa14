"""The numbers and the letters at the edges come back from both engines as they went in."""

from __future__ import annotations

import numpy as np
import pytest
from sqlalchemy import Engine

from orgboard_schema.blocks import ScalarSeries
from orgboard_schema.sql.check import check_store
from orgboard_schema.sql.compact import compact
from orgboard_schema.sql.dictionary import tag_ids, tag_names
from orgboard_schema.sql.engine import begin_read, begin_write
from orgboard_schema.sql.flush import NewChunk
from orgboard_schema.sql.pyramid import LONG_POINTS
from orgboard_schema.sql.read import Picture, reduced_scalars
from support.stores import NOW, Feed, new_feed

INT64 = np.iinfo(np.int64)
STEPS = np.array([INT64.min, INT64.min + 1, -1, 0, 1, 2**53 + 1, INT64.max - 1, INT64.max])
WALLS = np.array([np.nan, -np.inf, np.inf, -0.0, 5e-324, 1.7e308, -1.7e308, 1.7e9])


def _values(dtype: str) -> np.ndarray:
    info = np.finfo(dtype)
    numbers = [np.nan, np.inf, -np.inf, -0.0, info.smallest_subnormal, info.max, info.min, 0.0]
    return np.array(numbers, dtype)


def _store(feed: Feed, dtype: str, final: bool) -> ScalarSeries:
    series = ScalarSeries(STEPS, WALLS, _values(dtype))
    feed.store([NewChunk(0, "t", "scalar", series)])
    if final:
        with begin_write(feed.engine) as conn:
            compact(conn, feed.run_id, final=True, now=NOW)
    return series


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("final", [False, True])
def test_numbers_at_the_edges_come_back_bit_for_bit(
    engine: Engine, dtype: str, final: bool
) -> None:
    feed = new_feed(engine)
    series = _store(feed, dtype, final)

    data = feed.read("t")

    assert data is not None
    assert data.step.tobytes() == series.step.tobytes()
    assert data.wall.tobytes() == series.wall.tobytes()
    assert data.value.tobytes() == series.value.tobytes()
    with begin_read(engine) as conn:
        assert list(check_store(conn)) == []


def test_names_with_nul_and_lone_surrogates_come_back(engine: Engine) -> None:
    names = ["a\0b", "\0", "\ud800", "x\udfff", "\U0010ffff", "e\u0301", "\u00e9"]
    with begin_write(engine) as conn:
        ids = tag_ids(conn, names)

    with begin_read(engine) as conn:
        found = tag_names(conn, ids.values())

    assert {number: name for name, number in ids.items()} == found
    assert len(set(ids.values())) == len(names)


@pytest.mark.parametrize("axis", ["step", "rstep", "wall", "relative"])
def test_a_pyramid_holds_numbers_at_the_edges(engine: Engine, axis: str) -> None:
    feed = new_feed(engine)
    count = LONG_POINTS + 1024
    step = (np.linspace(-1, 1, count) * 2**62).astype(np.int64)
    step[0], step[-1] = INT64.min, INT64.max
    value = np.resize(_values("float64"), count)
    wall = np.linspace(-1, 1, count) * 1.7e308
    feed.store([NewChunk(0, "t", "scalar", ScalarSeries(step, wall, value))])

    with begin_read(engine) as conn:
        key = (feed.run_id, feed.tag("t"))
        picture = Picture(axis, 100)  # type: ignore[arg-type]
        (line,) = reduced_scalars(conn, [key], picture)[key]
        assert list(check_store(conn)) == []

    placed = count - line.without_x
    assert line.total == placed
    assert len(line.mark_x) == 100
    assert (line.value.min(), line.value.max()) == (value[5] * -1, value[5])
    if axis != "relative":
        assert placed == count
        assert line.non_finite == int(np.count_nonzero(~np.isfinite(value)))
