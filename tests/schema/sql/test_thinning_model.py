"""Whatever was logged, in blocks or waiting, restarted or late, thinned once or often: the points
that are kept are those of one line, what is stored and what was taken are all there was, and the
store agrees with itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import uuid4

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from orgboard_schema.blocks import StoredMedia
from orgboard_schema.sql import tables
from orgboard_schema.sql.check import check_store
from orgboard_schema.sql.compact import compact
from orgboard_schema.sql.engine import begin_read, begin_write
from orgboard_schema.sql.flush import NewChunk, NewValues
from orgboard_schema.sql.read import heads
from orgboard_schema.sql.retention import Policy
from orgboard_schema.sql.thinning.doing import thin_run
from orgboard_schema.sql.thinning.marks import load_taken
from orgboard_schema.sql.thinning.rule import Rule
from orgboard_schema.types import Blob, Kind, Media
from support.stores import NOW, Feed, new_feed, restart, scalars, sqlite_store

KIND: Kind = "image"
MANY = 100
LATER = NOW + 86_400.0


@dataclass(frozen=True)
class Log:
    """A flush of pictures at these steps."""

    tag: str
    steps: tuple[int, ...]


@dataclass(frozen=True)
class Bulk:
    """A flush of so many pictures, enough for a block, at rising steps."""

    tag: str
    count: int


@dataclass(frozen=True)
class Restart:
    """The run goes back to a step, and logs no picture at once."""

    step: int


@dataclass(frozen=True)
class Compact:
    """A compaction."""

    final: bool


@dataclass(frozen=True)
class Thin:
    """A thinning, a few points a transaction."""

    keep_every: int
    at_once: int


Action = Log | Bulk | Restart | Compact | Thin

_tags = st.sampled_from(["a", "b"])
_steps = st.integers(-3, 30)
_thins = st.builds(Thin, st.integers(2, 7), st.sampled_from([1, 5, 10_000]))
actions = st.lists(
    st.one_of(
        st.builds(Log, _tags, st.lists(_steps, min_size=1, max_size=12).map(tuple)),
        st.builds(Log, _tags, st.lists(_steps, min_size=1, max_size=12).map(sorted).map(tuple)),
        st.builds(Bulk, _tags, st.sampled_from([1000, 1024, 2500])),
        st.builds(Restart, _steps),
        st.builds(Compact, st.booleans()),
        _thins,
    ),
    min_size=1,
    max_size=14,
)


@dataclass
class Point:
    """A picture, as it was logged."""

    attempt: int
    step: int
    picture: int
    is_kept: bool = True


@dataclass
class Model:
    """The same run as plain lists."""

    attempt: int = 0
    cuts: list[tuple[int, int]] = field(default_factory=list)
    points: dict[str, list[Point]] = field(default_factory=dict)
    pictures: int = 0

    def add(self, tag: str, steps: Sequence[int]) -> NewChunk:
        """Log pictures, of which many look like ones that were logged long before."""
        numbers = range(self.pictures, self.pictures + len(steps))
        shown = [number % 5 or number if len(steps) < MANY else number % 41 for number in numbers]
        new = [Point(self.attempt, *each) for each in zip(steps, shown, strict=True)]
        self.pictures += len(new)
        self.points.setdefault(tag, []).extend(new)
        step = np.array(steps, np.int64)
        media = tuple(Media((Blob(b"%d" % point.picture, "image/png"),)) for point in new)
        return NewChunk(self.attempt, tag, KIND, NewValues(step, NOW + step.astype(float), media))

    def hidden(self, point: Point) -> bool:
        """Tell whether a later attempt took the place of a point."""
        return any(point.attempt < attempt and point.step >= step for attempt, step in self.cuts)

    def thin(self, keep_every: int) -> None:
        """Keep every n-th of each attempt, its last, and the ends of what is visible."""
        for logged in self.points.values():
            there = [p for p in logged if p.is_kept]
            shown = [p for p in sorted(there, key=lambda p: p.attempt) if not self.hidden(p)]
            by_step = sorted(shown, key=lambda p: p.step)
            ends = [id(p) for p in (*by_step[:1], *by_step[-1:])]
            for number in range(self.attempt + 1):
                mine = [p for p in logged if p.attempt == number]
                for at, p in enumerate(mine):
                    p.is_kept &= at % keep_every == 0 or p is mine[-1] or id(p) in ends


@settings(max_examples=40, deadline=None)
@given(actions)
def test_sqlite_keeps_what_the_line_says(actions: list[Action]) -> None:
    with sqlite_store() as engine:
        _run(engine, "run", actions)


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(actions)
def test_postgresql_keeps_what_the_line_says(postgres_store: Engine, actions: list[Action]) -> None:
    _run(postgres_store, uuid4().hex, actions)


def _run(engine: Engine, run: str, actions: Sequence[Action]) -> None:
    feed, model = new_feed(engine, run=run), Model()
    for action in [*actions, Thin(3, 10_000)]:
        _do(feed, model, action)
        _compare(feed, model)
    with begin_read(engine) as conn:
        assert [str(damage) for damage in check_store(conn)] == []


def _do(feed: Feed, model: Model, action: Action) -> None:
    if isinstance(action, Log):
        feed.store([model.add(action.tag, action.steps), scalars("s", [1, 2, 3])])
    elif isinstance(action, Bulk):
        feed.store([model.add(action.tag, range(action.count))])
    elif isinstance(action, Restart):
        model.attempt += 1
        model.cuts.append((model.attempt, action.step))
        feed.store(restarts=(restart(model.attempt, action.step),))
    elif isinstance(action, Compact):
        with begin_write(feed.engine) as conn:
            compact(conn, feed.run_id, final=action.final, now=NOW)
    else:
        rule = Rule(action.keep_every, 0, frozenset([KIND]))
        policy = Policy(thin=rule)
        done = thin_run(feed.engine, feed.run_id, policy, rule, now=LATER, at_once=action.at_once)
        assert done.is_done
        model.thin(action.keep_every)


def _compare(feed: Feed, model: Model) -> None:
    with begin_read(feed.engine) as conn:
        taken = load_taken(conn, feed.run_id)
        counted = heads(conn, [feed.run_id])[feed.run_id]
        ref = tables.blob_ref.c
        refs = set(map(bytes, conn.scalars(select(ref.sha256).where(ref.run_id == feed.run_id))))
    used = set()
    for tag, logged in model.points.items():
        kept = sorted((p for p in logged if p.is_kept), key=lambda p: p.attempt)
        data = feed.read(tag, KIND)
        assert data is not None
        assert data.attempt.tolist() == [p.attempt for p in kept]
        assert data.step.tolist() == [p.step for p in kept]
        assert data.superseded.tolist() == [model.hidden(p) for p in kept]
        used |= {blob.sha256 for v in data.values if isinstance(v, StoredMedia) for blob in v.blobs}
        head = counted[(counted["tag_id"] == feed.tag(tag)) & (counted["kind"] == 4)][0]
        assert (head["n_all"], head["n"]) == (len(kept), sum(not model.hidden(p) for p in kept))
        for number in range(model.attempt + 1):
            mine = [p for p in logged if p.attempt == number]
            gone = [at for at, p in enumerate(mine) if not p.is_kept]
            found = taken.get((feed.tag(tag), KIND, number))
            assert ([] if found is None else found.place.tolist()) == gone
            steps = [] if found is None else found.step.tolist()
            assert steps == [mine[at].step for at in gone]
    # What a restart hid is still referred to; what was taken is not.
    assert refs == used
