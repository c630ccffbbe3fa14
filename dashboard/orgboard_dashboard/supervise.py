"""Child processes kept alive together, and ended together.

    supervise(children) ── starts all ── one dies ──▶ started again, after a growing pause
                        ── told to stop ──▶ SIGTERM to all, SIGKILL to whoever stays
                        ── killed itself ──▶ the kernel kills the children (Linux)

A child is in a session of its own, so that Ctrl-C in the terminal reaches only the
parent and the order of stopping is ours. Nothing here knows what a child does.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Final

__all__ = ["Child", "Family", "rest", "stop_signals"]

_FIRST_PAUSE_S: Final = 0.5
_LONGEST_PAUSE_S: Final = 30.0
_SETTLED_AFTER_S: Final = 60.0
"""A child that lived this long died of something new: the pause begins small again."""
_STOP_WITHIN_S: Final = 8.0
_LOOK_EVERY_S: Final = 0.1

_HOPELESS: Final = frozenset({2, 78})
"""Exits that a second start cannot mend: wrong set-up, database newer than the program."""

_PR_SET_PDEATHSIG: Final = 1
_LIBC: Final = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True, slots=True)
class Child:
    """What to run."""

    name: str
    argv: tuple[str, ...]
    pass_fds: tuple[int, ...] = ()
    keep_alive: bool = True
    """False: when it has ended, it has done its work."""


@dataclass(slots=True)
class _Running:
    child: Child
    process: subprocess.Popen[bytes]
    started: float
    pause_s: float = _FIRST_PAUSE_S
    again_at: float | None = None


class Family:
    """Running children. `tend` again and again, `stop` at the end."""

    def __init__(
        self,
        children: Sequence[Child],
        *,
        say: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
        stop_within_s: float = _STOP_WITHIN_S,
    ) -> None:
        self._say = say
        self._stop_within_s = stop_within_s
        self._clock = clock
        self._running: list[_Running] = []
        for child in children:
            self._running.append(_Running(child, _start(child), clock()))

    def pids(self) -> dict[str, int]:
        """Return the process ids by name."""
        return {one.child.name: one.process.pid for one in self._running}

    def tend(self) -> int | None:
        """Start again who died. Return an exit status when one child cannot work at all."""
        for one in self._running:
            status = one.process.poll()
            if status is None or (not one.child.keep_alive and one.again_at is None):
                continue
            if status in _HOPELESS:
                return status
            self._revive(one, status)
        return None

    def _revive(self, one: _Running, status: int) -> None:
        now = self._clock()
        if one.again_at is None:
            if now - one.started > _SETTLED_AFTER_S:
                one.pause_s = _FIRST_PAUSE_S
            one.again_at = now + one.pause_s
            self._say(f"{one.child.name} ended ({_why(status)}); starting it again")
            one.pause_s = min(2 * one.pause_s, _LONGEST_PAUSE_S)
        elif now >= one.again_at:
            one.process, one.started, one.again_at = _start(one.child), now, None

    def stop(self) -> None:
        """End all children: politely, then not."""
        for one in self._running:
            if one.process.poll() is None:
                one.process.terminate()
        deadline = time.monotonic() + self._stop_within_s
        for one in self._running:
            try:
                one.process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                one.process.kill()
                one.process.wait()


@contextmanager
def stop_signals() -> Iterator[Callable[[], bool]]:
    """Give a question that is true once this process was told to stop (Ctrl-C, TERM, HUP)."""
    told: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        told.append(number)

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, note) for number in numbers}
    try:
        yield lambda: bool(told)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def rest() -> None:
    """Wait a little before looking again; a signal does not shorten it by more than that."""
    time.sleep(_LOOK_EVERY_S)


def _start(child: Child) -> subprocess.Popen[bytes]:
    parent = os.getpid()

    def die_with_parent() -> None:
        if _LIBC is not None:
            _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:
                # It was killed before this line: no signal will come any more.
                os._exit(1)

    return subprocess.Popen(
        child.argv,
        pass_fds=child.pass_fds,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        # Between fork and exec only the two calls above run; this process has one thread.
        preexec_fn=die_with_parent,
    )


def _why(status: int) -> str:
    if status >= 0:
        return f"exit status {status}"
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"
