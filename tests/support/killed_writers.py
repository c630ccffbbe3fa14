"""Kill training processes while they log, and see what their files hold.

Everything is imported once; each training is a fork that logs in bursts, now and then flushes, and
tells through shared memory what it has logged and what it has flushed. So the moment of its death
is known to the value, and a kill takes milliseconds.
"""

from __future__ import annotations

import mmap
import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Final, NamedTuple, NoReturn

from orgboard import SummaryWriter
from support.logged_runs import event_files, scalars, whole_records

__all__ = ["Killed", "kill_writers"]

LONGEST_LIFE_S: Final = 0.05
BURST: Final = 20
PAUSE_S: Final = 0.0005
FLUSH_SECS: Final = 0.01
FLUSH_ODDS: Final = 0.002
"""How often a value is followed by a flush."""

LOGGED, FLUSHED = 0, 1
"""Told are: how many values were logged, how many of them before a flush that returned."""


class Killed(NamedTuple):
    """What many kills did."""

    kills: int
    logged: int
    flushed: int
    """Values before a flush that had returned."""
    read: int
    """Values that the files hold."""
    lost: int
    """Flushed values that no file holds; must be 0."""
    wrong: int
    """Values twice, out of order, or never logged; must be 0."""
    torn: int
    """Files that end within a record; at most one a kill."""
    oldest_lost_s: float
    """How long before its death a training had logged the first value that is not in its files."""


def kill_writers(directory: Path, *, kills: int, seed: int) -> Killed:
    """Start and kill so many trainings, one after the other."""
    chance = random.Random(seed)
    # Stores of eight bytes are whole or not there; `struct` would write zeros first.
    told = memoryview(mmap.mmap(-1, 16)).cast("q")
    outcomes = []
    for number in range(kills):
        run = directory / str(number)
        outcomes.append(_kill_one(run, told, chance))
        shutil.rmtree(run)
    *counts, ages = zip(*outcomes, strict=True)
    return Killed._make([*map(sum, counts), max(ages)])


def _kill_one(run: Path, told: memoryview[int], chance: random.Random) -> Killed:
    told[LOGGED] = told[FLUSHED] = 0
    child = os.fork()
    if child == 0:
        _train(run, told, chance.randrange(1 << 30))
    try:
        while not told[LOGGED]:
            # It lives from its first value on.
            time.sleep(0.0005)
        seen: list[tuple[float, int]] = []
        until = time.monotonic() + chance.uniform(0.0, LONGEST_LIFE_S)
        while time.monotonic() < until:
            seen.append((time.monotonic(), told[LOGGED]))
            time.sleep(0.0005)
    finally:
        died = time.monotonic()
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL, "a training ended before it was killed"
    logged, flushed = told[LOGGED], told[FLUSHED]
    steps = [point.step for point in scalars(run, torn_allowed=True)]
    ends = [(whole_records(path.read_bytes())[1], path.stat().st_size) for path in event_files(run)]
    # The one that it was logging when it died may be there, though not told of yet.
    is_right = steps == list(range(len(steps))) and len(steps) <= logged + 1
    return Killed(
        kills=1,
        logged=logged,
        flushed=flushed,
        read=len(steps),
        lost=max(flushed - len(steps), 0),
        wrong=0 if is_right else 1,
        torn=sum(end < size for end, size in ends),
        oldest_lost_s=max((died - at for at, count in seen if count > len(steps)), default=0.0),
    )


def _train(run: Path, told: memoryview[int], seed: int) -> NoReturn:
    try:
        chance = random.Random(seed)
        writer = SummaryWriter(run, flush_secs=FLUSH_SECS, context=False)
        for step in range(1 << 60):
            writer.add_scalar("x", 1.0, step)
            if chance.random() < FLUSH_ODDS:
                writer.flush()
                told[FLUSHED] = step + 1
            told[LOGGED] = step + 1
            if step % BURST == 0:
                time.sleep(PAUSE_S)
    except BaseException as error:  # noqa: BLE001 (nothing may return into the parent's test)
        sys.stderr.write(f"the training failed: {error!r}\n")
    finally:
        os._exit(1)
