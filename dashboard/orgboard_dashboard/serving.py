"""One web process: uvicorn around the app, on a socket that already listens."""

from __future__ import annotations

import asyncio
import gc
import socket
from types import FrameType
from typing import Final

import numpy.ma  # noqa: F401  # numpy loads it at the first question that asks what is distinct
import uvicorn
from sqlalchemy import Engine

from orgboard_dashboard.app import Web, create_app
from orgboard_dashboard.config import WebConfig
from orgboard_dashboard.connections import Patience, patient
from orgboard_dashboard.outgoing import App
from orgboard_dashboard.queries.guard import watch_over
from orgboard_dashboard.tls import Certificate

__all__ = ["serve_app", "settings_of"]

_DRAIN_S: Final = 3
"""What a request under way has left when the server is told to stop."""

_KEEP_ALIVE_S: Final = 5
"""For how long a connection is kept by which nothing is asked."""

_LOOK_EVERY_TICKS: Final = 50
"""Five seconds: nobody waits for a renewal, and to look at two files is nothing."""

_COLLECT_AFTER: Final = 20_000
"""New objects. A question of ten thousand runs makes as many rows, which go as they came, by
counted references; Python's 700 would have each looked at again and again meanwhile."""


class _Server(uvicorn.Server):
    """Ends the event streams when told to stop: uvicorn would wait for them."""

    def __init__(self, config: uvicorn.Config, web: Web, certificate: Certificate | None) -> None:
        super().__init__(config)
        self._web = web
        self._certificate = certificate

    async def on_tick(self, counter: int) -> bool:
        """See whether the certificate was renewed; uvicorn calls this ten times a second."""
        if self._certificate and counter % _LOOK_EVERY_TICKS == 0:
            self._certificate.look()
        return await super().on_tick(counter)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take a signal; runs between two steps of the event loop."""
        self._web.board.close()
        super().handle_exit(sig, frame)


def serve_app(config: WebConfig, engine: Engine, listener: socket.socket) -> None:
    """Serve until SIGINT or SIGTERM, then drain and return."""
    watch_over(engine, strict=True)
    web = create_app(config, engine)
    # The app, Dash and what they load stay for good: to look through all of it for what does not
    # took a third of the first question about a metric.
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER, *gc.get_threshold()[1:])
    certificate = Certificate(config.tls_cert, config.tls_key) if config.is_tls else None
    settings = settings_of(web.gate, Patience())
    settings.load()
    settings.ssl = certificate.context if certificate else None
    server = _Server(settings, web, certificate)
    try:
        asyncio.run(server.serve(sockets=[listener]))
    except KeyboardInterrupt:
        # uvicorn raises the signal again once it has stopped in order.
        return


def settings_of(app: App, patience: Patience) -> uvicorn.Config:
    """Return how uvicorn is to serve `app`."""
    return uvicorn.Config(
        app,
        http=patient(patience),
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=True,
        ws="none",
        lifespan="on",
        timeout_graceful_shutdown=_DRAIN_S,
        timeout_keep_alive=_KEEP_ALIVE_S,
        # What a proxy says of host and scheme is not believed; `identity` asks it who asks.
        proxy_headers=False,
    )
