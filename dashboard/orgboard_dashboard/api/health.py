"""Is it alive, and does it work: for supervisors and load balancers. Tells nothing of anyone's."""

from __future__ import annotations

import anyio.to_thread
from fastapi import APIRouter
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import Response

from orgboard_dashboard.api.answers import answer
from orgboard_dashboard.queries.health import ingest_lag_s
from orgboard_dashboard.services import Services
from orgboard_schema.errors import DatabaseNewer, DatabaseOlder, DatabaseUnreachable

__all__ = ["routes"]


def routes(services: Services) -> APIRouter:
    """Return /healthz (the process answers) and /readyz (the database does, too)."""
    router = APIRouter()

    @router.get("/healthz")
    async def healthz() -> Response:
        return answer({"status": "ok"})

    @router.get("/readyz")
    async def readyz() -> Response:
        try:
            lag = await anyio.to_thread.run_sync(ingest_lag_s, services.engine, services.now())
        except (DatabaseUnreachable, SQLAlchemyError):
            return answer({"status": "unavailable", "database": "does not answer"}, 503)
        except (DatabaseOlder, DatabaseNewer):
            return answer({"status": "unavailable", "database": "is of another version"}, 503)
        return answer({"status": "ok", "database": "ok", "ingest_seen_s_ago": lag})

    return router
