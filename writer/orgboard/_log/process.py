"""What happens to open logs when their process forks or ends.

A forked child inherits queue, descriptors and locks but not the thread that serves them: it lets
go of all of it, unwritten, and opens a file of its own at its first value. No signal handler is
ever installed.
"""

from __future__ import annotations

import atexit
import os
import sys
import time
import weakref
from typing import Final, Protocol

__all__ = ["PATIENCE_S", "close_with_worker", "is_exiting", "watch"]

PATIENCE_S: Final = 10.0
"""How long flush() and close() wait for a disk that hangs; at exit, all logs together."""


class Ticket(Protocol):
    """What a log gives to who waits for its end."""

    def wait(self, seconds: float) -> None:
        """Return when it is done, at the latest after so many seconds."""


class Log(Protocol):
    """What this module needs of an event log."""

    def close(self) -> None:
        """Write all and end."""

    def ask_to_close(self) -> Ticket | None:
        """Begin to write all and end. None: there is nothing to wait for."""

    def forget_parent(self) -> None:
        """Begin anew in a forked child."""


_logs: weakref.WeakValueDictionary[int, Log] = weakref.WeakValueDictionary()
_exiting = False


def watch(log: Log) -> None:
    """Include a log in what happens at a fork and at exit. It is not kept alive by this."""
    _logs[id(log)] = log


def is_exiting() -> bool:
    """Tell whether the logs were closed because the interpreter ends."""
    return _exiting


def close_with_worker(log: Log) -> None:
    """Close the log when a multiprocessing worker ends: those skip Python's own exit hooks."""
    process = sys.modules.get("multiprocessing.process")
    util = sys.modules.get("multiprocessing.util")
    if process is not None and util is not None and process.parent_process() is not None:
        util.Finalize(log, _close, args=(weakref.ref(log),), exitpriority=100)


def _close(reference: weakref.ref[Log]) -> None:
    log = reference()
    if log is not None:
        log.close()


def _open_logs() -> list[Log]:
    # A list of references first: a plain copy, whatever another thread does meanwhile.
    found = [reference() for reference in _logs.valuerefs()]
    return [log for log in found if log is not None]


def _close_all() -> None:
    """Ask every log to end, then wait for them all: ten hung disks take no longer than one."""
    global _exiting
    tickets = [log.ask_to_close() for log in _open_logs()]
    deadline = time.monotonic() + PATIENCE_S
    for ticket in tickets:
        if ticket is not None:
            ticket.wait(max(deadline - time.monotonic(), 0.0))
    # From here on a thread that is started would not run.
    _exiting = True


def _forget_parent() -> None:
    for log in _open_logs():
        log.forget_parent()


atexit.register(_close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_parent)
