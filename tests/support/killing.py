"""Kill ingest at random moments while its files grow, and count what is lost or doubled.

Everything is imported, and each statement prepared, once; then each ingest is a fork, so
that its short life is spent reading and committing. Most are killed a moment after they
began to read, some while they still start.
"""

from __future__ import annotations

import os
import random
import signal
import struct
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from select import select as select_readable
from typing import NoReturn, TypeAlias

from sqlalchemy import Engine, select

from orgboard_ingest.config import IngestConfig
from orgboard_ingest.run import make_daemon
from orgboard_ingest.verify import differences
from orgboard_ingest.watch import Hints
from orgboard_schema.blocks import head_rows
from orgboard_schema.sql import read, tables
from orgboard_schema.sql.dictionary import tag_names
from orgboard_schema.sql.engine import begin_read, open_engine
from orgboard_schema.sql.migrate import upgrade
from orgboard_schema.sql.standing import SHOWN
from orgboard_schema.wire.event_pb2 import SessionLog
from orgboard_schema.wire.frames import encode_frame
from support.event_files import scalar_event
from support.ingested import mark

__all__ = ["Outcome", "kill_ingest"]

Row: TypeAlias = tuple[str, str, int, float, float]
"""Run, tag, step, wall time, value."""

RUNS = ("a", "b", "c")
FILES_A_RUN = 2
TAGS = ("loss", "accuracy", "rate")
LONGEST_LIFE_S = 0.6
"""After it began to read: some commits long."""
START_WITHIN_S = 30.0
KILLED_AT_START = 0.2
"""The part that is not given the time to begin reading."""
GROW_EVERY_S = 0.01
RESTARTED = 0.02
"""The part of writes that a START comes before, where any does."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What many kills did."""

    kills: int
    points: int
    survived: int
    """Points that the killed ingests had stored: what they did before they died."""
    lost: int
    doubled: int
    differences: list[str]
    """As `orgboard verify` tells them."""


@dataclass(slots=True)
class _Writer:
    """A file that grows, cut anywhere, as a writer's buffer leaves it."""

    path: Path
    run: str
    random: random.Random
    restarts: bool = False
    """Whether STARTs turn up, each of which gives later files' points another attempt."""
    truth: list[Row] = field(default_factory=list)
    step: int = 0
    held: bytes = b""

    def grow(self) -> None:
        """Log some points and write some of the bytes that are due."""
        if self.restarts and self.random.random() < RESTARTED:
            back = self.random.randrange(self.step + 1)
            start = mark(SessionLog.START, back, 1_700_000_000.0 + self.step)
            self.held += encode_frame(start.SerializeToString())
        for _ in range(self.random.randrange(4)):
            # Side by side with the run's other file: one attempt, whatever was read when.
            wall = 1_700_000_000.0 + self.step
            tag = self.random.choice(TAGS)
            (value,) = struct.unpack("<f", struct.pack("<f", self.random.gauss(0, 1)))
            event = scalar_event(tag, self.step, value, wall)
            self.held += encode_frame(event.SerializeToString())
            self.truth.append((self.run, tag, self.step, wall, value))
            self.step += 1
        self.write(self.random.randrange(len(self.held) + 1))

    def write(self, count: int) -> None:
        """Append the next `count` bytes to the file."""
        with self.path.open("ab") as file:
            file.write(self.held[:count])
        self.held = self.held[count:]


def kill_ingest(
    logdir: Path, db_url: str, *, kills: int, seed: int, rivals: int = 1, restarts: bool = False
) -> Outcome:
    """Let files grow while `rivals` ingests at a time run and are killed, `kills` in all.

    With `restarts`, what comes keeps changing what is stored: runs are read anew all the time.
    """
    chance = random.Random(seed)
    engine = open_engine(db_url)
    upgrade(engine)
    writers = list(_writers(logdir, chance, restarts))
    config = IngestConfig((logdir,), db_url, flush_every_s=0.0, batch_bytes=600)
    _prepare_statements(engine, writers, config)
    done = 0
    while done < kills:
        with _ingests(engine, config, min(rivals, kills - done)) as (children, ready):
            if chance.random() >= KILLED_AT_START:
                select_readable([ready], [], [], START_WITHIN_S)
            _grow_for(writers, chance.uniform(0.0, LONGEST_LIFE_S))
            done += len(children)
    for writer in writers:
        writer.write(len(writer.held))
    survived = Counter(_rows(engine)).total()
    make_daemon(replace(config, once=True), engine, Hints()).run_once(lambda _: None)
    truth = Counter(row for writer in writers for row in writer.truth)
    stored = Counter(_rows(engine))
    outcome = Outcome(
        kills=done,
        points=truth.total(),
        survived=survived,
        lost=(truth - stored).total(),
        doubled=(stored - truth).total(),
        differences=_differences(engine, logdir),
    )
    engine.dispose()
    return outcome


def _prepare_statements(engine: Engine, writers: list[_Writer], config: IngestConfig) -> None:
    """Ingest a little, so that forks inherit the engine with its statements compiled."""
    for writer in writers:
        writer.grow()
    make_daemon(replace(config, once=True), engine, Hints()).run_once(lambda _: None)
    # No connection may be open in two processes.
    engine.dispose()


def _writers(logdir: Path, chance: random.Random, restarts: bool) -> Iterator[_Writer]:
    for run in RUNS:
        (logdir / run).mkdir(parents=True)
        for number in range(FILES_A_RUN):
            path = logdir / run / f"events.out.tfevents.{number}"
            yield _Writer(path, run, random.Random(chance.random()), restarts)


def _grow_for(writers: list[_Writer], seconds: float) -> None:
    until = time.monotonic() + seconds
    while True:
        for writer in writers:
            writer.grow()
        left = until - time.monotonic()
        if left <= 0:
            return
        time.sleep(min(GROW_EVERY_S, left))


@contextmanager
def _ingests(engine: Engine, config: IngestConfig, count: int) -> Iterator[tuple[list[int], int]]:
    """Run forks of an ingest inside the block; kill them in the middle of whatever they do.

    Gives their process ids, and what can be read from once one of them reads files.
    """
    ready, tell = os.pipe()
    children = [_fork(engine, config, tell) for _ in range(count)]
    os.close(tell)
    try:
        yield children, ready
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)
        ends = [os.waitpid(child, 0)[1] for child in children]
        os.close(ready)
    assert ends == [signal.SIGKILL] * count, "an ingest ended before it was killed"


def _fork(engine: Engine, config: IngestConfig, tell: int) -> int:
    child = os.fork()
    if child == 0:
        _be_an_ingest(engine, config, tell)
    return child


def _be_an_ingest(engine: Engine, config: IngestConfig, tell: int) -> NoReturn:
    try:
        daemon = make_daemon(config, engine, Hints())
        os.write(tell, b"!")
        daemon.run()
    except BaseException as error:  # noqa: BLE001 - nothing may return into the parent's test
        sys.stderr.write(f"ingest failed: {error!r}\n")
    finally:
        # Not the parent's exit handlers.
        os._exit(1)


def _differences(engine: Engine, logdir: Path) -> list[str]:
    with begin_read(engine) as conn:
        (logdir_id,) = conn.execute(select(tables.logdir.c.logdir_id)).scalars()
        return list(differences(conn, logdir_id, logdir))


def _rows(engine: Engine) -> Iterator[Row]:
    with begin_read(engine) as conn:
        columns = tables.run.c
        query = select(columns.run_id, columns.name).where(columns.standing == SHOWN)
        for run_id, run in conn.execute(query).all():
            heads = head_rows(read.heads(conn, [run_id])[run_id])
            names = tag_names(conn, {head.tag_id for head in heads})
            keys: list[read.SeriesKey] = [(head.tag_id, head.kind) for head in heads]
            for (tag_id, _), data in read.series(conn, run_id, keys).items():
                points = (data.step.tolist(), data.wall.tolist(), data.value.tolist())
                for step, wall, value in zip(*points, strict=True):
                    yield run, names[tag_id], step, wall, value
