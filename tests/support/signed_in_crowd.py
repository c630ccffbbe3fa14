"""Many who are signed in and look at live projects, while it changes who of them may.

Whoever runs the board takes a role, a session, an account or the sight of a whole project away,
and gives it back; what is asked next is asked at once, and judged as all that those people ask is.

A program of its own, told what by JSON on standard input; at the end it prints what it met.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final
from urllib.parse import quote

from support.crowd import Connection
from support.signed_in import (
    API,
    HIDDEN,
    MOST_TRIES,
    OK,
    SIGNED_OUT,
    Looker,
    Met,
    Person,
    Plan,
    sign_in,
)

__all__ = ["Admin", "main"]

SIGN_IN_AT_ONCE: Final = 2
"""Hashes are made on purpose to be slow; what they cost is measured elsewhere."""
AWAY_S: Final = 1.5
"""So long it stays taken away, beside how long it takes the page to notice."""
NOTICED_WITHIN_S: Final = 20.0
COME_WITHIN_S: Final = 400.0

Change = Callable[[], Awaitable[dict[str, str] | None]]


class Admin:
    """Who runs the board, and takes things from people and gives them back."""

    def __init__(self, plan: Plan, people: list[Person], met: Met) -> None:
        self._plan, self._people, self._met = plan, people, met
        self._headers: dict[str, str] = {}
        self._random = random.Random(plan.seed)
        self._tasks: set[asyncio.Task[None]] = set()

    async def rule(self) -> None:
        """Change something again and again until cancelled."""
        self._headers = await sign_in(self._plan, self._plan.admin, self._met)
        for kind in self._random_kinds():
            if kind == "project":
                # It takes from all who see it as its team: nothing else is taken meanwhile.
                await self.end()
                self._begin(kind, [one for one in self._people if one.looker.by == "team"])
                await self.end()
            else:
                self._begin(kind, [self._random.choice(list(filter(_is_free, self._people)))])
            await asyncio.sleep(self._plan.change_every_s)

    def _begin(self, kind: str, chosen: list[Person]) -> None:
        for one in chosen:
            one.is_busy = True
        task = asyncio.create_task(self._take_and_give(kind, chosen))
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _random_kinds(self) -> Iterator[str]:
        """Give kinds of changes; that of a whole project is rare, for it is many at once."""
        while True:
            round_of = ["role", "session", "account"] * 5 + ["project"]
            self._random.shuffle(round_of)
            yield from round_of

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception():
            self._met.errors.append(f"a change: {task.exception()!r}")

    async def end(self) -> None:
        """Let what was begun come to its end."""
        # Who waits may be called away; what is waited for is not.
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _take_and_give(self, kind: str, chosen: list[Person]) -> None:
        first = chosen[0]
        take, give, status = {
            "role": (self._role(first, None), self._role(first, "viewer"), HIDDEN),
            "session": (self._end_session(first), None, SIGNED_OUT),
            "account": (self._sleep(first, True), self._sleep(first, False), SIGNED_OUT),
            "project": (self._show(first, "private"), self._show(first, "team"), HIDDEN),
        }[kind]
        for one in chosen:
            one.welcome.clear()
            one.standing.begin(status)
        later = await take()
        for one in chosen:
            one.standing.done()
            one.told_at = time.monotonic()
        self._count(f"{kind} taken")
        # The very next request, and all others from now on.
        await asyncio.gather(*(one.ask_once() for one in chosen))
        await asyncio.gather(*(self._noticed(one) for one in chosen))
        await asyncio.sleep(AWAY_S)
        for one in chosen:
            one.standing.begin(OK)
        if give:
            await give()
        if kind == "account":
            later = await sign_in(self._plan, first.looker.name, self._met)
        if later:
            first.headers = later
        for one in chosen:
            one.standing.done()
            one.told_at = 0.0
        self._count(f"{kind} given")
        await asyncio.gather(*(one.ask_once() for one in chosen))
        for one in chosen:
            one.is_busy = False
            one.welcome.set()

    async def _noticed(self, one: Person) -> None:
        try:
            async with asyncio.timeout(NOTICED_WITHIN_S):
                await one.left.wait()
        except TimeoutError:
            self._met.errors.append("live: a stream outlived what was taken away")

    def _count(self, what: str) -> None:
        self._met.changes[what] = self._met.changes.get(what, 0) + 1

    def _role(self, one: Person, role: str | None) -> Change:
        team = one.looker.place.partition("/")[0]
        path = f"teams/{team}/members" if one.looker.by == "team" else ""
        path = path or f"p/{one.looker.place}/access/grants"
        return lambda: self._change("POST", path, {"name": one.looker.name, "role": role})

    def _sleep(self, one: Person, asleep: bool) -> Change:
        path = f"accounts/{quote(one.looker.name)}"
        return lambda: self._change("PATCH", path, {"disabled": asleep})

    def _show(self, one: Person, width: str) -> Change:
        path = f"p/{one.looker.place}/access"
        return lambda: self._change("POST", path, {"visibility": width})

    def _end_session(self, one: Person) -> Change:
        async def end() -> dict[str, str]:
            # From another browser of the same person, which goes on in place of the first.
            other = await sign_in(self._plan, one.looker.name, self._met)
            await self._change("POST", "sessions/end", {"others": True}, other)
            return other

        return end

    async def _change(
        self, method: str, path: str, body: Any, headers: Mapping[str, str] | None = None
    ) -> None:
        asked = json.dumps(body).encode()
        for _ in range(MOST_TRIES):
            connection = Connection(self._plan.address, headers or self._headers)
            began = time.monotonic()
            try:
                status, told = await connection.ask(method, f"{API}/{path}", asked)
            finally:
                connection.close()
            if status == OK:
                self._met.changes_ms.append((time.monotonic() - began) * 1e3)
                return
            # An error it is; what is measured goes on, as who does it would.
            self._met.errors.append(f"a change: {status} {told[:100]!r}")
        raise RuntimeError(f"{method} {path}: refused {MOST_TRIES} times")


def _is_free(one: Person) -> bool:
    return one.welcome.is_set() and not one.is_busy


async def _look_all(plan: Plan) -> Met:
    met, all_came = Met(), asyncio.Event()
    doors = asyncio.Semaphore(SIGN_IN_AT_ONCE)
    people = [Person(plan, looker, met, all_came) for looker in plan.lookers]
    pages = [asyncio.create_task(one.look(doors)) for one in people]
    coming = [asyncio.create_task(one.welcome.wait()) for one in people]
    await _until(asyncio.gather(*coming), pages, COME_WITHIN_S)
    all_came.set()
    admin = Admin(plan, people, met)
    ruling = asyncio.create_task(admin.rule())
    ended, _ = await asyncio.wait([*pages, ruling], timeout=plan.seconds)
    ruling.cancel()
    await admin.end()
    for task in pages:
        task.cancel()
    left = await asyncio.gather(*pages, ruling, return_exceptions=True)
    # Nobody leaves before the time but by a fault.
    met.errors += [
        repr(why) for why, task in zip(left, [*pages, ruling], strict=True) if task in ended
    ]
    return met


async def _until(
    all_came: asyncio.Future[Any], pages: Sequence[asyncio.Task[None]], within_s: float
) -> None:
    """Wait for all to come; whoever fails on the way fails it all."""
    waiting = {asyncio.ensure_future(all_came), *pages}
    done, _ = await asyncio.wait(waiting, timeout=within_s, return_when="FIRST_COMPLETED")
    for task in done:
        task.result()
    if not all_came.done():
        raise TimeoutError("not all have come")


def main() -> int:
    """Do as the plan says."""
    told = json.load(sys.stdin)
    plan = Plan(**{**told, "lookers": [Looker(**each) for each in told["lookers"]]})
    met = asyncio.run(_look_all(plan))
    met.cpu_s = time.process_time()
    json.dump(asdict(met), sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
