"""Connections of the web server: one on a wire and clock of the test's own, and real ones."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ssl import SSLContext
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from orgboard_dashboard.connections import Patience, patient
from orgboard_dashboard.serving import settings_of

__all__ = ["Loop", "Wire", "connect", "served"]


@dataclass(slots=True)
class Timer:
    after_s: float
    call: Callable[[], None]
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True


class Task:
    """An answer that nobody makes."""

    def add_done_callback(self, _call: Callable[[Any], None]) -> None:
        return None


class Loop:
    """Timers that ring when they are told to."""

    def __init__(self) -> None:
        self.timers: list[Timer] = []

    def create_task(self, work: Coroutine[Any, Any, None]) -> Task:
        """Answer nothing."""
        work.close()
        return Task()

    def call_later(self, after_s: float, call: Callable[[], None]) -> Timer:
        self.timers.append(Timer(after_s, call))
        return self.timers[-1]

    def ring(self) -> list[float]:
        """Ring those that wait, and return after how long each would have."""
        due, self.timers = [each for each in self.timers if not each.cancelled], []
        for each in due:
            each.call()
        return [each.after_s for each in due]


class Wire:
    """A transport whose peer does not read."""

    def __init__(self) -> None:
        self.closed = self.aborted = False

    def pause_reading(self) -> None:
        return None

    def resume_reading(self) -> None:
        return None

    def get_extra_info(self, _name: str) -> None:
        return None

    def is_closing(self) -> bool:
        return self.closed or self.aborted

    def write(self, _data: bytes) -> None:
        return None

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.aborted = True


async def _nothing(_scope: Any, _receive: Any, _send: Any) -> None:
    return None


def connect(patience: Patience) -> tuple[Any, Loop, Wire]:
    """Return a connection that somebody made."""
    loop, wire = Loop(), Wire()
    made: Any = patient(patience)
    connection = made(uvicorn.Config(_nothing), ServerState(), {}, loop)
    connection.connection_made(wire)
    return connection, loop, wire


@asynccontextmanager
async def served(
    app: Any, patience: Patience, ssl: SSLContext | None = None
) -> AsyncIterator[socket.socket]:
    """Serve `app` as the program does, and give a client's socket with next to no buffer."""
    settings = settings_of(app, patience)
    settings.lifespan = "off"
    settings.load()
    settings.ssl = ssl
    server = uvicorn.Server(settings)
    client = socket.socket()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.setblocking(False)
            await asyncio.get_running_loop().sock_connect(client, listener.getsockname())
            yield client
        finally:
            client.close()
            server.should_exit = True
            await serving
