"""What of the world a run's files depend on: clocks, and the system's calls on files.

Tests put in their place what fails; nothing else of the SDK touches an event file.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

__all__ = ["Append", "Clock", "Outside"]

Clock: TypeAlias = Callable[[], float]

Append: TypeAlias = Callable[[int, bytes], int]
"""`os.write`, or what a test puts in its place."""


class Outside(NamedTuple):
    """The calls themselves, each with the arguments and errors of the one in `os`."""

    wall: Clock = time.time
    now: Clock = time.monotonic
    """Monotonic: a clock that is set back must not stop the flushing."""
    append: Append = os.write
    open: Callable[[str, int, int], int] = os.open
    close: Callable[[int], None] = os.close
    fstat: Callable[[int], os.stat_result] = os.fstat
    sync: Callable[[int], None] = os.fsync
    unlink: Callable[[str], None] = os.unlink
    make_directory: Callable[..., Any] = os.makedirs
