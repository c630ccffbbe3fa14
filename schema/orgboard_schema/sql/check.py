"""Is the store what was written? Reads everything, changes nothing, names what is damaged.

A database can be made again from the event files, so the answer to damage is to know it:
which run, which row, what is wrong.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import DatabaseError

from orgboard_schema.blocks import HeadTable, decode_heads, decode_segment, decode_tag_set
from orgboard_schema.blocks.heads import empty_heads, row_places, series_key
from orgboard_schema.blocks.series import Ints
from orgboard_schema.blocks.summary import summarise_block
from orgboard_schema.errors import CorruptBlock
from orgboard_schema.sql import tables
from orgboard_schema.sql.dictionary import chunked
from orgboard_schema.sql.pieces import decode_block
from orgboard_schema.sql.recount import count_points, series_keys
from orgboard_schema.sql.standing import SHADOW, SHOWN
from orgboard_schema.sql.supersede import load_cuts
from orgboard_schema.sql.text import from_sql
from orgboard_schema.types import KINDS

__all__ = ["Damage", "check_store", "totals"]

ROWS_AT_ONCE: Final = 64
"""Payloads fetched by one statement: bounds memory at a few megabytes of blocks."""

_COUNTED: Final = ("n", "n_all", "first_step", "last_step", "min_value", "max_value", "attempt")
"""What a head must share with one counted anew; the rest depends on the order of commits."""


@dataclass(frozen=True, slots=True)
class Damage:
    """One thing that is not as it was written."""

    place: str
    """For people: "run lr=0.1 (uid), block 3 of tag 7"."""
    what: str


def check_store(conn: Connection) -> Iterator[Damage]:
    """Yield all damage of the database, in one snapshot."""
    if conn.dialect.name == "sqlite":
        for line in _quick_check(conn):
            yield Damage("the SQLite file", line)
    columns = tables.run.c
    runs = conn.execute(
        select(columns.run_id, columns.uid, columns.name, columns.points)
        # Of others, rows are being removed.
        .where(columns.standing.in_((SHOWN, SHADOW)))
        .order_by(columns.run_id)
    ).all()
    for run_id, uid, name, points in runs:
        place = f"run {from_sql(name)!r} ({uid})"
        damaged = False
        for damage in _check_payloads(conn, run_id, place):
            damaged = True
            yield damage
        # Counting needs sound payloads.
        if not damaged:
            yield from _check_counts(conn, run_id, place, points)
        yield from _check_files(conn, run_id, place)
    yield from _check_tag_sets(conn)
    yield from _check_blobs(conn)


def _quick_check(conn: Connection) -> list[str]:
    try:
        lines = [str(row[0]) for row in conn.exec_driver_sql("PRAGMA quick_check")]
    except DatabaseError as error:
        return [str(error.orig)]
    return [line for line in lines if line != "ok"]


def _check_payloads(conn: Connection, run_id: int, place: str) -> Iterator[Damage]:
    head = tables.run_head.c
    payload = conn.execute(select(head.payload).where(head.run_id == run_id)).scalar_one_or_none()
    if payload is not None:
        try:
            decode_heads(bytes(payload))
        except CorruptBlock as error:
            yield Damage(f"{place}, heads", str(error))
    yield from _check_segments(conn, run_id, place)
    yield from _check_blocks(conn, run_id, place)


def _check_segments(conn: Connection, run_id: int, place: str) -> Iterator[Damage]:
    columns = tables.segment.c
    rows = conn.execute(
        select(columns.seq, columns.n, columns.payload).where(columns.run_id == run_id)
    )
    for seq, n, payload in rows:
        here = f"{place}, segment {seq}"
        try:
            found = sum(len(chunk.series) for chunk in decode_segment(bytes(payload)))
        except CorruptBlock as error:
            yield Damage(here, str(error))
            continue
        if found != n:
            yield Damage(here, f"{n} points promised, {found} there")


def _check_blocks(conn: Connection, run_id: int, place: str) -> Iterator[Damage]:
    columns = tables.block.c
    here = (columns.run_id == run_id) & (columns.level == 0)
    keys = sorted(
        (tag_id, kind, seq)
        for tag_id, kind, seq in conn.execute(
            select(columns.tag_id, columns.kind, columns.seq).where(here)
        )
    )
    for some in chunked(keys, ROWS_AT_ONCE):
        # The range of tags lets the primary key find them; numbers alone would scan the run.
        near = columns.tag_id.between(some[0][0], some[-1][0])
        seqs = [seq for _, _, seq in some]
        for row in conn.execute(select(tables.block).where(here, near, columns.seq.in_(seqs))):
            what = _block_damage(row._asdict())
            if what:
                yield Damage(f"{place}, block {row.seq} of tag {row.tag_id}", what)


def _block_damage(row: dict[str, Any]) -> str:
    try:
        series = decode_block(KINDS[row["kind"]], bytes(row["payload"]))
    except CorruptBlock as error:
        return str(error)
    if not len(series):
        return "no point in it"
    summary = summarise_block(series)._asdict()
    # Sums depend on the order of adding, and that on who added.
    del summary["value_sum"]
    differing = [name for name, value in summary.items() if row[name] != value]
    return f"its row does not fit its points: {', '.join(differing)}" if differing else ""


def _check_counts(conn: Connection, run_id: int, place: str, points: int) -> Iterator[Damage]:
    head = tables.run_head.c
    payload = conn.execute(select(head.payload).where(head.run_id == run_id)).scalar_one_or_none()
    heads = empty_heads() if payload is None else decode_heads(bytes(payload))
    if int(heads["n_all"].sum()) != points:
        yield Damage(place, f"{points} points counted, {int(heads['n_all'].sum())} in its heads")
    stored = {
        (tag_id, KINDS[kind])
        for tag_id, kind in conn.execute(
            select(tables.block.c.tag_id, tables.block.c.kind)
            .where(tables.block.c.run_id == run_id)
            .distinct()
        )
    }
    cuts = load_cuts(conn, [run_id])[run_id]
    keys = stored | set(series_keys(heads))
    counted = count_points(conn, run_id, cuts, keys)
    numbers = np.array(sorted(series_key(*key) for key in keys), np.int64)
    for row in _differing(heads, counted, numbers):
        yield Damage(f"{place}, head of tag {row}", "does not fit the points")


def _differing(heads: HeadTable, counted: HeadTable, numbers: Ints) -> Iterator[str]:
    heads, old = row_places(heads, numbers)
    counted, new = row_places(counted, numbers)
    mine, theirs = heads[old], counted[new]
    # Column by column: a run may have a hundred thousand series.
    differs = {name: _unlike(mine[name], theirs[name]) for name in _COUNTED}
    for at in np.flatnonzero(np.any(list(differs.values()), axis=0)).tolist():
        names = [name for name in _COUNTED if differs[name][at]]
        row = mine[at]
        yield f"{row['tag_id']} ({KINDS[row['kind']]}: {', '.join(names)})"


def _unlike(left: npt.NDArray[Any], right: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    both_missing = (left != left) & (right != right)
    unlike: npt.NDArray[np.bool_] = (left != right) & ~both_missing
    return unlike


def _check_files(conn: Connection, run_id: int, place: str) -> Iterator[Damage]:
    columns = tables.source_file.c
    rows = conn.execute(
        select(columns.name, columns.offset, columns.size).where(
            columns.run_id == run_id, columns.offset > columns.size
        )
    )
    for name, offset, size in rows:
        yield Damage(f"{place}, file {from_sql(name)!r}", f"read to {offset} of {size} bytes")


def _check_tag_sets(conn: Connection) -> Iterator[Damage]:
    for row in conn.execute(select(tables.tag_set)):
        payload = bytes(row.payload)
        try:
            decode_tag_set(payload)
        except CorruptBlock as error:
            yield Damage(f"tag set {row.tag_set_id}", str(error))
            continue
        if hashlib.sha256(payload).digest() != bytes(row.sha256):
            yield Damage(f"tag set {row.tag_set_id}", "its content does not have its hash")


def _check_blobs(conn: Connection) -> Iterator[Damage]:
    columns = tables.blob.c
    for key in [bytes(key) for key in conn.scalars(select(columns.sha256))]:
        data = conn.execute(select(columns.data).where(columns.sha256 == key)).scalar_one()
        if data is not None and hashlib.sha256(bytes(data)).digest() != key:
            yield Damage(f"blob {key.hex()}", "its content does not have its hash")


def totals(conn: Connection) -> tuple[int, int, int]:
    """Return how many runs, points and blobs there are."""
    runs, points = conn.execute(
        select(func.count(), func.coalesce(func.sum(tables.run.c.points), 0)).where(
            tables.run.c.standing == SHOWN
        )
    ).one()
    blobs = conn.execute(select(func.count()).select_from(tables.blob)).scalar_one()
    return int(runs), int(points), int(blobs)
