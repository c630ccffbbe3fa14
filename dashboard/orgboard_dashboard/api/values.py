"""Texts, pictures, tensors and hyperparameters as JSON; logged bytes as they are."""

from __future__ import annotations

import re
from typing import Any, Final

from fastapi import APIRouter
from starlette.responses import Response

from orgboard_dashboard.api.answers import answer, plain
from orgboard_dashboard.api.runs import run_json, split_uids
from orgboard_dashboard.api.scalars import MAX_RUNS
from orgboard_dashboard.headers import BLOB_POLICY
from orgboard_dashboard.queries.annotations import list_annotations
from orgboard_dashboard.queries.errors import BadQuery, NotFound
from orgboard_dashboard.queries.hparams import hparams_table
from orgboard_dashboard.queries.layouts import list_layouts
from orgboard_dashboard.queries.standings import list_metrics
from orgboard_dashboard.queries.values import ValuesQuery, find_blob, list_values
from orgboard_dashboard.services import Services

__all__ = ["INLINE_TYPES", "routes"]

INLINE_TYPES: Final = frozenset(
    {
        "image/png",
        "image/jpeg",
        "image/gif",
        "image/webp",
        "audio/wav",
        "audio/mpeg",
        "audio/ogg",
        "video/mp4",
        "video/webm",
    }
)
"""What a browser may show; anything else it may only save. SVG and HTML could run scripts."""

_SHA256: Final = re.compile("[0-9a-f]{64}")


def routes(services: Services) -> APIRouter:
    """Return the routes, answering through `services`."""
    router = APIRouter(prefix="/api/ui/v1")

    @router.get("/p/{team}/{project}/values")
    async def values(
        team: str, project: str, kind: str, tag: str = "", runs: str = "", limit: int = 100
    ) -> Response:
        asked = ValuesQuery(kind, _tag_ids(tag), split_uids(runs), limit)
        found = await services.ask(list_values, team, project, asked)
        return answer({"series": [_slim(series) for series in found]})

    @router.get("/p/{team}/{project}/annotations")
    async def annotations(team: str, project: str, runs: str = "") -> Response:
        found = await services.ask(list_annotations, team, project, split_uids(runs)[:MAX_RUNS])
        return answer({"annotations": found})

    @router.get("/p/{team}/{project}/metrics")
    async def metrics(team: str, project: str, runs: str = "", by_metric: bool = False) -> Response:
        asked = split_uids(runs)[:MAX_RUNS]
        found = await services.ask(list_metrics, team, project, asked, by_metric=by_metric)
        return answer({"metrics": found})

    @router.get("/p/{team}/{project}/layouts")
    async def layouts(team: str, project: str, runs: str = "") -> Response:
        found = await services.ask(list_layouts, team, project, split_uids(runs)[:MAX_RUNS])
        return answer({"charts": found})

    @router.get("/p/{team}/{project}/hparams")
    async def hparams(team: str, project: str, q: str = "", archived: bool = False) -> Response:
        table = await services.ask(
            hparams_table, team, project, q, services.now(), archived=archived
        )
        rows = [{**run_json(row.run), "metrics": plain(row.metrics)} for row in table.rows]
        return answer(
            {
                "revision": table.revision,
                "names": table.names,
                "metrics": table.metrics,
                "runs": rows,
            }
        )

    @router.get("/r/{uid}/blob/{sha256}")
    async def blob(uid: str, sha256: str) -> Response:
        if not _SHA256.fullmatch(sha256):
            raise NotFound
        async with services.lane():
            data, media_type = await services.ask(find_blob, uid, bytes.fromhex(sha256))
        return Response(data, headers=blob_headers(media_type))

    return router


def blob_headers(media_type: str) -> dict[str, str]:
    """Return the headers that logged bytes go out with: shown when harmless, else saved."""
    is_shown = media_type in INLINE_TYPES
    return {
        "content-type": media_type if is_shown else "application/octet-stream",
        "content-disposition": "inline" if is_shown else "attachment",
        "content-security-policy": BLOB_POLICY,
        # Named by their hash, they cannot change; whether they may be seen can.
        "cache-control": "private, max-age=86400, immutable",
        "vary": "Cookie",
    }


def _slim(series: Any) -> dict[str, Any]:
    """Return a series without the fields that its kind does not have."""
    shown = plain(series)
    shown["points"] = [
        {name: value for name, value in point.items() if value is not None}
        for point in shown["points"]
    ]
    return dict(shown)


def _tag_ids(joined: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in joined.split(",") if part)
    except ValueError as error:
        raise BadQuery("`tag` is a list of tag numbers, with commas.") from error
