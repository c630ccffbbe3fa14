"""Kill ingest, crash its server and cut its connections while files grow; count what differs.

Everything is imported, and each statement prepared, once; then each ingest is a fork, so
that its short life is spent reading and committing. Most are killed a moment after they
began to read, some while they still start.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from select import select as select_readable
from typing import NoReturn

from sqlalchemy import Engine, func, select
from sqlalchemy.exc import DBAPIError

from orgboard_ingest.config import IngestConfig
from orgboard_ingest.hints import Hints
from orgboard_ingest.run import make_daemon, open_database
from orgboard_schema.errors import DatabaseUnreachable
from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_read, open_engine
from orgboard_schema.sql.migrate import upgrade
from support.growing import Compared, GrowingFiles, compare, stored_rows
from support.postgres import Cluster
from support.socket_proxy import SocketProxy
from support.waiting import wait_until

__all__ = ["Outcome", "crash_server", "cut_commits", "kill_ingest"]

START_WITHIN_S = 30.0
KILLED_AT_START = 0.2
"""The part that is not given the time to begin reading."""

SHORT_LIFE_S = (0.002, 0.03)
"""After it began to read: the middle of its first transactions."""

LONG_LIFE_S = (0.03, 0.3)
LONG_LIVES = 0.2
"""The part that lives to commit several times."""

CUT_SHARE = 0.1
"""Of commits. With more, what an ingest does between two cuts is mostly to start again."""

GROW_EVERY_S = 0.1
CATCH_UP_WITHIN_S = 120.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What many faults did."""

    faults: int
    survived: int
    """Points that were stored while they went on."""
    compared: Compared


def kill_ingest(
    logdir: Path, db_url: str, *, kills: int, seed: int, rivals: int = 1, restarts: bool = False
) -> Outcome:
    """Let files grow while `rivals` ingests at a time run and are killed, `kills` in all.

    With `restarts`, what comes keeps changing what is stored: runs are read anew all the time.
    """
    chance = random.Random(seed)
    files, engine, config = _prepared(logdir, db_url, chance, restarts=restarts)
    done = 0
    while done < kills:
        with _ingests(engine, config, min(rivals, kills - done)) as (children, ready):
            if chance.random() < KILLED_AT_START:
                files.grow_for(chance.uniform(*SHORT_LIFE_S))
            else:
                select_readable([ready], [], [], START_WITHIN_S)
                long = chance.random() < LONG_LIVES
                files.grow_for(chance.uniform(*(LONG_LIFE_S if long else SHORT_LIFE_S)))
            done += len(children)
            _kill(children)
    files.finish()
    survived = sum(1 for _ in stored_rows(engine))
    make_daemon(replace(config, once=True), engine, Hints()).run_once(lambda _: None)
    return _outcome(engine, files, done, survived)


def crash_server(logdir: Path, cluster: Cluster, *, crashes: int, seed: int) -> Outcome:
    """Let files grow under two ingests while the server is crashed again and again."""
    chance = random.Random(seed)
    files, engine, config = _prepared(logdir, cluster.url, chance)
    with _ingests(engine, config, 2) as (children, ready):
        select_readable([ready], [], [], START_WITHIN_S)
        # Something is there to be lost before the first crash, however slow the machine is.
        wait_until(lambda: _stored_meanwhile(engine, files), CATCH_UP_WITHIN_S, "a first point")
        for _ in range(crashes):
            files.grow_for(chance.uniform(0.1, 0.6))
            cluster.crash()
            files.grow_for(chance.uniform(0.0, 0.2))
            cluster.start()
        return _caught_up(engine, files, crashes, children)


def cut_commits(logdir: Path, db_url: str, proxy: SocketProxy, *, cuts: int, seed: int) -> Outcome:
    """Let files grow under two ingests while commits are cut off from their answers.

    `db_url` leads to the database directly; the ingests reach it through the proxy.
    """
    chance = random.Random(seed)
    files, engine, config = _prepared(logdir, db_url, chance)
    through = engine.url.set(port=proxy.port).render_as_string(hide_password=False)
    there = open_engine(through, reconnect=False)
    with _ingests(there, replace(config, db_url=through), 2) as (children, ready):
        select_readable([ready], [], [], START_WITHIN_S)
        proxy.cut_commits = CUT_SHARE
        while proxy.cuts < cuts:
            # No faster than ingests that are mostly cut can follow.
            files.grow()
            time.sleep(GROW_EVERY_S)
        proxy.cut_commits = 0.0
        return _caught_up(engine, files, proxy.cuts, children)


def _prepared(
    logdir: Path, db_url: str, chance: random.Random, *, restarts: bool = False
) -> tuple[GrowingFiles, Engine, IngestConfig]:
    """Ingest a little, so that forks inherit the engine with its statements compiled."""
    engine = open_engine(db_url)
    upgrade(engine)
    engine.dispose()
    files = GrowingFiles(logdir, chance, restarts=restarts)
    config = IngestConfig((logdir,), db_url, lease_s=1.0, flush_every_s=0.0, batch_bytes=600)
    engine = open_database(config)
    files.grow()
    make_daemon(replace(config, once=True), engine, Hints()).run_once(lambda _: None)
    # No connection may be open in two processes.
    engine.dispose()
    return files, engine, config


def _caught_up(engine: Engine, files: GrowingFiles, faults: int, children: list[int]) -> Outcome:
    files.finish()
    # A server that crashed a moment ago may not answer yet.
    survived = wait_until(lambda: _count(engine), CATCH_UP_WITHIN_S, "the stored points")
    logged = files.truth().total()
    # What differs is told below, and not only that something does.
    with suppress(AssertionError):
        wait_until(lambda: _count(engine) >= logged, CATCH_UP_WITHIN_S, "all is stored")
    _kill(children)
    return _outcome(engine, files, faults, survived)


def _stored_meanwhile(engine: Engine, files: GrowingFiles) -> bool:
    files.grow_for(0.02)
    return _count(engine) > 0


def _count(engine: Engine) -> int:
    """Return how many points the runs count; 0 while the database does not answer."""
    try:
        with begin_read(engine) as conn:
            total = conn.execute(select(func.sum(tables.run.c.points))).scalar_one()
    except (DBAPIError, DatabaseUnreachable):
        return 0
    return int(total or 0)


def _outcome(engine: Engine, files: GrowingFiles, faults: int, survived: int) -> Outcome:
    outcome = Outcome(faults, survived, compare(engine, files))
    engine.dispose()
    return outcome


@contextmanager
def _ingests(engine: Engine, config: IngestConfig, count: int) -> Iterator[tuple[list[int], int]]:
    """Run forks of an ingest inside the block, which kills them in the middle of what they do.

    Gives their process ids, and what can be read from once one of them reads files.
    """
    ready, tell = os.pipe()
    children = [_fork(engine, config, tell) for _ in range(count)]
    os.close(tell)
    try:
        yield children, ready
    finally:
        _kill(children)
        os.close(ready)


def _kill(children: list[int]) -> None:
    """Kill and forget the children, each of which must have lived until now."""
    for child in children:
        os.kill(child, signal.SIGKILL)
    ends = [os.waitpid(child, 0)[1] for child in children]
    count = len(children)
    children.clear()
    assert ends == [signal.SIGKILL] * count, "an ingest ended before it was killed"


def _fork(engine: Engine, config: IngestConfig, tell: int) -> int:
    child = os.fork()
    if child == 0:
        _be_an_ingest(engine, config, tell)
    return child


def _be_an_ingest(engine: Engine, config: IngestConfig, tell: int) -> NoReturn:
    try:
        while True:
            # As `follow` does, which would open an engine of its own and compile all anew.
            try:
                daemon = make_daemon(config, engine, Hints())
                break
            except DatabaseUnreachable:
                time.sleep(0.05)
        os.write(tell, b"!")
        daemon.run()
    except BaseException as error:  # noqa: BLE001 - nothing may return into the parent's test
        sys.stderr.write(f"ingest failed: {error!r}\n")
    finally:
        # Not the parent's exit handlers.
        os._exit(1)
