"""Groups as one line: equal to plain arithmetic, aligned as stated, no spike outside the band."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgboard_dashboard.bands import MAX_CELLS, BandKind, Centre, Member, Window, combine
from orgboard_dashboard.quantiles import student_t_975

Points = list[tuple[float, float]]

# Few places, so that members share some, begin late and end early.
places = st.integers(-20, 20).map(float)
numbers = st.floats(-1e6, 1e6, width=32)
anything = st.one_of(numbers, st.sampled_from([math.nan, math.inf, -math.inf]))
series = st.lists(st.tuples(places, anything), max_size=40)
groups = st.lists(series, max_size=6)
windows = st.tuples(st.integers(1, 60), st.none() | places, st.none() | places).map(
    lambda drawn: Window(*drawn)
)

CENTRE: dict[Centre, Callable[[Sequence[float]], float]] = {
    "mean": statistics.fmean,
    "median": statistics.median,
    "min": min,
    "max": max,
}


def _members(group: list[Points]) -> list[Member]:
    return [
        Member(np.array([x for x, _ in points]), np.array([y for _, y in points]))
        for points in group
    ]


def _is_inside(x: float, window: Window) -> bool:
    return (window.low is None or x >= window.low) and (window.high is None or x <= window.high)


def _drawn(points: Points) -> Points:
    """Return what can be drawn, by x; those of equal x as they came."""
    return sorted((point for point in points if math.isfinite(point[1])), key=lambda p: p[0])


def _naive(
    group: list[Points], grid: Sequence[float], window: Window
) -> list[tuple[list[float], list[float]]]:
    """Return, for each place of the grid, the counting members' values there, and all that passed.

    What passed are the values that were compared at any place since the grid's place before.
    """
    drawn = [_drawn(points) for points in group]
    compared = sorted({x for points in drawn for x, _ in points if _is_inside(x, window)})
    found = []
    passed: list[float] = []
    before = -math.inf if window.low is None else math.nextafter(window.low, -math.inf)
    for place in compared:
        at_place = []
        for points in drawn:
            begun = [point for point in points if point[0] <= place]
            if begun and points[-1][0] > before:
                at_place.append(begun[-1][1])
                here = [y for x, y in begun if x > before]
                passed += here or [begun[-1][1]]
        before = place
        if place in grid:
            found.append((at_place, passed))
            passed = []
    return found


@given(groups, windows, st.sampled_from(list(CENTRE)))
def test_the_line_is_what_plain_arithmetic_gives(
    group: list[Points], window: Window, centre: Centre
) -> None:
    band = combine(_members(group), window, centre)

    for at, (values, passed) in enumerate(_naive(group, band.x.tolist(), window)):
        expected = CENTRE[centre](passed if centre in ("min", "max") else values)
        assert band.y[at] == pytest.approx(expected, rel=1e-9, abs=1e-6)
        assert band.runs[at] == len(values)
        assert (band.low[at], band.high[at]) == (min(passed), max(passed))


@given(groups, windows)
def test_bands_of_spread_are_what_plain_arithmetic_gives(
    group: list[Points], window: Window
) -> None:
    bands: dict[BandKind, Callable[[float, int], float]] = {
        "std": lambda std, _n: std,
        "sem": lambda std, n: std / math.sqrt(n),
        "ci": lambda std, n: float(student_t_975(np.array([n - 1]))[0]) * std / math.sqrt(n),
    }
    for kind, half in bands.items():
        band = combine(_members(group), window, "median", kind)
        for at, (values, _) in enumerate(_naive(group, band.x.tolist(), window)):
            n, mean = len(values), statistics.fmean(values)
            apart = half(statistics.stdev(values), n) if n > 1 else 0.0
            assert band.low[at] == pytest.approx(mean - apart, rel=1e-6, abs=1e-5)
            assert band.high[at] == pytest.approx(mean + apart, rel=1e-6, abs=1e-5)


@given(groups, windows)
def test_every_point_is_inside_the_band_from_least_to_greatest(
    group: list[Points], window: Window
) -> None:
    band = combine(_members(group), window)

    for x, y in (point for points in group for point in _drawn(points)):
        if _is_inside(x, window):
            at = int(np.searchsorted(band.x, x))
            assert band.low[at] <= y <= band.high[at]


@given(groups, windows)
def test_there_are_at_most_four_points_a_column_and_all_are_counted(
    group: list[Points], window: Window
) -> None:
    band = combine(_members(group), window)

    inside = [point for points in group for point in points if _is_inside(point[0], window)]
    assert band.x.size <= 4 * window.columns
    assert band.total == len(inside)
    assert band.non_finite == sum(not math.isfinite(y) for _, y in inside)
    assert np.all(np.diff(band.x) > 0)
    assert np.all((band.low <= band.y) & (band.y <= band.high))


@given(groups, st.integers(1, 8), st.sampled_from(list(CENTRE)))
def test_the_line_keeps_its_lowest_and_its_highest_place(
    group: list[Points], columns: int, centre: Centre
) -> None:
    every = combine(_members(group), Window(1000), centre)
    few = combine(_members(group), Window(columns), centre)

    if every.x.size:
        # A line of the greatest is, at each place, the greatest since the place before.
        assert centre == "max" or few.y.min() == every.y.min()
        assert centre == "min" or few.y.max() == every.y.max()
        assert (few.x[0], few.x[-1]) == (every.x[0], every.x[-1])


def test_a_mean_keeps_its_spikes_though_they_are_between_the_columns_ends() -> None:
    x = np.arange(10_000.0)
    members = [Member(x, np.where(x % 997 == 5, 9.0, seed)) for seed in (1.0, 3.0)]

    band = combine(members, Window(50), "mean", "std")

    assert band.x[band.y == 9.0].tolist() == [float(at) for at in range(5, 10_000, 997)]


def test_a_group_too_big_to_try_out_has_the_end_of_each_column() -> None:
    x = np.arange(float(MAX_CELLS // 4))
    members = [Member(x, x)] * 5

    band = combine(members, Window(5))

    assert band.x.tolist() == [49_999, 99_999, 149_999, 199_999, 249_999]


@given(groups)
def test_all_places_are_kept_while_there_are_at_most_four_a_column(group: list[Points]) -> None:
    band = combine(_members(group), Window(columns=11))

    assert band.x.tolist() == sorted({x for points in group for x, _ in _drawn(points)})


def test_members_count_from_their_first_point_to_their_last() -> None:
    long = Member(np.arange(5.0), np.zeros(5))
    short = Member(np.array([1.0, 3.0]), np.array([8.0, 4.0]))

    band = combine([long, short], Window(100))

    assert band.runs.tolist() == [1, 2, 2, 2, 1]
    assert band.y.tolist() == [0, 4, 4, 2, 0]
    assert band.high.tolist() == [0, 8, 8, 4, 0]


def test_a_member_carries_into_a_zoom_what_it_had_before() -> None:
    coarse = Member(np.array([0.0, 100.0]), np.array([6.0, 10.0]))
    fine = Member(np.arange(101.0), np.zeros(101))

    band = combine([coarse, fine], Window(100, 40, 60))

    assert band.x.tolist() == [float(x) for x in range(40, 61)]
    assert set(band.y.tolist()) == {3.0}


def test_on_a_log_axis_only_what_is_above_zero_has_a_place_and_the_rest_is_carried() -> None:
    members = _members([[(-1, 9), (0, 1), (100, 3)], [(10, 5), (100, 7)]])

    band = combine(members, Window(50, log_x=True))

    assert band.x.tolist() == [10, 100]
    assert band.y.tolist() == [3, 5]
    assert band.high.tolist() == [5, 7]
    assert (band.total, band.without_x) == (3, 2)


def test_the_columns_of_a_log_axis_are_even_in_the_logarithm() -> None:
    x = np.arange(1.0, 10_001)

    band = combine([Member(x, x)], Window(4, low=-5, log_x=True))

    assert band.x.tolist() == [1, 9, 10, 99, 100, 999, 1000, 10_000]
    assert band.low.tolist() == [1, 2, 10, 11, 100, 101, 1000, 1001]


def test_runs_of_nothing_are_a_line_of_nothing() -> None:
    empty = Member(np.empty(0), np.empty(0))
    broken = Member(np.array([math.nan, 1.0]), np.array([1.0, math.nan]))

    band = combine([empty, broken], Window(10))

    assert (band.x.size, band.total, band.non_finite, band.without_x) == (0, 1, 1, 1)
    assert combine([], Window(10)).x.size == 0


def test_the_mean_of_equal_values_is_that_value() -> None:
    members = [Member(np.zeros(1), np.array([0.1])) for _ in range(7)]

    band = combine(members, Window(10), "mean", "ci")

    assert band.y.tolist() == [0.1]
    assert band.low[0] == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("freedom", "quantile"),
    [
        (1, 12.7062),
        (4, 2.77645),
        (20, 2.08596),
        (21, 2.07961),
        (30, 2.04227),
        (99, 1.98422),
        (10**6, 1.95997),
    ],
)
def test_quantiles_are_those_of_the_tables(freedom: int, quantile: float) -> None:
    assert student_t_975(np.array([freedom]))[0] == pytest.approx(quantile, abs=6e-6)
