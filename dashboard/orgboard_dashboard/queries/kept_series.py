"""Series as they were read, for whoever asks for the same ones next.

Those who follow a project mostly look at the same runs, and each asks for them anew whenever they
grew. A run's revision goes up with every commit that changes what its series are, so that what
was read at one revision is what there is to read at it. Permissions are no part of this: who asks
has found the run, at that revision, by a query of one's own.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from weakref import WeakKeyDictionary

from sqlalchemy import Engine

from orgboard_schema.sql.read import SeriesData

__all__ = ["Kept", "Of", "kept_of"]

MOST_BYTES: Final = 32 << 20

_SERIES_BYTES: Final = 1000
"""About what a series takes beside its points."""


@dataclass(frozen=True, slots=True)
class Of:
    """What was read: a run at a revision, and of which tags."""

    run_id: int
    revision: int
    touched_ms: int
    """Beside the revision: a database that was put back to an earlier state goes on otherwise."""
    tags: frozenset[int]


class Kept:
    """Keeps series, the newest up to a size. For any number of threads."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._series: OrderedDict[Of, tuple[Mapping[int, SeriesData], int]] = OrderedDict()
        self._bytes = 0

    def get(self, of: Of) -> Mapping[int, SeriesData] | None:
        """Return the series by tag, without those that have no point; None when not kept."""
        with self._lock:
            found = self._series.get(of)
            if found is None:
                return None
            self._series.move_to_end(of)
            return found[0]

    def put(self, of: Of, series: Mapping[int, SeriesData]) -> None:
        """Keep series. Nobody can write into their columns any more."""
        taken = _SERIES_BYTES
        for data in series.values():
            for column in (data.step, data.wall, data.value, data.attempt, data.superseded):
                column.setflags(write=False)
                taken += column.nbytes
            taken += _SERIES_BYTES
        if taken > self._most_bytes // 8:
            return
        with self._lock:
            if of in self._series:
                return
            self._series[of] = series, taken
            self._bytes += taken
            while self._bytes > self._most_bytes:
                _, (_, freed) = self._series.popitem(last=False)
                self._bytes -= freed


_lock: Final = threading.Lock()
_of_engine: Final[WeakKeyDictionary[Engine, Kept]] = WeakKeyDictionary()


def kept_of(engine: Engine) -> Kept:
    """Return what is kept of a database."""
    with _lock:
        return _of_engine.setdefault(engine, Kept())
