"""A site that is not the board's: a folder of pages at loopback addresses of its own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

__all__ = ["pages_of"]


class _Quiet(SimpleHTTPRequestHandler):
    """Says nothing on the terminal."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name it has there)
        pass


@contextmanager
def pages_of(folder: Path) -> Iterator[str]:
    """Serve a folder, as a notebook's server or a wiki would; its port answers 127.0.0.1, too,
    which is another origin, and another site."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()
        thread.join()
