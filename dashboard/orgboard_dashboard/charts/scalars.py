"""The figure of one tag: a line a run, its raw points faint beneath it. Pure.

Twin of `assets/ob/figure.js`: what the browser gives Plotly for a card, as a
`plotly.graph_objects.Figure`. Axes count in steps, in seconds, or in a metric.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import plotly.graph_objects as go  # type: ignore[import-untyped]  # it has no stubs

from orgboard_dashboard.charts.palette import ink
from orgboard_dashboard.charts.ranges import (
    Range,
    YRange,
    level_of,
    sym_ticks,
    x_range,
    y_range,
)
from orgboard_dashboard.charts.smoothing import smooth
from orgboard_dashboard.view_state import ViewState

__all__ = ["Line", "Mark", "draw_scalars", "plotly_text"]

_RAW_OPACITY: Final = 0.22
_REPLACED_OPACITY: Final = 0.45

_SYMBOLS: Final = {"NaN": "x", "Infinity": "triangle-up", "-Infinity": "triangle-down"}


@dataclass(frozen=True, slots=True)
class Mark:
    """A point whose value is not finite; it lies on the card's edge."""

    x: float
    value: Literal["NaN", "Infinity", "-Infinity"]


@dataclass(frozen=True, slots=True)
class Line:
    """One run's points of the tag, on the axis that is asked for, in its order."""

    run: str
    name: str
    color: int
    x: Sequence[float]
    y: Sequence[float]
    """Finite."""
    marks: tuple[Mark, ...] = ()
    replaced_attempt: int | None = None
    """Of points that a restart replaced: the attempt that they are of."""


def draw_scalars(
    lines: Sequence[Line], view: ViewState, tag: str = "", unit: str = ""
) -> go.Figure:
    """Draw the lines of one tag as the browser does; `tag` finds the range that it was given.

    `unit` is what the dictionary of metrics says that its values are in.
    """
    smoothed = [smooth(line.y, view.smoothing, view.smoothing_kind, line.x) for line in lines]
    places = (x for line in lines for x in (*line.x, *(mark.x for mark in line.marks)))
    y = y_range(lines, smoothed, view, tag)
    heights = _heights_on(view, y)
    raw = [line for line in lines if view.smoothing > 0 and len(line.y) > 1]
    traces = [
        *(_trace(line, heights(line.y), _RAW_OPACITY, 1, "raw") for line in raw),
        *(
            _trace(line, heights(values), 1, 1.6, "line")
            for line, values in zip(lines, smoothed, strict=True)
        ),
        *(_marks(line, y.limits, view) for line in lines if line.marks),
    ]
    figure = go.Figure(traces)
    figure.update_layout(
        showlegend=False,
        xaxis={
            "range": x_range(places, view),
            "type": "log" if view.log_x else "linear",
            "showgrid": False,
            "zeroline": False,
        },
        yaxis={
            "range": y.limits,
            "type": "log" if view.y_axis == "log" else "linear",
            "zeroline": False,
            "title": {"text": plotly_text(unit)},
            **(sym_ticks(y.limits, y.unit) if view.y_axis == "sym" else {}),
        },
    )
    return figure


def _heights_on(view: ViewState, y: YRange) -> Callable[[Sequence[float]], Sequence[float]]:
    """Return what Plotly is given as values: it knows every axis but symlog."""
    if view.y_axis != "sym":
        return lambda values: values
    level = level_of("sym", y.unit)
    return lambda values: [level(value) for value in values]


def plotly_text(text: str) -> str:
    """Escape a name: Plotly reads its text as a little HTML."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _trace(line: Line, y: Sequence[float], opacity: float, width: float, part: str) -> go.Scatter:
    look = ink(line.color)
    is_point = len(line.y) == 1
    faded = opacity if line.replaced_attempt is None else opacity * _REPLACED_OPACITY
    marker: dict[str, Any] = {"marker": {"color": look.color, "size": 5}} if is_point else {}
    return go.Scatter(
        uid=_trace_id(line, part),
        name=plotly_text(line.name),
        x=list(line.x),
        y=list(y),
        mode="markers" if is_point else "lines",
        opacity=faded,
        line={"color": look.color, "width": width, "dash": look.dash},
        hoverinfo="skip",
        **marker,
    )


def _marks(line: Line, limits: Range, view: ViewState) -> go.Scatter:
    low, high = (10**edge if view.y_axis == "log" else edge for edge in limits)
    return go.Scatter(
        uid=_trace_id(line, "marks"),
        name=plotly_text(line.name),
        mode="markers",
        x=[mark.x for mark in line.marks],
        y=[high if mark.value == "Infinity" else low for mark in line.marks],
        marker={
            "color": ink(line.color).color,
            "size": 7,
            "opacity": 1,
            "symbol": [_SYMBOLS[mark.value] for mark in line.marks],
        },
        cliponaxis=False,
        hoverinfo="skip",
    )


def _trace_id(line: Line, part: str) -> str:
    attempt = "" if line.replaced_attempt is None else line.replaced_attempt
    return f"{line.run}_{attempt}_{part}"
