"""What was taken of which series: the marks that thinning leaves."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from sqlalchemy import Connection, func, select

from orgboard_schema.blocks.series import kind_number
from orgboard_schema.blocks.taken import Taken, decode_taken, join_taken
from orgboard_schema.sql import tables
from orgboard_schema.sql.dictionary import chunked
from orgboard_schema.sql.pieces import SeriesKey
from orgboard_schema.types import KINDS, Kind

__all__ = ["Mark", "TakenKey", "is_settled", "iter_taken", "load_marks", "load_taken"]

TakenKey: TypeAlias = tuple[int, Kind, int]
"""Tag, kind, attempt."""

_thinned = tables.thinned.c
_PLAIN: Final = (
    *(_thinned.run_id, _thinned.tag_id, _thinned.kind, _thinned.n),
    *(_thinned.at, _thinned.keep_every, _thinned.after_days),
)


@dataclass(frozen=True, slots=True)
class Mark:
    """One series that was thinned."""

    tag_id: int
    kind: Kind
    taken: int
    at: float
    """Seconds, when that was done last; the rule is that time's."""
    keep_every: int
    after_days: float


def load_marks(conn: Connection, run_ids: Collection[int]) -> dict[int, list[Mark]]:
    """Return what was thinned of each of these runs, by tag and kind; without those not thinned."""
    newest: dict[int, dict[SeriesKey, Mark]] = {}
    for some in chunked(sorted(run_ids)):
        query = select(*_PLAIN).where(_thinned.run_id.in_(some))
        # A row is a thousand points: few are looked at.
        for run_id, tag_id, number, n, *rule in conn.execute(query.order_by(_thinned.seq)):
            kind = KINDS[number]
            mine = newest.setdefault(run_id, {})
            before = mine.get((tag_id, kind))
            mine[tag_id, kind] = Mark(tag_id, kind, n + (before.taken if before else 0), *rule)
    return {
        run_id: sorted(mine.values(), key=lambda mark: (mark.tag_id, kind_number(mark.kind)))
        for run_id, mine in newest.items()
    }


def iter_taken(
    conn: Connection, run_id: int, kinds: Collection[Kind] | None = None
) -> Iterator[tuple[TakenKey, Taken]]:
    """Yield what was taken of a run, row by row; of `kinds` alone, if given.

    Raises:
        CorruptBlock: A row is not what was written.
    """
    query = select(_thinned.tag_id, _thinned.kind, _thinned.attempt, _thinned.payload).where(
        _thinned.run_id == run_id
    )
    if kinds is not None:
        query = query.where(_thinned.kind.in_([kind_number(kind) for kind in kinds]))
    order = (_thinned.tag_id, _thinned.kind, _thinned.attempt, _thinned.seq)
    for tag_id, number, attempt, payload in conn.execute(query.order_by(*order)):
        yield (tag_id, KINDS[number], attempt), decode_taken(bytes(payload))


def load_taken(
    conn: Connection, run_id: int, kinds: Collection[Kind] | None = None
) -> Mapping[TakenKey, Taken]:
    """Return what was taken of each series and attempt of a run, in order of place."""
    parts: dict[TakenKey, list[Taken]] = {}
    for key, taken in iter_taken(conn, run_id, kinds):
        parts.setdefault(key, []).append(taken)
    return {key: join_taken(some) for key, some in parts.items()}


def is_settled(conn: Connection, run_id: int) -> bool:
    """Tell whether no thinning of this run was stopped before its references were looked at."""
    open_ = (_thinned.run_id == run_id) & (_thinned.settled == 0)
    return not conn.execute(select(func.count()).where(open_)).scalar_one()
