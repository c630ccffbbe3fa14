"""What the heads of many runs say of single series: read, and no head taken apart for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from orgboard_dashboard.queries.kept_columns import Candidates
from orgboard_dashboard.queries.names import ProjectNames
from orgboard_schema.blocks.heads import HeadTable, empty_heads, heads_at_each
from orgboard_schema.blocks.series import kind_number
from orgboard_schema.errors import CorruptBlock
from orgboard_schema.sql import tables
from orgboard_schema.sql.dictionary import IDS_PER_QUERY, chunked
from orgboard_schema.sql.engine import IN_BINARY
from orgboard_schema.types import Kind

__all__ = ["read_heads", "runs_having"]

_TOGETHER: Final = 2000
"""Heads in memory at once."""

Ints = NDArray[np.int64]


def runs_having(
    names: ProjectNames, runs: Candidates, tag_id: int, kind: Kind = "scalar"
) -> NDArray[np.bool_]:
    """Tell which of the runs have logged this series."""
    return np.isin(runs.tag_set_id, np.array(sorted(names.places_of(tag_id, kind)), np.int64))


def read_heads(
    conn: Connection,
    names: ProjectNames,
    runs: Candidates,
    wanted: Mapping[int, Ints],
    kind: Kind = "scalar",
) -> Iterator[tuple[int, Ints, HeadTable]]:
    """Yield a tag, some of the rows of `runs` in which it is wanted, and its head in each.

    A run whose head is damaged, or says nothing of the series, has an empty one. The runs were
    chosen by who may see them.
    """
    every = [rows for rows in wanted.values() if len(rows)]
    if not every:
        return
    each = np.unique(np.concatenate(every))
    each = each[np.argsort(runs.run_id[each])]
    run_ids = runs.run_id[each]
    is_wanted = {tag_id: np.isin(each, rows) for tag_id, rows in wanted.items()}
    sets = np.unique(runs.tag_set_id[each])
    of_set = np.searchsorted(sets, runs.tag_set_id[each])
    places = {tag_id: _places(names, sets, tag_id, kind)[of_set] for tag_id in wanted}
    # Where most are wanted, the few others between them cost less than a list of numbers.
    dense = 2 * len(run_ids) >= sum(names.runs_of_set.values())
    for some_ids, payloads in _payloads(conn, run_ids, dense=dense):
        at = np.searchsorted(run_ids, some_ids)
        asked = []
        for tag_id, place in places.items():
            which = np.flatnonzero(is_wanted[tag_id][at])
            asked.append((which, place[at[which]]))
        found = _rows_at(payloads, [(which.tolist(), rows.tolist()) for which, rows in asked])
        for tag_id, (which, _), table in zip(places, asked, found, strict=True):
            others = (table["tag_id"] != tag_id) | (table["kind"] != kind_number(kind))
            table[others] = empty_heads(1)
            yield tag_id, each[at[which]], table


def _places(names: ProjectNames, sets: Ints, tag_id: int, kind: Kind) -> Ints:
    """Return where the heads of runs have a series, for each of these sets of tags; or -1."""
    known = names.places_of(tag_id, kind)
    return np.array([known.get(tag_set_id, -1) for tag_set_id in sets.tolist()], np.int64)


def _payloads(
    conn: Connection, run_ids: Ints, *, dense: bool
) -> Iterator[tuple[Ints, list[bytes]]]:
    """Yield the heads of these runs, some at a time; `dense` says that most runs are among them."""
    head = tables.run_head.c
    # Not joined with the runs, which costs half as much again: in the same snapshot they have
    # just been read by what the viewer may see.
    asked = select(head.run_id, head.payload).execution_options(**IN_BINARY)
    for some in chunked(run_ids.tolist(), _TOGETHER if dense else IDS_PER_QUERY):
        among = head.run_id.between(some[0], some[-1]) if dense else head.run_id.in_(some)
        wanted = set(some)
        rows = conn.execute(asked.where(among)).all()
        found = [(run_id, payload) for run_id, payload in rows if run_id in wanted]
        ids = np.array([run_id for run_id, _payload in found], np.int64)
        yield ids, [bytes(payload) for _run_id, payload in found]


def _rows_at(
    payloads: Sequence[bytes], asked: Sequence[tuple[list[int], list[int]]]
) -> list[HeadTable]:
    """Return the rows that are asked for; a damaged head, which `db check` names, has none."""
    try:
        return heads_at_each(payloads, asked)
    except CorruptBlock:
        return [
            np.concatenate([_row_at(payloads[at], place) for at, place in zip(*each, strict=True)])
            if each[0]
            else empty_heads()
            for each in asked
        ]


def _row_at(payload: bytes, place: int) -> HeadTable:
    try:
        return heads_at_each([payload], [([0], [place])])[0]
    except CorruptBlock:
        return empty_heads(1)
