"""Whether the database works, and whether anybody fills it. Tells nothing of anyone's."""

from __future__ import annotations

from sqlalchemy import Engine, func, select

from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_read
from orgboard_schema.sql.migrate import check_version

__all__ = ["ingest_lag_s"]


def ingest_lag_s(engine: Engine, now: float) -> float | None:
    """Return how many seconds ago an ingest last looked at a directory; None: never.

    Raises:
        DatabaseUnreachable: the database does not answer.
        DatabaseOlder, DatabaseNewer: it is not of this program's version.
    """
    check_version(engine)
    with begin_read(engine) as conn:
        seen = conn.execute(select(func.max(tables.logdir.c.seen_at))).scalar()
    return None if seen is None else max(0.0, now - seen)
