"""Measure the store alone: bytes a scalar at rest, cost of appending a point, of reading a curve.

SQLite; PostgreSQL too when ORGBOARD_TEST_POSTGRES names a server with an empty database.
Times are CPU time of this process (PostgreSQL's own comes on top).
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from sqlalchemy import Engine, text

from orgboard_schema.blocks import ScalarSeries
from orgboard_schema.sql.append import append
from orgboard_schema.sql.compact import compact
from orgboard_schema.sql.engine import begin_read, begin_write, open_engine
from orgboard_schema.sql.flush import NewChunk
from orgboard_schema.sql.migrate import upgrade
from orgboard_schema.sql.read import many_scalars, series
from support.stores import NOW, Feed, new_feed

TAGS = 20
RUNS = 20
POINTS = 8_192
"""Of each series, in the bulk part."""
CURVE = 1_000
"""Points of a curve that a card shows."""
FLUSHES = 200


def main() -> int:
    """Print what each engine takes."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch, "board.db")
        _measure("SQLite", open_engine(str(path)))
    server = os.environ.get("ORGBOARD_TEST_POSTGRES")
    if server:
        _measure("PostgreSQL", open_engine(server))
    return 0


def _measure(name: str, engine: Engine) -> None:
    upgrade(engine)
    print(f"  {name}")
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
        single = _repeated(lambda: series(conn, feeds[0].run_id, [(one, "scalar")]))
        many = _repeated(lambda: many_scalars(conn, grid), 5) / len(grid)
    print(f"    {1e3 * single:.2f} ms to read a curve of {CURVE} points")
    print(f"    {1e3 * many:.2f} ms a curve when {len(grid)} are read at once")


def _size(engine: Engine) -> int:
    with engine.connect() as conn:
        if engine.dialect.name == "postgresql":
            size = "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r'"
            return int(conn.execute(text(size)).scalar_one())
        pages = conn.exec_driver_sql("PRAGMA page_count").scalar_one()
        return int(pages) * int(conn.exec_driver_sql("PRAGMA page_size").scalar_one())


def _repeated(work: Callable[[], object], times: int = 200) -> float:
    work()
    return _cpu(lambda: [work() for _ in range(times)]) / times


def _cpu(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


if __name__ == "__main__":
    sys.exit(main())
