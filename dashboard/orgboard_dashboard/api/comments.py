"""Comments as JSON: of runs and of saved views, read, written, changed, taken back.

Each route that changes something has the policy "edit" (`policies`); what one may write of is
asked by the query (`queries.comments`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, Request
from sqlalchemy import Connection
from starlette.responses import Response

from orgboard_dashboard.api.answers import answer
from orgboard_dashboard.api.bodies import is_uid, read_object, text_of
from orgboard_dashboard.markdown import to_html
from orgboard_dashboard.mentions import typed
from orgboard_dashboard.queries.comments import (
    MAX_CHARS,
    About,
    Comment,
    Discussion,
    OnRun,
    OnView,
    add_comment,
    change_comment,
    list_comments,
    remove_comment,
)
from orgboard_dashboard.queries.errors import BadQuery
from orgboard_dashboard.queries.people.addressed import whom_to_name
from orgboard_dashboard.services import Services
from orgboard_dashboard.viewer import Viewer

__all__ = ["comments_json", "reword", "routes", "say"]

_MOST_READ: Final = 2 * MAX_CHARS
"""Of what is sent: blanks at its ends do not count, and who wrote too much is told how much."""

_MOST_RENDERED: Final = 100_000
"""Characters of one answer that become HTML: the worst of them take a second and a half."""


def routes(services: Services) -> APIRouter:
    """Return the routes, answering through `services`."""
    router = APIRouter(prefix="/api/ui/v1")
    view = "/p/{team}/{project}/views/{key}/comments"

    @router.get("/r/{uid}/comments")
    async def of_run(uid: str) -> Response:
        return answer(await services.ask(_page, OnRun(uid)))

    @router.post("/r/{uid}/comments")
    async def say_of_run(uid: str, request: Request) -> Response:
        return await say(services, OnRun(uid), await request.body())

    @router.get(view)
    async def of_view(team: str, project: str, key: str) -> Response:
        return answer(await services.ask(_page, OnView(team, project, key)))

    @router.post(view)
    async def say_of_view(team: str, project: str, key: str, request: Request) -> Response:
        return await say(services, OnView(team, project, key), await request.body())

    @router.patch("/comments/{key}")
    async def change(key: str, request: Request) -> Response:
        return await reword(services, key, await request.body())

    @router.delete("/comments/{key}")
    async def remove(key: str) -> Response:
        await services.edit(remove_comment, key, services.now())
        return answer({"id": key})

    @router.get("/p/{team}/{project}/people")
    async def people(team: str, project: str, q: str = "") -> Response:
        return answer({"names": await services.ask(whom_to_name, team, project, q)})

    return router


async def say(services: Services, about: About, body: bytes) -> Response:
    """Store a comment, and answer with its id."""
    asked = read_object(body)
    text, answers = text_of(asked, "text", _MOST_READ), asked.get("answers")
    if answers is not None and not is_uid(answers):
        raise BadQuery("`answers` is the id of a comment, or null.")
    key = await services.edit(add_comment, about, text, answers, services.now())
    return answer({"id": key})


async def reword(services: Services, key: str, body: bytes) -> Response:
    """Let a comment say something else."""
    text = text_of(read_object(body), "text", _MOST_READ)
    await services.edit(change_comment, key, text, services.now())
    return answer({"id": key})


def _page(viewer: Viewer, conn: Connection, about: About) -> dict[str, Any]:
    """Return comments as the pages have them: with what may be done with each."""
    found = list_comments(viewer, conn, about)
    told = zip(comments_json(found), found.comments, strict=True)
    comments = [
        {**json, "mine": one.is_mine, "can_remove": one.can_remove, "news": one.is_news}
        for json, one in told
    ]
    return {"comments": comments, "can_write": found.can_write, "most_chars": MAX_CHARS}


def comments_json(found: Discussion) -> list[dict[str, Any]]:
    """Return comments, the oldest first; of very many words the older ones are not rendered."""
    told: list[dict[str, Any]] = []
    rendered = 0
    for comment in reversed(found.comments):
        rendered += len(comment.text)
        told.append(_comment_json(comment, is_rendered=rendered <= _MOST_RENDERED))
    return told[::-1]


def _comment_json(comment: Comment, *, is_rendered: bool) -> dict[str, Any]:
    """Return a comment as it was typed, and what it looks like; `html` is null where nobody saw."""
    words: Mapping[str, Any] = {
        "text": typed(comment.text, comment.names),
        "html": to_html(comment.text, comment.names) if is_rendered else None,
    }
    return {
        "id": comment.id,
        "answers": comment.answers,
        **words,
        "author": comment.author,
        "written_at": comment.written_at,
        "changed_at": comment.changed_at,
        "removed": comment.removed_at is not None,
    }
