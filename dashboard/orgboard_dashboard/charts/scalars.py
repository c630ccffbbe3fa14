"""The figure of one tag: a line a run, its raw points faint beneath it. Pure.

Twin of `assets/ob/figure.js`: what the browser gives Plotly for a card, as a
`plotly.graph_objects.Figure`. Axes count in steps, or in seconds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

import plotly.graph_objects as go  # type: ignore[import-untyped]  # it has no stubs

from orgboard_dashboard.charts.palette import ink
from orgboard_dashboard.charts.smoothing import smooth
from orgboard_dashboard.urls import ViewState

__all__ = ["Line", "Mark", "draw_scalars", "plotly_text"]

Range: TypeAlias = tuple[float, float]

_RAW_OPACITY: Final = 0.22
_REPLACED_OPACITY: Final = 0.45
_PADDING: Final = 0.06
"""Part of the axis left free above and below the lines."""

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


def draw_scalars(lines: Sequence[Line], view: ViewState) -> go.Figure:
    """Draw the lines of one tag as the browser does."""
    smoothed = [smooth(line.y, view.smoothing) for line in lines]
    x_range = _x_range(lines, view)
    y_range = _y_range(lines, smoothed, view)
    raw = [line for line in lines if view.smoothing > 0 and len(line.y) > 1]
    traces = [
        *(_trace(line, line.y, _RAW_OPACITY, 1, "raw") for line in raw),
        *(
            _trace(line, values, 1, 1.6, "line")
            for line, values in zip(lines, smoothed, strict=True)
        ),
        *(_marks(line, y_range, view) for line in lines if line.marks),
    ]
    figure = go.Figure(traces)
    figure.update_layout(
        showlegend=False,
        xaxis={"range": x_range, "showgrid": False, "zeroline": False},
        yaxis={
            "range": y_range,
            "type": "log" if view.y_axis == "log" else "linear",
            "zeroline": False,
        },
    )
    return figure


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


def _marks(line: Line, y_range: Range, view: ViewState) -> go.Scatter:
    low, high = (10**edge if view.y_axis == "log" else edge for edge in y_range)
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


def _x_range(lines: Iterable[Line], view: ViewState) -> Range:
    if view.zoom is not None:
        return view.zoom
    places = [x for line in lines for x in (*line.x, *(mark.x for mark in line.marks))]
    if not places:
        return 0, 1
    low, high = min(places), max(places)
    return (low - 1, high + 1) if low == high else (low, high)


def _y_range(lines: Sequence[Line], smoothed: Sequence[Sequence[float]], view: ViewState) -> Range:
    """Return the limits; in powers of ten on a logarithmic axis. Only what is drawn counts."""
    heights = list(_heights(lines, smoothed, view))
    if not heights:
        return 0, 1
    low, high = min(heights), max(heights)
    if view.y_axis == "log":
        low, high = math.log10(low), math.log10(high)
    room = (abs(low) * 0.1 or 1) if low == high else (high - low) * _PADDING
    return low - room, high + room


def _heights(
    lines: Sequence[Line], smoothed: Sequence[Sequence[float]], view: ViewState
) -> Iterator[float]:
    for line, values in zip(lines, smoothed, strict=True):
        for column in (line.y, values) if view.smoothing > 0 else (line.y,):
            for x, y in zip(line.x, column, strict=True):
                is_inside = view.zoom is None or view.zoom[0] <= x <= view.zoom[1]
                if math.isfinite(y) and is_inside and (y > 0 or view.y_axis != "log"):
                    yield y
