"""Kill ingest at random moments while its files grow, and count what is lost or doubled.

Everything is imported once, then each ingest is a fork, so that most of its short life is
spent reading and committing and not starting.
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
from dataclasses import dataclass, field
from pathlib import Path
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
from orgboard_schema.wire.frames import encode_frame
from support.event_files import scalar_event

__all__ = ["Outcome", "kill_ingest"]

Row: TypeAlias = tuple[str, str, int, float, float]
"""Run, tag, step, wall time, value."""

RUNS = ("a", "b", "c")
FILES_A_RUN = 2
TAGS = ("loss", "accuracy", "rate")
LONGEST_LIFE_S = 0.25
"""Long enough on a busy machine for an ingest to start and commit several times."""
GROW_EVERY_S = 0.01


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
    truth: list[Row] = field(default_factory=list)
    step: int = 0
    held: bytes = b""

    def grow(self) -> None:
        """Log some points and write some of the bytes that are due."""
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


def kill_ingest(logdir: Path, db_url: str, *, kills: int, seed: int, rivals: int = 1) -> Outcome:
    """Let files grow while `rivals` ingests at a time run and are killed, `kills` in all."""
    chance = random.Random(seed)
    engine = open_engine(db_url)
    upgrade(engine)
    engine.dispose()
    writers = list(_writers(logdir, chance))
    config = IngestConfig((logdir,), db_url, flush_every_s=0.0, batch_bytes=600)
    done = 0
    while done < kills:
        with _ingests(config, min(rivals, kills - done)) as children:
            _grow_for(writers, chance.uniform(0.0, LONGEST_LIFE_S))
            done += len(children)
    for writer in writers:
        writer.write(len(writer.held))
    survived = _stored(db_url).total()
    _finish(config)
    truth = Counter(row for writer in writers for row in writer.truth)
    stored = _stored(db_url)
    return Outcome(
        kills=done,
        points=truth.total(),
        survived=survived,
        lost=(truth - stored).total(),
        doubled=(stored - truth).total(),
        differences=_differences(db_url, logdir),
    )


def _writers(logdir: Path, chance: random.Random) -> Iterator[_Writer]:
    for run in RUNS:
        (logdir / run).mkdir(parents=True)
        for number in range(FILES_A_RUN):
            path = logdir / run / f"events.out.tfevents.{number}"
            yield _Writer(path, run, random.Random(chance.random()))


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
def _ingests(config: IngestConfig, count: int) -> Iterator[list[int]]:
    """Run forks of an ingest inside the block; kill them in the middle of whatever they do."""
    children = [_fork(config) for _ in range(count)]
    try:
        yield children
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)
        ends = [os.waitpid(child, 0)[1] for child in children]
    assert ends == [signal.SIGKILL] * count, "an ingest ended before it was killed"


def _finish(config: IngestConfig) -> None:
    """Run one ingest to the end of all files."""
    child = _fork(IngestConfig(config.logdirs, config.db_url, once=True))
    assert os.waitpid(child, 0)[1] == 0, "the last ingest failed"


def _fork(config: IngestConfig) -> int:
    child = os.fork()
    if child == 0:
        _be_an_ingest(config)
    return child


def _be_an_ingest(config: IngestConfig) -> NoReturn:
    status = 1
    try:
        daemon = make_daemon(config, open_engine(config.db_url), Hints())
        if config.once:
            daemon.run_once(lambda _: None)
        else:
            daemon.run()
        status = 0
    except BaseException as error:  # noqa: BLE001 - nothing may return into the parent's test
        sys.stderr.write(f"ingest failed: {error!r}\n")
    finally:
        # Not the parent's exit handlers.
        os._exit(status)


def _stored(db_url: str) -> Counter[Row]:
    engine = open_engine(db_url)
    stored = Counter(_rows(engine))
    engine.dispose()
    return stored


def _differences(db_url: str, logdir: Path) -> list[str]:
    engine = open_engine(db_url)
    with begin_read(engine) as conn:
        (logdir_id,) = conn.execute(select(tables.logdir.c.logdir_id)).scalars()
        found = list(differences(conn, logdir_id, logdir))
    engine.dispose()
    return found


def _rows(engine: Engine) -> Iterator[Row]:
    with begin_read(engine) as conn:
        for run_id, run in conn.execute(select(tables.run.c.run_id, tables.run.c.name)).all():
            heads = head_rows(read.heads(conn, [run_id])[run_id])
            names = tag_names(conn, {head.tag_id for head in heads})
            keys = [(head.tag_id, head.kind) for head in heads]
            for (tag_id, _), data in read.series(conn, run_id, keys).items():
                columns = (data.step.tolist(), data.wall.tolist(), data.value.tolist())
                for step, wall, value in zip(*columns, strict=True):
                    yield run, names[tag_id], step, wall, value
