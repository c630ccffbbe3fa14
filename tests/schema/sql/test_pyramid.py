"""A long series at screen width: out of its pyramid comes what all of its points would show."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, func, insert, select

from orgboard_dashboard.reduce import reduce_line
from orgboard_schema.blocks import ScalarSeries, decode_scalars, encode_scalars
from orgboard_schema.blocks.pyramid import (
    Buckets,
    decode_buckets,
    encode_buckets,
    join_buckets,
    make_buckets,
)
from orgboard_schema.errors import CorruptBlock, TooManyPoints
from orgboard_schema.sql import tables
from orgboard_schema.sql.compact import compact
from orgboard_schema.sql.engine import begin_read, begin_write, open_engine
from orgboard_schema.sql.flush import NewChunk
from orgboard_schema.sql.migrate import upgrade
from orgboard_schema.sql.packing import BLOCK_POINTS
from orgboard_schema.sql.picture import Axis
from orgboard_schema.sql.pyramid import FULL_POINTS, GROUP_BLOCKS, LEVEL, LONG_POINTS, pyramid_row
from orgboard_schema.sql.read import Picture, ReducedLine, long_series, reduced_scalars, series
from orgboard_schema.sql.reset import reset_run
from support.stores import NOW, Feed, new_feed, restart, scalars

# Examples of thousands of points are not made smaller in any time that helps.
_PHASES = (Phase.explicit, Phase.reuse, Phase.generate)

_ODD = (math.nan, math.inf, -math.inf)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Give one store for all examples: each has a run of its own."""
    engine = open_engine(str(tmp_path_factory.mktemp("pyramid") / "board.db"))
    upgrade(engine)
    yield engine
    engine.dispose()


@dataclass(frozen=True)
class Logged:
    """A series as an example wants it: attempts of blocks, covered or not, and cuts."""

    # Thousands of points are no help to who reads of a failure, and Hypothesis warns instead of it.
    attempts: tuple[tuple[ScalarSeries, ...], ...] = field(repr=False)
    covered: tuple[int, ...]
    """How many blocks of each attempt have stretches."""
    cuts: tuple[int, ...]
    """Where each attempt after the first begins to supersede."""
    waiting: int


@st.composite
def _series(draw: st.DrawFn, length: int) -> ScalarSeries:
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    start = draw(st.integers(-(10**6), 10**6))
    stride = draw(st.sampled_from([0, 1, 10, 10**12]))
    step = start + np.arange(length) * stride
    wall: Any = NOW + np.arange(length) * draw(st.sampled_from([0.0, 0.1, 1e-7])) + start / 7
    value: Any = random.normal(size=length).astype(draw(st.sampled_from(["float32", "float64"])))
    value = np.round(value, draw(st.sampled_from([0, 1, 6])))
    if draw(st.booleans()):
        odd = random.random(length) < draw(st.sampled_from([0.001, 0.1, 1.0]))
        value[odd] = random.choice(_ODD, int(odd.sum()))
    if draw(st.integers(0, 3)) == 0:
        # Late data: some steps, and some times, go back.
        late = random.random(length) < draw(st.sampled_from([0.002, 0.5]))
        step[late] -= random.integers(0, 100 * max(stride, 1), int(late.sum()))
        wall[late] -= random.random(int(late.sum()))
    if draw(st.integers(0, 3)) == 0:
        wall[random.random(length) < 0.01] = random.choice(_ODD)
    return ScalarSeries(step.astype(np.int64), wall, value)


@st.composite
def _logged(draw: st.DrawFn) -> Logged:
    attempts: list[tuple[ScalarSeries, ...]] = []
    covered: list[int] = []
    for _ in range(draw(st.integers(1, 3))):
        lengths = draw(st.lists(st.sampled_from([1, 100, 256, 257, 600, 1024]), max_size=5))
        whole = draw(_series(sum(lengths)))
        ends = np.cumsum(lengths)
        attempts.append(
            tuple(
                ScalarSeries(*(column[end - length : end] for column in _columns(whole)))
                for end, length in zip(ends, lengths, strict=True)
            )
        )
        covered.append(draw(st.integers(0, len(lengths))))
    cuts = [draw(st.integers(-(10**6), 2 * 10**6)) for _ in attempts[1:]]
    return Logged(tuple(attempts), tuple(covered), tuple(cuts), draw(st.sampled_from([0, 0, 300])))


def _columns(whole: ScalarSeries) -> tuple[Any, Any, Any]:
    return whole.step, whole.wall, whole.value


def _store(engine: Engine, logged: Logged) -> Feed:
    """Store blocks and stretches as they are said to be; compaction has a say in neither."""
    with begin_read(engine) as conn:
        number = conn.execute(select(func.count()).select_from(tables.run)).scalar_one()
    feed = new_feed(engine, run=f"run{number}")
    tag = feed.tag("t")
    restarts = [restart(at, step) for at, step in enumerate(logged.cuts, 1)]
    feed.store(restarts=tuple(restarts))
    seq = 0
    for attempt, blocks in enumerate(logged.attempts):
        numbered = []
        for block in blocks:
            with begin_write(engine) as conn:
                conn.execute(insert(tables.block), [_row(feed.run_id, tag, attempt, seq, block)])
            numbered.append((seq, block))
            seq += 1
        if some := numbered[: logged.covered[attempt]]:
            # Read back as another process would.
            buckets = decode_buckets(encode_buckets(make_buckets(some)))
            with begin_write(engine) as conn:
                row = pyramid_row(feed.run_id, tag, attempt, buckets)
                conn.execute(insert(tables.block), [row])
    if logged.waiting:
        last = len(logged.attempts) - 1
        feed.store([scalars("t", range(logged.waiting), attempt=last)])
    return feed


def _row(run_id: int, tag: int, attempt: int, seq: int, block: ScalarSeries) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "tag_id": tag,
        "kind": 0,
        "level": 0,
        "seq": seq,
        "attempt": attempt,
        "n": len(block),
        "step_min": int(block.step.min()),
        "step_max": int(block.step.max()),
        "non_finite": 0,
        "payload": encode_scalars(block),
    }


def _lines(engine: Engine, feed: Feed, picture: Picture) -> list[ReducedLine]:
    with begin_read(engine) as conn:
        key = (feed.run_id, feed.tag("t"))
        return reduced_scalars(conn, [key], picture)[key]


class Whole:
    """All points of one line, and what they would show."""

    def __init__(self, engine: Engine, feed: Feed, picture: Picture, attempt: int | None) -> None:
        data = feed.read("t")
        assert data is not None
        known = data.wall[np.isfinite(data.wall)]
        x = {
            "step": data.step.astype(float),
            "rstep": data.step.astype(float) - float(data.step.min()),
            "wall": data.wall,
            "relative": data.wall - (known[0] if known.size else 0),
        }[picture.axis]
        mine = ~data.superseded
        if attempt is not None:
            mine = data.superseded & (data.attempt == attempt)
        self.x, self.step, self.wall = x[mine], data.step[mine], data.wall[mine]
        self.value: Any = data.value[mine]
        self.attempts = int(data.attempt[mine].max(initial=-1)) + 1
        self.reduced = reduce_line(
            self.x,
            cast("Any", self.value),
            columns=picture.columns,
            low=picture.low,
            high=picture.high,
            log_x=picture.log_x,
        )
        inside = np.isfinite(self.x) & np.isfinite(self.value)
        if picture.log_x:
            inside &= self.x > 0
        if picture.low is not None:
            inside &= self.x >= picture.low
        if picture.high is not None:
            inside &= self.x <= picture.high
        self.inside = np.flatnonzero(inside)


@st.composite
def _pictures(draw: st.DrawFn) -> Picture:
    axes: list[Axis] = ["step", "rstep", "wall", "relative"]
    axis = draw(st.sampled_from(axes))
    low = high = None
    if draw(st.booleans()):
        base = NOW if axis == "wall" else 0.0
        low = base + draw(st.sampled_from([-1e6, -100.0, 0.0, 17.5, 1e5]))
        high = low + draw(st.sampled_from([0.5, 1000.0, 1e7, 1e15]))
    columns = draw(st.sampled_from([1, 2, 7, 50, 4000]))
    log_x = draw(st.booleans()) and (high is None or high > 0)
    return Picture(axis, columns, low, high, superseded=True, marks=100, log_x=log_x)


@settings(
    max_examples=100,
    deadline=None,
    phases=_PHASES,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(logged=_logged(), pictures=st.lists(_pictures(), min_size=1, max_size=4))
def test_a_reduced_line_shows_what_all_points_show(
    store: Engine, logged: Logged, pictures: Sequence[Picture]
) -> None:
    if not any(logged.covered):
        return
    feed = _store(store, logged)
    for picture in pictures:
        drawn = {line.attempt: line for line in _lines(store, feed, picture)}
        for attempt in (None, *range(len(logged.attempts))):
            whole = Whole(store, feed, picture, attempt)
            if attempt in drawn:
                _compare(drawn[attempt], whole, picture)
            else:
                assert whole.reduced.total == 0


def _compare(line: ReducedLine, whole: Whole, picture: Picture) -> None:
    reduced = whole.reduced
    assert (line.total, line.non_finite) == (reduced.total, reduced.non_finite)
    assert line.without_x == reduced.without_x
    marks = whole.value[reduced.marks]
    assert line.mark_x.tolist() == whole.x[reduced.marks].tolist()
    assert line.mark_step.tolist() == whole.step[reduced.marks].tolist()
    assert np.array_equal(line.mark_value, marks, equal_nan=True)
    inside = whole.inside
    if not len(inside):
        assert len(line.x) == 0
        return
    # Nothing but points that were logged, in order, and not more than a picture needs.
    logged = set(_bits(whole.x, whole.step, whole.wall, whole.value, inside))
    assert set(_bits(line.x, line.step, line.wall, line.value)) <= logged
    assert (np.diff(line.x) >= 0).all()
    assert len(line.x) <= max(4 * picture.columns, 4)
    # The whole line's ends and extremes are exact.
    x, y = whole.x[inside], whole.value[inside]
    assert (line.x[0], line.x[-1]) == (x.min(), x.max())
    assert (line.value.min(), line.value.max()) == (y.min(), y.max())
    # Every point has a higher and a lower one (or itself) in its column, edges half a column off:
    # one near its column's left edge may belong to the column before.
    drawn, low, high = line.x, picture.low, picture.high
    if picture.log_x:
        x, drawn = np.log10(x), np.log10(drawn)
        low, high = (math.log10(end) if end and end > 0 else None for end in (low, high))
    low = float(x.min()) if low is None else low
    high = float(x.max()) if high is None else high
    width = (high - low) / picture.columns
    if width <= 0:
        return
    column = np.clip(((x - low) / width).astype(np.int64), 0, picture.columns - 1)
    slack = width * 0.500001 + 1e-6 * abs(low)
    for number in np.unique(column).tolist():
        begin, end = low + number * width, low + (number + 1) * width
        here = column == number
        left = x <= begin + slack
        for some, first in ((here & ~left, begin - slack), (here & left, begin - width - slack)):
            near = (drawn >= first) & (drawn <= end + slack)
            if some.any():
                assert line.value[near].min() <= y[some].min()
                assert line.value[near].max() >= y[some].max()


def _bits(x: Any, step: Any, wall: Any, value: Any, chosen: Any = slice(None)) -> Iterator[bytes]:
    for each in zip(x[chosen], step[chosen], wall[chosen], value[chosen], strict=True):
        yield b"".join(np.float64(part).tobytes() for part in (each[0], each[2], each[3])) + bytes(
            str(each[1]), "ascii"
        )


@settings(max_examples=60, deadline=None, phases=_PHASES)
@given(st.lists(st.sampled_from([1, 255, 256, 600, 1024]), min_size=1, max_size=6), st.data())
def test_stretches_survive_their_payload(lengths: list[int], data: st.DataObject) -> None:
    blocks = [(3 * at, data.draw(_series(length))) for at, length in enumerate(lengths)]

    made = make_buckets(blocks)

    _assert_same(decode_buckets(encode_buckets(made)), made)
    if len({series.value.dtype for _, series in blocks}) == 1:
        _assert_same(join_buckets([make_buckets([block]) for block in blocks]), made)


def _assert_same(left: Buckets, right: Buckets) -> None:
    for name in Buckets.__dataclass_fields__:
        mine, theirs = getattr(left, name), getattr(right, name)
        assert np.array_equal(mine, theirs, equal_nan=mine.dtype.kind == "f"), name


def test_a_flipped_bit_in_a_payload_is_noticed() -> None:
    step = np.arange(2000)
    made = make_buckets([(0, ScalarSeries(step, step / 3, np.sin(step)))])
    payload = bytearray(encode_buckets(made))
    payload[len(payload) // 2] ^= 4

    with pytest.raises(CorruptBlock):
        decode_buckets(bytes(payload))


def _grow(feed: Feed, start: int, count: int, attempt: int = 0) -> None:
    step: Any = np.arange(start, start + count)
    value = np.sin(step / 1000).astype(np.float32)
    feed.store([NewChunk(attempt, "t", "scalar", ScalarSeries(step, NOW + step, value))])


def _levels(engine: Engine, feed: Feed) -> tuple[list[int], list[int]]:
    block = tables.block.c
    with begin_read(engine) as conn:
        rows = conn.execute(
            select(block.level, block.n).where(block.run_id == feed.run_id).order_by(block.seq)
        ).all()
    return [n for level, n in rows if level == 0], [n for level, n in rows if level == LEVEL]


def test_places_with_one_logarithm_are_drawn_in_order(store: Engine) -> None:
    late = np.array([3, 0, 2, 1] * 64) * 1e-6 + NOW
    assert len(set(np.log10(late).tolist())) == 1
    first = ScalarSeries(np.arange(256), NOW - 1000 + np.arange(256.0), np.arange(256.0))
    block = ScalarSeries(np.arange(256, 512), late, np.arange(256.0))
    feed = _store(store, Logged(((first, block),), (1,), (), 0))

    (line,) = _lines(store, feed, Picture("wall", 4000, None, None, True, 100, log_x=True))

    assert len(line.x) == 512
    assert np.all(np.diff(line.x) >= 0)


def test_a_series_gets_its_pyramid_when_it_becomes_long(engine: Engine) -> None:
    feed = new_feed(engine)
    key = (feed.run_id, feed.tag("t"))
    _grow(feed, 0, LONG_POINTS - 1024)
    with begin_read(engine) as conn:
        assert long_series(conn, [key]) == set()

    for at in range(LONG_POINTS - 1024, LONG_POINTS + GROUP_BLOCKS * BLOCK_POINTS, 1024):
        _grow(feed, at, 1024)

    blocks, rows = _levels(engine, feed)
    assert 0 <= sum(blocks) - sum(rows) < GROUP_BLOCKS * BLOCK_POINTS
    with begin_read(engine) as conn:
        assert long_series(conn, [key]) == {key}


def test_small_rows_are_merged_to_full_ones(engine: Engine) -> None:
    feed = new_feed(engine)
    for at in range(0, FULL_POINTS + 64 * 1024, 32 * 1024):
        _grow(feed, at, 32 * 1024)

    _, rows = _levels(engine, feed)

    assert rows[0] >= FULL_POINTS
    assert len(rows) <= 3
    with begin_read(engine) as conn:
        key = (feed.run_id, feed.tag("t"))
        (line,) = reduced_scalars(conn, [key], Picture("step", 100))[key]
    assert line.total == FULL_POINTS + 64 * 1024


def test_points_that_came_before_the_pyramid_are_covered_too(engine: Engine) -> None:
    feed = new_feed(engine)
    _grow(feed, 0, LONG_POINTS + 1024)
    with begin_write(engine) as conn:
        conn.execute(tables.block.delete().where(tables.block.c.level == LEVEL))

    _grow(feed, LONG_POINTS + 1024, 1024)
    with begin_write(engine) as conn:
        compact(conn, feed.run_id, final=True, now=NOW)

    blocks, rows = _levels(engine, feed)
    assert sum(blocks) - sum(rows) < GROUP_BLOCKS * BLOCK_POINTS


def test_a_reset_takes_the_pyramid_with_it(engine: Engine) -> None:
    feed = new_feed(engine)
    _grow(feed, 0, LONG_POINTS + 1024)
    assert _levels(engine, feed)[1]

    with begin_write(engine) as conn:
        reset_run(conn, feed.run_id, now=NOW)

    assert _levels(engine, feed) == ([], [])


def test_a_zoom_into_a_long_series_gives_every_point(engine: Engine) -> None:
    feed = new_feed(engine)
    _grow(feed, 0, LONG_POINTS + 1024)

    (line,) = _lines(engine, feed, Picture("step", 100, 1000.5, 1300))

    assert line.step.tolist() == list(range(1001, 1301))


def test_reading_whole_gives_no_stretch(engine: Engine) -> None:
    feed = new_feed(engine)
    _grow(feed, 0, LONG_POINTS + 1024)

    with begin_read(engine) as conn:
        key = feed.tag("t")
        data = series(conn, feed.run_id, [(key, "scalar")])[key, "scalar"]

    assert data.step.tolist() == list(range(LONG_POINTS + 1024))


def test_more_points_than_allowed_are_refused_before_they_are_read(engine: Engine) -> None:
    feed = new_feed(engine)
    # In no order at all: the pyramid says nothing of it.
    step: Any = np.random.default_rng(1).permutation(LONG_POINTS + 1024)
    feed.store([NewChunk(0, "t", "scalar", ScalarSeries(step, NOW + step, step.astype(float)))])

    with pytest.raises(TooManyPoints):
        _lines(engine, feed, Picture("step", 100, most_points=10_000))


def test_a_payload_of_points_is_no_payload_of_stretches(engine: Engine) -> None:
    feed = new_feed(engine)
    _grow(feed, 0, BLOCK_POINTS)
    with begin_read(engine) as conn:
        payload = bytes(conn.execute(select(tables.block.c.payload)).scalar_one())

    assert len(decode_scalars(payload)) == BLOCK_POINTS
    with pytest.raises(CorruptBlock):
        decode_buckets(payload)
