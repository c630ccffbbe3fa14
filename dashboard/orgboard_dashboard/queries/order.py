"""What runs are sorted by: a field of every run, a hyperparameter, where a metric stands or stood,
what the last histogram was like.

    started   -duration   hp:lr   last:val/loss   -max:val/acc   best:val/loss   mean10:loss
    hist:layer1/kernel:std   best:metric:validation loss

`metric:NAME` is a metric of the dictionary (`queries.dictionary`). Runs without the value come
last, whichever way the others are sorted; equal ones by name.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement

from orgboard_dashboard.queries.errors import BadQuery
from orgboard_dashboard.queries.fields import FIELDS
from orgboard_dashboard.queries.language import AGGREGATES, Aggregate
from orgboard_dashboard.queries.language.problems import shown
from orgboard_dashboard.queries.literals import spelled
from orgboard_dashboard.queries.moments import Moment, moment_of_key
from orgboard_dashboard.queries.names import ProjectNames
from orgboard_dashboard.queries.statistics import HistogramStatistic, statistic_of_key
from orgboard_schema.sql import tables

__all__ = [
    "BadOrder",
    "ByHparam",
    "ByMetric",
    "ByMoment",
    "ByStatistic",
    "InSqlOrder",
    "Order",
    "order_of",
    "tag_of_key",
]


class BadOrder(BadQuery):
    """There is nothing of that name to sort by, or there no longer is."""


@dataclass(frozen=True, slots=True)
class InSqlOrder:
    """An order that SQL knows."""

    by: tuple[ColumnElement[Any], ...]


@dataclass(frozen=True, slots=True)
class ByHparam:
    """By a hyperparameter: numbers by size, then texts by code point."""

    name: str
    descending: bool

    def ranks(self, held: Sequence[Any]) -> NDArray[np.intp]:
        """Return the places of these values in order; equal ones stay as they are."""
        known = [at for at, value in enumerate(held) if value is not None]
        # Equal ones keep their order this way round, too.
        known.sort(key=lambda at: _rank(held[at]), reverse=self.descending)
        missing = [at for at, value in enumerate(held) if value is None]
        return np.array([*known, *missing], np.intp)


@dataclass(frozen=True, slots=True)
class ByMetric:
    """By where a metric stands; NaN counts as missing."""

    tag_id: int
    aggregate: Aggregate
    descending: bool


@dataclass(frozen=True, slots=True)
class ByMoment:
    """By what a metric was at some moment; NaN counts as missing."""

    moment: Moment
    descending: bool


@dataclass(frozen=True, slots=True)
class ByStatistic:
    """By a number of the last histogram of a tag; NaN counts as missing."""

    statistic: HistogramStatistic
    descending: bool


Order: TypeAlias = InSqlOrder | ByHparam | ByMetric | ByMoment | ByStatistic


def tag_of_key(key: str, names: ProjectNames) -> tuple[int, Aggregate] | None:
    """Return the series and the value of it that a key such as `best:val/loss` means; None: none.

    The series as `ProjectNames.series_id` has it.
    """
    word, _, tag = key.partition(":")
    aggregate = word if word in AGGREGATES else None
    if aggregate == "best":
        aggregate = names.dictionary.better(tag)
    tag_id = names.series_id(tag) if aggregate and tag else None
    return (tag_id, aggregate) if aggregate and tag_id is not None else None


def order_of(sort: str, names: ProjectNames, now: float) -> Order:
    """Return the order that a key asks for; "-" in front puts the largest first.

    Raises:
        BadOrder: there is nothing of that name to sort by.
    """
    key = sort.removeprefix("-")
    descending = sort.startswith("-")
    run = tables.run.c
    if field := FIELDS.get(key):
        by = field.column(now)
        # The engines do not agree on where NULL belongs.
        first = (by.desc() if descending else by.asc()).nulls_last()
        return InSqlOrder((first, run.name.asc(), run.run_id.asc()))
    if key.startswith("hp:") and names.hparam(key[3:]):
        return ByHparam(key[3:], descending)
    if tag := tag_of_key(key, names):
        return ByMetric(*tag, descending)
    if moment := moment_of_key(key, names):
        return ByMoment(moment, descending)
    if statistic := statistic_of_key(key, names):
        return ByStatistic(statistic, descending)
    raise BadOrder(
        f"Runs cannot be sorted by {shown(key)}: give {', '.join(FIELDS)}, hp:NAME, or last:, min:,"
        " max:, best:, mean10: or at1000: and a metric that is logged here, or hist:TAG:mean of"
        " histograms that are."
    )


def _rank(held: Any) -> tuple[int, float, str]:
    if isinstance(held, bool):
        return (1, float(held), "")
    if isinstance(held, int | float):
        return (0, float(held), "") if not math.isnan(held) else (0, math.inf, "")
    return (2, 0.0, spelled(held))
