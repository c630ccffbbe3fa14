"""One who is signed in and looks at a live project, as a browser does, and judges every answer.

Each signs in with a password, holds the event stream and asks what a real page asks, like those of
`crowd.py`. Of every request it is known what could be expected from its first byte to its answer:
after a change was answered, nothing but what it made will do.
"""

from __future__ import annotations

import asyncio
import json
import math
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from support.crowd import CALM_S, MOST_REST_S, REST, Connection, pieces

__all__ = [
    "API",
    "HIDDEN",
    "MOST_TRIES",
    "OK",
    "SIGNED_OUT",
    "Looker",
    "Met",
    "Person",
    "Plan",
    "sign_in",
]

LISTS_EVERY_S: Final = 30.0
MOST_TRIES: Final = 5
"""Who is refused by a fault tries again, as people do; an error it is all the same."""
HIDDEN: Final = 404
SIGNED_OUT: Final = 401
OK: Final = 200
API: Final = "/api/ui/v1"


@dataclass(frozen=True, slots=True)
class Looker:
    """Somebody with an account, who looks at a project."""

    name: str
    place: str
    """TEAM/PROJECT."""
    by: str
    """What lets this one see it: "team" or "grant"."""
    body: dict[str, Any]
    """The question for the cards in sight."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Who looks at what, for how long, and how often something is changed."""

    address: str
    admin: str
    password: str
    lookers: list[Looker]
    seconds: float
    """From when all are there."""
    change_every_s: float
    seed: int = 1


@dataclass(slots=True)
class Met:
    """What was met."""

    curves_ms: list[float] = field(default_factory=list)
    coming_ms: list[float] = field(default_factory=list)
    """Questions for curves while they came."""
    lists_ms: list[float] = field(default_factory=list)
    sign_in_ms: list[float] = field(default_factory=list)
    changes_ms: list[float] = field(default_factory=list)
    """Of who runs the board."""
    ended_ms: list[float] = field(default_factory=list)
    """From the answer to a change to the end of the stream that it ended."""
    changes: dict[str, int] = field(default_factory=dict)
    """By kind: taken, and given back."""
    judged: int = 0
    """Requests whose answer was looked at."""
    refused: int = 0
    """Of them, those that were refused as they had to be."""
    late: int = 0
    """Of them, those that were answered though it had been taken away."""
    withheld: int = 0
    """Of them, those that were refused though it had been given back."""
    ticks: int = 0
    octets: int = 0
    errors: list[str] = field(default_factory=list)
    cpu_s: float = 0.0


@dataclass(slots=True)
class Standing:
    """Which answer somebody may get, over time."""

    spans: list[tuple[float, float, int]] = field(default_factory=lambda: [(0.0, math.inf, OK)])
    """From, until, status."""

    def begin(self, status: int) -> None:
        """From now on it may be answered so; as before, too, until the change is answered."""
        self.spans.append((time.monotonic(), math.inf, status))

    def done(self) -> None:
        """From now on nothing else will do than what was begun last."""
        now, last = time.monotonic(), self.spans[-1]
        before = [(since, min(until, now), status) for since, until, status in self.spans[:-1]]
        # No request lasts as long as the board has been up.
        self.spans = [*before[-4:], last]

    def allowed(self, began: float) -> set[int]:
        """Return the statuses that a request may get that began then and was answered now."""
        return {status for _, until, status in self.spans if until > began}

    @property
    def is_known(self) -> bool:
        """Whether who asks sees the project, as far as anybody was told."""
        return self.spans[-1][2] == OK


class Person:
    """One who looks: a browser with a session, and a page of a project."""

    def __init__(self, plan: Plan, looker: Looker, met: Met, all_came: asyncio.Event) -> None:
        self.plan, self.looker, self.met = plan, looker, met
        self.standing = Standing()
        self.welcome = asyncio.Event()
        self.left = asyncio.Event()
        """Set while no page is open."""
        self.is_busy = False
        """Something is being taken from this one."""
        self.headers: dict[str, str] = {}
        self.told_at = 0.0
        self._grown: set[str] = set()
        self._stirred = asyncio.Event()
        self._is_over = False
        self._all_came = all_came

    @property
    def path(self) -> str:
        """Return where the project's data are."""
        return f"{API}/p/{self.looker.place}"

    async def look(self, doors: asyncio.Semaphore) -> None:
        """Sign in, open the page, and open it again whenever it may be seen again."""
        async with doors:
            self.headers = await sign_in(self.plan, self.looker.name, self.met)
        self.welcome.set()
        while True:
            await self.welcome.wait()
            self.left.clear()
            self._is_over = False
            self._grown = set(self.looker.body["runs"])
            self._stirred.set()
            headers = dict(self.headers)
            await asyncio.gather(self._listen(headers), self._fetch(headers))
            self.left.set()

    async def ask_once(self) -> None:
        """Ask for the list of runs, on a connection of its own, and judge the answer."""
        connection = Connection(self.plan.address, self.headers)
        try:
            await self._ask(connection, self.met.lists_ms, "GET", "runs?limit=1")
        finally:
            connection.close()

    async def _listen(self, headers: Mapping[str, str]) -> None:
        connection = Connection(self.plan.address, headers)
        began = time.monotonic()
        try:
            reader, told = await connection.begin("GET", f"{self.path}/live")
            status = int(told[0].split()[1])
            if self._judge(began, status, "live") and status == OK:
                await self._hear(reader)
                self._end()
        finally:
            connection.close()
            self._is_over = True
            self._stirred.set()

    async def _hear(self, reader: asyncio.StreamReader) -> None:
        told = b""
        async for piece in pieces(reader):
            self.met.octets += len(piece)
            *events, told = (told + piece).split(b"\n\n")
            for event in events:
                self._take(event)

    def _take(self, event: bytes) -> None:
        if not event.startswith(b"event: runs"):
            return
        grown = {run["uid"] for run in json.loads(event.partition(b"data: ")[2])["runs"]}
        self.met.ticks += self._all_came.is_set()
        mine = grown.intersection(self.looker.body["runs"])
        if mine:
            self._grown |= mine
            self._stirred.set()

    def _end(self) -> None:
        """Judge that the stream ended: only a change may do that."""
        if self.told_at and not self.standing.is_known:
            self.met.ended_ms.append((time.monotonic() - self.told_at) * 1e3)
        elif len(self.standing.allowed(time.monotonic())) == 1:
            self.met.errors.append("live: the stream ended by itself")

    async def _fetch(self, headers: Mapping[str, str]) -> None:
        connection = Connection(self.plan.address, headers)
        listed = -math.inf
        try:
            while True:
                await self._stirred.wait()
                self._stirred.clear()
                if self._is_over:
                    # As a page does whose stream ended: what it may now, it asks at once.
                    await self._ask(connection, self.met.lists_ms, "GET", "me")
                    return
                runs = [uid for uid in self.looker.body["runs"] if uid in self._grown]
                self._grown.clear()
                question = json.dumps({**self.looker.body, "runs": runs}).encode()
                came = self._all_came.is_set()
                into = self.met.curves_ms if came else self.met.coming_ms
                took = await self._ask(connection, into, "POST", "scalars", question)
                if took is not None and time.monotonic() - listed > LISTS_EVERY_S:
                    listed = time.monotonic()
                    took = await self._list(connection)
                if took is None:
                    # The page says that there is nothing; its stream ends by itself.
                    return
                await asyncio.sleep(max(CALM_S, min(MOST_REST_S, REST * took)))
        finally:
            connection.close()

    async def _list(self, connection: Connection) -> float | None:
        of = ",".join(self.looker.body["runs"])
        for path in ("me", f"tags?kind=scalar&runs={of}", f"layouts?runs={of}", "runs?limit=200"):
            if await self._ask(connection, self.met.lists_ms, "GET", path) is None:
                return None
        return 0.0

    async def _ask(
        self, connection: Connection, took: list[float], method: str, path: str, body: bytes = b""
    ) -> float | None:
        """Return how long it took; None when it was refused."""
        began = time.monotonic()
        status, answer = await connection.ask(method, f"{self.path}/{path}", body)
        seconds = time.monotonic() - began
        self.met.octets += len(answer)
        self._judge(began, status, path.partition("?")[0])
        if status != OK:
            return None
        took.append(seconds * 1e3)
        return seconds

    def _judge(self, began: float, status: int, what: str) -> bool:
        """Note an answer that cannot be right; tell whether it is."""
        allowed = self.standing.allowed(began)
        self.met.judged += 1
        if status in allowed:
            self.met.refused += status != OK
            return True
        self.met.late += status == OK
        self.met.withheld += allowed == {OK} and status in (HIDDEN, SIGNED_OUT)
        self.met.errors.append(f"{what}: {status}, and not {sorted(allowed)}")
        return False


async def sign_in(plan: Plan, name: str, met: Met) -> dict[str, str]:
    """Give a name and a password; return what the browser sends from then on."""
    for _ in range(MOST_TRIES):
        began = time.monotonic()
        told = await _knock(plan, name)
        if " 200 " in told[0]:
            met.sign_in_ms.append((time.monotonic() - began) * 1e3)
            found = re.findall(r"(?i)^set-cookie: *([^=]+)=([^;]+)", "\n".join(told), re.MULTILINE)
            csrf = next(value for key, value in found if key.endswith("ob_csrf"))
            pairs = "; ".join(f"{key}={value}" for key, value in found)
            return {"Cookie": pairs, "X-CSRFToken": csrf}
        met.errors.append(f"a sign-in: {told[0]}")
    raise RuntimeError(f"{name} was not let in")


async def _knock(plan: Plan, name: str) -> list[str]:
    connection = Connection(plan.address)
    said = {"name": name, "password": plan.password, "next": "/"}
    try:
        return (await connection.begin("POST", "/sign-in", json.dumps(said).encode()))[1]
    finally:
        connection.close()
