"""What goes out to a client, just inside of the gate: in parts, so much at once, to its end or not.

A large answer waits in memory for its client. Beyond what one who asks, and the process, may leave
there (`unsent`), one is told to come again before anything is sent; and who takes it slower than
`SLOWEST_BYTES_S` is cut off.

An answer whose middle turns out to be impossible (it takes too long, or who asked may not see it
any more) cannot be refused any more. Its connection is cut, so that the client sees that it has
no whole answer.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from orgboard_dashboard.connections import CUT
from orgboard_dashboard.turns import Full
from orgboard_dashboard.unsent import Unsent, asker_of

__all__ = ["App", "BrokenOff", "Outgoing"]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

PART_BYTES: Final = 64 * 1024
"""A client is to take so much in the time that a connection waits for it."""

SLOWEST_BYTES_S: Final = 32 * 1024
PATIENCE_S: Final = 30.0

_FULL: Final[dict[Full, tuple[int, str]]] = {
    "yours": (429, "Large answers wait for you to take them. Take those first, and try again."),
    "all": (503, "This board is busy with large answers. Try again in a few seconds."),
}

_log = logging.getLogger(__name__)


class BrokenOff(Exception):  # noqa: N818  # says what is, as its siblings do
    """An answer that has begun cannot be ended; the message says why, for the log."""


def time_for(size: int) -> float:
    """Return for how many seconds an answer of so many bytes is waited for."""
    return PATIENCE_S + size / SLOWEST_BYTES_S


class Outgoing:
    """Hands answers of `app` on, large ones in parts."""

    def __init__(
        self, app: App, unsent: Unsent, time_for: Callable[[int], float] = time_for
    ) -> None:
        self._app = app
        self._unsent = unsent
        self._time_for = time_for

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one ASGI scope."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        sending = _Sending(send, self._unsent, asker_of(scope), self._time_for)
        try:
            await self._app(scope, receive, sending)
        except BrokenOff as error:
            cut = scope.get("state", {}).get(CUT)
            if cut is None:
                raise
            _log.warning("an answer was broken off: %s", error)
            cut()


class _Sending:
    """The `send` of one answer."""

    def __init__(
        self, send: Send, unsent: Unsent, asker: str, time_for: Callable[[int], float]
    ) -> None:
        self._send = send
        self._unsent = unsent
        self._asker = asker
        self._time_for = time_for
        self._start: Message | None = None
        """Held back until there is room for what follows."""
        self._is_refused = False

    async def __call__(self, message: Message) -> None:
        if self._is_refused:
            return
        if message["type"] == "http.response.start":
            self._start = message
            return
        size = len(message.get("body", b""))
        if size <= PART_BYTES:
            await self._begun(message)
            return
        full = self._unsent.full(self._asker, size) if self._start is not None else ""
        if full:
            self._is_refused = True
            await self._refuse(full)
            return
        with self._unsent.holding(self._asker, size):
            await self._in_time(message, self._time_for(size))

    async def _begun(self, message: Message) -> None:
        if self._start is not None:
            start, self._start = self._start, None
            await self._send(start)
        await self._send(message)

    async def _in_time(self, message: Message, within_s: float) -> None:
        try:
            async with asyncio.timeout(within_s):
                await self._in_parts(message)
        except TimeoutError:
            raise BrokenOff("a client took a large answer too slowly") from None

    async def _in_parts(self, message: Message) -> None:
        """Send a body, waiting for the client between its parts."""
        rest = memoryview(message["body"])
        while rest:
            await self._begun({**message, "body": bytes(rest[:PART_BYTES]), "more_body": True})
            rest = rest[PART_BYTES:]
            # What takes a client's whole attention is not to take all of ours.
            await asyncio.sleep(0)
        if not message.get("more_body", False):
            # Only the next message waits until the client took the last part.
            await self._begun({**message, "body": b"", "more_body": False})

    async def _refuse(self, full: Full) -> None:
        status, words = _FULL[full]
        body = json.dumps({"error": words}).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"retry-after", b"5"),
        ]
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})
