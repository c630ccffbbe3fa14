"""Are the points of a run what was written? Payload by payload, then counted."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, select

from orgboard_schema.blocks import (
    HeadTable,
    ScalarSeries,
    decode_heads,
    decode_scalars,
    decode_segment,
    decode_tag_set,
    encode_heads,
)
from orgboard_schema.blocks.heads import empty_heads, row_places, series_key
from orgboard_schema.blocks.pyramid import Buckets, decode_buckets, make_buckets
from orgboard_schema.blocks.series import Ints
from orgboard_schema.blocks.summary import summarise_block
from orgboard_schema.errors import CorruptBlock
from orgboard_schema.sql import tables
from orgboard_schema.sql.damage import Damage, guarded
from orgboard_schema.sql.dictionary import chunked, tag_names
from orgboard_schema.sql.pieces import decode_block
from orgboard_schema.sql.pyramid import LEVEL, pyramid_row
from orgboard_schema.sql.recount import count_points, series_keys
from orgboard_schema.sql.supersede import load_cuts
from orgboard_schema.sql.thinning.checking import check_taken
from orgboard_schema.types import KINDS

__all__ = ["check_points"]

ROWS_AT_ONCE: Final = 64
"""Payloads fetched by one statement: bounds memory at a few megabytes of blocks."""

_COUNTED: Final = ("n", "n_all", "first_step", "last_step", "min_value", "max_value", "attempt")
"""What a head must share with one counted anew; the rest depends on the order of commits."""

_block = tables.block.c
_NO_HEADS: Final = encode_heads(empty_heads())


def check_points(conn: Connection, run_id: int, place: str, points: int) -> Iterator[Damage]:
    """Yield the damage of a run's points, heads, pyramids and set of tags."""
    damaged = False
    for damage in _check_payloads(conn, run_id, place):
        damaged = True
        yield damage
    # Counting needs sound payloads.
    if not damaged:
        yield from guarded(conn, place, lambda: _check_counts(conn, run_id, place, points))
        yield from guarded(conn, place, lambda: _check_pyramids(conn, run_id, place))


def _check_payloads(conn: Connection, run_id: int, place: str) -> Iterator[Damage]:
    yield from guarded(conn, f"{place}, heads", lambda: _check_heads(conn, run_id, place))
    yield from guarded(conn, f"{place}, segments", lambda: _check_segments(conn, run_id, place))
    yield from guarded(conn, f"{place}, blocks", lambda: _check_blocks(conn, run_id, place))
    yield from guarded(conn, f"{place}, thinned", lambda: check_taken(conn, run_id, place))


def _check_heads(conn: Connection, run_id: int, place: str) -> Iterator[Damage]:
    heads = decode_heads(_heads_payload(conn, run_id) or _NO_HEADS)
    run, tag_set = tables.run.c, tables.tag_set.c
    stored = conn.execute(
        select(tag_set.payload)
        .join(tables.run, run.tag_set_id == tag_set.tag_set_id)
        .where(run.run_id == run_id)
    ).scalar()
    listed = set() if stored is None else set(decode_tag_set(bytes(stored)))
    differing = listed ^ set(series_keys(heads))
    if differing:
        yield Damage(place, f"its set of tags and its heads differ in {len(differing)} series")
    names = tag_names(conn, set(heads["tag_id"].tolist()))
    for tag_id in sorted(set(heads["tag_id"].tolist()) - names.keys()):
        yield Damage(f"{place}, heads", f"there is no tag {tag_id}")


def _heads_payload(conn: Connection, run_id: int) -> bytes | None:
    head = tables.run_head.c
    payload = conn.execute(select(head.payload).where(head.run_id == run_id)).scalar_one_or_none()
    return None if payload is None else bytes(payload)


def _check_segments(conn: Connection, run_id: int, place: str) -> Iterator[Damage]:
    columns = tables.segment.c
    for seq in list(conn.scalars(select(columns.seq).where(columns.run_id == run_id))):
        here = f"{place}, segment {seq}"
        yield from guarded(conn, here, partial(_segment, conn, run_id, seq, here))


def _segment(conn: Connection, run_id: int, seq: int, here: str) -> Iterator[Damage]:
    columns = tables.segment.c
    query = select(columns.n, columns.payload)
    n, payload = conn.execute(query.where(columns.run_id == run_id, columns.seq == seq)).one()
    found = sum(len(chunk.series) for chunk in decode_segment(bytes(payload)))
    if found != n:
        yield Damage(here, f"{n} points promised, {found} there")


def _check_blocks(conn: Connection, run_id: int, place: str) -> Iterator[Damage]:
    here = (_block.run_id == run_id) & (_block.level == 0)
    keys = sorted(
        (tag_id, kind, seq)
        for tag_id, kind, seq in conn.execute(
            select(_block.tag_id, _block.kind, _block.seq).where(here)
        )
    )
    for some in chunked(keys, ROWS_AT_ONCE):
        # The range of tags lets the primary key find them; numbers alone would scan the run.
        near = _block.tag_id.between(some[0][0], some[-1][0])
        seqs = [seq for _, _, seq in some]
        query = select(tables.block).where(here, near, _block.seq.in_(seqs))
        found = list(guarded(conn, "", partial(_blocks, conn, query, place)))
        if not any(damage.place == "" for damage in found):
            yield from found
            continue
        # One of them cannot be read: which?
        for tag_id, _, seq in some:
            one = query.where(_block.tag_id == tag_id, _block.seq == seq)
            yield from guarded(
                conn,
                f"{place}, block {seq} of tag {tag_id}",
                partial(_blocks, conn, one, place),
            )


def _blocks(conn: Connection, query: Any, place: str) -> Iterator[Damage]:
    for row in conn.execute(query):
        what = _block_damage(row._asdict())
        if what:
            yield Damage(f"{place}, block {row.seq} of tag {row.tag_id}", what)


def _check_pyramids(conn: Connection, run_id: int, place: str) -> Iterator[Damage]:
    query = select(_block.tag_id, _block.seq).where(_block.run_id == run_id, _block.level == LEVEL)
    for tag_id, seq in sorted(tuple(row) for row in conn.execute(query)):
        here = f"{place}, pyramid {seq} of tag {tag_id}"
        yield from guarded(
            conn,
            here,
            partial(_pyramid, conn, run_id, tag_id, seq, here),
        )


def _pyramid(conn: Connection, run_id: int, tag_id: int, seq: int, here: str) -> Iterator[Damage]:
    mine = (_block.run_id == run_id) & (_block.tag_id == tag_id) & (_block.kind == 0)
    query = select(tables.block).where(mine, _block.level == LEVEL, _block.seq == seq)
    row = conn.execute(query).one()._asdict()
    buckets = decode_buckets(bytes(row["payload"]))
    points = _covered(conn, mine & (_block.attempt == row["attempt"]), buckets.blocks.tolist())
    if len(points) != len(buckets.blocks):
        yield Damage(here, f"it covers {len(buckets.blocks)} blocks, {len(points)} are there")
        return
    differing = _other_columns(buckets, make_buckets(points))
    plain = pyramid_row(run_id, tag_id, row["attempt"], buckets)
    differing += [name for name in plain if name != "payload" and plain[name] != row[name]]
    if differing:
        yield Damage(here, f"it does not fit its points: {', '.join(differing)}")


def _covered(conn: Connection, mine: Any, seqs: list[int]) -> list[tuple[int, ScalarSeries]]:
    found: list[tuple[int, ScalarSeries]] = []
    for some in chunked(seqs, ROWS_AT_ONCE):
        query = select(_block.seq, _block.payload).where(mine, _block.level == 0)
        rows = conn.execute(query.where(_block.seq.in_(some)).order_by(_block.seq))
        found += [(seq, decode_scalars(bytes(payload))) for seq, payload in rows]
    return found


def _other_columns(stored: Buckets, made: Buckets) -> list[str]:
    # A mean of parts of two types was rounded on its way.
    names = [name for name in Buckets.__dataclass_fields__ if name != "mean"]
    return [
        name
        for name in names
        if not np.array_equal(
            getattr(stored, name),
            getattr(made, name),
            equal_nan=getattr(made, name).dtype.kind == "f",
        )
    ]


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
    heads = decode_heads(_heads_payload(conn, run_id) or _NO_HEADS)
    if int(heads["n_all"].sum()) != points:
        yield Damage(place, f"{points} points counted, {int(heads['n_all'].sum())} in its heads")
    stored = {
        (tag_id, KINDS[kind])
        for tag_id, kind in conn.execute(
            select(tables.block.c.tag_id, tables.block.c.kind)
            .where(tables.block.c.run_id == run_id, tables.block.c.level == 0)
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
