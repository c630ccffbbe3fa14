"""How many points the questions under way unpack, of one process: a few large ones at a time.

A point takes some fifty bytes from where it is read to where it is drawn. A question of millions
is answered; several at once would take gigabytes, so that the next one is told to come again.
"""

from __future__ import annotations

import threading
from functools import partial
from typing import Any, Final
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, event

from orgboard_dashboard.queries.errors import TooBusy

__all__ = ["LARGE", "MOST", "PointsAtOnce", "points_at_once", "points_read"]

LARGE: Final = 1_000_000
"""Questions of fewer points are not counted: they are over before it matters."""
MOST: Final = 20_000_000
"""A gigabyte. A single question may have as many."""

_READ: Final = "orgboard_points"


class PointsAtOnce:
    """The points of large questions under way. For any number of threads."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._under_way = 0

    def under_way(self) -> int:
        """Return how many points are being read."""
        return self._under_way

    def begin(self, conn: Connection, points: int) -> None:
        """Count points that are to be read on a connection, until its transaction ends.

        Raises:
            TooBusy: others read so many that there is no room for them.
        """
        own = points_read(conn)
        with self._lock:
            others = self._under_way - own
            if others and self._under_way + points > self._most:
                raise TooBusy("Others look at millions of points just now. Try again in a moment.")
            self._under_way += points
        conn.info[_READ] = own + points
        if not own:
            for end in ("commit", "rollback"):
                event.listen(conn, end, partial(self._end, conn.info))

    def _end(self, info: dict[str, Any], _conn: Connection) -> None:
        with self._lock:
            self._under_way -= info.pop(_READ, 0)


def points_read(conn: Connection) -> int:
    """Return how many points large questions have read in the transaction of a connection."""
    return int(conn.info.get(_READ, 0))


_lock: Final = threading.Lock()
_of_engine: Final[WeakKeyDictionary[Engine, PointsAtOnce]] = WeakKeyDictionary()


def points_at_once(engine: Engine) -> PointsAtOnce:
    """Return what is counted of a database."""
    with _lock:
        return _of_engine.setdefault(engine, PointsAtOnce())
