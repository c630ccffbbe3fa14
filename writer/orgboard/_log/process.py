"""What happens to open logs when their process forks or ends.

A forked child inherits queue, descriptors and locks but not the thread that serves them: it lets
go of all of it, unwritten, and opens a file of its own at its first value. No signal handler is
ever installed.
"""

from __future__ import annotations

import atexit
import os
import sys
import weakref
from typing import Protocol

__all__ = ["close_with_worker", "is_exiting", "watch"]


class Log(Protocol):
    """What this module needs of an event log."""

    def close(self) -> None:
        """Write all and end."""

    def forget_parent(self) -> None:
        """Begin anew in a forked child."""


_logs: weakref.WeakValueDictionary[int, Log] = weakref.WeakValueDictionary()
_exiting = False


def watch(log: Log) -> None:
    """Include a log in what happens at a fork. It is not kept alive by this."""
    _logs[id(log)] = log


def is_exiting() -> bool:
    """Tell whether the interpreter has begun to end: a thread started now would not run."""
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


def _note_exit() -> None:
    global _exiting
    _exiting = True


def _forget_parent() -> None:
    # A list of references first: a plain copy, whatever another thread was doing at the fork.
    for reference in _logs.valuerefs():
        log = reference()
        if log is not None:
            log.forget_parent()


atexit.register(_note_exit)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_parent)
