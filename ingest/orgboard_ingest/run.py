"""Put the parts together: a database, the logdirs, the loop, signals, more processes."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING, Final, TextIO

from sqlalchemy import Connection, Engine, func, select

from orgboard_ingest.config import IngestConfig
from orgboard_ingest.daemon import Daemon
from orgboard_ingest.damage import damages
from orgboard_ingest.events import printable, say
from orgboard_ingest.figures import Snapshot
from orgboard_ingest.hints import Hints
from orgboard_ingest.intake import Intake
from orgboard_ingest.leases import new_owner
from orgboard_ingest.outage import Outage
from orgboard_ingest.progress import Progress
from orgboard_ingest.projects import settle_logdir
from orgboard_ingest.roots import Folder, Root, root_of
from orgboard_ingest.source import Source
from orgboard_ingest.status import Screen
from orgboard_ingest.transactions import read_once as read_sql
from orgboard_ingest.transactions import write_once
from orgboard_ingest.tuning import tune_process
from orgboard_schema.errors import DatabaseUnreachable, OrgboardError
from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import open_engine
from orgboard_schema.sql.migrate import check_version, upgrade, version
from orgboard_schema.sql.standing import SHOWN

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess

    from orgboard_ingest.exposed import Exposed
    from orgboard_ingest.watch import Watch

__all__ = ["follow", "make_daemon", "open_database", "read_once", "share"]

MOST_LINES: Final = 100
"""Of damage printed; the rest is counted and can be seen on the board."""

STUCK_AFTER_LEASES: Final = 2.0
"""A transaction that stands still so long is given up: its process was paused, others have its
runs by now, and no transaction of ours takes nearly as long."""

NOT_YET: Final = (
    *("refused", "starting up", "shutting down", "recovery mode", "timeout"),
    *("not currently accepting", "not yet accepting", "closed", "lost", "terminating", "reset"),
    "database is locked",
)
"""In the driver's message: the server is down for now. A wrong name or password is not."""

DONE: Final = 0
INCOMPLETE: Final = 2
DAMAGED: Final = 3

log = logging.getLogger("orgboard.ingest")


def read_once(config: IngestConfig, out: TextIO) -> int:
    """Read all there is, report on `out`, and return the exit status."""
    tune_process()
    with _closing(open_database(config)) as engine, _others(config, lambda: None) as others:
        daemon = make_daemon(config, engine, Hints())
        with _stopped_by_signal(daemon.stop):
            progress = Progress(out)
            daemon.run_once(progress.show)
            progress.clear()
        failed = [process.exitcode for process in others if _joined(process) != DONE]
        status = _report(engine, daemon, out)
    return INCOMPLETE if failed and status == DONE else status


def follow(config: IngestConfig, screen: Screen | None = None) -> int:
    """Follow the files until a signal says stop, and return the exit status.

    `screen` shows meanwhile how it fares.
    """
    tune_process()
    # One name for all processes of this ingest, so that they know each other's leases.
    config = replace(config, owner=config.owner or new_owner())
    stopped = threading.Event()
    with _exposed(config.metrics) as exposed:
        show = _shown(screen, exposed)
        opened = _wait_for_database(config, stopped, show)
        if opened is None:
            return DONE
        engine, daemon = opened
        daemon.show = show
        with _closing(engine):
            try:
                return _follow(config, daemon)
            finally:
                if screen is not None:
                    screen.clear()
                for source in daemon.sources:
                    source.close()


def _follow(config: IngestConfig, daemon: Daemon) -> int:
    broken: list[str] = []

    def other_ended() -> None:
        if daemon.stopped:
            return
        broken.append("another process of this ingest ended")
        daemon.stop()

    say(log, logging.INFO, "started", logdirs=len(config.logdirs), jobs=config.jobs)
    with _stopped_by_signal(daemon.stop), _others(config, other_ended):
        daemon.run()
    say(log, logging.INFO, "stopped", points=daemon.points)
    if broken:
        raise OrgboardError(f"{broken[0]}; stopping, start again to go on")
    return DONE


def _shown(screen: Screen | None, exposed: Exposed | None) -> Callable[[Snapshot], None] | None:
    """Return who is told how it fares; None: nobody asks."""
    if screen is None and exposed is None:
        return None

    def show(snapshot: Snapshot) -> None:
        if screen is not None:
            screen.show(snapshot)
        if exposed is not None:
            exposed.tell(snapshot)

    return show


@contextmanager
def _exposed(address: tuple[str, int] | None) -> Iterator[Exposed | None]:
    if address is None:
        yield None
        return
    # Imported here: an HTTP server takes long to load, and few ask for one.
    from orgboard_ingest.exposed import Exposed

    exposed = Exposed(address)
    try:
        yield exposed
    finally:
        exposed.close()


@contextmanager
def _closing(engine: Engine) -> Iterator[Engine]:
    try:
        yield engine
    finally:
        engine.dispose()


def open_database(config: IngestConfig) -> Engine:
    """Open the database; give an empty one its tables, refuse an older one."""
    # What was remembered of a database may not be true of the one found after a failover:
    # a connection that broke has to be noticed, and all looked up again.
    engine = open_engine(
        config.db_url, reconnect=False, stuck_after_s=config.lease_s * STUCK_AFTER_LEASES
    )
    if version(engine) is None:
        upgrade(engine)
    check_version(engine)
    return engine


def _wait_for_database(
    config: IngestConfig, stopped: threading.Event, show: Callable[[Snapshot], None] | None
) -> tuple[Engine, Daemon] | None:
    """Open the database, waiting while its server only does not run yet; None when stopped."""
    outage = Outage(time.monotonic)
    with _stopped_by_signal(stopped.set):
        while not stopped.is_set():
            try:
                opened = _open(config)
            except DatabaseUnreachable as error:
                if not _may_come_up(error):
                    raise
                outage.failed(str(error))
            else:
                outage.over()
                return opened
            if show is not None:
                show(Snapshot(away_s=outage.seconds(), away_reason=outage.reason))
            stopped.wait(outage.pause)
    return None


def _open(config: IngestConfig) -> tuple[Engine, Daemon]:
    engine = open_database(config)
    try:
        return engine, make_daemon(config, engine, Hints())
    except BaseException:
        engine.dispose()
        raise


def _may_come_up(error: DatabaseUnreachable) -> bool:
    said = str(error).lower()
    return any(words in said for words in NOT_YET)


def make_daemon(config: IngestConfig, engine: Engine, hints: Hints) -> Daemon:
    """Return the loop over the logdirs, each with its place in the database and its watch."""
    sources = [_source(config, engine, hints, root_of(logdir)) for logdir in config.logdirs]
    return Daemon(config, engine, sources, hints)


def _source(config: IngestConfig, engine: Engine, hints: Hints, root: Root) -> Source:
    now = time.time()
    logdir_id = write_once(engine, lambda conn: settle_logdir(conn, root, config.project, now=now))
    idle_s = 0.0 if config.once else config.live_within_s
    intake = Intake(engine, root, logdir_id, batch_bytes=config.batch_bytes, idle_s=idle_s)
    intake.load()
    return Source(config, intake, None if config.once else _watch(root, hints))


def _watch(root: Root, hints: Hints) -> Watch | None:
    if not isinstance(root, Folder):
        return None
    # Imported here: reading once needs no watchdog, and starts without it.
    from orgboard_ingest.watch import Watch

    return Watch(root.path, hints)


@contextmanager
def _stopped_by_signal(stop: Callable[[], None]) -> Iterator[None]:
    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop()

    before = {
        number: signal.signal(number, on_signal) for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _others(config: IngestConfig, ended: Callable[[], None]) -> Iterator[Sequence[SpawnProcess]]:
    """Run the other processes that share the runs; stop those still there at the end.

    `ended` is called when one of them ends on its own while following.
    """
    if config.jobs == 1:
        yield []
        return
    # Imported here: most need no other process.
    from orgboard_ingest.processes import others

    with others(config, ended) as processes:
        yield processes


def share(config: IngestConfig) -> int:
    """Be one of the other processes until it is told to stop, and return the exit status."""
    tune_process()
    opened = _open(config) if config.once else _wait_for_database(config, threading.Event(), None)
    if opened is None:
        return DONE
    _, daemon = opened
    with _stopped_by_signal(daemon.stop):
        if config.once:
            daemon.run_once(lambda _: None)
        else:
            daemon.run()
    return INCOMPLETE if daemon.unreadable else DONE


def _joined(process: SpawnProcess) -> int | None:
    process.join()
    return process.exitcode


def _report(engine: Engine, daemon: Daemon, out: TextIO) -> int:
    """Print what is stored and what was damaged, and return the exit status."""
    for source in daemon.sources:
        runs, files, points = read_sql(engine, partial(_stored, source.intake.logdir_id))
        out.write(
            f"{printable(str(source.root))}: {points:,} points of {runs:,} runs"
            f" in {files:,} files are stored\n"
        )
    ids = [source.intake.logdir_id for source in daemon.sources]
    found = read_sql(engine, partial(damages, logdir_ids=ids))
    for damage in found[:MOST_LINES]:
        out.write(f"damaged: {damage}\n")
    if len(found) > MOST_LINES:
        out.write(f"damaged: {len(found) - MOST_LINES:,} more places\n")
    for place, reason in sorted(daemon.unreadable.items()):
        out.write(f"cannot be read: {printable(place)}: {reason}\n")
    if daemon.stopped:
        out.write("stopped before the end; start again to go on\n")
    if found:
        return DAMAGED
    return INCOMPLETE if daemon.unreadable or daemon.stopped else DONE


def _stored(logdir_id: int, conn: Connection) -> tuple[int, int, int]:
    columns = tables.run.c
    query = select(func.count(), func.sum(columns.files), func.sum(columns.points)).where(
        columns.logdir_id == logdir_id, columns.standing == SHOWN
    )
    runs, files, points = conn.execute(query).one()
    return int(runs), int(files or 0), int(points or 0)
