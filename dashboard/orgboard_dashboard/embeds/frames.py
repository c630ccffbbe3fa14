"""What a page of another site shows in a frame: the page in it, and what that page asks for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from sqlalchemy import Connection
from starlette.responses import HTMLResponse, Response

from orgboard_dashboard.api.scalars import MAX_WIDTH, pack, question_of
from orgboard_dashboard.embeds import ENDED
from orgboard_dashboard.embeds.drawing import page_of, shown_state
from orgboard_dashboard.embeds.origins import ancestors
from orgboard_dashboard.headers import embed_policy
from orgboard_dashboard.queries.embedded import Card, find_card
from orgboard_dashboard.queries.errors import NotFound
from orgboard_dashboard.queries.people.embeds import origins_of_embed
from orgboard_dashboard.queries.series import ScalarsFound, find_scalars
from orgboard_dashboard.services import Services
from orgboard_dashboard.shell.bundle import card_scripts_of, card_styles_of
from orgboard_dashboard.urls import decode_view
from orgboard_dashboard.viewer import Viewer

__all__ = ["SCRIPTS", "STYLES", "answer_card", "routes"]

_HERE: Final = Path(__file__).parent
_ASSETS: Final = _HERE.parent / "assets"

SCRIPTS: Final = card_scripts_of(_ASSETS)
STYLES: Final = card_styles_of(_ASSETS)

_FRAME: Final = (
    (_HERE / "frame.html")
    .read_text("utf-8")
    .replace("{scripts}", SCRIPTS.path[1:])
    .replace("{styles}", STYLES.path[1:])
)
_ENDED: Final = (_HERE / "ended.html").read_text("utf-8").replace("{ended}", ENDED)
_REFUSED: Final = json.dumps({"error": ENDED})
"""Letter by letter what the gate says to who has no card at all."""
_NOWHERE: Final = embed_policy("'none'")


def routes(services: Services) -> APIRouter:
    """Return the routes; who may ask which, the gate knows."""
    router = APIRouter(prefix="/embed/{embed_id}")

    @router.get("")
    async def frame(embed_id: str) -> Response:
        origins = await services.ask_unknown(origins_of_embed, embed_id, services.now())
        if origins is None:
            return HTMLResponse(_ENDED, 404, {"content-security-policy": _NOWHERE})
        policy = embed_policy(ancestors(origins))
        # Where the frame is, is nobody's business, and what is behind the # stays there.
        told = {"content-security-policy": policy, "referrer-policy": "no-referrer"}
        return HTMLResponse(_FRAME, headers=told)

    @router.get("/card")
    async def card(
        request: Request, width: Annotated[int, Query(ge=1, le=MAX_WIDTH)] = 500
    ) -> Response:
        try:
            packed = await services.ask(answer_card, width, services.now())
        except NotFound:
            return Response(_REFUSED, 404, media_type="application/json")
        version = f'"{hashlib.sha256(packed).hexdigest()[:32]}"'
        if request.headers.get("if-none-match") == version:
            return Response(status_code=304, headers={"etag": version})
        return Response(packed, media_type="application/octet-stream", headers={"etag": version})

    return router


def answer_card(viewer: Viewer, conn: Connection, width: int, now: float) -> bytes:
    """Return the card that `viewer` came by, packed as the curves of pages are.

    Raises:
        NotFound: who made it may not see the project any more.
        BadQuery: the filter that is to find its runs is none.
        TooMuch: its curves are too long to be read.
    """
    card = find_card(viewer, conn, now)
    embed, uids = card.embed, [run.uid for run in card.runs]
    view = decode_view(embed.state)
    low, high = view.zoom or (None, None)
    asked = {"x": view.x_axis, "lx": view.log_x, "superseded": view.superseded, "width": width}
    if not (view.log_x and high is not None and high <= 0):
        asked |= {"from": low, "to": high}
    # A card needs a number; of a tag that is gone there is nothing to be read.
    tag_id = card.tag_id or 1
    question = question_of(
        asked | {"cards": [{"tag": tag_id}], "runs": uids if card.tag_id else []}
    )
    found = find_scalars(
        viewer,
        conn,
        embed.team,
        embed.project,
        uids=question.uids,
        tag_ids=question.tag_ids,
        picture=question.picture(),
        step_range=question.step_range(),
        whole=question.is_whole(),
        metric=question.metric,
    )
    drawn = {uid for uid, tag in (*found.series, *found.reduced) if tag == tag_id}
    return pack(_nameless(found), question, **_told(card, drawn))


def _nameless(found: ScalarsFound) -> ScalarsFound:
    """Return what was found, without the names of the tags that mean a metric."""
    found.own.clear()
    return found


def _told(card: Card, drawn: Collection[str]) -> dict[str, Any]:
    """Return what is said beside the curves; of runs that have none, nothing."""
    embed = card.embed
    of = [run for run in card.runs if run.uid in drawn]
    uids = [run.uid for run in of]
    runs = [
        {"uid": run.uid, "name": run.shown_name, "color": run.chosen_color or run.color}
        for run in of
    ]
    return {
        "title": embed.title,
        "name": embed.tag,
        "unit": card.unit,
        "best": card.best,
        "state": shown_state(embed.state, embed.tag),
        "page": page_of(embed.team, embed.project, embed.state, embed.tag, uids)[1:],
        "runs": runs,
        # When something was committed to the project is more than the curves tell.
        "revision": 0,
    }
