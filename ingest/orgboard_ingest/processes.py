"""The other processes of an ingest with `--jobs`: started, listened to, stopped."""

from __future__ import annotations

import logging
import multiprocessing
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from logging.handlers import QueueHandler, QueueListener
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess
from multiprocessing.queues import Queue

from orgboard_ingest.config import IngestConfig
from orgboard_ingest.events import set_up
from orgboard_ingest.run import share

__all__ = ["others"]


@contextmanager
def others(config: IngestConfig, ended: Callable[[], None]) -> Iterator[Sequence[SpawnProcess]]:
    """Run the other processes that share the runs; stop those still there at the end.

    `ended` is called when one of them ends on its own while following.
    """
    spawn = multiprocessing.get_context("spawn")
    said: Queue[logging.LogRecord] = spawn.Queue()
    processes = [
        spawn.Process(target=_share, args=(replace(config, shard=shard, metrics=None), said))
        for shard in range(1, config.jobs)
    ]
    # What they log is logged here: two processes would write across each other's lines.
    listener = QueueListener(said, *logging.getLogger().handlers)
    listener.start()
    # A terminal sends Ctrl-C to all of them; when to stop is for this one to say.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        for process in processes:
            process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    if not config.once:
        sentinels = [process.sentinel for process in processes]
        threading.Thread(target=_tell_end, args=(sentinels, ended), daemon=True).start()
    try:
        yield processes
    finally:
        for process in processes:
            if process.is_alive():
                process.terminate()
            process.join()
        listener.stop()


def _tell_end(sentinels: Sequence[int], ended: Callable[[], None]) -> None:
    wait(sentinels)
    ended()


def _share(config: IngestConfig, said: Queue[logging.LogRecord]) -> None:
    """Be one of the other processes; whoever takes its records from the queue formats them."""
    set_up(None, QueueHandler(said))
    # What happens to all of them is said by the first.
    logging.getLogger("orgboard").setLevel(logging.WARNING)
    raise SystemExit(share(config))
