"""Heads made anew from the stored points: after a restart hid some, or to check them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import islice
from typing import Final

import numpy as np
from sqlalchemy import Connection

from orgboard_schema.blocks import Chunk, HeadTable
from orgboard_schema.blocks.heads import empty_heads, row_places, series_key
from orgboard_schema.blocks.summary import add_points
from orgboard_schema.sql.pieces import SeriesKey, iter_pieces
from orgboard_schema.sql.runs import RunState
from orgboard_schema.sql.supersede import Cut, superseded
from orgboard_schema.types import KINDS

__all__ = ["count_points", "recount", "series_keys"]

PIECES_AT_ONCE: Final = 1024
"""At most some 50 MB of points; a piece is a block or less."""


def recount(
    conn: Connection, state: RunState, cuts: Sequence[Cut], keys: Collection[SeriesKey] | None
) -> None:
    """Count the points of these series anew (None: of all), in the locked run's heads."""
    if keys is None:
        keys = series_keys(state.heads)
    counted = count_points(conn, state.run_id, cuts, keys)
    numbers = np.array(sorted(series_key(*key) for key in keys), np.int64)
    counted, new = row_places(counted, numbers)
    state.heads, old = row_places(state.heads, numbers)
    fresh = counted[new]
    for kept in ("metadata_id", "waiting", "waiting_bytes"):
        fresh[kept] = state.heads[kept][old]
    state.heads[old] = fresh


def count_points(
    conn: Connection, run_id: int, cuts: Sequence[Cut], keys: Collection[SeriesKey]
) -> HeadTable:
    """Return heads of these series by reading every point of theirs."""
    heads = empty_heads()
    pieces = iter_pieces(conn, run_id, keys)
    # Many at once: each addition touches the whole table.
    while some := list(islice(pieces, PIECES_AT_ONCE)):
        masks = [
            superseded(cuts, piece.tag_id, piece.kind, piece.attempt, piece.series.step)
            for piece in some
        ]
        chunks = [Chunk(piece.tag_id, piece.kind, piece.series) for piece in some]
        heads = add_points(heads, chunks, [piece.attempt for piece in some], masks)
    return heads


def series_keys(heads: HeadTable) -> list[SeriesKey]:
    """Return which series a head table has."""
    return [(tag_id, KINDS[kind]) for kind, tag_id in heads[["kind", "tag_id"]].tolist()]
