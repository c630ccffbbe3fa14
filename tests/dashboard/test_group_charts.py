"""Figures of groups in Python: the same as the browser draws, each band around its line."""

from __future__ import annotations

from typing import Any

import pytest

from orgboard_dashboard.charts.groups import GroupLine, draw_groups
from orgboard_dashboard.charts.scalars import Line, Mark
from orgboard_dashboard.view_state import ViewState
from support.vectors import plain, read_vectors


@pytest.mark.parametrize("case", read_vectors("groups"), ids=lambda case: case["name"])
def test_python_draws_the_shared_figures(case: dict[str, Any]) -> None:
    figure = plain(
        draw_groups(
            [group_of(line) for line in case["lines"]], view_of(case["view"])
        ).to_plotly_json()
    )

    assert figure["data"] == case["data"]
    assert list(figure["layout"]["xaxis"]["range"]) == case["ranges"]["x"]
    assert list(figure["layout"]["yaxis"]["range"]) == pytest.approx(case["ranges"]["y"])


def test_a_spike_of_a_member_is_in_the_band_however_the_line_is_smoothed() -> None:
    group = GroupLine(Line("g0", "g", 0, x=[0, 1, 2], y=[1, 2, 1]), low=[0, 1, 0], high=[2, 90, 2])

    band, *_ = traces([group], ViewState(smoothing=0.99))

    assert band["y"] == [2, 90, 2, 0, 1, 0]
    assert band["fill"] == "toself"


def test_a_band_of_spread_moves_with_the_smoothed_line() -> None:
    group = GroupLine(Line("g0", "g", 0, x=[0, 1], y=[1, 3]), low=[0, 2], high=[2, 4])

    band, _, line = traces([group], ViewState(smoothing=0.5, group_band="std"))

    assert band["y"][:2] == pytest.approx([y + 1 for y in line["y"]])
    assert band["y"][2:] == pytest.approx([y - 1 for y in reversed(line["y"])])


@pytest.mark.parametrize("smoothing", [0, 0.6])
def test_the_extremes_on_a_symlog_axis_are_levels_as_the_line_is(smoothing: float) -> None:
    group = GroupLine(Line("g0", "g", 0, x=[0, 1], y=[10, 1000]), low=[-1000, 10], high=[10, 1000])

    band, *rest = traces([group], ViewState(smoothing=smoothing, y_axis="sym"))

    assert band["y"][:2] == rest[0]["y"]
    assert band["y"][3] == -band["y"][1]


def test_without_a_band_a_group_is_drawn_as_a_run() -> None:
    group = GroupLine(Line("g0", "g", 0, x=[0, 1], y=[1, 3]), low=[0, 2], high=[2, 4])

    drawn = traces([group], ViewState(smoothing=0, group_band="none"))

    assert [trace["uid"] for trace in drawn] == ["g0__line"]


def traces(groups: list[GroupLine], view: ViewState) -> list[dict[str, Any]]:
    """Return what is drawn as the plain JSON that it is."""
    figure: dict[str, Any] = plain(draw_groups(groups, view).to_plotly_json())
    drawn: list[dict[str, Any]] = figure["data"]
    return drawn


def group_of(line: dict[str, Any]) -> GroupLine:
    marks = tuple(Mark(mark["x"], mark["value"]) for mark in line["marks"])
    own = Line(line["run"], line["name"], line["color"], line["x"], line["y"], marks)
    return GroupLine(own, line["low"], line["high"])


def view_of(view: dict[str, Any]) -> ViewState:
    return ViewState(
        smoothing=view["smoothing"],
        y_axis=view["yAxis"],
        group_band=view["groupBand"],
        smoothing_kind=view["smoothingKind"],
        outliers_clipped=view["outliersClipped"],
    )
