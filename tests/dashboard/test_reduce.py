"""Display reduction: no spike is lost, and what cannot be drawn is told."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from orgboard_dashboard.reduce import MAX_MARKS, m4, reduce_line

Floats = NDArray[np.float64]

COLUMNS = 7

# A small range, so that many points share a column, an x, or an extreme.
places = st.integers(-50, 50).map(float)
numbers = st.one_of(st.integers(-4, 4).map(float), st.floats(allow_nan=False, allow_infinity=False))
anything = st.one_of(numbers, st.sampled_from([np.nan, np.inf, -np.inf]))


def _lines(value: st.SearchStrategy[float]) -> st.SearchStrategy[tuple[Floats, Floats]]:
    return st.integers(1, 200).flatmap(
        lambda n: st.tuples(
            hnp.arrays(np.float64, n, elements=places), hnp.arrays(np.float64, n, elements=value)
        )
    )


def _columns_of(x: Floats) -> NDArray[np.int64]:
    """Place each point in its pixel column, by the definition."""
    low, high = x.min(), x.max()
    if low == high:
        return np.zeros(x.size, np.int64)
    column: NDArray[np.int64] = ((x - low) / (high - low) * COLUMNS).astype(np.int64)
    return np.minimum(column, COLUMNS - 1)


@given(_lines(numbers))
def test_each_pixel_column_keeps_its_first_last_lowest_and_highest_point(
    line: tuple[Floats, Floats],
) -> None:
    x, y = np.sort(line[0]), line[1]

    kept = m4(x, y, columns=COLUMNS)

    column = _columns_of(x)
    for at in np.unique(column):
        inside = np.flatnonzero(column == at)
        chosen = np.intersect1d(kept, inside)
        assert chosen[0] == inside[0]
        assert chosen[-1] == inside[-1]
        assert y[chosen].min() == y[inside].min()
        assert y[chosen].max() == y[inside].max()
        assert chosen.size <= 4


@given(_lines(anything))
def test_every_point_is_drawn_or_marked_or_counted(line: tuple[Floats, Floats]) -> None:
    x, y = line

    reduced = reduce_line(x, y, columns=COLUMNS)

    finite = np.isfinite(y)
    assert reduced.total == x.size
    assert reduced.non_finite == np.count_nonzero(~finite)
    assert reduced.marks.size == min(MAX_MARKS, reduced.non_finite)
    assert np.all(finite[reduced.kept])
    assert not np.any(finite[reduced.marks])
    assert np.all(np.diff(x[reduced.kept]) >= 0)
    if np.count_nonzero(finite) <= 4 * COLUMNS:
        assert reduced.kept.size == np.count_nonzero(finite)


@given(_lines(anything))
def test_points_of_one_place_stay_in_the_order_of_the_file(line: tuple[Floats, Floats]) -> None:
    x, y = line

    kept = reduce_line(x, y, columns=1000).kept

    tied = x[kept][1:] == x[kept][:-1]
    assert np.all(np.diff(kept)[tied] > 0)


@given(_lines(numbers), places, places)
def test_a_zoom_shows_only_what_is_in_it(
    line: tuple[Floats, Floats], one: float, other: float
) -> None:
    x, y = line
    low, high = min(one, other), max(one, other)

    reduced = reduce_line(x, y, columns=COLUMNS, low=low, high=high)

    inside = (x >= low) & (x <= high)
    assert reduced.total == np.count_nonzero(inside)
    assert np.all(inside[reduced.kept])
    if inside.any():
        assert y[reduced.kept].max() == y[inside].max()
        assert y[reduced.kept].min() == y[inside].min()


def test_a_spike_of_one_point_in_a_million_is_kept() -> None:
    x = np.arange(1_000_000, dtype=np.float64)
    y = np.zeros(x.size)
    y[654_321] = 1e9

    reduced = reduce_line(x, y, columns=500)

    assert 654_321 in reduced.kept
    assert reduced.kept.size <= 2000
    assert reduced.total == 1_000_000


def test_a_point_without_a_place_on_the_axis_is_counted() -> None:
    x = np.array([0.0, np.nan, 2.0, np.inf])

    reduced = reduce_line(x, np.ones(4), columns=COLUMNS)

    assert reduced.kept.tolist() == [0, 2]
    assert reduced.without_x == 2


def test_the_widest_range_of_doubles_has_columns() -> None:
    biggest = np.finfo(np.float64).max
    x = np.linspace(-1, 1, 1000) * biggest

    assert m4(x, np.arange(1000.0), columns=10).size == 20


def test_places_with_one_logarithm_are_still_in_order() -> None:
    x = 1.7e9 + np.array([3e-6, 0.0, 2e-6, 1e-6])
    assert len(set(np.log10(x))) == 1

    reduced = reduce_line(x, np.arange(4.0), columns=100, log_x=True)

    assert reduced.kept.tolist() == [1, 3, 2, 0]
