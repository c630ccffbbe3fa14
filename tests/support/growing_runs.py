"""Many runs that grow at once, a step a second each, and how late their points are in SQL."""

from __future__ import annotations

import os
import statistics
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine, select

from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_read
from support.logdirs import BEGAN, Scalars, file_name, first_record, records_by_step, run_name

__all__ = ["Growth", "Lags", "all_steps", "grow", "opened", "watched"]

ASK_EVERY_S: Final = 0.1
"""How late a point is is known to this; more often would take the daemon's time."""


@dataclass(frozen=True, slots=True)
class Lags:
    """Seconds from a step's write to where SQL shows it."""

    median: float
    ninth_decile: float
    longest: float


@dataclass
class Growth:
    """When each run's steps were written, and when they were seen; NaN before."""

    shape: Scalars
    written: NDArray[np.float64] = field(init=False)
    seen: NDArray[np.float64] = field(init=False)
    runs_known: int = 0
    """To SQL, whether they have points or not."""

    def __post_init__(self) -> None:
        """Begin with nothing written and nothing seen."""
        self.written = np.full((self.shape.runs, self.shape.steps), np.nan)
        self.seen = self.written.copy()

    def look(self, engine: Engine) -> bool:
        """Note which steps SQL shows by now; tell whether it shows all."""
        run = tables.run.c
        with begin_read(engine) as conn:
            rows = conn.execute(select(run.name, run.points)).all()
        now = time.monotonic()
        self.runs_known = len(rows)
        for name, points in rows:
            steps = self.seen[int(name.rpartition("_")[2]), : points // self.shape.tags]
            steps[np.isnan(steps)] = now
        return not np.isnan(self.seen).any()

    def lags(self) -> Lags:
        """Sum up, when all was seen."""
        late = (self.seen - self.written).ravel().tolist()
        deciles = statistics.quantiles(late, n=10)
        return Lags(statistics.median(late), deciles[8], max(late))


@contextmanager
def opened(logdir: Path, shape: Scalars) -> Iterator[list[int]]:
    """Give the runs' files, begun and open for appending."""
    with ExitStack() as stack:
        yield [stack.enter_context(_opened(logdir, run)) for run in range(shape.runs)]


@contextmanager
def _opened(logdir: Path, run: int) -> Iterator[int]:
    folder = logdir / run_name(run)
    folder.mkdir(parents=True)
    descriptor = os.open(folder / file_name(run), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(descriptor, first_record(BEGAN))
        yield descriptor
    finally:
        os.close(descriptor)


def all_steps(shape: Scalars) -> list[tuple[bytes, ...]]:
    """Make what is appended in each second, run by run."""
    runs = (records_by_step(shape, run) for run in range(shape.runs))
    return list(zip(*runs, strict=True))


def grow(files: Sequence[int], steps: Iterable[Sequence[bytes]], growth: Growth) -> None:
    """Append each run's steps at one a second, the runs spread over the second."""
    began = time.monotonic()
    for second, records in enumerate(steps):
        for run, data in enumerate(records):
            wait = began + second + run / len(records) - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            os.write(files[run], data)
            growth.written[run, second] = time.monotonic()


@contextmanager
def watched(growth: Growth, engine: Engine) -> Iterator[None]:
    """Look at SQL again and again while the block runs."""
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(ASK_EVERY_S):
            growth.look(engine)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
