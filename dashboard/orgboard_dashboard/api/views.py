"""Saved views as JSON: listed, read, saved, changed, removed.

Each route that changes something has the policy "edit" (`policies`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, Request
from sqlalchemy import Connection
from starlette.responses import Response

from orgboard_dashboard.api.answers import answer
from orgboard_dashboard.api.bodies import is_uid, number_of, read_object
from orgboard_dashboard.queries.errors import BadQuery
from orgboard_dashboard.queries.views import (
    LINK_CHARS,
    Change,
    NewView,
    SavedView,
    ViewRow,
    change_view,
    find_view,
    list_views,
    opening_view,
    remove_view,
    save_view,
)
from orgboard_dashboard.services import Services
from orgboard_dashboard.viewer import Viewer

__all__ = ["routes"]

_MOST_ID_CHARS: Final = LINK_CHARS - 1
"""Of a view that had a name. The ids of long links are made of what is in them: who could take one
would learn whether somebody else keeps the same, or keep others from keeping it."""


def routes(services: Services) -> APIRouter:
    """Return the routes, answering through `services`."""
    router = APIRouter(prefix="/api/ui/v1/p/{team}/{project}/views")

    @router.get("")
    async def views(team: str, project: str) -> Response:
        listed, opening = await services.ask(_all, team, project)
        return answer({"views": listed, "opening": None if opening is None else _json(opening)})

    @router.get("/{key}")
    async def view(team: str, project: str, key: str) -> Response:
        return answer(_json(await services.ask(find_view, team, project, key)))

    @router.post("")
    async def save(team: str, project: str, request: Request) -> Response:
        new = _new(read_object(await request.body()))
        return answer(_json(await services.edit(save_view, team, project, new, services.now())))

    @router.patch("/{key}")
    async def change(team: str, project: str, key: str, request: Request) -> Response:
        asked = _change(read_object(await request.body()))
        done = await services.edit(change_view, team, project, key, asked, services.now())
        return answer(_json(done))

    @router.delete("/{key}")
    async def remove(team: str, project: str, key: str) -> Response:
        gone = await services.edit(remove_view, team, project, key, services.now())
        return answer(_json(gone))

    return router


def _all(
    viewer: Viewer, conn: Connection, team: str, project: str
) -> tuple[tuple[ViewRow, ...], SavedView | None]:
    listed = list_views(viewer, conn, team, project)
    return listed, opening_view(viewer, conn, team, project)


def _json(saved: SavedView) -> dict[str, Any]:
    return {"view": saved.view, "state": saved.state}


def _new(asked: Mapping[str, Any]) -> NewView:
    key = _text(asked, "id") or ""
    if key and not (is_uid(key) and len(key) <= _MOST_ID_CHARS):
        raise BadQuery("`id` is the id of a view that was deleted.")
    return NewView(
        page=_text(asked, "page") or "",
        state=_text(asked, "state") or "",
        name=_text(asked, "name"),
        for_team=_flag(asked, "for_team") or False,
        id=key,
    )


def _change(asked: Mapping[str, Any]) -> Change:
    change = Change(
        name=_text(asked, "name"),
        page=_text(asked, "page"),
        state=_text(asked, "state"),
        read=number_of(asked, "read"),
        is_default=_flag(asked, "is_default"),
    )
    if (change.name, change.state, change.is_default) == (None, None, None):
        raise BadQuery("A view can be given `name`, `state` or `is_default`.")
    return change


def _text(asked: Mapping[str, Any], key: str) -> str | None:
    value = asked.get(key)
    if value is not None and not isinstance(value, str):
        raise BadQuery(f"`{key}` is text.")
    return value


def _flag(asked: Mapping[str, Any], key: str) -> bool | None:
    value = asked.get(key)
    if value is not None and not isinstance(value, bool):
        raise BadQuery(f"`{key}` is true or false.")
    return value
