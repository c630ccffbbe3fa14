"""How the board fares, as Prometheus reads it: numbers of the whole, and nobody's names.

For programs of this machine, and for who may see everything (policy "watch"): counts tell how
busy others are. Each number is one of the database's, so that it is the same whichever of
several web processes answers.
"""

from __future__ import annotations

import anyio.to_thread
from fastapi import APIRouter
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import Response

from orgboard_dashboard.queries.health import BoardHealth, board_health
from orgboard_dashboard.services import Services
from orgboard_schema.errors import DatabaseNewer, DatabaseOlder, DatabaseUnreachable
from orgboard_schema.metrics import CONTENT_TYPE, Metric, exposition

__all__ = ["metrics_text", "routes"]


def routes(services: Services) -> APIRouter:
    """Return /metrics. A database that is away is a number too."""
    router = APIRouter()

    @router.get("/metrics")
    async def metrics() -> Response:
        try:
            health = await anyio.to_thread.run_sync(board_health, services.engine, services.now())
        except (DatabaseUnreachable, DatabaseOlder, DatabaseNewer, SQLAlchemyError):
            health = None
        return Response(metrics_text(health), headers={"content-type": CONTENT_TYPE})

    return router


def metrics_text(health: BoardHealth | None) -> str:
    """Return the figures; None: the database does not answer."""
    up = _gauge("database_up", "1 while the database answers and is of this version.", health)
    if health is None:
        return exposition([up])
    seen = health.ingest_seen_s
    return exposition(
        [
            up,
            _gauge("runs", "Runs on the board.", health.runs),
            _gauge("logdirs", "Directories that runs were read from.", health.logdirs),
            _gauge("accounts", "Accounts that can sign in.", health.accounts),
            _gauge("sessions", "Browsers that are signed in.", health.sessions),
            *([] if seen is None else [_gauge("ingest_seen_seconds", _SEEN, seen)]),
            _gauge("ingest_processes", "Ingest processes at work.", health.ingests),
            _gauge("ingest_pending_bytes", "Bytes of files not stored yet.", health.pending_bytes),
            _gauge("ingest_lag_seconds", "How long the oldest of them wait.", health.lag_s),
            _gauge("ingest_unreadable_files", "Files not readable now.", health.unreadable_files),
            _gauge("gaps", "Damaged places in the files stored.", health.gaps),
        ]
    )


_SEEN = "Since an ingest last looked at a directory."


def _gauge(name: str, says: str, value: float | BoardHealth | None) -> Metric:
    number = float(value) if isinstance(value, int | float) else float(value is not None)
    return Metric(f"orgboard_web_{name}", "gauge", says, (((), number),))
