"""Series of metrics: in each run those of one of the metric's tags, in the metric's unit.

Which tag it is depends on what the run has logged alone, and not on what is looked at of it: so a
line stays the same one when somebody zooms in.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from sqlalchemy import Connection, select

from orgboard_dashboard.queries.dictionary import PREFIX, Metric, read_dictionary
from orgboard_schema.blocks.heads import decode_tag_set
from orgboard_schema.sql import tables
from orgboard_schema.sql.dictionary import chunked, find_tags
from orgboard_schema.sql.read import ReducedLine, SeriesData

__all__ = [
    "MetricTags",
    "OwnTag",
    "find_metric_tags",
    "scaled",
    "scaled_line",
    "series_number",
    "series_numbers",
    "sets_of",
]

_LARGEST: Final = float(np.finfo(np.float64).max)


@dataclass(frozen=True, slots=True)
class OwnTag:
    """The tag by which a run has logged a metric."""

    id: int
    tag: str
    scale: float
    others: tuple[str, ...]
    """Further tags of the metric that the run has: they do not count."""


@dataclass(frozen=True, slots=True)
class MetricTags:
    """The tags of some metrics, which are known by their numbers below 0."""

    ids: frozenset[int]
    """Of all tags that any run may have logged one of the metrics by."""
    own: Mapping[tuple[str, int], OwnTag]
    """By run and metric; a run without it is not there."""


NO_METRICS: Final = MetricTags(frozenset(), {})


def find_metric_tags(
    conn: Connection, numbers: Collection[int], sets: Mapping[str, int | None]
) -> MetricTags:
    """Return by which tags runs have logged metrics; `sets` are the runs' sets of tags, by uid.

    The runs were chosen by who may see them.
    """
    if not numbers:
        return NO_METRICS
    dictionary = read_dictionary(conn)
    metrics = {each: dictionary.by_id[-each] for each in numbers if -each in dictionary.by_id}
    aliases = (each.tag for metric in metrics.values() for each in metric.aliases)
    known = find_tags(conn, aliases)
    logged = sets_of(conn, {each for each in sets.values() if each is not None}, known.values())
    own: dict[tuple[str, int], OwnTag] = {}
    for number, metric in metrics.items():
        of_set = {each: _own(metric, known, tags) for each, tags in logged.items()}
        for uid, tag_set_id in sets.items():
            found = None if tag_set_id is None else of_set.get(tag_set_id)
            if found is not None:
                own[uid, number] = found
    return MetricTags(frozenset(known.values()), own)


def series_number(conn: Connection, name: str) -> int | None:
    """Return the number of a tag or, below 0, of the metric that `metric:NAME` means."""
    return series_numbers(conn, [name]).get(name)


def series_numbers(conn: Connection, names: Sequence[str]) -> dict[str, int]:
    """Return the numbers of those of these tags and keys of metrics that there are."""
    numbers = find_tags(conn, names)
    keys = [name for name in names if name.startswith(PREFIX) and name not in numbers]
    if not keys:
        return numbers
    dictionary = read_dictionary(conn)
    metrics = ((key, dictionary.of_key(key)) for key in keys)
    return numbers | {key: -metric.id for key, metric in metrics if metric is not None}


def sets_of(
    conn: Connection, set_ids: Collection[int], tag_ids: Collection[int]
) -> dict[int, frozenset[int]]:
    """Return which of these tags are among the scalars of each set of tags."""
    columns, wanted = tables.tag_set.c, frozenset(tag_ids)
    found: dict[int, frozenset[int]] = {}
    for some in chunked(sorted(set_ids) if wanted else []):
        asked = select(columns.tag_set_id, columns.payload).where(columns.tag_set_id.in_(some))
        for set_id, payload in conn.execute(asked):
            series = decode_tag_set(bytes(payload))
            found[set_id] = wanted.intersection(tag for tag, kind in series if kind == "scalar")
    return found


def scaled(data: SeriesData, scale: float) -> SeriesData:
    """Return a series in the metric's unit."""
    if scale == 1:
        return data
    with np.errstate(over="ignore"):
        return replace(data, value=data.value.astype(np.float64) * scale)


def scaled_line(line: ReducedLine, scale: float) -> ReducedLine:
    """Return a line in the metric's unit. Its values are finite, and stay so."""
    if scale == 1:
        return line
    with np.errstate(over="ignore"):
        value = np.clip(line.value.astype(np.float64) * scale, -_LARGEST, _LARGEST)
        return replace(line, value=value, mark_value=line.mark_value * np.sign(scale))


def _own(metric: Metric, known: Mapping[str, int], logged: frozenset[int]) -> OwnTag | None:
    here = [each for each in metric.aliases if known.get(each.tag) in logged]
    if not here:
        return None
    first, *rest = here
    return OwnTag(known[first.tag], first.tag, first.scale, tuple(each.tag for each in rest))
