"""What the SDK says of a run: where it ran, what it dropped, the remarks it logged."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection, func, select

from orgboard_schema.blocks import ScalarSeries
from orgboard_schema.blocks.heads import SeriesHead
from orgboard_schema.blocks.series import kind_number
from orgboard_schema.errors import CorruptBlock
from orgboard_schema.sql import read, tables
from orgboard_schema.sql.pieces import waiting_pieces
from orgboard_schema.sql.read import SeriesData
from orgboard_schema.types import Kind
from orgboard_schema.wire.own import ANNOTATION_TAG, CONTEXT_TAG, DROPPED_TAG, told_object

__all__ = ["Dropped", "Records", "Remark", "non_finite_counts", "read_records"]

_TENSOR: Final[Kind] = "tensor"

_MAX_RECORDS: Final = 1000
"""Of one tag; a script that remarks on every step is not read to its end."""
_MAX_REMARK: Final = 1000


@dataclass(frozen=True, slots=True)
class Dropped:
    """Values that were given to a writer and are in no file, by kind of trouble."""

    values: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Remark:
    """What the training said of a moment."""

    step: int | None
    wall: float | None
    text: str


@dataclass(frozen=True, slots=True)
class Records:
    """All that the SDK said."""

    context: Mapping[str, Any]
    """Of the newest writer; empty when none told."""
    contexts: int
    """How many writers told."""
    dropped: Dropped
    remarks: tuple[Remark, ...]


def read_records(
    conn: Connection, run_id: int, heads: list[SeriesHead], names: Mapping[int, str]
) -> Records:
    """Return the records of a run that the caller may see; of very many the newest."""
    wanted = {
        names.get(head.tag_id, ""): head.tag_id
        for head in heads
        if head.kind == _TENSOR and 0 < head.n_all <= _MAX_RECORDS
    }
    tags = {
        name: wanted[name] for name in (CONTEXT_TAG, DROPPED_TAG, ANNOTATION_TAG) if name in wanted
    }
    try:
        found = read.series(conn, run_id, [(tag_id, _TENSOR) for tag_id in tags.values()])
    except CorruptBlock:
        # `orgboard db check` names it; the rest of the page does not depend on it.
        found = {}
    data = {
        name: found[tag_id, _TENSOR] for name, tag_id in tags.items() if (tag_id, _TENSOR) in found
    }
    contexts = [told for _, told in _objects(data.get(CONTEXT_TAG))]
    return Records(
        context=contexts[-1] if contexts else {},
        contexts=len(contexts),
        dropped=_dropped(data.get(DROPPED_TAG)),
        remarks=tuple(_remarks(data.get(ANNOTATION_TAG))),
    )


def _objects(data: SeriesData | None) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield place and content of each record that is what it should be."""
    for at, value in enumerate(() if data is None else data.values):
        told = told_object(value)
        if told is not None:
            yield at, told


def _dropped(data: SeriesData | None) -> Dropped:
    """Add up what each life of the run told last: its count begins again with each."""
    if data is None:
        return Dropped()
    last = {int(data.attempt[at]): told for at, told in _objects(data)}
    reasons: Counter[str] = Counter()
    values = 0
    for told in last.values():
        values += _count(told.get("dropped"))
        split = told.get("reasons")
        for reason, count in (split if isinstance(split, dict) else {}).items():
            reasons[str(reason)[:100]] += _count(count)
    return Dropped(values, dict(sorted(reasons.items())[:50]))


def _count(value: Any) -> int:
    return value if type(value) is int and 0 <= value < 2**63 else 0


def _remarks(data: SeriesData | None) -> Iterator[Remark]:
    for at, told in _objects(data):
        text = told.get("text")
        if data is None or not isinstance(text, str):
            continue
        wall = float(data.wall[at])
        has_step = "step" not in told or told["step"] is not None
        yield Remark(
            step=int(data.step[at]) if has_step else None,
            wall=wall if math.isfinite(wall) else None,
            text=text[:_MAX_REMARK],
        )


def non_finite_counts(conn: Connection, run_id: int, heads: list[SeriesHead]) -> dict[int, int]:
    """Return how many stored values of each scalar tag are NaN or infinite; superseded ones too."""
    block = tables.block.c
    asked = (
        select(block.tag_id, func.sum(block.non_finite))
        .where(
            block.run_id == run_id,
            block.kind == kind_number("scalar"),
            block.level == 0,
            block.non_finite > 0,
        )
        .group_by(block.tag_id)
    )
    counts = Counter({tag_id: int(count) for tag_id, count in conn.execute(asked)})
    waiting: set[tuple[int, Kind]] = {
        (head.tag_id, head.kind) for head in heads if head.kind == "scalar" and head.waiting
    }
    if waiting:
        for piece in waiting_pieces(conn, [run_id], waiting):
            if isinstance(piece.series, ScalarSeries):
                counts[piece.tag_id] += int(np.count_nonzero(~np.isfinite(piece.series.value)))
    return {tag_id: count for tag_id, count in counts.items() if count}
