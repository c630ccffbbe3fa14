"""Charts that runs declare themselves: the "custom scalars" layouts that scripts log."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from google.protobuf.message import DecodeError
from sqlalchemy import Connection

from orgboard_dashboard.queries.errors import BadQuery
from orgboard_dashboard.queries.own_tags import series_of_kind
from orgboard_dashboard.queries.patterns import matcher
from orgboard_dashboard.queries.tags import list_tags
from orgboard_dashboard.queries.visible import find_project
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.sql import read
from orgboard_schema.types import Tensor
from orgboard_schema.wire.plugins_pb2 import Chart, Layout

__all__ = [
    "MAX_CHARTS",
    "MAX_COMPARED",
    "MAX_LINES",
    "MAX_PATTERNS",
    "LayoutChart",
    "Margin",
    "list_layouts",
]

MAX_CHARTS: Final = 100
MAX_LINES: Final = 12
"""Tags that one chart draws; how many more there are is told."""
MAX_PATTERNS: Final = 200
"""Patterns of one chart that are looked at."""
MAX_COMPARED: Final = 300_000
"""How often a pattern is compared with a name, for all charts together: a second's work."""
_MAX_SERIES: Final = 50
_MAX_TITLE: Final = 200
_PLAIN: Final = re.compile(r"[A-Za-z0-9_/ :,@%-]*")
"""Patterns that mean what begins with them: most are the name of a tag."""
_TOO_MANY: Final = (
    "This chart has more patterns than are looked at: the rest mean tags of that very name."
)


@dataclass(frozen=True, slots=True)
class Margin:
    """A tag with the tags of its lower and its upper bound."""

    value: str
    lower: str
    upper: str


@dataclass(frozen=True, slots=True)
class LayoutChart:
    """One declared chart: tags as lines, or values with margins."""

    category: str
    title: str
    tags: tuple[str, ...]
    margins: tuple[Margin, ...]
    more: int
    """Tags that match, too, and are not drawn."""
    problem: str
    """Why patterns of it match nothing; empty when they are fine."""


def list_layouts(
    viewer: Viewer, conn: Connection, team: str, project: str, uids: Sequence[str]
) -> tuple[LayoutChart, ...]:
    """Return the charts that these runs declare, those that several declare alike once.

    Raises:
        NotFound: there is no such project, or `viewer` may not see it.
    """
    found = find_project(viewer, conn, team, project)
    keys = series_of_kind(viewer, conn, found, uids, "layout")[:_MAX_SERIES]
    if not keys:
        return ()
    declared: dict[tuple[str, bytes], Chart] = {}
    for run_id, tag_id in keys:
        data = read.series(conn, run_id, [(tag_id, "layout")]).get((tag_id, "layout"))
        for category, chart in _charts(data):
            declared.setdefault((category, chart.SerializeToString(deterministic=True)), chart)
    names = [row.name for row in list_tags(viewer, conn, team, project, "scalar", tuple(uids))]
    some = list(declared.items())[:MAX_CHARTS]
    matching = _Matching(names)
    return tuple(_resolved(category, chart, matching) for (category, _), chart in some)


def _charts(data: read.SeriesData | None) -> Iterator[tuple[str, Chart]]:
    """Give the charts of the newest layout of a series."""
    shown = np.flatnonzero(~data.superseded).tolist() if data is not None else []
    value = data.values[shown[-1]] if data is not None and shown else None
    if not isinstance(value, Tensor) or isinstance(value.data, bytes) or len(value.data) != 1:
        return
    layout = Layout()
    try:
        layout.ParseFromString(value.data[0])
    except DecodeError:
        return
    for category in layout.category:
        for chart in category.chart:
            yield category.title[:_MAX_TITLE], chart


class _Matching:
    """Finds the tags that patterns mean, and looks no longer than that is worth.

    Patterns are logged, and every page of a project asks for them.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._known = frozenset(names)
        self._left = MAX_COMPARED

    def named(self, pattern: str) -> list[str]:
        """Return the tag that is called just so, if there is one."""
        return [pattern] if pattern in self._known else []

    def matching(self, pattern: str) -> list[str] | None:
        """Return the tags that a pattern means; None when enough was compared already.

        Raises:
            BadQuery: it is no regular expression.
        """
        if _PLAIN.fullmatch(pattern):
            return [name for name in self._names if name.startswith(pattern)]
        matches = matcher(f"^(?:{pattern})")
        self._left -= len(self._names)
        if self._left < 0:
            return None
        return [name for name in self._names if name == pattern or matches(name)]


def _resolved(category: str, chart: Chart, matching: _Matching) -> LayoutChart:
    title = chart.title[:_MAX_TITLE]
    if chart.WhichOneof("content") == "margin":
        series = chart.margin.series[:MAX_LINES]
        margins = tuple(Margin(one.value, one.lower, one.upper) for one in series)
        return LayoutChart(category, title, (), margins, len(chart.margin.series) - len(series), "")
    matched: dict[str, None] = {}
    problem = ""
    for at, pattern in enumerate(chart.multiline.tag):
        try:
            found = matching.matching(pattern) if at < MAX_PATTERNS else None
        except BadQuery:
            problem = f"A pattern of this chart is no regular expression: {pattern[:100]}"
            # Tags are logged as patterns that are none, too: with a bracket, a plus.
            found = matching.named(pattern)
        if found is None:
            problem = _TOO_MANY
            found = matching.named(pattern)
        matched |= dict.fromkeys(found)
    tags = tuple(matched)[:MAX_LINES]
    return LayoutChart(category, title, tags, (), len(matched) - len(tags), problem)
