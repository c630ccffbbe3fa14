"""The listening socket, bound once by the parent and inherited by whoever serves.

So a taken port is known before anything starts, `--port 0` is known to whoever prints
the address, and a server that is started again never loses its port.
"""

from __future__ import annotations

import errno
import socket
from typing import Final

from orgboard_dashboard.base_url import bracketed
from orgboard_schema.errors import OrgboardError

__all__ = ["CannotListen", "address_of", "inherit", "listen"]

_BACKLOG: Final = 1024


class CannotListen(OrgboardError):  # noqa: N818 - says what is, as its siblings do
    """The address cannot be served; the message says what to try."""


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens at `host`. Whether it may, `reach` has told before.

    Raises:
        CannotListen: the port is taken, or the address is not this machine's.
    """
    if not 0 <= port <= 65535:
        raise CannotListen(f"{port} is no port: give 0 to 65535 (0 picks a free one)")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named, because asyncio turns Nagle's delay off only for what says that it is TCP; with
    # it, each answer on a kept connection would wait 40 ms for the browser's acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise CannotListen(_reason(host, port, error)) from error
    return listener


def inherit(descriptor: int) -> socket.socket:
    """Return the listening socket that the parent process handed down.

    Raises:
        CannotListen: there is none at that number.
    """
    try:
        return socket.socket(fileno=descriptor)
    except OSError as error:
        raise CannotListen(f"no socket was handed down as {descriptor}") from error


def address_of(listener: socket.socket, *, is_tls: bool = False) -> str:
    """Return the address that answers."""
    host, port = listener.getsockname()[:2]
    return f"http{'s' if is_tls else ''}://{bracketed(host)}:{port}"


def _reason(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} is taken; try --port 0"
    if error.errno == errno.EACCES:
        return f"port {port} is reserved for the system; try --port 7070"
    return f"cannot listen at {host}:{port}: {error.strerror or error}"
