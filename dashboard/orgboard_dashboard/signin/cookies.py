"""The cookies of who signed in: the session's secret, and what our pages send beside it."""

from __future__ import annotations

from starlette.responses import Response

from orgboard_dashboard.accounts.opaque import csrf_of
from orgboard_dashboard.config import WebConfig
from orgboard_dashboard.queries.people.ways_in import ABSOLUTE_S

__all__ = ["give_session"]


def give_session(response: Response, config: WebConfig, secret: str) -> None:
    """Have the browser keep a session."""
    for name, value, is_secret in (
        (config.session_cookie, secret, True),
        (config.csrf_cookie, csrf_of(secret), False),
    ):
        response.set_cookie(
            name,
            value,
            max_age=int(ABSOLUTE_S),
            secure=config.is_https,
            httponly=is_secret,
            samesite="lax",
        )
