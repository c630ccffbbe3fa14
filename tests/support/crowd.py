"""Many who look at a live project at once, without the drawing: `crowd.py`, told what by a line.

Each holds the event stream and, on its ticks, sends what a real page sends: the curves in sight of
those shown runs that grew, one request at a time, and the lists of tags and charts where a run has
other tags, and now and then.
A program of its own, of the standard library alone, so that what it takes delays nobody else.
They come one after another, as people do, and what is measured begins when all are there.
It reads a plan as JSON from standard input and, at the end of the time, prints what it met.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlsplit

__all__ = ["CALM_S", "MOST_REST_S", "REST", "Connection", "Met", "Plan", "pieces"]

CALM_S: Final = 0.12
"""A page waits this long for more before it fetches."""
REST: Final = 6
MOST_REST_S: Final = 5.0
"""So many times as long as it took, a page leaves the server alone, but no longer than that."""
KEPT_S: Final = 2.0
"""A server closes connections that are idle; a browser opens others, as we do a little earlier."""
LISTS_EVERY_S: Final = 3.0
"""Not more often, whatever the runs have."""
LISTS_LAST_S: Final = 30.0
"""Not longer, though no run has other tags."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Who looks at what, for how long."""

    address: str
    path: str
    """Of the project's API."""
    bodies: list[dict[str, Any]]
    """One for each who looks: the question of the cards on the screen, for all runs shown."""
    seconds: float
    """From when all are there."""
    coming_s: float
    """In which they come."""


@dataclass(slots=True)
class Met:
    """What those who looked met."""

    curves_ms: list[float] = field(default_factory=list)
    """From each question for curves to the last byte of its answer."""
    coming_ms: list[float] = field(default_factory=list)
    """The same, while they came."""
    lists_ms: list[float] = field(default_factory=list)
    ticks: int = 0
    octets: int = 0
    """Of streams and answers."""
    errors: list[str] = field(default_factory=list)
    cpu_s: float = 0.0
    """What the clients themselves took."""


class Connection:
    """A kept connection on which one asks after another; any certificate will do."""

    def __init__(self, address: str, headers: Mapping[str, str] = MappingProxyType({})) -> None:
        self._host = urlsplit(address).netloc
        self._tls = _any_certificate() if address.startswith("https:") else None
        self._more = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._used = 0.0

    async def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        """Return the status and the body."""
        reader, headers = await self.begin(method, path, body)
        answer = await _rest(reader, headers)
        self._used = time.monotonic()
        return int(headers[0].split()[1]), answer

    async def begin(
        self, method: str, path: str, body: bytes = b""
    ) -> tuple[asyncio.StreamReader, list[str]]:
        """Return the status line and headers, and where the body comes."""
        if self._streams is None or time.monotonic() - self._used > KEPT_S:
            self.close()
            host, _, port = self._host.partition(":")
            self._streams = await asyncio.open_connection(
                host, int(port), limit=1 << 26, ssl=self._tls
            )
        reader, writer = self._streams
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: {self._host}\r\n"
            f"Sec-Fetch-Site: same-origin\r\nContent-Type: application/json\r\n{self._more}"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body)
        await writer.drain()
        headers = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        return reader, headers

    def close(self) -> None:
        """Leave it."""
        if self._streams:
            self._streams[1].close()


@cache
def _any_certificate() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


async def _rest(reader: asyncio.StreamReader, headers: list[str]) -> bytes:
    named = {name.lower(): value.strip() for name, _, value in (h.partition(":") for h in headers)}
    if "content-length" in named:
        return await reader.readexactly(int(named["content-length"]))
    return b"".join([piece async for piece in pieces(reader)])


async def pieces(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """Give the chunks of an answer whose length nobody knows before."""
    while True:
        size = int(await reader.readline(), 16)
        piece = await reader.readexactly(size)
        await reader.readexactly(2)
        if not size:
            return
        yield piece


class _Looker:
    """One who looks."""

    def __init__(self, plan: Plan, body: dict[str, Any], met: Met) -> None:
        self._plan = plan
        self._body = body
        self._met = met
        self._shown = frozenset[str](body["runs"])
        self._grown = set(self._shown)
        self._stirred = asyncio.Event()
        self._tags: dict[str, int] = {}
        self._has_others = True
        self._listed = 0.0
        self._all_came = time.monotonic() + plan.coming_s

    async def look(self, after_s: float) -> None:
        """Come, and follow the project until cancelled."""
        await asyncio.sleep(after_s)
        self._stirred.set()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen())
            tasks.create_task(self._fetch())

    async def _listen(self) -> None:
        connection = Connection(self._plan.address)
        try:
            reader, headers = await connection.begin("GET", f"{self._plan.path}/live")
            if " 200 " not in headers[0]:
                self._met.errors.append(f"live: {headers[0]}")
                return
            told = b""
            async for piece in pieces(reader):
                self._met.octets += len(piece)
                *events, told = (told + piece).split(b"\n\n")
                for event in events:
                    self._take(event)
            self._met.errors.append("live: the stream ended")
        finally:
            connection.close()

    def _take(self, event: bytes) -> None:
        _, is_news, data = event.partition(b"data: ")
        if not is_news:
            return
        tags = {run["uid"]: run["tag_set"] for run in json.loads(data)["runs"]}
        self._met.ticks += time.monotonic() >= self._all_came
        grown = tags.keys() & self._shown
        if grown:
            self._grown |= grown
            self._has_others |= any(self._tags.get(uid) != tags[uid] for uid in grown)
            self._tags |= {uid: tags[uid] for uid in grown}
            self._stirred.set()

    async def _fetch(self) -> None:
        connection = Connection(self._plan.address)
        try:
            while True:
                await self._stirred.wait()
                self._stirred.clear()
                runs = [uid for uid in self._body["runs"] if uid in self._grown]
                self._grown.clear()
                question = json.dumps({**self._body, "runs": runs}).encode()
                is_coming = time.monotonic() < self._all_came
                into = self._met.coming_ms if is_coming else self._met.curves_ms
                took = await self._ask(connection, into, "POST", "scalars", question)
                if self._is_to_list():
                    self._has_others, self._listed = False, time.monotonic()
                    of = ",".join(self._body["runs"])
                    for path in (f"tags?kind=scalar&runs={of}", f"layouts?runs={of}"):
                        await self._ask(connection, self._met.lists_ms, "GET", path)
                await asyncio.sleep(max(CALM_S, min(MOST_REST_S, REST * took)))
        finally:
            connection.close()

    def _is_to_list(self) -> bool:
        old_s = time.monotonic() - self._listed
        return old_s > (LISTS_EVERY_S if self._has_others else LISTS_LAST_S)

    async def _ask(
        self, connection: Connection, took: list[float], method: str, path: str, body: bytes = b""
    ) -> float:
        began = time.perf_counter()
        status, answer = await connection.ask(method, f"{self._plan.path}/{path}", body)
        seconds = time.perf_counter() - began
        took.append(seconds * 1e3)
        self._met.octets += len(answer)
        if status != 200:
            self._met.errors.append(f"{path.partition('?')[0]}: {status}")
        return seconds


async def _look_all(plan: Plan) -> Met:
    met = Met()
    lookers = [
        asyncio.create_task(_Looker(plan, body, met).look(plan.coming_s * n / len(plan.bodies)))
        for n, body in enumerate(plan.bodies)
    ]
    ended, _ = await asyncio.wait(lookers, timeout=plan.coming_s + plan.seconds)
    for task in lookers:
        task.cancel()
    left = await asyncio.gather(*lookers, return_exceptions=True)
    # Nobody leaves before the time but by a fault.
    met.errors += [repr(why) for why, task in zip(left, lookers, strict=True) if task in ended]
    return met


def main() -> int:
    """Do as the plan says."""
    plan = Plan(**json.load(sys.stdin))
    met = asyncio.run(_look_all(plan))
    met.cpu_s = time.process_time()
    json.dump(asdict(met), sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
