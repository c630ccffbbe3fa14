"""What goes out to a client, just inside of the gate: in parts, and broken off where it must be.

An answer whose middle turns out to be impossible (it takes too long, or who asked may not see it
any more) cannot be refused any more. Its connection is cut, so that the client sees that it has
no whole answer.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from orgboard_dashboard.connections import CUT

__all__ = ["App", "BrokenOff", "Outgoing"]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

PART_BYTES: Final = 64 * 1024
"""A client is to take so much in the time that a connection waits for it."""

_log = logging.getLogger(__name__)


class BrokenOff(Exception):  # noqa: N818  # says what is, as its siblings do
    """An answer that has begun cannot be ended; the message says why, for the log."""


class Outgoing:
    """Hands answers of `app` on, large ones in parts."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one ASGI scope."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            await self._app(scope, receive, _in_parts(send))
        except BrokenOff as error:
            cut = scope.get("state", {}).get(CUT)
            if cut is None:
                raise
            _log.warning("an answer was broken off: %s", error)
            cut()


def _in_parts(send: Send) -> Send:
    """Return a `send` that waits for the client between the parts of a body."""

    async def sent(message: Message) -> None:
        body = message.get("body", b"")
        if message["type"] != "http.response.body" or len(body) <= PART_BYTES:
            await send(message)
            return
        rest = memoryview(body)
        while rest:
            await send({**message, "body": bytes(rest[:PART_BYTES]), "more_body": True})
            rest = rest[PART_BYTES:]
            # What takes a client's whole attention is not to take all of ours.
            await asyncio.sleep(0)
        if not message.get("more_body", False):
            # Only the next message waits until the client took the last part.
            await send({**message, "body": b"", "more_body": False})

    return sent
