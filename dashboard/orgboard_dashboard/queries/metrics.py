"""Where metrics stand, run by run: from the runs' heads, never from points.

A column of a metric is what the heads of many runs say of one tag. It is kept (`kept_columns`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from orgboard_dashboard.queries.kept_columns import Candidates, kept_columns
from orgboard_dashboard.queries.language import Aggregate
from orgboard_dashboard.queries.names import ProjectNames
from orgboard_dashboard.queries.visible import ProjectRef
from orgboard_schema.blocks.heads import HeadTable, empty_heads, heads_at_each
from orgboard_schema.blocks.series import kind_number
from orgboard_schema.errors import CorruptBlock
from orgboard_schema.sql import tables
from orgboard_schema.sql.dictionary import IDS_PER_QUERY, chunked
from orgboard_schema.sql.engine import IN_BINARY

__all__ = ["MetricColumn", "better", "read_metrics", "runs_having"]

_TOGETHER: Final = 2000
"""Heads in memory at once."""

_LESS: Final = re.compile(
    r"(?:^|[^a-z])(?:loss|err|error|nll|ce|ece|mse|rmse|mae|perplexity|ppl|fid|wer|cer|kl)"
    r"(?:[^a-z]|$)",
    re.IGNORECASE | re.ASCII,
)
_MORE: Final = re.compile(
    r"(?:^|[^a-z])(?:acc|accuracy|f1|auc|auroc|ap|map|iou|miou|bleu|rouge|psnr|ssim|precision"
    r"|recall|r2|reward|return|score|top[15])(?:[^a-z]|$)",
    re.IGNORECASE | re.ASCII,
)

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def better(tag: str) -> Literal["min", "max"] | None:
    """Tell by a tag's name which of its values is the best one. Twin of `ob.better` (words.js)."""
    if _LESS.search(tag):
        return "min"
    return "max" if _MORE.search(tag) else None


@dataclass(frozen=True, slots=True, eq=False)
class MetricColumn:
    """What a tag is in each of the candidates; NaN in `last` may also be a value."""

    present: NDArray[np.bool_]
    last: Floats
    min: Floats
    max: Floats

    def of(self, aggregate: Aggregate) -> Floats:
        """Return the last, smallest or largest values; NaN where there is none."""
        return {"last": self.last, "min": self.min, "max": self.max}[aggregate]

    def has(self, aggregate: Aggregate) -> NDArray[np.bool_]:
        """Tell where there is one; a last value may be NaN, the others are of finite ones."""
        return self.present if aggregate == "last" else self.present & ~np.isnan(self.of(aggregate))


def read_metrics(
    conn: Connection,
    project: ProjectRef,
    names: ProjectNames,
    runs: Candidates,
    tag_ids: Sequence[int],
) -> dict[int, MetricColumn]:
    """Return a column of each tag for these runs, which were chosen by who may see them."""
    kept = kept_columns(conn.engine)
    columns: dict[int, Floats] = {}
    missing: dict[int, Ints] = {}
    for tag_id in dict.fromkeys(tag_ids):
        columns[tag_id] = np.full((len(runs), 4), np.nan)
        columns[tag_id][:, 0] = 0
        having = runs_having(names, runs, tag_id)
        missing[tag_id] = kept.fill((project.project_id, tag_id), runs, having, columns[tag_id])
    if any(len(rows) for rows in missing.values()):
        _read(conn, names, runs, missing, columns)
        for tag_id, rows in missing.items():
            kept.keep((project.project_id, tag_id), runs, rows, columns[tag_id][rows])
    return {tag_id: _column(values) for tag_id, values in columns.items()}


def _column(values: Floats) -> MetricColumn:
    return MetricColumn(values[:, 0] > 0, values[:, 1], values[:, 2], values[:, 3])


def runs_having(names: ProjectNames, runs: Candidates, tag_id: int) -> NDArray[np.bool_]:
    """Tell which of the runs have logged this tag."""
    return np.isin(runs.tag_set_id, np.array(sorted(names.places_of(tag_id)), np.int64))


def _read(
    conn: Connection,
    names: ProjectNames,
    runs: Candidates,
    missing: dict[int, Ints],
    columns: dict[int, Floats],
) -> None:
    """Read the heads of the runs that some column lacks, and fill the columns."""
    wanted = np.unique(np.concatenate(list(missing.values())))
    wanted = wanted[np.argsort(runs.run_id[wanted])]
    run_ids = runs.run_id[wanted]
    is_missing = {tag_id: np.isin(wanted, rows) for tag_id, rows in missing.items()}
    sets = np.unique(runs.tag_set_id[wanted])
    of_set = np.searchsorted(sets, runs.tag_set_id[wanted])
    places = {tag_id: _places(names, sets, tag_id)[of_set] for tag_id in missing}
    # Where most are wanted, the few others between them cost less than a list of numbers.
    dense = 2 * len(run_ids) >= sum(names.runs_of_set.values())
    for some_ids, payloads in _heads(conn, run_ids, dense=dense):
        at = np.searchsorted(run_ids, some_ids)
        asked = []
        for tag_id, place in places.items():
            which = np.flatnonzero(is_missing[tag_id][at])
            asked.append((which, place[at[which]]))
        found = _rows_at(payloads, [(which.tolist(), rows.tolist()) for which, rows in asked])
        for tag_id, (which, _), table in zip(places, asked, found, strict=True):
            columns[tag_id][wanted[at[which]]] = _values_of(table, tag_id)


def _places(names: ProjectNames, sets: Ints, tag_id: int) -> Ints:
    """Return where the heads of runs have a scalar, for each of these sets of tags; or -1."""
    known = names.places_of(tag_id)
    return np.array([known.get(tag_set_id, -1) for tag_set_id in sets.tolist()], np.int64)


def _heads(conn: Connection, run_ids: Ints, *, dense: bool) -> Iterator[tuple[Ints, list[bytes]]]:
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


def _values_of(heads: HeadTable, tag_id: int) -> Floats:
    told = np.stack([heads[name] for name in ("n", "last_value", "min_value", "max_value")], axis=1)
    values = told.astype(np.float64)
    values[(heads["tag_id"] != tag_id) | (heads["kind"] != kind_number("scalar"))] = (
        0,
        np.nan,
        np.nan,
        np.nan,
    )
    return values
