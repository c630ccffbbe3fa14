"""Figures in Python: the same as the browser draws, and true to the data."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, get_args

import plotly  # type: ignore[import-untyped]  # it has no stubs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgboard_dashboard import charts
from orgboard_dashboard.charts.palette import PALETTE, ink
from orgboard_dashboard.charts.ranges import level_of
from orgboard_dashboard.charts.ranges import y_range as y_limits
from orgboard_dashboard.charts.scalars import Line, Mark, draw_scalars, plotly_text
from orgboard_dashboard.charts.smoothing import smooth
from orgboard_dashboard.view_state import SmoothingKind, ViewState
from support.vectors import plain, read_vectors

finite = st.floats(-1e6, 1e6)
kinds = st.sampled_from(get_args(SmoothingKind))


@pytest.mark.parametrize("case", read_vectors("smoothing"), ids=lambda case: case["name"])
def test_smoothing_gives_the_shared_values(case: dict[str, Any]) -> None:
    smoothed = smooth(case["values"], case["weight"], case.get("kind", "ema"), case.get("x"))

    assert smoothed == pytest.approx(case["smoothed"], rel=1e-9, nan_ok=True)


@given(st.lists(finite, min_size=1), st.floats(0, 0.999), kinds)
def test_smoothing_stays_between_the_extremes(
    values: list[float], weight: float, kind: SmoothingKind
) -> None:
    room = 1e-6 * (1 + max(map(abs, values)))

    smoothed = smooth(values, weight, kind, [n * n for n in range(len(values))])

    assert all(min(values) - room <= value <= max(values) + room for value in smoothed)


@given(st.lists(finite, min_size=1), st.floats(0, 0.999))
def test_smoothing_begins_where_the_series_begins(values: list[float], weight: float) -> None:
    assert math.isclose(smooth(values, weight)[0], values[0], rel_tol=1e-9, abs_tol=1e-9)


@pytest.mark.parametrize("case", read_vectors("figures"), ids=lambda case: case["name"])
def test_python_draws_the_shared_figures(case: dict[str, Any]) -> None:
    lines = [line_of(line) for line in case["lines"]]

    of = case.get("tag", "loss"), case.get("unit", "")
    figure = drawn(lines, view_of(case["view"]), *of)

    assert plain(figure["data"]) == case["data"]
    assert figure["layout"]["yaxis"]["title"]["text"] == case.get("title", "")
    assert list(figure["layout"]["xaxis"]["range"]) == pytest.approx(case["ranges"]["x"])
    assert list(y_range(figure)) == pytest.approx(case["ranges"]["y"])


def test_a_spike_is_inside_the_axis() -> None:
    line = Line("a", "a", 0, x=[0, 1, 2, 3], y=[0, 0, 1000, 0])

    low, high = y_range(drawn([line], ViewState(smoothing=0.9, outliers_clipped=False)))

    assert low < 0
    assert high > 1000


@given(st.lists(st.lists(finite, min_size=1, max_size=30), min_size=1, max_size=4))
def test_a_clipped_axis_leaves_out_a_tenth_at_most_and_says_how_much(
    columns: list[list[float]],
) -> None:
    lines = [Line("a", "a", 0, x=range(len(values)), y=values) for values in columns]
    values = [value for line in columns for value in line]

    whole = y_limits(lines, columns, ViewState(smoothing=0, outliers_clipped=False))
    clipped = y_limits(lines, columns, ViewState(smoothing=0))

    low, high = clipped.limits
    assert whole.clipped == 0
    assert clipped.clipped == sum(not low <= value <= high for value in values)
    assert clipped.clipped <= max(0.1 * len(values), 1)


@pytest.mark.parametrize("value", [-1e5, -3.0, -1e-9, 0.0, 1e-9, 2.0, 1e5])
def test_a_symlog_axis_is_even_for_both_signs_and_keeps_the_order(value: float) -> None:
    level = level_of("sym", 100.0)

    assert level(-value) == -level(value)
    assert level(value) < level(value + 1)


def test_a_log_axis_leaves_out_what_has_no_logarithm() -> None:
    line = Line("a", "a", 0, x=[0, 1, 2], y=[-5, 0, 100])

    low, high = y_range(drawn([line], ViewState(smoothing=0, y_axis="log")))

    assert low < 2 < high


def test_a_value_that_is_not_finite_is_a_mark_on_the_edge() -> None:
    marks = (Mark(1, "NaN"), Mark(2, "Infinity"))
    line = Line("a", "a", 0, x=[0, 3], y=[1, 2], marks=marks)

    figure = drawn([line], ViewState(smoothing=0))

    assert figure["data"][-1]["y"] == y_range(figure)


def test_a_name_stays_a_name_in_a_figure() -> None:
    line = Line("a", "<b>&", 0, x=[0, 1], y=[1, 2])

    figure = drawn([line], ViewState())

    assert {trace["name"] for trace in figure["data"]} == {"&lt;b&gt;&amp;"}
    assert plotly_text("a&lt;") == "a&amp;lt;"


def test_the_second_turn_of_the_palette_differs_by_its_dash() -> None:
    assert ink(0).color == ink(len(PALETTE)).color
    assert ink(0).dash != ink(len(PALETTE)).dash
    assert len({(ink(i).color, ink(i).dash) for i in range(2 * len(PALETTE))}) == 2 * len(PALETTE)


def test_the_vendored_chart_library_is_the_version_of_plotly_in_python() -> None:
    own = Path(plotly.__file__).with_name("package_data") / "plotly.min.js"
    version = own.read_text(encoding="utf-8")[:200].split("plotly.js v")[1].split()[0]
    assets = Path(charts.__file__).parents[1] / "assets"

    vendored = [path.name for path in (assets / "vendor").glob("plotly-*.js")]
    asked_for = (assets / "ob" / "plotly.js").read_text(encoding="utf-8")

    assert vendored == [f"plotly-cartesian-{version}.min.js"]
    assert f'const VERSION = "{version}"' in asked_for
    assert "MIT" in (assets / "vendor" / "plotly-LICENSE.txt").read_text(encoding="utf-8")


def drawn(lines: list[Line], view: ViewState, tag: str = "", unit: str = "") -> dict[str, Any]:
    """Return the figure as the plain JSON that it is."""
    figure: dict[str, Any] = plain(draw_scalars(lines, view, tag, unit).to_plotly_json())
    return figure


def y_range(figure: dict[str, Any]) -> list[float]:
    limits: list[float] = figure["layout"]["yaxis"]["range"]
    return limits


def line_of(line: dict[str, Any]) -> Line:
    return Line(
        run=line["run"],
        name=line["name"],
        color=line["color"],
        x=line["x"],
        y=line["y"],
        marks=tuple(Mark(mark["x"], mark["value"]) for mark in line["marks"]),
        replaced_attempt=line["attempt"] if line.get("superseded") else None,
    )


def view_of(view: dict[str, Any]) -> ViewState:
    return ViewState(
        smoothing=view["smoothing"],
        y_axis=view["yAxis"],
        zoom=None if view["zoom"] is None else (view["zoom"][0], view["zoom"][1]),
        log_x=view.get("logX", False),
        y_range=None if view.get("yRange") is None else (view["yRange"][0], view["yRange"][1]),
        section_ranges=tuple((of, low, high) for of, low, high in view.get("sectionRanges", [])),
        card_ranges=tuple((tag, low, high) for tag, low, high in view.get("cardRanges", [])),
        outliers_clipped=view.get("outliersClipped", False),
        smoothing_kind=view.get("smoothingKind", "ema"),
    )
