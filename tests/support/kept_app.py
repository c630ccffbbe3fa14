"""The whole app, made once and set before one database after the other.

Making it takes as long as fifty requests: FastAPI looks at the types of each route, and they are
the same over every database. What the app knows of one, and of who asked it how often, is in the
places that are set here.
"""

from __future__ import annotations

import time

from sqlalchemy import Engine

from orgboard_dashboard.app import Web, create_app
from orgboard_dashboard.config import WebConfig
from orgboard_dashboard.limits import Limits
from orgboard_dashboard.queries.guard import watch_over
from orgboard_dashboard.refusals import Refusals

__all__ = ["kept_app"]

_kept: list[Web] = []


def kept_app(engine: Engine) -> Web:
    """Return the app without settings over a database, as if it had just been started there.

    Who needs two at a time, a setting or a clock makes one's own by `create_app`.
    """
    if not _kept:
        _kept.append(create_app(WebConfig(), engine))
    [web] = _kept
    identity = web.gate._identity
    if identity.services.engine is not engine:
        watch_over(engine, strict=False)
        # Frozen for the app, which has one database as long as it lives.
        object.__setattr__(identity.services, "engine", engine)
        web.gate._limits = Limits(time.monotonic)
        web.gate._refused = Refusals(identity.services).note
        identity._has_accounts, identity._looked_at = False, float("-inf")
        web.board._engine = engine
    return web
