"""A board with a card in other sites' pages: how one is made, and what a frame asks."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, insert, select

from orgboard_dashboard.accounts.opaque import new_secret
from orgboard_dashboard.app import create_app
from orgboard_dashboard.config import WebConfig
from orgboard_dashboard.queries.people.embeds import NewEmbed, make_embed
from orgboard_dashboard.viewer import SystemViewer, Viewer
from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_read, begin_write
from orgboard_schema.sql.roles import Role
from support.asgi import Reply
from support.boards import Board, scalars
from support.signing_in import START, Browser, Clock, add_person

__all__ = [
    "FRAMED",
    "HOST",
    "ORIGIN",
    "Framed",
    "ana_of",
    "change",
    "embed",
    "frame_of",
    "header_of",
    "look",
    "looked_at",
    "shown_board",
]

HOST: Final = SystemViewer()
ORIGIN: Final = "https://wiki.example.org"
FRAMED: Final = {
    "sec-fetch-site": "cross-site",
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "iframe",
    "accept": "text/html",
}
"""What a browser says when another site's page frames something."""


@dataclass(frozen=True, slots=True)
class Framed:
    """A card and its secret, as the page that shows it has them."""

    id: str
    secret: str

    @property
    def page(self) -> str:
        """The address of the frame."""
        return f"/embed/{self.id}"

    @property
    def card(self) -> str:
        """The address of what it shows."""
        return f"{self.page}/card"

    def said(self) -> dict[str, str]:
        """Return what the script in the frame sends."""
        return {"authorization": f"Embed {self.secret}"}


def embed(
    board: Board,
    *runs: str,
    viewer: Viewer = HOST,
    tag: str = "loss",
    now: float,
    project: str = "board",
    **more: Any,
) -> Framed:
    """Make a card of these runs, or of those that the state's filter finds."""
    secret = new_secret()
    uids = tuple(board.uids[run] for run in runs) or None
    told = {"state": "s=0", "title": "Loss of the week", "origins": (ORIGIN,)} | more
    new = NewEmbed(tag=tag, uids=uids, **told)
    with begin_write(board.engine) as conn:
        made = make_embed(viewer, conn, "default", project, secret, new, now)
    return Framed(made.id, secret)


async def looked_at(browser: Browser, framed: Framed, **headers: str) -> Reply:
    """Ask for what a frame shows, as its script does."""
    return await browser.ask("GET", framed.card, **framed.said(), **headers)


def header_of(reply: Reply) -> Mapping[str, Any]:
    """Return what a packed answer says beside its points."""
    (length,) = struct.unpack_from("<I", reply.body)
    told: Mapping[str, Any] = json.loads(reply.body[4 : 4 + length])
    return told


def shown_board(board: Board) -> Board:
    """Fill a board with Ana, who runs the project of two runs, and one that is elsewhere."""
    board.log("first", [scalars("loss", [1.0, 0.5])], now=START)
    board.log("second", [scalars("loss", [2.0]), scalars("zqSECRETzq", [3.0])], now=START + 1)
    board.log("other", [scalars("loss", [9.0])], project="default/elsewhere", now=START)
    account_id = add_person(board, "zqANAzq")
    with begin_write(board.engine) as conn:
        team = conn.scalar(select(tables.team.c.team_id))
        row = {"team_id": team, "account_id": account_id, "since": START, "by_group": 0}
        conn.execute(insert(tables.team_member), row | {"role": int(Role.ADMIN)})
    return board


def ana_of(board: Board) -> Viewer:
    """Return Ana as she is signed in."""
    with begin_read(board.engine) as conn:
        account_id = conn.scalar(select(tables.account.c.account_id))
    return Viewer("account", "zqANAzq", account_id=account_id, can_edit=True)


def frame_of(board: Board, clock: Clock | None = None, **settings: Any) -> Browser:
    """Return a browser in which a page of another site has a frame: it sends no cookie."""
    return Browser(create_app(WebConfig(**settings), board._served(), clock=clock or Clock()))


def look(browser: Browser, framed: Framed, **headers: str) -> Reply:
    """Ask for what a frame shows, where no event loop runs."""
    return asyncio.run(looked_at(browser, framed, **headers))


def change(board: Board, act: Callable[[Connection], object]) -> None:
    """Change something behind the board's back."""
    with begin_write(board.engine) as conn:
        act(conn)
