"""Projects, runs and tags as JSON."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any

import anyio.to_thread
from fastapi import APIRouter, Query
from starlette.responses import Response

from orgboard_dashboard.api.answers import answer, plain, shallow, spelled
from orgboard_dashboard.markdown import to_html
from orgboard_dashboard.queries import overview, projects, runs, tags, vocabulary
from orgboard_dashboard.queries.edits import Note
from orgboard_dashboard.services import Services

__all__ = ["note_json", "routes", "run_json", "split_uids"]


def routes(services: Services) -> APIRouter:
    """Return the routes, answering through `services`."""
    router = APIRouter(prefix="/api/ui/v1")

    @router.get("/projects")
    async def list_projects() -> Response:
        return answer(await services.ask(projects.list_projects, services.now()))

    @router.get("/p/{team}/{project}/runs")
    async def list_runs(
        team: str,
        project: str,
        q: str = "",
        sort: str = "-last_event",
        offset: int = 0,
        limit: int = 100,
        archived: bool = False,
        m: Annotated[tuple[str, ...], Query()] = (),
    ) -> Response:
        asked = runs.RunQuery(q, sort, offset, limit, m, archived)
        page = await services.ask(runs.list_runs, team, project, asked, services.now())
        return answer(
            {
                "revision": page.revision,
                "total": page.total,
                "matching": page.matching,
                "runs": [run_json(row) for row in page.runs],
            }
        )

    @router.get("/p/{team}/{project}/fields")
    async def list_fields(team: str, project: str) -> Response:
        return answer(await services.ask(vocabulary.vocabulary, team, project))

    @router.get("/p/{team}/{project}/tags")
    async def list_tags(
        team: str,
        project: str,
        kind: str,
        runs: str = "",
        archived: bool = False,
        by_metric: bool = False,
    ) -> Response:
        of, how = split_uids(runs), {"archived": archived, "by_metric": by_metric}
        async with services.lane():
            found = await services.ask(tags.list_tags, team, project, kind, of, **how)
            return answer({"tags": found})

    @router.get("/r/{uid}")
    async def show_run(uid: str) -> Response:
        found = await services.ask(overview.overview, uid, services.now())
        note = await note_json(found.note)
        return answer({**plain(found), "run": run_json(found.run), "note": note})

    return router


async def note_json(note: Note) -> dict[str, Any]:
    """Return a note, and what it looks like; `html` is null when it is too long to be rendered.

    In a thread, and once for all who read it: the worst takes a second, and nobody waits for it
    who asks for something else.
    """
    return {**plain(note), "html": await anyio.to_thread.run_sync(_rendered, note.text)}


@lru_cache(maxsize=128)
def _rendered(text: str) -> str | None:
    return to_html(text)


def run_json(row: runs.RunRow) -> dict[str, Any]:
    """Return a row of the table of runs. Its colour is a place in the palette or "#rrggbb".

    A metric that is no number JSON has is told by name. `beside` is the run in which its
    hyperparameters stand, null where they are its own.
    """
    beside = row.beside and {"uid": row.beside.uid, "name": row.beside.name}
    metrics = {key: spelled(value) for key, value in row.metrics.items()}
    color = row.chosen_color or row.color
    return {
        **shallow(row),
        "beside": beside,
        "damaged": row.damaged,
        "metrics": metrics,
        "color": color,
    }


def split_uids(joined: str) -> tuple[str, ...]:
    """Return the parts of a comma-separated list."""
    return tuple(filter(None, joined.split(",")))
