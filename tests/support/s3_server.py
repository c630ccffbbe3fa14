"""An S3 server on loopback: moto's, which counts what it is asked and fails as it is told to.

Run as a program it serves until its standard input ends, and says on a line at which port.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterable
from typing import Any, Final

__all__ = ["CONTROL"]

CONTROL: Final = "/-/"
"""Below it are the tests' own questions; no bucket has such a name."""

Start = Callable[..., Any]


class Counted:
    """An application before another, which notes each request and may answer in its place."""

    def __init__(self, app: Callable[[dict[str, Any], Start], Iterable[bytes]]) -> None:
        self._app = app
        self._asked: list[dict[str, Any]] = []
        self._failing = 0
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        """Answer a request."""
        path = environ["PATH_INFO"]
        if path.startswith(CONTROL):
            return self._control(path[len(CONTROL) :], environ["QUERY_STRING"], start)
        seen = {
            "method": environ["REQUEST_METHOD"],
            "path": path,
            "range": environ.get("HTTP_RANGE", ""),
            "query": environ["QUERY_STRING"],
        }
        if self._failing:
            with self._lock:
                self._asked.append(seen | {"bytes": 0})
            start(f"{self._failing} Failing", [("Content-Type", "application/xml")])
            return [b"<Error><Code>%d</Code><Message>told to</Message></Error>" % self._failing]
        body = b"".join(self._app(environ, start))
        with self._lock:
            self._asked.append(seen | {"bytes": len(body)})
        return [body]

    def _control(self, what: str, query: str, start: Start) -> Iterable[bytes]:
        """Forget and tell what was asked, or fail from now on with the status that is named."""
        if what == "fail":
            self._failing = int(query)
        with self._lock:
            asked, self._asked = self._asked, []
        start("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(asked).encode()]


def main() -> None:
    """Serve until standard input ends."""
    # Imported here: whoever asks is no server, and moto takes a second to load.
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Silent(WSGIRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            pass

    app = Counted(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Silent)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
