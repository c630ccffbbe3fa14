"""Files that grow, what they hold, and whether a database holds the same."""

from __future__ import annotations

import random
import struct
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from sqlalchemy import Engine, select

from orgboard_ingest.verify import differences
from orgboard_schema.blocks import head_rows
from orgboard_schema.sql import read, tables
from orgboard_schema.sql.dictionary import tag_names
from orgboard_schema.sql.engine import begin_read
from orgboard_schema.sql.standing import SHOWN
from orgboard_schema.wire.event_pb2 import SessionLog
from orgboard_schema.wire.frames import encode_frame
from support.event_files import scalar_event
from support.ingested import mark

__all__ = ["Compared", "GrowingFiles", "Row", "compare", "stored_rows"]

Row: TypeAlias = tuple[str, str, int, float, float]
"""Run, tag, step, wall time, value."""

TAGS = ("loss", "accuracy", "rate")
GROW_EVERY_S = 0.01
RESTARTED = 0.02
"""The part of writes that a START comes before, where any does."""


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


class GrowingFiles:
    """Files of several runs under a logdir."""

    def __init__(
        self,
        logdir: Path,
        chance: random.Random,
        *,
        runs: int = 3,
        files_a_run: int = 2,
        restarts: bool = False,
    ) -> None:
        self.logdir = logdir
        self._writers: list[_Writer] = []
        for run in range(runs):
            (logdir / f"run{run}").mkdir(parents=True)
            for number in range(files_a_run):
                path = logdir / f"run{run}" / f"events.out.tfevents.{number}"
                own = random.Random(chance.random())
                self._writers.append(_Writer(path, f"run{run}", own, restarts))

    def grow(self, times: int = 1) -> None:
        """Let every file grow a little."""
        for _ in range(times):
            for writer in self._writers:
                writer.grow()

    def grow_for(self, seconds: float) -> None:
        """Let them grow, a little now and then."""
        until = time.monotonic() + seconds
        while True:
            self.grow()
            left = until - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(GROW_EVERY_S, left))

    def finish(self) -> None:
        """Write what is still held."""
        for writer in self._writers:
            writer.write(len(writer.held))

    def truth(self) -> Counter[Row]:
        """Return every point that was logged."""
        return Counter(row for writer in self._writers for row in writer.truth)


@dataclass(frozen=True, slots=True)
class Compared:
    """How a database differs from the files."""

    points: int
    lost: int
    doubled: int
    differences: list[str]
    """As `orgboard verify` tells them."""

    @property
    def equal(self) -> bool:
        """Tell whether it does not."""
        return (self.lost, self.doubled, self.differences) == (0, 0, [])


def compare(engine: Engine, *files: GrowingFiles) -> Compared:
    """Compare what is stored with what was logged, twice: counted here, and as `verify` does."""
    told: list[str] = []
    truth: Counter[Row] = Counter()
    for some in files:
        truth += some.truth()
        with begin_read(engine) as conn:
            query = select(tables.logdir.c.logdir_id).where(
                tables.logdir.c.path == str(some.logdir)
            )
            logdir_id = conn.execute(query).scalar_one()
            told += differences(conn, logdir_id, some.logdir)
    stored = Counter(stored_rows(engine))
    return Compared(
        points=truth.total(),
        lost=(truth - stored).total(),
        doubled=(stored - truth).total(),
        differences=told,
    )


def stored_rows(engine: Engine) -> Iterator[Row]:
    """Yield every point of the database."""
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
