"""Hyperparameters as they were read, for the next question that names them.

A run's revision goes up with every commit that may change them, so that a project of which
nothing has changed has the same ones.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from threading import Lock
from typing import Any, Final, TypeAlias
from weakref import WeakKeyDictionary

from sqlalchemy import ColumnElement, Connection, Engine, Row, Select, func, select

from orgboard_dashboard.queries.visible import ProjectRef
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.sql import tables

__all__ = ["KeptHparams", "Stamp", "kept_hparams", "stamp_of"]

_KEPT_VALUES: Final = 500_000
"""Of all that is kept of a database: about 70 MB."""

_OF_A_NAME: Final = 100
"""As much as a name takes that no run has."""

_PRIME: Final = 2_147_483_647
"""What times are taken modulo, so that those of any number of runs can be added."""

Stamp: TypeAlias = tuple[int, ...]
"""Of some runs: another one whenever one of them is, or a commit came to one."""

_Key: TypeAlias = tuple[Viewer, ProjectRef, str]


def stamp_of(conn: Connection, here: ColumnElement[bool]) -> Stamp:
    """Return the stamp of the runs for which `here` holds."""
    found: Row[Any] = conn.execute(_stamped().where(here)).one()
    return tuple(int(number or 0) for number in found)


def _stamped() -> Select[Any]:
    run = tables.run.c
    sums = (run.run_id, run.revision, run.touched_ms % _PRIME)
    return select(func.count(), *map(func.sum, sums))


class KeptHparams:
    """Values by run, of each name that was asked for, the longest unused given up first."""

    def __init__(self, most: int = _KEPT_VALUES) -> None:
        self._most = most
        self._lock = Lock()
        self._kept: OrderedDict[_Key, tuple[Stamp, Mapping[int, Any]]] = OrderedDict()
        self._size = 0

    def get(self, key: _Key, stamp: Stamp) -> Mapping[int, Any] | None:
        """Return the values under a name, which nobody may change; None when not kept."""
        with self._lock:
            if key not in self._kept or self._kept[key][0] != stamp:
                return None
            self._kept.move_to_end(key)
            return self._kept[key][1]

    def put(self, key: _Key, stamp: Stamp, values: Mapping[int, Any]) -> None:
        """Keep the values under a name in the place of older ones."""
        with self._lock:
            if key in self._kept:
                self._size -= _size(self._kept.pop(key)[1])
            self._kept[key] = (stamp, values)
            self._size += _size(values)
            while self._size > self._most:
                _, (_, oldest) = self._kept.popitem(last=False)
                self._size -= _size(oldest)


def _size(values: Mapping[int, Any]) -> int:
    return _OF_A_NAME + len(values)


_databases: Final[WeakKeyDictionary[Engine, KeptHparams]] = WeakKeyDictionary()
_databases_lock: Final = Lock()


def kept_hparams(engine: Engine) -> KeptHparams:
    """Return what is kept of a database."""
    with _databases_lock:
        return _databases.setdefault(engine, KeptHparams())
