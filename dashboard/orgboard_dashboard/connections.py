"""One connection of a client, held to a pace: whoever stops reading is cut off, or does not ask.

uvicorn waits without end for the head of a request, of which many can be begun and never ended.
It waits as long for a client to take what is sent, which holds memory meanwhile, and what makes
it may hold more. So a connection whose buffer does not empty in time is cut, and not closed, which
would wait for the same client once more.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import ClassVar, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

__all__ = ["CUT", "Connection", "Patience", "patient"]

_log = logging.getLogger(__name__)

CUT: Final = "cut"
"""Under this name a request's state holds what cuts its connection off."""


@dataclass(frozen=True, slots=True)
class Patience:
    """For how many seconds a connection is waited for."""

    head_s: float = 10.0
    """Until the head of a request is whole: the first, or one that was begun after another."""
    stalled_s: float = 30.0
    """Until some hundred KB that wait in its buffer were taken: 4 KB a second are enough."""


class Connection(H11Protocol):
    """uvicorn's own, with an end to all waiting."""

    patience: ClassVar[Patience] = Patience()
    _head: asyncio.TimerHandle | None = None
    _stalled: asyncio.TimerHandle | None = None
    _leaving: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, CUT: self.cut}
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """End, whoever ended it."""
        for timer in (self._head, self._stalled, self._leaving):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came, and wait for the rest of a head no longer than from when it began."""
        super().data_received(data)
        if self.conn.their_state is h11.IDLE and not self.transport.is_closing():
            self._await_head()
        elif self._head is not None:
            self._head.cancel()
            self._head = None

    def pause_writing(self) -> None:
        """Begin to wait: the client has not taken what was sent."""
        super().pause_writing()
        if self._stalled is None:
            self._stalled = self.loop.call_later(self.patience.stalled_s, self._give_up)

    def resume_writing(self) -> None:
        """Go on: the client took it."""
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None
        super().resume_writing()

    def on_response_complete(self) -> None:
        """End an answer; what is left of it in the buffer is not waited for without end."""
        super().on_response_complete()
        self._see_off()

    def timeout_keep_alive_handler(self) -> None:
        """Close what nothing more was asked by."""
        super().timeout_keep_alive_handler()
        self._see_off()

    def cut(self) -> None:
        """End it at once: what was sent in part is seen to be in part."""
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None and not cycle.response_complete:
            # Else it would be told of as an answer without an end.
            cycle.disconnected = True
        self.transport.abort()

    def _await_head(self) -> None:
        if self._head is None:
            self._head = self.loop.call_later(self.patience.head_s, self._hang_up)

    def _hang_up(self) -> None:
        self.transport.close()
        self._see_off()

    def _give_up(self) -> None:
        _log.warning(
            "a client that had not read for %g s was cut off: %s",
            self.patience.stalled_s,
            self.client[0] if self.client else "unknown",
        )
        self.cut()

    def _see_off(self) -> None:
        """Cut it after a while when it was closed, and the client does not take the rest."""
        if self.transport.is_closing() and self._leaving is None:
            self._leaving = self.loop.call_later(self.patience.stalled_s, self.transport.abort)


def patient(patience: Patience) -> type[Connection]:
    """Return connections that wait as long as `patience` says."""
    return type("Connection", (Connection,), {"patience": patience})
