"""Graphs from people's disks: which there are, one more, one less. They are looked at as the graphs
of runs are (`api.graphs`), under an id that stands where a run's does."""

from __future__ import annotations

from typing import Final

import anyio
import anyio.to_thread
from fastapi import APIRouter, Request
from starlette.responses import Response

from orgboard_dashboard.api.answers import answer, plain
from orgboard_dashboard.graphs.files.reading import read_file
from orgboard_dashboard.graphs.files.refused import NotAGraph
from orgboard_dashboard.policies import FILE_BYTES
from orgboard_dashboard.queries.errors import BadQuery
from orgboard_dashboard.queries.graph_uploads import (
    NewGraph,
    add_upload,
    list_uploads,
    packed,
    remove_upload,
    require_room,
)
from orgboard_dashboard.services import Services

__all__ = ["routes"]

_MOST_TOLD: Final = 1 << 53
"""Bytes; what says more of itself is not believed."""


def routes(services: Services) -> APIRouter:
    """Return the routes, answering through `services`."""
    router = APIRouter(prefix="/api/ui/v1/p/{team}/{project}/graphs")
    # Reading is all CPU: a second file at a time would only make both slower, and others wait.
    one_at_a_time = anyio.CapacityLimiter(1)

    @router.get("")
    async def files(team: str, project: str) -> Response:
        found = await services.ask(list_uploads, team, project)
        return answer(plain(found) | {"most_bytes": FILE_BYTES})

    @router.post("")
    async def add(
        team: str, project: str, request: Request, name: str = "", size: int = 0
    ) -> Response:
        await services.ask(require_room, team, project)
        data = await request.body()
        new = await anyio.to_thread.run_sync(_read, name, size, data, limiter=one_at_a_time)
        return answer(await services.edit(add_upload, team, project, new, services.now()))

    @router.delete("/{key}")
    async def remove(team: str, project: str, key: str) -> Response:
        gone = await services.edit(remove_upload, team, project, key, services.now())
        return answer({"id": gone.id})

    return router


def _read(name: str, size: int, data: bytes) -> NewGraph:
    """Read a file, outside of any transaction: it may take seconds.

    `size` is what it has on the disk: the page leaves weights out before it sends it.
    """
    try:
        on_disk = size if len(data) < size < _MOST_TOLD else len(data)
        return packed(name, on_disk, read_file(name, data))
    except NotAGraph as error:
        raise BadQuery(str(error)) from error
