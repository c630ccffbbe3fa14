"""The audit log as JSON, the newest first, and as a file for a table program."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Final

from fastapi import APIRouter
from starlette.responses import Response, StreamingResponse

from orgboard_dashboard.api.answers import answer
from orgboard_dashboard.export.spelling import csv_quoted, guarded
from orgboard_dashboard.queries.errors import BadQuery
from orgboard_dashboard.queries.people.audit import (
    DONE,
    MAX_LISTED,
    REFUSED,
    Record,
    list_actions,
    list_records,
)
from orgboard_dashboard.services import Services

__all__ = ["routes"]

_COLUMNS: Final = (
    *("id", "at", "actor", "via", "address"),
    *("action", "subject", "outcome", "before", "after"),
)
_INT64: Final = 2**63


def routes(services: Services) -> APIRouter:
    """Return the routes, answering through `services`."""
    router = APIRouter(prefix="/api/ui/v1")

    @router.get("/audit")
    async def audit(before: int | None = None, action: str = "", outcome: str = "") -> Response:
        _check(before, action, outcome)
        records = await services.ask(list_records, before_id=before, action=action, outcome=outcome)
        return answer(
            {
                "records": [_shown(record) for record in records],
                "actions": await services.ask(list_actions),
                "is_all": len(records) < MAX_LISTED,
            }
        )

    @router.get("/audit.csv")
    async def as_csv(action: str = "", outcome: str = "") -> Response:
        _check(None, action, outcome)
        # Asked before the answer begins: who may not have it gets none.
        first = await services.ask(list_records, action=action, outcome=outcome)
        headers = {"content-disposition": 'attachment; filename="orgboard-audit.csv"'}
        lines = _lines(services, first, action, outcome)
        return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=headers)

    return router


async def _lines(
    services: Services, records: tuple[Record, ...], action: str, outcome: str
) -> AsyncIterator[bytes]:
    yield (",".join(_COLUMNS) + "\r\n").encode()
    while records:
        # A description may hold half a character, and the rows after it are read, too.
        yield "".join(map(_line, records)).encode("utf-8", "backslashreplace")
        last = records[-1].id
        records = await services.ask_still(
            list_records, before_id=last, action=action, outcome=outcome
        )


def _line(record: Record) -> str:
    at = datetime.fromtimestamp(record.at, UTC).isoformat(timespec="milliseconds")
    values = [at if name == "at" else str(getattr(record, name)) for name in _COLUMNS]
    return ",".join(csv_quoted(guarded(value)) for value in values) + "\r\n"


def _shown(record: Record) -> Mapping[str, object]:
    named = {name: getattr(record, name) for name in _COLUMNS}
    changes = {
        name: json.loads(named[name]) if named[name] else None for name in ("before", "after")
    }
    return named | changes


def _check(before: int | None, action: str, outcome: str) -> None:
    if before is not None and not 0 <= before < _INT64:
        raise BadQuery("`before` is the number of a record.")
    if outcome not in ("", DONE, REFUSED):
        raise BadQuery(f"`outcome` is `{DONE}` or `{REFUSED}`.")
    if len(action) > 32:
        raise BadQuery("`action` is the name of an action.")
