"""Where metrics stand, run by run: from the runs' heads, never from points.

A column of a metric is what the heads of many runs say of one tag. It is kept (`kept_columns`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from orgboard_dashboard.queries.heads import read_heads, runs_having
from orgboard_dashboard.queries.kept_columns import Candidates, kept_columns
from orgboard_dashboard.queries.language import Aggregate
from orgboard_dashboard.queries.names import ProjectNames
from orgboard_dashboard.queries.visible import ProjectRef
from orgboard_schema.blocks.heads import HeadTable

__all__ = ["MetricColumn", "better", "read_metrics"]

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
    for tag_id, rows, heads in read_heads(conn, names, runs, missing):
        columns[tag_id][rows] = _values_of(heads)
    for tag_id, rows in missing.items():
        kept.keep((project.project_id, tag_id), runs, rows, columns[tag_id][rows])
    return {tag_id: _column(values) for tag_id, values in columns.items()}


def _column(values: Floats) -> MetricColumn:
    return MetricColumn(values[:, 0] > 0, values[:, 1], values[:, 2], values[:, 3])


def _values_of(heads: HeadTable) -> Floats:
    told = [heads[name] for name in ("n", "last_value", "min_value", "max_value")]
    return np.stack(told, axis=1).astype(np.float64)
