"""The figure of groups of runs: a line a group over its translucent band. Pure.

Twin of the figure in `assets/ob/groups.js`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, TypeAlias

import plotly.graph_objects as go  # type: ignore[import-untyped]  # it has no stubs

from orgboard_dashboard.charts.palette import ink
from orgboard_dashboard.charts.scalars import Line, draw_scalars, plotly_text
from orgboard_dashboard.view_state import ViewState

__all__ = ["GroupLine", "draw_groups"]

_OPACITY: Final = 0.16

Side: TypeAlias = Literal["low", "high"]


@dataclass(frozen=True, slots=True)
class GroupLine:
    """A group's line, as a run's, and the edges of its band; all three equally long."""

    line: Line
    low: Sequence[float]
    high: Sequence[float]


def draw_groups(
    groups: Sequence[GroupLine], view: ViewState, tag: str = "", unit: str = ""
) -> go.Figure:
    """Draw the groups' lines of one tag as the browser does; `tag`, `unit` as in `draw_scalars`."""
    banded = [group for group in groups if group.line.x and view.group_band != "none"]
    lines = [group.line for group in groups]
    edges = [_edge(group, side) for group in banded for side in ("low", "high")]
    # The edges take part in the axis and in the smoothing, and are not drawn themselves.
    figure: Any = draw_scalars([*lines, *edges], view, tag, unit)
    drawn: dict[str, Any] = {trace.uid: trace for trace in figure.data}
    floor = figure.layout.yaxis.range[0]
    bands = [_band(group, drawn, floor, view) for group in banded]
    hidden = {f"{edge.run}__{part}" for edge in edges for part in ("raw", "line")}
    kept = [trace for trace in figure.data if trace.uid not in hidden]
    return go.Figure([*bands, *kept], figure.layout)


def _edge(group: GroupLine, side: Side) -> Line:
    y = group.low if side == "low" else group.high
    return replace(group.line, run=f"{group.line.run}{side}", y=y, marks=())


def _band(group: GroupLine, drawn: dict[str, Any], floor: float, view: ViewState) -> go.Scatter:
    line = group.line
    low, high = (_heights(_edge(group, side), drawn, view) for side in ("low", "high"))
    color = _translucent(ink(line.color).color)
    return go.Scatter(
        uid=f"{line.run}__band",
        name=plotly_text(line.name),
        mode="lines",
        x=[*line.x, *reversed(line.x)],
        y=[*_levels(high, floor, view), *reversed(list(_levels(low, floor, view)))],
        fill="toself",
        fillcolor=color,
        line={"color": color, "width": 3 if len(line.x) == 1 else 0},
        hoverinfo="skip",
    )


def _heights(edge: Line, drawn: dict[str, Any], view: ViewState) -> Sequence[float]:
    """Return the heights of an edge, on an axis that Plotly does not know as levels."""
    # Spread moves with the smoothed line; the extremes stay where they were logged.
    raw = drawn.get(f"{edge.run}__raw") if view.group_band == "minmax" else None
    trace = drawn[f"{edge.run}__line"] if raw is None else raw
    heights: Sequence[float] = trace.y
    return heights


def _levels(y: Sequence[float], floor: float, view: ViewState) -> Iterator[float]:
    """Give the edge of a band; on a logarithmic axis what has no logarithm lies at its foot."""
    for value in y:
        yield 10**floor if view.y_axis == "log" and not value > 0 else value


def _translucent(color: str) -> str:
    red, green, blue = (int(color[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {_OPACITY})"
