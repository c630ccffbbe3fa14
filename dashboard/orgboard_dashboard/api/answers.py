"""Answers as JSON, and one form for everything that goes wrong: `{"error": "…"}`."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache, partial
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.responses import Response

from orgboard_dashboard.queries.errors import (
    BadQuery,
    Conflict,
    Forbidden,
    NotFound,
    SignedOut,
    TooBusy,
    TooMuch,
    Unproved,
)
from orgboard_dashboard.queries.language import QueryProblem
from orgboard_dashboard.queries.order import BadOrder
from orgboard_schema.errors import DatabaseUnreachable

__all__ = ["answer", "plain", "refuse", "register_errors", "shallow", "spelled"]

_log = logging.getLogger(__name__)

_BUSY_S: Final = "2"
_AWAY: Final = "The database does not answer at the moment. Trying again may help."


def answer(value: Any, status: int = 200) -> Response:
    """Return `value` as JSON: dataclasses become objects, numbers that JSON lacks null."""
    try:
        text = _dumps(value, default=_plainer)
    except ValueError:
        # It has a number that JSON lacks, which the encoder asks nobody about.
        text = _dumps(plain(value))
    return Response(text, status, media_type="application/json")


def refuse(status: int, error: str) -> Response:
    """Return an error in the form that all of them have."""
    return answer({"error": error}, status)


_dumps: Final = partial(json.dumps, allow_nan=False, separators=(",", ":"))


def _plainer(value: Any) -> Any:
    """Return what the encoder does not know in types that it does; what is in it may be any."""
    if isinstance(value, bytes | Mapping):
        return value.hex() if isinstance(value, bytes) else dict(value)
    if _field_names(value.__class__) is None:
        raise TypeError(f"{value.__class__.__name__} is nothing that an answer has")
    return shallow(value)


def shallow(value: Any) -> dict[str, Any]:
    """Return what a dataclass holds by name, each as it is."""
    return {name: getattr(value, name) for name in _field_names(value.__class__) or ()}


def plain(value: Any) -> Any:
    """Return `value` in JSON's own types."""
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    names = _field_names(value.__class__)
    return value if names is None else {name: plain(getattr(value, name)) for name in names}


def spelled(value: float) -> float | str:
    """Return a number, or its name when JSON has no such number."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


# Asked of every row of a table; the answer is always the same.
@cache
def _field_names(kind: type) -> tuple[str, ...] | None:
    return tuple(field.name for field in fields(kind)) if is_dataclass(kind) else None


def register_errors(api: FastAPI) -> None:
    """Make every error of a route one JSON line that says what happened and what to try."""
    api.add_exception_handler(NotFound, _not_found)
    api.add_exception_handler(BadQuery, _bad_query)
    api.add_exception_handler(Forbidden, _forbidden)
    api.add_exception_handler(SignedOut, _signed_out)
    api.add_exception_handler(Conflict, _conflict)
    api.add_exception_handler(RequestValidationError, _bad_request)
    api.add_exception_handler(TooMuch, _too_much)
    api.add_exception_handler(TooBusy, _too_busy)
    api.add_exception_handler(DatabaseUnreachable, _away)
    api.add_exception_handler(DBAPIError, _away)
    api.add_exception_handler(PoolTimeout, _away)
    api.add_exception_handler(HTTPException, _http)
    api.add_exception_handler(Exception, _failed)


async def _not_found(_request: Request, error: Exception) -> Response:
    return refuse(404, str(error))


async def _bad_query(_request: Request, error: Exception) -> Response:
    if isinstance(error, QueryProblem):
        # Where, too: what people type is marked below the very characters.
        told = {"at": error.at, "end": error.end, "suggestions": error.suggestions}
        return answer({"error": str(error), "problem": error.message, **told}, 400)
    if isinstance(error, BadOrder):
        return answer({"error": str(error), "wrong": "sort"}, 400)
    return refuse(400, str(error))


async def _forbidden(request: Request, error: Exception) -> Response:
    if isinstance(error, Unproved):
        # The page asks for the password, and asks again: that refuses nobody what is theirs.
        request.state.is_unproved = True
        return answer({"error": str(error), "prove": True}, 403)
    return refuse(403, str(error))


async def _signed_out(_request: Request, error: Exception) -> Response:
    return refuse(401, str(error))


async def _conflict(_request: Request, error: Exception) -> Response:
    return refuse(409, str(error))


async def _bad_request(_request: Request, error: Exception) -> Response:
    wrong = error.errors()[0] if isinstance(error, RequestValidationError) else {}
    name = wrong.get("loc", ("",))[-1]
    return refuse(400, f"{name}: {wrong.get('msg', 'not understood')}.")


async def _too_much(_request: Request, error: Exception) -> Response:
    return refuse(413, str(error))


async def _too_busy(_request: Request, error: Exception) -> Response:
    # As a limit, and not as a fault: a page waits and asks again.
    refused = refuse(429, str(error))
    refused.headers["retry-after"] = _BUSY_S
    return refused


async def _away(_request: Request, error: Exception) -> Response:
    _log.warning("the database did not answer: %s", error)
    return refuse(503, _AWAY)


async def _http(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == 404:
        return refuse(404, str(NotFound()))
    return refuse(status, f"{getattr(error, 'detail', 'failed')}.")


async def _failed(_request: Request, _error: Exception) -> Response:
    # The server logs the traceback; the browser gets no word of it.
    return refuse(500, "Something went wrong here, and it was logged. Trying again may help.")
