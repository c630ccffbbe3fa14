"""Ask an ASGI app one thing, with exactly these headers and nothing of a client's own.

Some ten thousand questions are asked one after the other: httpx would take longer to put one of
them together than the app takes to answer it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["HOST", "OWN_PAGE", "Reply", "call"]

HOST: Final = "127.0.0.1:7070"

OWN_PAGE: Final = {"host": HOST, "sec-fetch-site": "same-origin"}
"""What a browser says of a request of the board's own page."""

Message = MutableMapping[str, Any]
App = Callable[
    [
        MutableMapping[str, Any],
        Callable[[], Awaitable[Message]],
        Callable[[Message], Awaitable[None]],
    ],
    Awaitable[None],
]


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        """Return the one header of a name; "" without one."""
        return next((value for key, value in self.headers if key == name), "")

    def all(self, name: str) -> list[str]:
        """Return all headers of a name."""
        return [value for key, value in self.headers if key == name]

    def json(self) -> Any:
        """Return the body, which is JSON."""
        return json.loads(self.body)


async def call(
    app: App,
    method: str,
    target: str,
    headers: Mapping[str, str],
    body: bytes = b"",
    *,
    client: str = "127.0.0.1",
    first_part_only: bool = False,
    meanwhile: Callable[[], Awaitable[None]] | None = None,
) -> Reply:
    """Send one request, and return the answer; of a stream without end only its first part.

    `meanwhile` takes place after the request's head was sent, and before its body.
    """
    gone = asyncio.Event()
    path, _, query = target.partition("?")
    waiting = [{"type": "http.request", "body": body, "more_body": False}]
    sent: list[Message] = []

    async def receive() -> Message:
        if waiting:
            if meanwhile is not None:
                await meanwhile()
            return waiting.pop()
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)
        if first_part_only and message["type"] == "http.response.body":
            gone.set()

    await app(_scope(method, path, query, headers, client), receive, send)
    start = sent[0]
    return Reply(
        start["status"],
        tuple((name.decode(), value.decode("latin-1")) for name, value in start["headers"]),
        b"".join(message.get("body", b"") for message in sent[1:]),
    )


def _scope(
    method: str, path: str, query: str, headers: Mapping[str, str], client: str
) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers.items()],
        "client": (client, 5),
        "server": ("127.0.0.1", 7070),
    }
