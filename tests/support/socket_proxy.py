"""A proxy before a database, that does to its connections what networks and failovers do."""

from __future__ import annotations

import random
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from support.waiting import free_port

__all__ = ["SocketProxy", "proxy_to"]

COMMIT: Final = b"COMMIT\0"
"""The end of the message by which PostgreSQL's client asks for it."""

CHUNK: Final = 65536
POLL_S: Final = 0.01
_RESET: Final = struct.pack("ii", 1, 0)


class SocketProxy:
    """Forwards to a port of this machine. Its fields may be changed at any time."""

    def __init__(self, target: int, seed: int = 0) -> None:
        self.port = free_port()
        self.latency_s = 0.0
        """Before each piece that is forwarded."""
        self.bytes_per_s: float | None = None
        self.held = threading.Event()
        """While set nothing is forwarded and nothing closed: a black hole."""
        self.cut_commits = 0.0
        """Of commits, the share that is forwarded and never answered."""
        self.cuts = 0
        """How many that were."""
        self._chance = random.Random(seed)
        self._target = target
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listener: socket.socket | None = None

    def listen(self) -> None:
        """Take connections, from now on."""
        listener = socket.create_server(("127.0.0.1", self.port))
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def refuse(self) -> None:
        """Reset what is connected and take no connections."""
        if self._listener is not None:
            # A thread waits in `accept`: closing alone would not end that.
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        self.reset()

    def reset(self) -> None:
        """End all connections in the middle of whatever they carry."""
        with self._lock:
            ends = tuple(self._open)
        for end in ends:
            self._cut(end)

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                try:
                    server = socket.create_connection(("127.0.0.1", self._target))
                except OSError:
                    # The server is down, and so are we.
                    client.close()
                    continue
                with self._lock:
                    self._open |= {client, server}
                if self._listener is not listener:
                    self._cut(client)
                    self._cut(server)
                    return
                swallow = threading.Event()
                for source, sink in ((client, server), (server, client)):
                    threading.Thread(
                        target=self._pump,
                        args=(source, sink, swallow, source is client),
                        daemon=True,
                    ).start()

    def _pump(
        self, source: socket.socket, sink: socket.socket, swallow: threading.Event, asks: bool
    ) -> None:
        with suppress(OSError):
            while data := source.recv(CHUNK):
                while self.held.is_set():
                    time.sleep(POLL_S)
                if not asks and swallow.is_set():
                    # The server committed; whoever asked will not know.
                    self.cuts += 1
                    break
                if asks and data.endswith(COMMIT) and self._chance.random() < self.cut_commits:
                    swallow.set()
                self._forward(sink, data)
        self._cut(source)
        self._cut(sink)

    def _forward(self, sink: socket.socket, data: bytes) -> None:
        if self.latency_s:
            time.sleep(self.latency_s)
        while data:
            rate = self.bytes_per_s
            piece = data if rate is None else data[:1]
            sink.sendall(piece)
            data = data[len(piece) :]
            if rate is not None:
                time.sleep(1 / rate)

    def _cut(self, end: socket.socket) -> None:
        with self._lock:
            self._open.discard(end)
        with suppress(OSError):
            # A reset, and not a goodbye that waits for what is still to be sent.
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        with suppress(OSError):
            # Wakes the thread that reads from it.
            end.shutdown(socket.SHUT_RD)
        end.close()


@contextmanager
def proxy_to(port: int, seed: int = 0) -> Iterator[SocketProxy]:
    """Give a proxy that listens while the block runs."""
    proxy = SocketProxy(port, seed)
    proxy.listen()
    try:
        yield proxy
    finally:
        proxy.held.clear()
        proxy.refuse()
