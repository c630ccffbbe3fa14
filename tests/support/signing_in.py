"""People in front of a board: accounts with passwords, and browsers that keep cookies."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cache
from http.cookies import SimpleCookie
from typing import Any, Final

from orgboard_dashboard.accounts.passwords import hash_of
from orgboard_dashboard.app import Web, create_app
from orgboard_dashboard.config import WebConfig
from orgboard_dashboard.identity import CSRF_HEADER
from orgboard_dashboard.queries.people.accounts import add_account, set_password
from orgboard_schema.sql.engine import begin_write
from support.asgi import HOST, OWN_PAGE, Reply, call
from support.boards import Board

__all__ = ["PASSWORD", "START", "Browser", "Clock", "add_person", "browser_at", "door"]

PASSWORD: Final = "a sentence that ana knows by heart"
START: Final = 1_790_000_000.0


@cache
def _hashed(password: str) -> str:
    return hash_of(password)


@dataclass(slots=True)
class Clock:
    """The board's clock, which goes when it is told to."""

    now: float = START

    def __call__(self) -> float:
        return self.now


def add_person(board: Board, name: str, password: str = PASSWORD, *, is_admin: bool = False) -> int:
    """Make an account that can sign in."""
    with begin_write(board.engine) as conn:
        account_id = add_account(conn, name, START, is_admin=is_admin)
        set_password(conn, account_id, _hashed(password), START)
    return account_id


def door(board: Board, clock: Clock, **settings: Any) -> Web:
    """Return the whole app on a board, at a time."""
    return create_app(WebConfig(**settings), board.engine, clock=clock)


@dataclass(slots=True)
class Browser:
    """One browser: it keeps cookies, and sends what the board's pages send."""

    web: Web
    address: str = "10.0.0.7"
    cookies: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=lambda: dict(OWN_PAGE))
    csrf_cookie: str = "ob_csrf"
    meanwhile: Callable[[], Awaitable[None]] | None = None
    """Takes place between the head and the body of what it sends."""

    async def ask(self, method: str, target: str, body: Any = None, **headers: str) -> Reply:
        """Send one request; header names are written with `_` for `-`."""
        sent = dict(self.headers)
        if self.cookies:
            sent["cookie"] = "; ".join(f"{name}={to}" for name, to in self.cookies.items())
        if method != "GET":
            sent["content-type"] = "application/json"
            sent[CSRF_HEADER] = self.cookies.get(self.csrf_cookie, "")
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        content = b"" if method == "GET" else json.dumps({} if body is None else body).encode()
        reply = await call(
            *(self.web.gate, method, target, sent, content),
            client=self.address,
            meanwhile=self.meanwhile,
        )
        for said in reply.all("set-cookie"):
            for name, morsel in SimpleCookie(said).items():
                self.cookies[name] = morsel.value
                if morsel["max-age"] == "0":
                    del self.cookies[name]
        return reply

    def asked(self, method: str, target: str, body: Any = None) -> Reply:
        """Send one request, where no event loop runs."""
        return asyncio.run(self.ask(method, target, body))

    async def sign_in(self, name: str, password: str = PASSWORD, to: str = "/") -> Reply:
        """Give a name and a password."""
        return await self.ask("POST", "/sign-in", {"name": name, "password": password, "next": to})

    async def is_known(self) -> bool:
        """Tell whether the board knows who this is."""
        return (await self.ask("GET", "/api/ui/v1/projects")).status == 200


def browser_at(web: Web, address: str = "10.0.0.7", host: str = HOST) -> Browser:
    """Return a browser that nobody knows yet."""
    return Browser(web, address, headers=dict(OWN_PAGE) | {"host": host})
