"""The API for programs: `/api/v1`, by a token. It changes only by getting more.

    curl -H "Authorization: Bearer ob_pat_…" https://board/api/v1/projects

What it answers, its own document tells: `/api/v1/openapi.json`. The pages' own API under
`/api/ui/v1` is not for programs: it changes with the pages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from fastapi.openapi.utils import get_openapi
from starlette.responses import Response

from orgboard_dashboard.api import dictionary
from orgboard_dashboard.api.answers import answer, plain
from orgboard_dashboard.api.bodies import number_of, read_object, text_of
from orgboard_dashboard.api.edits import edit_json, parse_edits
from orgboard_dashboard.api.exports import Wanted, file_name, file_of, form_of, kind_of
from orgboard_dashboard.api.public_comments import add_comments
from orgboard_dashboard.api.runs import note_json, run_json
from orgboard_dashboard.queries import overview, projects, runs, tags
from orgboard_dashboard.queries.edits import MAX_NOTE_BYTES, apply_edits, write_note
from orgboard_dashboard.queries.errors import BadQuery
from orgboard_dashboard.queries.exported import places_of
from orgboard_dashboard.queries.runs import RunRow
from orgboard_dashboard.queries.tags import TagRow
from orgboard_dashboard.services import Services
from orgboard_dashboard.viewer import current_viewer

__all__ = ["routes"]

PREFIX: Final = "/api/v1"

_MOST_RUNS: Final = 200
_PROJECT: Final = "/projects/{team}/{project}"


@dataclass(frozen=True, slots=True)
class Runs:
    """Some rows of the table of runs, and how many there are."""

    revision: int
    total: int
    matching: int
    runs: tuple[RunRow, ...]


@dataclass(frozen=True, slots=True)
class Tags:
    """Tags of a kind, by name."""

    tags: tuple[TagRow, ...]


@dataclass(frozen=True, slots=True)
class Changed:
    """How many runs changed, and the edits that take it back."""

    changed: int
    undo: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """Every error: what happened, and what to try."""

    error: str


_REFUSALS: Final[dict[int | str, dict[str, Any]]] = {
    400: {"model": Refused, "description": "The question is wrong: the words say how."},
    401: {"model": Refused, "description": "No token, or one that opens nothing."},
    403: {"model": Refused, "description": "It may be seen, and not be changed."},
    404: {"model": Refused, "description": "There is no such thing, or it may not be seen."},
    413: {"model": Refused, "description": "Too much at once."},
}

_EDITS: Final = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["edits"],
                    "properties": {
                        "edits": {
                            "type": "array",
                            "description": "Each names its runs and one thing to change.",
                            "items": {
                                "type": "object",
                                "required": ["runs"],
                                "properties": {
                                    "runs": {"type": "array", "items": {"type": "string"}},
                                    "name": {"type": "string"},
                                    "starred": {"type": "boolean"},
                                    "archived": {"type": "boolean"},
                                    "color": {"type": "string"},
                                    "tag": {"type": "array", "items": {"type": "string"}},
                                    "untag": {"type": "array", "items": {"type": "string"}},
                                },
                            },
                        }
                    },
                },
                "example": {"edits": [{"runs": ["1a2b3c4d5e6f"], "tag": ["baseline"]}]},
            }
        },
    }
}

_NOTE: Final = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["text"],
                    "properties": {
                        "text": {"type": "string", "description": "Markdown; empty removes it."},
                        "read": {
                            "type": ["number", "null"],
                            "description": "`written_at` of the note that it replaces.",
                        },
                    },
                }
            }
        },
    }
}


def routes(services: Services) -> APIRouter:
    """Return the routes, answering through `services`."""
    router = APIRouter(prefix=PREFIX, responses=_REFUSALS)
    _add_reading(router, services)
    _add_points(router, services)
    _add_changing(router, services)
    add_comments(router, services)
    dictionary.add_public_routes(router, services)

    document = _document(router)

    @router.get("/openapi.json", include_in_schema=False)
    async def openapi() -> Response:
        return answer(document)

    return router


def _add_reading(router: APIRouter, services: Services) -> None:
    @router.get("/projects", response_model=tuple[projects.ProjectRow, ...])
    async def list_projects() -> Response:
        """List the projects that the token may see. Times are epoch seconds."""
        return answer(await services.ask(projects.list_projects, services.now()))

    @router.get(_PROJECT + "/runs", response_model=Runs)
    async def list_runs(
        team: str,
        project: str,
        q: str = "",
        sort: str = "-last_event",
        offset: int = 0,
        limit: int = 100,
        archived: bool = False,
        metric: Annotated[tuple[str, ...], Query()] = (),
    ) -> Response:
        """List runs: `q` and `sort` as in the query bar, `metric` such as `last:val/loss`."""
        asked = runs.RunQuery(q, sort, offset, limit, metric, archived)
        page = await services.ask(runs.list_runs, team, project, asked, services.now())
        rows = tuple(map(run_json, page.runs))
        counts = {"revision": page.revision, "total": page.total, "matching": page.matching}
        return answer({**counts, "runs": rows})

    @router.get(_PROJECT + "/tags", response_model=Tags)
    async def list_tags(
        team: str,
        project: str,
        kind: str = "scalar",
        run: Annotated[tuple[str, ...], Query()] = (),
    ) -> Response:
        """List the tags of a kind, of all runs or of these."""
        async with services.lane():
            return answer({"tags": await services.ask(tags.list_tags, team, project, kind, run)})

    @router.get("/runs/{uid}", response_model=overview.RunOverview)
    async def show_run(uid: str) -> Response:
        """Return all that is known of a run: files, gaps, series with their last values, note."""
        found = await services.ask(overview.overview, uid, services.now())
        note = await note_json(found.note)
        return answer({**plain(found), "run": run_json(found.run), "note": note})


def _add_points(router: APIRouter, services: Services) -> None:
    @router.get(
        _PROJECT + "/points",
        response_class=Response,
        responses={
            200: {
                "description": "Every stored point, streamed, one a line.",
                "content": {"text/csv": {}, "application/x-ndjson": {}},
            }
        },
    )
    async def points(
        team: str,
        project: str,
        run: Annotated[tuple[str, ...], Query()],
        tag: Annotated[tuple[str, ...], Query()] = (),
        kind: str = "scalar",
        format: str = "jsonl",  # noqa: A002  # as `orgboard export` calls it
    ) -> Response:
        """Stream every stored point of these runs, unsampled: of these tags, or of all."""
        if not 0 < len(run) <= _MOST_RUNS:
            raise BadQuery(f"Name 1 to {_MOST_RUNS} runs by `run`.")
        form, of = form_of(format), kind_of(kind)
        places = await services.ask(places_of, team, project, run)
        wanted = Wanted(tuple(places), frozenset(tag) or None, form, of)
        return file_of(current_viewer(), services, wanted, file_name(project))


def _add_changing(router: APIRouter, services: Services) -> None:
    @router.post(_PROJECT + "/edits", response_model=Changed, openapi_extra=_EDITS)
    async def edit_runs(team: str, project: str, request: Request) -> Response:
        """Change what is said of runs, all or nothing. The answer has the edits that undo it."""
        edits = parse_edits(read_object(await request.body()))
        done = await services.edit(apply_edits, team, project, edits, services.now())
        return answer({"changed": done.changed, "undo": list(map(edit_json, done.undo))})

    @router.post("/runs/{uid}/note", openapi_extra=_NOTE)
    async def note(uid: str, request: Request) -> Response:
        """Write the note of a run."""
        asked = read_object(await request.body())
        text, read = text_of(asked, "text", MAX_NOTE_BYTES), number_of(asked, "read")
        written = await services.edit(write_note, uid, text, read, services.now())
        return answer(await note_json(written))


def _document(router: APIRouter) -> dict[str, Any]:
    document = get_openapi(
        title="orgboard", version=version("orgboard"), description=__doc__, routes=router.routes
    )
    schemes = {"token": {"type": "http", "scheme": "bearer"}}
    document.setdefault("components", {})["securitySchemes"] = schemes
    document["security"] = [{"token": []}]
    return document
