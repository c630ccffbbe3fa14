"""Projects, runs and tags as JSON."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from orgboard_dashboard.api.answers import answer, plain, spelled
from orgboard_dashboard.queries import overview, projects, runs, tags, vocabulary
from orgboard_dashboard.services import Services

__all__ = ["routes", "run_json", "split_uids"]


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
        m: Annotated[tuple[str, ...], Query()] = (),
    ) -> Response:
        asked = runs.RunQuery(q, sort, offset, limit, m)
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
    async def list_tags(team: str, project: str, kind: str, runs: str = "") -> Response:
        found = await services.ask(tags.list_tags, team, project, kind, split_uids(runs))
        return answer({"tags": found})

    @router.get("/r/{uid}")
    async def show_run(uid: str) -> Response:
        found = await services.ask(overview.overview, uid, services.now())
        return answer({**plain(found), "run": run_json(found.run)})

    return router


def run_json(row: runs.RunRow) -> dict[str, Any]:
    """Return a row of the table of runs. A metric that is no number JSON has is told by name."""
    metrics = {key: spelled(value) for key, value in row.metrics.items()}
    return {**plain(row), "damaged": row.damaged, "metrics": metrics}


def split_uids(joined: str) -> tuple[str, ...]:
    """Return the parts of a comma-separated list."""
    return tuple(filter(None, joined.split(",")))
