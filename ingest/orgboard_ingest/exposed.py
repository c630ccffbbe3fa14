"""`ingest --metrics`: its health over HTTP, for Prometheus and for whatever restarts what hangs.

    GET /metrics    the figures, as text
    GET /healthz    200 "ok", or 503 and why not, a line each

A thread of its own answers from what the loop last told it, so that a loop that hangs or a
database that is away can still be asked about.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from orgboard_ingest.figures import Snapshot
from orgboard_schema.errors import OrgboardError
from orgboard_schema.metrics import CONTENT_TYPE, Metric, exposition, logdir_metrics

__all__ = ["Exposed", "metrics_text", "parse_address", "troubles"]

LOOPBACK: Final = "127.0.0.1"

TROUBLE_AFTER_S: Final = 60.0
"""Bytes that wait this long, a database away or a loop standing still for so long."""

SLOWEST_CLIENT_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class _Told:
    snapshot: Snapshot
    at: float


def parse_address(text: str) -> tuple[str, int]:
    """Return host and port of "[HOST:]PORT"; the host is this machine's own when none is named.

    Raises:
        OrgboardError: It is neither.
    """
    host, _, port = text.rpartition(":")
    if not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise OrgboardError(f"--metrics takes [HOST:]PORT, as 9090, not {text!r}")
    return host.removeprefix("[").removesuffix("]") or LOOPBACK, int(port)


def troubles(snapshot: Snapshot, silent_s: float) -> list[str]:
    """Return what is wrong, a line each; `silent_s` is since the loop was last seen going."""
    found = []
    if silent_s > TROUBLE_AFTER_S:
        found.append(f"the loop has stood still for {silent_s:.0f} s")
    if snapshot.away_s is not None and snapshot.away_s > TROUBLE_AFTER_S:
        found.append(f"the database has been away for {snapshot.away_s:.0f} s")
    works = ((logdir.path, ingest.work) for logdir in snapshot.logdirs for ingest in logdir.ingests)
    found += (
        f"{path!r}: {work.pending_bytes} bytes, {work.lag_s:.0f} s behind"
        for path, work in works
        if work.pending_bytes and work.lag_s > TROUBLE_AFTER_S
    )
    return found


def metrics_text(snapshot: Snapshot) -> str:
    """Return the figures as Prometheus reads them."""
    away = snapshot.away_s or 0.0
    process = [
        Metric(
            "orgboard_ingest_database_up",
            "gauge",
            "1 while the database answers.",
            (((), float(snapshot.away_s is None)),),
        ),
        Metric(
            "orgboard_ingest_database_away_seconds",
            "gauge",
            "For how long the database has not answered.",
            (((), away),),
        ),
    ]
    return exposition([*process, *logdir_metrics(snapshot.logdirs)])


class Exposed:
    """A server that answers while the block it opens runs."""

    def __init__(
        self, address: tuple[str, int], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._told = _Told(Snapshot(), clock())
        try:
            self._server = _Server(address, partial(_Handler, self))
        except OSError as error:
            where = f"{address[0]}:{address[1]}"
            raise OrgboardError(f"--metrics {where}: {error.strerror or error}") from error
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def tell(self, snapshot: Snapshot) -> None:
        """Answer with this from now on."""
        self._told = _Told(snapshot, self._clock())

    def close(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, path: str) -> tuple[int, str, str]:
        """Return status, content type and text for a path."""
        told = self._told
        silent_s = self._clock() - told.at
        snapshot = told.snapshot
        if snapshot.away_s is not None:
            snapshot = replace(snapshot, away_s=snapshot.away_s + silent_s)
        if path == "/metrics":
            return 200, CONTENT_TYPE, metrics_text(snapshot)
        if path == "/healthz":
            wrong = troubles(snapshot, silent_s)
            text = "".join(f"{line}\n" for line in wrong) or "ok\n"
            return (503 if wrong else 200), "text/plain; charset=utf-8", text
        return 404, "text/plain; charset=utf-8", "only /metrics and /healthz are here\n"


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a client that went away."""


class _Handler(BaseHTTPRequestHandler):
    server_version = "orgboard"
    sys_version = ""
    timeout = SLOWEST_CLIENT_S

    def __init__(self, exposed: Exposed, *arguments: object) -> None:
        self._exposed = exposed
        super().__init__(*arguments)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        """Answer."""
        status, kind, text = self._exposed.answer(self.path.partition("?")[0])
        body = text.encode("utf-8", "backslashreplace")
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's
        """Log no request."""
