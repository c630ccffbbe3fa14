"""Waiting for something to come true, with a deadline and without a guessed pause."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import TypeVar

__all__ = ["free_port", "wait_until"]

T = TypeVar("T")

POLL_EVERY_S = 0.02
"""Short beside anything a test waits for, long beside the cost of asking."""


def wait_until(predicate: Callable[[], T | None], timeout_s: float, what: str) -> T:
    """Ask `predicate` until it answers something true, and return the answer.

    Raises:
        AssertionError: after `timeout_s` seconds, naming `what` and the last answer.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        answer = predicate()
        if answer:
            return answer
        if time.monotonic() >= deadline:
            raise AssertionError(
                f"not within {timeout_s} s: {what}; the last answer was {answer!r}"
            )
        time.sleep(POLL_EVERY_S)


def free_port() -> int:
    """Name a TCP port of the loopback interface that nobody listens on now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
