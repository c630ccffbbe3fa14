"""The dictionary of metrics, for the page about it and for programs, and the tags it lacks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from fastapi import APIRouter, Request
from starlette.responses import Response

from orgboard_dashboard.api.answers import answer
from orgboard_dashboard.api.bodies import number_of, read_object, text_of
from orgboard_dashboard.queries.dictionary import Alias, Metric, Preferred, list_names
from orgboard_dashboard.queries.dictionary_edits import (
    MetricSaid,
    claim_tag,
    drop_metric,
    may_name,
    save_metric,
)
from orgboard_dashboard.queries.errors import BadQuery
from orgboard_dashboard.queries.unclaimed import unclaimed_tags
from orgboard_dashboard.services import Services
from orgboard_dashboard.viewer import current_viewer

__all__ = ["add_public_routes", "routes"]

_MAX_CHARS: Final = 4000
"""Of any text; the query knows the limits that matter."""


@dataclass(frozen=True, slots=True)
class Metrics:
    """The dictionary, by name."""

    metrics: tuple[Metric, ...]


_SAID: Final = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["name"],
                    "properties": {
                        "name": {"type": "string"},
                        "unit": {"type": "string"},
                        "direction": {"enum": ["min", "max", ""], "description": "The best one."},
                        "description": {"type": "string"},
                        "aliases": {
                            "type": "array",
                            "description": "Tags that mean it; `scale` brings them to its unit.",
                            "items": {
                                "type": "object",
                                "required": ["tag"],
                                "properties": {
                                    "tag": {"type": "string"},
                                    "scale": {"type": "number", "default": 1},
                                },
                            },
                        },
                        "was": {"type": "string", "description": "The metric that it replaces."},
                    },
                },
                "example": {
                    "name": "validation loss",
                    "unit": "nats",
                    "direction": "min",
                    "aliases": [{"tag": "val/loss"}, {"tag": "loss_bits", "scale": 0.693147}],
                },
            }
        },
    }
}

_NAMED: Final = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["name"],
                    "properties": {"name": {"type": "string"}},
                }
            }
        },
    }
}


def routes(services: Services) -> APIRouter:
    """Return the routes of the page, answering through `services`."""
    router = APIRouter(prefix="/api/ui/v1/dictionary")

    @router.get("")
    async def dictionary() -> Response:
        metrics = await services.ask(list_names)
        return answer({"metrics": metrics, "may_change": may_name(current_viewer())})

    @router.get("/unclaimed")
    async def unclaimed() -> Response:
        return answer(await services.ask(unclaimed_tags))

    @router.post("")
    async def save(request: Request) -> Response:
        return answer(await _save(services, request))

    @router.post("/claim")
    async def claim(request: Request) -> Response:
        asked = read_object(await request.body())
        alias = _alias(asked)
        name = text_of(asked, "name", _MAX_CHARS)
        done = await services.edit(claim_tag, name, alias.tag, alias.scale, services.now())
        return answer(done)

    @router.post("/drop")
    async def drop(request: Request) -> Response:
        return answer(await _drop(services, request))

    return router


def add_public_routes(router: APIRouter, services: Services) -> None:
    """Add the routes for programs to those of `api.public`."""

    @router.get("/metrics", response_model=Metrics)
    async def list_metrics() -> Response:
        """List the dictionary of metrics: what the organisation calls what runs log."""
        return answer({"metrics": await services.ask(list_names)})

    @router.post("/metrics", response_model=Metric, openapi_extra=_SAID)
    async def save_metric_of_program(request: Request) -> Response:
        """Add a metric, or replace the one called `was`; for who runs the board."""
        return answer(await _save(services, request))

    @router.post("/metrics/drop", openapi_extra=_NAMED)
    async def drop_metric_of_program(request: Request) -> Response:
        """Take a metric out of the dictionary; for who runs the board. Points stay."""
        return answer(await _drop(services, request))


async def _save(services: Services, request: Request) -> Metric:
    asked = read_object(await request.body())
    was = text_of(asked, "was", _MAX_CHARS)
    return await services.edit(save_metric, _said(asked), services.now(), was=was)


async def _drop(services: Services, request: Request) -> Mapping[str, str]:
    name = text_of(read_object(await request.body()), "name", _MAX_CHARS)
    await services.edit(drop_metric, name, services.now())
    return {"name": name}


def _said(asked: Mapping[str, Any]) -> MetricSaid:
    aliases = asked.get("aliases", [])
    if not isinstance(aliases, list) or not all(isinstance(each, dict) for each in aliases):
        raise BadQuery('`aliases` is a list of {"tag": …, "scale": …}.')
    return MetricSaid(
        name=text_of(asked, "name", _MAX_CHARS),
        unit=text_of(asked, "unit", _MAX_CHARS),
        direction=cast("Preferred", text_of(asked, "direction", _MAX_CHARS)),
        description=text_of(asked, "description", _MAX_CHARS),
        aliases=tuple(map(_alias, aliases)),
    )


def _alias(asked: Mapping[str, Any]) -> Alias:
    scale = number_of(asked, "scale")
    return Alias(text_of(asked, "tag", _MAX_CHARS), 1.0 if scale is None else scale)
