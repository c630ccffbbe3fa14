"""Is what is told of taken points what was written?"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

import numpy as np
from sqlalchemy import Connection, select

from orgboard_schema.blocks.series import Ints
from orgboard_schema.blocks.taken import decode_taken
from orgboard_schema.sql import read, tables
from orgboard_schema.sql.damage import Damage, guarded
from orgboard_schema.sql.recount import series_keys
from orgboard_schema.sql.thinning.marks import TakenKey
from orgboard_schema.types import KINDS

__all__ = ["check_taken"]

_thinned = tables.thinned.c
_KEY: Final = (_thinned.tag_id, _thinned.kind, _thinned.attempt, _thinned.seq)


def check_taken(conn: Connection, run_id: int, place: str) -> Iterator[Damage]:
    """Yield the damage of a run's rows of `thinned`, read one by one."""
    places: dict[TakenKey, list[Ints]] = {}
    keys = conn.execute(select(*_KEY).where(_thinned.run_id == run_id).order_by(*_KEY)).all()
    for tag_id, number, attempt, seq in keys:
        here = f"{place}, thinned {seq} of tag {tag_id}"
        mine = places.setdefault((tag_id, KINDS[number], attempt), [])
        yield from guarded(conn, here, partial(_row, conn, run_id, seq, here, mine))
    known = set(series_keys(read.heads(conn, [run_id])[run_id])) if keys else set()
    for (tag_id, kind, attempt), some in places.items():
        here = f"{place}, thinned of tag {tag_id} ({kind}), attempt {attempt}"
        if (tag_id, kind) not in known:
            yield Damage(here, "the run has no such series")
        taken = np.concatenate(some) if some else np.empty(0, np.int64)
        if len(np.unique(taken)) != len(taken):
            yield Damage(here, "points that were taken twice")


def _row(
    conn: Connection, run_id: int, seq: int, here: str, places: list[Ints]
) -> Iterator[Damage]:
    query = select(_thinned.n, _thinned.payload)
    query = query.where(_thinned.run_id == run_id, _thinned.seq == seq)
    n, payload = conn.execute(query).one()
    taken = decode_taken(bytes(payload))
    places.append(taken.place)
    if len(taken) != n:
        yield Damage(here, f"{n} points promised, {len(taken)} there")
