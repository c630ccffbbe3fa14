"""Measure the store alone: bytes a scalar at rest, cost of appending a point, of reading a curve.

On SQLite, and on PostgreSQL where it is installed or ORGBOARD_TEST_POSTGRES names a server.
Times are CPU time of this process (PostgreSQL's own comes on top). The probe, a fixed loop,
tells how fast the machine was meanwhile: figures of two runs compare as far as it does.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from pathlib import Path

import numpy as np
from sqlalchemy import Connection, Engine, insert, select, text

from orgboard_dashboard.api.scalars import Question, answer_question
from orgboard_dashboard.queries.runs import RunQuery, list_runs
from orgboard_dashboard.viewer import LOCAL_VIEWER
from orgboard_schema.blocks import ScalarSeries, encode_heads, encode_tag_set
from orgboard_schema.blocks.heads import empty_heads
from orgboard_schema.sql import tables
from orgboard_schema.sql.append import append
from orgboard_schema.sql.compact import compact
from orgboard_schema.sql.engine import begin_read, begin_write, open_engine
from orgboard_schema.sql.flush import NewChunk
from orgboard_schema.sql.metrics import find_metric
from orgboard_schema.sql.migrate import upgrade
from orgboard_schema.sql.picture import Picture
from orgboard_schema.sql.read import many_scalars, reduced_scalars, series
from orgboard_schema.sql.registry import ensure_logdir, ensure_project
from support.postgres import binaries, fresh_database, server
from support.stores import NOW, Feed, new_feed

TAGS = 20
RUNS = 20
POINTS = 8_192
"""Of each series, in the bulk part."""
CURVE = 1_000
"""Points of a curve that a card shows."""
FLUSHES = 200
LONG = 5_000_000
"""Points of the long series."""
MANY = 10_000
"""Runs of the run table."""
HEADS = 100
"""Tags of each of them."""
WARM_UP = 6
"""The driver prepares a statement after five executions."""


def main() -> int:
    """Print what each engine takes."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch, "board.db")
        _measure("SQLite", open_engine(str(path)))
    if os.environ.get("ORGBOARD_TEST_POSTGRES") or binaries():
        with server() as here, fresh_database(here) as url:
            _measure("PostgreSQL", open_engine(url))
    return 0


def _measure(name: str, engine: Engine) -> None:
    upgrade(engine)
    print(f"  {name}, probe {_probe()}")
    empty = _size(engine)
    seconds = _cpu(lambda: _fill(engine, "bulk", POINTS, 4))
    points = RUNS * TAGS * POINTS
    print(f"    {1e6 * seconds / points:.2f} us a point, 2048 points of {TAGS} tags a flush")
    print(f"    {(_size(engine) - empty) / points:.2f} bytes a scalar at rest, noise")
    feed = new_feed(engine, run="live")
    random = np.random.default_rng(3)
    seconds = _cpu(lambda: _flow(feed, random))
    each = seconds / FLUSHES
    print(f"    {1e3 * each:.2f} ms a live flush of {TAGS} tags, one point each, merging included")
    _fill(engine, "curve", CURVE, 1)
    _read(engine)
    _answer_curves(engine)
    _answer_long(engine)
    _answer_metric(engine)
    print(f"    probe {_probe()}")
    engine.dispose()


def _fill(engine: Engine, prefix: str, points: int, flushes: int) -> None:
    random = np.random.default_rng(1)
    for number in range(RUNS):
        feed = new_feed(engine, run=f"{prefix}/{number}")
        for at in range(flushes):
            _flush(feed, random, at * points // flushes, points // flushes)
        with begin_write(engine, durable=False) as conn:
            compact(conn, feed.run_id, final=True, now=NOW)


def _flow(feed: Feed, random: np.random.Generator) -> None:
    for at in range(FLUSHES):
        _flush(feed, random, at, 1)


def _flush(feed: Feed, random: np.random.Generator, start: int, count: int) -> None:
    step = np.arange(start, start + count, dtype=np.int64) * 10
    # A step of training takes a tenth of a second, give or take; a flush goes on from there.
    wall = NOW + start * 0.1 + np.cumsum(random.normal(0.1, 0.005, count))
    chunks = [
        NewChunk(0, f"tag{tag}", "scalar", ScalarSeries(step, wall, _noisy(random, step)))
        for tag in range(TAGS)
    ]
    with begin_write(feed.engine, durable=False) as conn:
        append(conn, feed.flush(chunks))
    feed.offset += 10


def _noisy(random: np.random.Generator, step: np.ndarray) -> np.ndarray:
    # A loss that falls to its floor: rough in every digit, as far from zero as losses stay.
    return (0.4 + 2 * np.exp(-step / 5000) + random.normal(0, 0.05, len(step))).astype(np.float32)


def _read(engine: Engine) -> None:
    feeds = [new_feed(engine, run=f"curve/{number}") for number in range(RUNS)]
    one = feeds[0].tag("tag0")
    grid = [(feed.run_id, feed.tag(f"tag{tag}")) for feed in feeds for tag in range(TAGS)]
    with begin_read(engine) as conn:
        single = _median(lambda: series(conn, feeds[0].run_id, [(one, "scalar")]), 200)
        many = _median(lambda: many_scalars(conn, grid), 9) / len(grid)
    print(f"    {1e3 * single:.2f} ms to read a curve of {CURVE} points")
    print(f"    {1e3 * many:.2f} ms a curve when {len(grid)} are read at once")


def _answer_curves(engine: Engine) -> None:
    """Measure whole answers to a browser, project and permission looked up, packed."""
    uids: list[str] = []
    tag_ids: set[int] = set()
    random = np.random.default_rng(4)
    for number in range(100):
        feed = new_feed(engine, run=f"answer/{number}")
        step = np.arange(CURVE, dtype=np.int64)
        chunk = ScalarSeries(step, NOW + 0.1 * step.astype(np.float64), _noisy(random, step))
        tag_ids.add(feed.tag("tag0"))
        feed.store([NewChunk(0, "tag0", "scalar", chunk)])
        with begin_write(engine, durable=False) as conn:
            compact(conn, feed.run_id, final=True, now=NOW)
            uid = select(tables.run.c.uid).where(tables.run.c.run_id == feed.run_id)
            uids.append(conn.execute(uid).scalar_one())
    for some in (uids[:1], uids):
        asked = Question(tuple(tag_ids), tuple(some), "step", None, None, 500, False, None)
        with begin_read(engine) as conn:
            one = _median(partial(_answer, conn, asked))
        print(f"    {1e3 * one:.2f} ms to answer for {len(some)} curves of {CURVE} points")


def _answer(conn: Connection, asked: Question) -> bytes:
    return answer_question(LOCAL_VIEWER, conn, "team", "project", asked)


def _answer_long(engine: Engine) -> None:
    feed = new_feed(engine, run="long")
    random = np.random.default_rng(5)
    for start in range(0, LONG, LONG // 40):
        step = np.arange(start, start + LONG // 40, dtype=np.int64)
        wall = NOW + step * 0.1 + random.normal(0, 0.001, len(step))
        series = ScalarSeries(step, wall, _noisy(random, step))
        with begin_write(engine, durable=False) as conn:
            append(conn, feed.flush([NewChunk(0, "long", "scalar", series)]))
        feed.offset += 10
    key = (feed.run_id, feed.tag("long"))
    for low, high in ((None, None), (LONG * 0.5, LONG * 0.7), (LONG * 0.5, LONG * 0.52)):
        picture = Picture("step", 1000, low, high)
        with begin_read(engine) as conn:
            each = _median(partial(reduced_scalars, conn, [key], picture))
            line = reduced_scalars(conn, [key], picture)[key][0]
        print(f"    {1e3 * each:.2f} ms for {line.total} of {LONG} points at 1000 px")


def _answer_metric(engine: Engine) -> None:
    with begin_write(engine) as conn:
        logdir = ensure_logdir(conn, ensure_project(conn, "team/many", now=NOW), "/many")
        random = np.random.default_rng(6)
        heads = empty_heads(HEADS)
        heads["tag_id"], heads["n"], heads["n_all"] = np.arange(1, HEADS + 1), 1000, 1000
        tag_set = 1_000_000
        payload = encode_tag_set(heads)
        row = {"tag_set_id": tag_set, "sha256": sha256(payload).digest(), "payload": payload}
        conn.execute(insert(tables.tag_set), row)
        project = select(tables.logdir.c.project_id).where(tables.logdir.c.logdir_id == logdir)
        project_id = conn.execute(project).scalar_one()
        runs = [
            {"uid": f"many{number}", "project_id": project_id, "logdir_id": logdir}
            | {"name": f"r{number}", "name_sha256": number.to_bytes(32), "color": number}
            | {"created_at": NOW, "tag_set_id": tag_set}
            for number in range(MANY)
        ]
        conn.execute(insert(tables.run), runs)
        here = tables.run.c.logdir_id == logdir
        rows: list[dict[str, object]] = []
        for run_id in conn.scalars(select(tables.run.c.run_id).where(here)):
            heads["last_wall"] = NOW + random.random(HEADS)
            for name in ("last_value", "min_value", "max_value"):
                heads[name] = random.normal(size=HEADS).astype(np.float32)
            rows.append({"run_id": run_id, "payload": encode_heads(heads)})
        conn.execute(insert(tables.run_head), rows)
    with begin_read(engine) as conn:
        metric = _median(lambda: find_metric(conn, here, 7), 9)
        query = RunQuery(sort="-last_event", limit=100)
        page = _median(lambda: list_runs(LOCAL_VIEWER, conn, "team", "many", query, NOW), 9)
    print(f"    {1e3 * metric:.1f} ms for one of {HEADS} metrics of {MANY} runs")
    print(f"    {1e3 * page:.1f} ms for a page of 100 of {MANY} runs")


def _size(engine: Engine) -> int:
    with engine.connect() as conn:
        if engine.dialect.name == "postgresql":
            size = "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r'"
            return int(conn.execute(text(size)).scalar_one())
        pages = conn.exec_driver_sql("PRAGMA page_count").scalar_one()
        return int(pages) * int(conn.exec_driver_sql("PRAGMA page_size").scalar_one())


def _probe() -> str:
    """Say what a fixed loop takes now, least and median: how fast and how loaded the machine is."""
    times = [_cpu(lambda: sum(number & 255 for number in range(50_000))) for _ in range(25)]
    return f"{1e3 * min(times):.2f} ms at least, {1e3 * statistics.median(times):.2f} in the middle"


def _median(work: Callable[[], object], times: int = 25) -> float:
    """Return the median, warmed up: statements prepared, pages and contexts there."""
    for _ in range(WARM_UP):
        work()
    return statistics.median(_cpu(work) for _ in range(times))


def _cpu(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


if __name__ == "__main__":
    sys.exit(main())
