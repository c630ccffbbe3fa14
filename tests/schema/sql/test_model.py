"""Whatever flushes, compactions, restarts and rivals come in whatever order: what is read is
what was given, and the store agrees with itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import uuid4

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from orgboard_schema.blocks import ScalarSeries, ValueSeries
from orgboard_schema.errors import OffsetMoved
from orgboard_schema.sql.append import append
from orgboard_schema.sql.check import check_store
from orgboard_schema.sql.compact import compact
from orgboard_schema.sql.engine import begin_read, begin_write
from orgboard_schema.sql.flush import NewChunk, NewValues, Restart
from orgboard_schema.sql.read import SeriesData, SeriesKey, iter_series, series
from orgboard_schema.types import Kind
from support.points import bits, int64s, scalar_series, value_series
from support.stores import NOW, Feed, new_feed, restart, sqlite_store


@dataclass(frozen=True)
class Write:
    """A flush: chunks, and from which step on it restarts the run (None: not at all)."""

    chunks: tuple[tuple[str, ScalarSeries | ValueSeries], ...]
    restart_at: int | None = None


@dataclass(frozen=True)
class Bulk:
    """A flush of so many points, enough for a block."""

    count: int


@dataclass(frozen=True)
class Compact:
    """A compaction."""

    final: bool


@dataclass(frozen=True)
class Rival:
    """The last flush, come again."""


Action = Write | Bulk | Compact | Rival

_tags = st.sampled_from(["a", "b", "c"])
_chunk = st.one_of(
    st.tuples(_tags, scalar_series(max_size=4)), st.tuples(_tags, value_series(max_size=2))
)
_writes = st.builds(Write, st.lists(_chunk, max_size=4).map(tuple))
actions = st.lists(
    st.one_of(
        _writes,
        _writes,
        st.builds(Write, st.lists(_chunk, max_size=2).map(tuple), st.just(0) | int64s),
        st.builds(Bulk, st.sampled_from([1000, 1024, 1500])),
        st.builds(Compact, st.booleans()),
        st.just(Rival()),
    ),
    min_size=1,
    max_size=25,
)


class Model:
    """The same run as plain lists."""

    def __init__(self) -> None:
        self.attempt = 0
        self.cuts: list[tuple[int, int]] = []
        self.points: dict[tuple[str, Kind], list[tuple[int, int, object, object]]] = {}

    def add(self, tag: str, kind: Kind, given: ScalarSeries | ValueSeries) -> None:
        """Note points as (attempt, step, wall, value), to the bit."""
        each = given.value if isinstance(given, ScalarSeries) else given.values
        rows = zip(given.step.tolist(), given.wall.tolist(), each, strict=True)
        noted = [(self.attempt, step, bits(wall), _point(value)) for step, wall, value in rows]
        if noted:
            self.points.setdefault((tag, kind), []).extend(noted)

    def expected(self, tag: str, kind: Kind) -> list[tuple[int, int, object, object, bool]]:
        """Return what reading must give: by attempt, then as it came."""
        rows = sorted(self.points[tag, kind], key=lambda row: row[0])
        return [(*row, any(row[0] < a and row[1] >= s for a, s in self.cuts)) for row in rows]


@settings(max_examples=40, deadline=None)
@given(actions)
def test_sqlite_reads_what_was_given(actions: list[Action]) -> None:
    with sqlite_store() as engine:
        _run(engine, "run", actions)


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(actions)
def test_postgresql_reads_what_was_given(postgres_store: Engine, actions: list[Action]) -> None:
    # All examples share the database; each has a run of its own.
    _run(postgres_store, uuid4().hex, actions)


def _run(engine: Engine, run: str, actions: Sequence[Action]) -> None:
    feed, model = new_feed(engine, run=run), Model()
    for action in actions:
        _do(feed, model, action)

    _assert_reads(feed, model)
    with begin_read(engine) as conn:
        assert list(check_store(conn)) == []
    with begin_write(engine) as conn:
        compact(conn, feed.run_id, final=True, now=NOW)
    _assert_reads(feed, model)


def _do(feed: Feed, model: Model, action: Action) -> None:
    if isinstance(action, Compact):
        with begin_write(feed.engine) as conn:
            compact(conn, feed.run_id, final=action.final, now=NOW)
    elif isinstance(action, Rival):
        _come_again(feed)
    elif isinstance(action, Bulk):
        step = np.arange(action.count, dtype=np.int64)
        given = ScalarSeries(step, step.astype(np.float64), np.sin(step).astype(np.float32))
        feed.store([NewChunk(model.attempt, "a", "scalar", given)])
        model.add("a", "scalar", given)
    else:
        _write(feed, model, action)


def _write(feed: Feed, model: Model, write: Write) -> None:
    restarts: tuple[Restart, ...] = ()
    if write.restart_at is not None:
        model.attempt += 1
        model.cuts.append((model.attempt, write.restart_at))
        restarts = (restart(model.attempt, write.restart_at),)
    chunks: list[NewChunk] = []
    for tag, points in write.chunks:
        kind = _kind(points)
        chunks.append(NewChunk(model.attempt, tag, kind, _new(points)))
        model.add(tag, kind, points)
    feed.store(chunks, restarts=restarts)


def _come_again(feed: Feed) -> None:
    if not feed.offset:
        return
    feed.offset -= 10
    flush = feed.flush([NewChunk(0, "a", "scalar", _one_point())])
    feed.offset += 10
    try:
        with begin_write(feed.engine) as conn:
            append(conn, flush)
    except OffsetMoved:
        return
    raise AssertionError("stored twice")


def _assert_reads(feed: Feed, model: Model) -> None:
    keys: dict[tuple[str, Kind], SeriesKey] = {
        (tag, kind): (feed.tag(tag), kind) for tag, kind in model.points
    }
    with begin_read(feed.engine) as conn:
        found = series(conn, feed.run_id, list(keys.values()))
        assert found.keys() == set(keys.values())
        for (tag, kind), key in keys.items():
            expected = model.expected(tag, kind)
            assert _rows([found[key]]) == expected
            assert _rows(list(iter_series(conn, feed.run_id, *key))) == expected


def _rows(parts: Sequence[SeriesData]) -> list[tuple[int, int, object, object, bool]]:
    return [
        (attempt, step, bits(wall), _point(value), hidden)
        for part in parts
        for attempt, step, wall, value, hidden in zip(
            part.attempt.tolist(),
            part.step.tolist(),
            part.wall.tolist(),
            part.values or part.value,
            part.superseded.tolist(),
            strict=True,
        )
    ]


def _point(value: object) -> object:
    # A series of both float types reads as float64; widening keeps every number.
    if isinstance(value, np.floating):
        return "NaN" if np.isnan(value) else float(value)
    return bits(value)


def _kind(given: ScalarSeries | ValueSeries) -> Kind:
    return "scalar" if isinstance(given, ScalarSeries) else "tensor"


def _new(given: ScalarSeries | ValueSeries) -> ScalarSeries | NewValues:
    if isinstance(given, ScalarSeries):
        return given
    # Media references stand for blobs here: what is put away is another test's business.
    return NewValues(given.step, given.wall, given.values)  # type: ignore[arg-type]


def _one_point() -> ScalarSeries:
    return ScalarSeries(np.zeros(1, np.int64), np.zeros(1), np.zeros(1, np.float32))
