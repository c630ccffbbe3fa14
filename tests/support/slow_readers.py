"""A client of an ASGI app that takes nothing of an answer before it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Reader"]

Message = MutableMapping[str, Any]


@dataclass(slots=True)
class Reader:
    """One question's client."""

    reads: asyncio.Event = field(default_factory=asyncio.Event)
    came: asyncio.Event = field(default_factory=asyncio.Event)
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    async def receive(self) -> Message:
        await asyncio.Event().wait()
        raise AssertionError("nobody goes away")

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {k.decode(): v.decode() for k, v in message["headers"]}
            return
        self.came.set()
        await self.reads.wait()
        self.body += message["body"]
