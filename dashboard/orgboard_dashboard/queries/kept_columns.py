"""Columns of what runs say of a tag, kept from one question to the next.

Of a kept column only the runs are read again that have changed since.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from threading import Lock
from typing import Final
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine

__all__ = ["Candidates", "KeptColumns", "kept_columns"]

_KEPT_VALUES: Final = 2_000_000
"""Of all columns of a database that are kept: about 100 MB."""

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Runs that are looked at, in some order: columns of the same length."""

    run_id: Ints
    tag_set_id: Ints
    """0: the run has logged nothing."""
    stamp: Ints
    """Another one whenever the run's head is."""

    def __len__(self) -> int:
        return len(self.run_id)

    def some(self, places: NDArray[np.intp]) -> Candidates:
        """Return those at these places."""
        return Candidates(self.run_id[places], self.tag_set_id[places], self.stamp[places])


@dataclass(frozen=True, slots=True, eq=False)
class _Kept:
    """A column by run: sorted run ids, when each was read, and what was read."""

    run_id: Ints
    stamp: Ints
    values: Floats
    """A row of each."""


class KeptColumns:
    """The columns of one database that are kept, the longest unused given up first."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()

    def fill(self, key: Hashable, runs: Candidates, having: Bools, values: Floats) -> Ints:
        """Copy into `values` what is kept and still true; return which of `having` it is not."""
        kept = self._get(key)
        if kept is None or not len(kept.run_id):
            return np.flatnonzero(having)
        at = np.minimum(np.searchsorted(kept.run_id, runs.run_id), len(kept.run_id) - 1)
        known = having & (kept.run_id[at] == runs.run_id) & (kept.stamp[at] == runs.stamp)
        values[known] = kept.values[at[known]]
        return np.flatnonzero(having & ~known)

    def keep(self, key: Hashable, runs: Candidates, rows: Ints, values: Floats) -> None:
        """Keep `values`, a row of each of these rows of `runs`, in the place of older ones."""
        if not len(rows):
            return
        run_id, stamp = runs.run_id[rows], runs.stamp[rows]
        kept = self._get(key)
        if kept is not None:
            others = ~np.isin(kept.run_id, run_id)
            run_id = np.concatenate((run_id, kept.run_id[others]))
            stamp = np.concatenate((stamp, kept.stamp[others]))
            values = np.concatenate((values, kept.values[others]))
        order = np.argsort(run_id)
        self._put(key, _Kept(run_id[order], stamp[order], values[order]))

    def _get(self, key: Hashable) -> _Kept | None:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def _put(self, key: Hashable, column: _Kept) -> None:
        with self._lock:
            self._kept[key] = column
            self._kept.move_to_end(key)
            while sum(len(each.run_id) for each in self._kept.values()) > _KEPT_VALUES:
                self._kept.popitem(last=False)


_databases: Final[WeakKeyDictionary[Engine, KeptColumns]] = WeakKeyDictionary()
_databases_lock: Final = Lock()


def kept_columns(engine: Engine) -> KeptColumns:
    """Return what is kept of a database."""
    with _databases_lock:
        return _databases.setdefault(engine, KeptColumns())
