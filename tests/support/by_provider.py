"""People who sign in by a provider: a board that has one, and browsers on their way there."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from sqlalchemy import insert, select

from orgboard_dashboard.accounts.provided import Provided
from orgboard_dashboard.app import Web
from orgboard_dashboard.provider.settings import ProviderSettings
from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_read, begin_write
from support.asgi import Reply
from support.boards import Board
from support.provider import CLIENT, Provider
from support.signing_in import Browser, Clock, add_person, browser_at, door

__all__ = [
    "ANA",
    "BASE",
    "back",
    "connect_by_hand",
    "known",
    "leave",
    "records",
    "round_trip",
    "sessions",
    "web_with",
]

BASE: Final = "http://127.0.0.1:7070"
ANA: Final = "248289761001"
"""What the provider calls who is signed in there, unless it is told otherwise."""


def web_with(board: Board, provider: Provider, clock: Clock | None = None, **more: Any) -> Web:
    """Return the board with this provider, whose clocks agree."""
    clock = clock or Clock()
    provider.clock = clock
    settings = ProviderSettings(provider.issuer, CLIENT, "Acme", **more)
    return door(board, clock, base_url=BASE, provider=settings, accounts=True)


def connect_by_hand(board: Board, provider: Provider, account_id: int, subject: str = ANA) -> None:
    """Make an identity an account's, as connecting it does."""
    person = Provided(provider.issuer, subject, "", (), None, None)
    row = {"identity_sha256": person.sha256, "issuer": provider.issuer, "subject": subject}
    with begin_write(board.engine) as conn:
        values = {**row, "account_id": account_id, "email": "", "created_at": 1.0}
        conn.execute(insert(tables.identity), values)


def known(board: Board, provider: Provider, **more: Any) -> Browser:
    """Return a browser before a board on which Ana is known by the provider."""
    connect_by_hand(board, provider, add_person(board, "ana"))
    return browser_at(web_with(board, provider, **more))


async def leave(browser: Browser, **body: str) -> str:
    """Press the button, and return where it leads."""
    reply = await browser.ask("POST", "/sign-in/provider", body)
    assert reply.status == 200, reply.body
    return str(reply.json()["to"])


async def back(browser: Browser, query: str) -> Reply:
    """Come back with what the provider put into the address."""
    return await browser.ask("POST", "/sign-in/back", {"query": query})


async def round_trip(browser: Browser, provider: Provider, **body: str) -> Reply:
    """Go to the provider, sign in there, and come back."""
    address = await leave(browser, **body)
    query = await asyncio.to_thread(provider.visit, address)
    return await back(browser, query)


def records(board: Board) -> list[tuple[str, str, str]]:
    """Return what was done, to whom and with what outcome, the oldest first."""
    of = tables.audit.c
    with begin_read(board.engine) as conn:
        rows = conn.execute(select(of.action, of.subject, of.outcome).order_by(of.audit_id))
        return [(row.action, row.subject, row.outcome) for row in rows]


def sessions(board: Board) -> list[str]:
    """Return the ways by which sessions were opened."""
    with begin_read(board.engine) as conn:
        return list(conn.scalars(select(tables.session.c.way)))
