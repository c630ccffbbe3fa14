"""Settings and metrics of many runs as columns, and which settings go with a metric."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from orgboard_dashboard.api.answers import answer, spelled
from orgboard_dashboard.api.bodies import read_object, uids_of
from orgboard_dashboard.api.scalars import MAX_RUNS
from orgboard_dashboard.queries.errors import BadQuery
from orgboard_dashboard.queries.settings import (
    MAX_COLUMNS,
    Column,
    SettingsAnswer,
    SettingsQuery,
    settings_of,
)
from orgboard_dashboard.services import Services

__all__ = ["routes"]

_MAX_KEY: Final = 20_000
"""Characters of a column's key: tags of 10 KB are looked up like others."""


def routes(services: Services) -> APIRouter:
    """Return the route, answering through `services`."""
    router = APIRouter(prefix="/api/ui/v1")

    @router.post("/p/{team}/{project}/settings")
    async def settings(team: str, project: str, request: Request) -> Response:
        asked = _question(read_object(await request.body()))
        found = await services.ask(settings_of, team, project, asked, services.now())
        return answer(_answer(found))

    return router


def _question(asked: Mapping[str, Any]) -> SettingsQuery:
    axes = asked.get("axes")
    return SettingsQuery(
        q=_text(asked, "q"),
        archived=asked.get("archived") is True,
        uids=None if asked.get("runs") is None else uids_of(asked, MAX_RUNS),
        axes=None if axes is None else _keys(asked, "axes"),
        besides=_keys(asked, "besides"),
        target=_text(asked, "target"),
    )


def _text(asked: Mapping[str, Any], name: str) -> str:
    value = asked.get(name, "")
    if not isinstance(value, str) or len(value) > _MAX_KEY:
        raise BadQuery(f"`{name}` is a text of at most {_MAX_KEY} characters.")
    return value


def _keys(asked: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = asked.get(name, [])
    are_texts = isinstance(value, list) and all(
        isinstance(key, str) and len(key) <= _MAX_KEY for key in value
    )
    if not are_texts or len(value) > MAX_COLUMNS:
        raise BadQuery(f"`{name}` is a list of at most {MAX_COLUMNS} columns.")
    return tuple(dict.fromkeys(value))


def _answer(found: SettingsAnswer) -> dict[str, Any]:
    """Return the answer as columns: for ten thousand runs names of fields would be most of it."""
    return {
        "matching": found.matching,
        "uids": [run.uid for run in found.runs],
        "names": [run.name for run in found.runs],
        "colors": [run.color for run in found.runs],
        "axes": found.axes,
        "columns": [_column(column) for column in found.columns],
        "target": found.target,
        "better": found.better,
        "settings": found.settings,
        "metrics": found.metrics,
        "ranked": [{"name": one.name, "kind": one.kind, **_fields(one.of)} for one in found.ranked],
        "alike": found.alike,
    }


def _column(column: Column) -> dict[str, Any]:
    return {
        "key": column.key,
        "kind": column.kind,
        "values": [None if value is None else spelled(value) for value in column.values],
        "categories": column.categories,
        "others": column.others,
    }


def _fields(of: Any) -> dict[str, Any]:
    return {name: getattr(of, name) for name in ("strength", "way", "n", "sure", "best", "most")}
