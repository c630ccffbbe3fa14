"""The record `orgboard/context`: all that is known of where a run takes place, as JSON.

The keys are fixed in `schema/FORMAT.md`. What cannot be found out is left out.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from orgboard._context.code import describe_code
from orgboard._context.command import describe_command
from orgboard._context.devices import describe_devices
from orgboard._context.machine import describe_job, describe_machine, describe_python
from orgboard._context.packages import imported_packages
from orgboard._kinds.own import own_record_body

__all__ = ["Recent", "context_body", "gather"]

RECENT_S: Final = 60.0

LOST_S: Final = 4.0
"""Twice what gathering takes at most."""


def context_body(tag: str) -> bytes:
    """Gather, and encode the body of the record. Takes up to some seconds."""
    return own_record_body(tag, _recent.get())


class Recent:
    """What this process is like, gathered once for all runs that begin about now.

    A sweep may open a thousand writers in one process, and each would ask git the same.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pid = 0
        self._at = 0.0
        self._told = ""

    def get(self) -> str:
        """Give the context as JSON, at most a minute old, and of no other process."""
        # The holder of the lock may have been lost in a fork: nobody waits for it for ever.
        held = self._lock.acquire(timeout=LOST_S)
        try:
            now = time.monotonic()
            if self._pid != os.getpid() or now > self._at + RECENT_S:
                self._told, self._pid, self._at = json.dumps(gather()), os.getpid(), now
            return self._told
        finally:
            if held:
                self._lock.release()


_recent: Final = Recent()


def gather() -> dict[str, Any]:
    """Describe this process. Never raises: a part that fails is left out."""
    modules = dict(sys.modules)
    main_file = getattr(modules.get("__main__"), "__file__", None)
    parts: dict[str, Callable[[], Any]] = {
        "command": lambda: describe_command(sys.orig_argv),
        "directory": os.getcwd,
        "pid": os.getpid,
        **describe_machine(),
        "job": lambda: describe_job(os.environ),
        "python": describe_python,
        "git": lambda: describe_code(main_file, os.environ),
        "packages": lambda: imported_packages(modules),
        "devices": lambda: describe_devices(modules),
    }
    return _known(parts)


def _known(parts: Mapping[str, Callable[[], Any]]) -> dict[str, Any]:
    found = {}
    for name, describe in parts.items():
        try:
            value = describe()
        except Exception:  # noqa: BLE001, S112 (half a context is better than none)
            continue
        if value or value == 0:
            found[name] = value
    return found
