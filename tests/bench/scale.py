"""Measure ingest and queries at sizes that few have: `make bench-scale`, or a part by name.

- files: 100 000 files in 10 000 runs; how long they take, what a restart costs, and following them.
- growing: 1000 runs of 20 tags that grow at 1 Hz; CPU of the daemon, and how late a point is.
- tags: one run of 100 000 tags.
- long: one series of 5 million points.
- table: 10 000 runs of 100 tags.
- points: 10^8 points on SQLite, 3x10^7 on PostgreSQL.

CPU is that of all processes; a query's is this process's alone. The whole takes an hour and some
ten gigabytes under `--scratch`; `--quick` takes a minute or two and shows that everything runs.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import func, select

from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_read, open_engine
from support.asking import (
    Board,
    board_of,
    curves_ms,
    found_ms,
    heads_ms,
    log_hparams,
    questions_of_runs,
    runs_ms,
    tags_ms,
)
from support.growing_runs import Growth, all_steps, grow, opened, watched
from support.logdirs import Scalars, write_scalars
from support.measured import cpu_of, peak_of, running_apart
from support.programs import ORGBOARD
from support.sides import MakeStore, Store, engines, ingested
from support.waiting import wait_until

SHAPES = {
    "files": Scalars(10_000, 2, 100, files=10),
    "growing": Scalars(1_000, 20, 60),
    "tags": Scalars(1, 100_000, 10),
    "long": Scalars(1, 1, 5_000_000),
    "table": Scalars(10_000, 100, 2),
    "points": Scalars(1_000, 100, 1_000),
}

QUICK = {
    "files": Scalars(100, 2, 100, files=10),
    "growing": Scalars(20, 20, 5),
    "tags": Scalars(1, 2_000, 10),
    "long": Scalars(1, 1, 100_000),
    "table": Scalars(100, 100, 2),
    "points": Scalars(10, 20, 1_000),
}

POSTGRES_RUNS = 0.3
"""Of the runs of `points`: 3x10^7 points."""

BYTES_A_POINT = 70
"""Of an event file and what is stored of it, generously."""

LATE_WITHIN_S = 600.0
"""A daemon that shows less than everything after that has a defect, or far too large a task."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a part runs."""

    scratch: Path
    makers: list[MakeStore]
    idle_s: float
    """How long a daemon that has nothing to do is watched."""


def main() -> int:
    """Run the parts on both engines; return 1 when a point is missing."""
    arguments = _arguments()
    shapes = QUICK if arguments.quick else SHAPES
    wrong = 0
    with tempfile.TemporaryDirectory(dir=arguments.scratch) as folder:
        scratch = Path(folder)
        with engines(scratch) as makers:
            place = Place(scratch, makers, idle_s=3.0 if arguments.quick else 60.0)
            for name in arguments.parts or shapes:
                shape = shapes[name]
                needed, free = shape.points * BYTES_A_POINT, shutil.disk_usage(scratch).free
                if needed > free:
                    print(f"\n  {name}: needs {needed / 1e9:.0f} GB and there are {free / 1e9:.0f}")
                    wrong += 1
                    continue
                wrong += PARTS[name](shape, place)
    return int(wrong > 0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="ingest and queries at scale")
    parser.add_argument("parts", nargs="*", help=", ".join(SHAPES))
    parser.add_argument("--quick", action="store_true", help="small sizes, a minute or two")
    parser.add_argument("--scratch", type=Path, help="where logdirs and databases lie meanwhile")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.parts if name not in SHAPES]
    if unknown:
        parser.error(f"no part {', '.join(unknown)}; there are: {', '.join(SHAPES)}")
    return arguments


def _files(shape: Scalars, place: Place) -> int:
    wrong = 0
    with _written("files", shape, place.scratch) as logdir:
        for make in place.makers:
            with make("files") as store:
                wrong += _ingest_twice(logdir, store, shape)
                _tell_idle(logdir, store, place)
    return wrong


def _tell_idle(logdir: Path, store: Store, place: Place) -> None:
    """Print what a daemon takes to follow files of which none grows."""
    command = [ORGBOARD, "ingest", logdir, "--db", store.url]
    log = place.scratch / "daemon.log"
    with running_apart(command, log) as pid:
        wait_until(lambda: b"following" in log.read_bytes(), LATE_WITHIN_S, "a daemon that follows")
        # The first look at the tree is not idling.
        time.sleep(place.idle_s / 6)
        before = cpu_of(pid)
        time.sleep(place.idle_s)
        spent = (cpu_of(pid) - before) * 60 / place.idle_s
        print(
            f"      following them while none grows: {spent:.2f} CPU s a minute,"
            f" {peak_of(pid):.0f} MiB",
            flush=True,
        )


def _growing(shape: Scalars, place: Place) -> int:
    print(f"\n  growing: {shape.runs:,} runs of {shape.tags} tags at 1 Hz for {shape.steps} s")
    for make in place.makers:
        logdir = place.scratch / "logs_growing"
        logdir.mkdir()
        with make("growing") as store:
            _tell_growth(shape, logdir, store, place.scratch)
        shutil.rmtree(logdir)
    return 0


def _tell_growth(shape: Scalars, logdir: Path, store: Store, scratch: Path) -> None:
    growth, steps = Growth(shape), all_steps(shape)
    # Makes the tables: there is something to look at before the daemon has started.
    ingested(logdir, store)
    engine = open_engine(store.url)
    command = [ORGBOARD, "ingest", logdir, "--db", store.url]
    with (
        opened(logdir, shape) as files,
        running_apart(command, scratch / "daemon.log") as pid,
        watched(growth, engine),
    ):
        wait_until(lambda: growth.runs_known == shape.runs, LATE_WITHIN_S, "every run in SQL")
        before, server = cpu_of(pid), store.server_cpu_s()
        began = time.monotonic()
        grow(files, steps, growth)
        wall = time.monotonic() - began
        wait_until(lambda: growth.look(engine), LATE_WITHIN_S, "every point in SQL")
        # Until it has caught up: a daemon that gets too little of the machine seems cheap.
        share, theirs = cpu_of(pid) - before, store.server_cpu_s() - server
        peak = peak_of(pid)
    engine.dispose()
    lags = growth.lags()
    apart = f" and {100 * theirs / wall:.0f} % the server" if theirs else ""
    print(
        f"    {store.name}: needs {100 * share / wall:.0f} % of a core{apart},"
        f" {1e6 * share / shape.points:.1f} CPU us a point, {peak:.0f} MiB; from write"
        f" to SQL {lags.median:.2f} s in the median, {lags.ninth_decile:.2f} s for nine of ten,"
        f" {lags.longest:.2f} s the longest",
        flush=True,
    )


def _tags(shape: Scalars, place: Place) -> int:
    def ask(board: Board) -> str:
        return f"the list of tags {tags_ms(board):.1f} ms, a curve {curves_ms(board, 1):.2f} ms"

    return _stored("tags", shape, place, ask)


def _long(shape: Scalars, place: Place) -> int:
    def ask(board: Board) -> str:
        middle = shape.steps // 2
        near, nearer = (middle, middle + shape.steps // 5), (middle, middle + shape.steps // 50)
        return (
            f"all of it at 1000 px {curves_ms(board, 1):.1f} ms, a fifth"
            f" {curves_ms(board, 1, steps=near):.1f} ms, a fiftieth"
            f" {curves_ms(board, 1, steps=nearer):.1f} ms"
        )

    return _stored("long", shape, place, ask)


def _table(shape: Scalars, place: Place) -> int:
    def ask(board: Board) -> str:
        everything = board_of(board.engine, most=shape.runs)
        return (
            f"a page of the table of runs {runs_ms(board):.1f} ms, the last values of all tags of"
            f" all runs {heads_ms(board, everything.run_ids):.0f} ms, the list of tags"
            f" {tags_ms(board):.1f} ms{_told_queries(everything)}"
        )

    return _stored("table", shape, place, ask)


def _told_queries(board: Board) -> str:
    """Tell what finding and sorting the runs takes, the first time and from then on."""
    log_hparams(board)
    lines = ["", "      found and sorted, CPU ms the first time, then:"]
    for words, q, sort in questions_of_runs(board):
        once, again = found_ms(board, q, sort)
        lines.append(f"        {words}: {once:.0f}, {again:.0f}")
    return "\n".join(lines)


def _points(shape: Scalars, place: Place) -> int:
    def ask(board: Board) -> str:
        runs = ", ".join(
            f"{n} runs {curves_ms(board, n):.2f} ms" for n in (1, 10, 100) if n <= shape.runs
        )
        return f"curves of {shape.steps:,} points: {runs}; runs {runs_ms(board):.1f} ms"

    fewer = replace(shape, runs=round(shape.runs * POSTGRES_RUNS))
    wrong = _stored("points", shape, replace(place, makers=place.makers[:1]), ask)
    if place.makers[1:]:
        wrong += _stored("points", fewer, replace(place, makers=place.makers[1:]), ask)
    return wrong


PARTS: dict[str, Callable[[Scalars, Place], int]] = {
    "files": _files,
    "growing": _growing,
    "tags": _tags,
    "long": _long,
    "table": _table,
    "points": _points,
}


def _stored(
    name: str,
    shape: Scalars,
    place: Place,
    ask: Callable[[Board], str],
) -> int:
    """Ingest a logdir on each engine and ask; return on how many points are missing."""
    wrong = 0
    with _written(name, shape, place.scratch) as logdir:
        for make in place.makers:
            with make(name) as store:
                wrong += _ingest_twice(logdir, store, shape)
                engine = open_engine(store.url)
                print(f"      {ask(board_of(engine))}", flush=True)
                engine.dispose()
    return wrong


@contextmanager
def _written(name: str, shape: Scalars, scratch: Path) -> Iterator[Path]:
    logdir = scratch / f"logs_{name}"
    written = write_scalars(logdir, shape)
    print(
        f"\n  {name}: {shape.runs:,} runs x {shape.tags:,} tags x {shape.steps:,},"
        f" {written.points:,} points, {written.octets / 1e6:,.0f} MB in {written.files:,} files",
        flush=True,
    )
    try:
        yield logdir
    finally:
        shutil.rmtree(logdir)


def _ingest_twice(logdir: Path, store: Store, shape: Scalars) -> int:
    first, again = ingested(logdir, store), ingested(logdir, store)
    print(
        f"    {store.name}: {first.cpu_s:.2f} CPU s ({first.server_cpu_s:.2f} the server's),"
        f" {shape.points / first.cpu_s / 1e6:.3f} M points/CPU s, {first.cost.peak_mib:.0f} MiB,"
        f" {first.octets / shape.points:.2f} bytes a point at rest;"
        f" again: {again.cpu_s:.2f} CPU s, {again.cost.wall_s:.2f} s wall",
        flush=True,
    )
    if first.points == again.points == shape.points == _counted(store):
        return 0
    print(f"    WRONG: {first.points:,}, then {again.points:,} points are stored")
    return 1


def _counted(store: Store) -> int:
    """Count the points that lie in blocks and segments, whatever the runs say of themselves."""
    engine = open_engine(store.url)
    block, segment = tables.block.c, tables.segment.c
    with begin_read(engine) as conn:
        blocks = conn.execute(select(func.sum(block.n)).where(block.level == 0)).scalar()
        segments = conn.execute(select(func.sum(segment.n))).scalar()
    engine.dispose()
    return int(blocks or 0) + int(segments or 0)


if __name__ == "__main__":
    sys.exit(main())
