"""Comments for programs: those of a run, read and written; all of a project, a line each."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter, Request
from sqlalchemy import Connection
from starlette.responses import Response, StreamingResponse

from orgboard_dashboard.api.answers import answer, shallow
from orgboard_dashboard.api.comments import comments_json, reword, say
from orgboard_dashboard.queries.comments import OnRun, list_comments, remove_comment
from orgboard_dashboard.queries.comments_exported import SaidRow, some_comments
from orgboard_dashboard.services import Services
from orgboard_dashboard.viewer import Viewer

__all__ = ["add_comments"]


@dataclass(frozen=True, slots=True)
class CommentRow:
    """What somebody said of a run. Times are epoch seconds."""

    id: str
    answers: str | None
    text: str
    html: str | None
    author: str
    written_at: float
    changed_at: float | None
    removed: bool


@dataclass(frozen=True, slots=True)
class Comments:
    """All that is said of a run, the oldest first; `answers` is the first one of a thread."""

    comments: tuple[CommentRow, ...]


@dataclass(frozen=True, slots=True)
class Named:
    """The comment that was written, changed or taken back."""

    id: str


def _body(*required: str, **properties: Any) -> dict[str, Any]:
    schema = {"type": "object", "required": required, "properties": properties}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


_TEXT: Final = {
    "type": "string",
    "description": "Markdown. `@name` names who may see the run; others stay words.",
}
_ANSWERS: Final = {
    "type": ["string", "null"],
    "description": "The comment that it answers.",
}


def add_comments(router: APIRouter, services: Services) -> None:
    """Add the routes to those for programs."""

    @router.get("/runs/{uid}/comments", response_model=Comments)
    async def read(uid: str) -> Response:
        """List what is said of a run, the oldest first."""
        return answer({"comments": await services.ask(_comments, OnRun(uid))})

    @router.post(
        "/runs/{uid}/comments",
        response_model=Named,
        openapi_extra=_body("text", text=_TEXT, answers=_ANSWERS),
    )
    async def write(uid: str, request: Request) -> Response:
        """Say something of a run, in the name of the token's account."""
        return await say(services, OnRun(uid), await request.body())

    @router.patch("/comments/{key}", response_model=Named, openapi_extra=_body("text", text=_TEXT))
    async def change(key: str, request: Request) -> Response:
        """Let a comment of the token's account say something else."""
        return await reword(services, key, await request.body())

    @router.delete("/comments/{key}", response_model=Named)
    async def remove(key: str) -> Response:
        """Take a comment of the token's account back."""
        await services.edit(remove_comment, key, services.now())
        return answer({"id": key})

    @router.get(
        "/projects/{team}/{project}/comments",
        response_class=Response,
        responses={
            200: {
                "description": "Every comment on the project's runs and views, one a line.",
                "content": {"application/x-ndjson": {}},
            }
        },
    )
    async def export(team: str, project: str) -> Response:
        """Stream every comment of a project, the oldest first."""
        # Asked before the answer begins: who may not have it gets none.
        first = await services.ask(some_comments, team, project, None)
        lines = _lines(services, team, project, first)
        return StreamingResponse(lines, media_type="application/x-ndjson")


def _comments(viewer: Viewer, conn: Connection, about: OnRun) -> list[dict[str, Any]]:
    return comments_json(list_comments(viewer, conn, about))


async def _lines(
    services: Services, team: str, project: str, some: tuple[SaidRow, ...]
) -> AsyncIterator[str]:
    while some:
        yield "".join(json.dumps(shallow(row)) + "\n" for row in some)
        some = await services.ask_still(some_comments, team, project, some[-1])
