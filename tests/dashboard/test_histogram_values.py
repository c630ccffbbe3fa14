"""Exact buckets, percentiles, distances and bins for drawing: each equal to plain arithmetic."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgboard_dashboard.histograms.buckets import FAULTS, Frames, frames_in_order, frames_of
from orgboard_dashboard.histograms.distances import (
    MOST_BUCKETS,
    jensen_shannon,
    shares_of,
    wasserstein,
)
from orgboard_dashboard.histograms.layers import Layer, columns_of, depth_order, layer_map
from orgboard_dashboard.histograms.percentiles import bands, percentiles, statistic
from orgboard_dashboard.histograms.resample import resample
from orgboard_schema.blocks.value_columns import as_columns
from orgboard_schema.types import Histogram, ProtoHistogram, TensorHistogram
from orgboard_schema.wire.histograms import buckets
from support.vectors import read_vectors

counts = st.lists(st.integers(0, 1000).map(float), min_size=1, max_size=12)
widths = st.floats(0.001, 10)


@st.composite
def tensors(draw: Any) -> TensorHistogram:
    """Make a histogram of neighbouring buckets, some of them without a width."""
    heights = draw(counts)
    gaps = draw(st.lists(st.just(0.0) | widths, min_size=len(heights), max_size=len(heights)))
    edges = draw(st.floats(-50, 50)) + np.cumsum([0.0, *gaps])
    rows = zip(edges[:-1].tolist(), edges[1:].tolist(), heights, strict=True)
    return TensorHistogram("float64", tuple(rows))


@st.composite
def protos(draw: Any) -> ProtoHistogram:
    """Make a sound histogram of right edges, with empty buckets at its ends."""
    heights = [0.0, *draw(counts), 0.0]
    gaps = draw(st.lists(widths, min_size=len(heights), max_size=len(heights)))
    limits = np.cumsum(gaps) - 20
    full = [at for at, height in enumerate(heights) if height > 0]
    low, high = (limits[full[0] - 1], limits[full[-1]]) if full else (0.0, 0.0)
    return ProtoHistogram(
        float(low), float(high), sum(heights), 1.0, 1.0, tuple(limits.tolist()), tuple(heights)
    )


def rows_of(frames: Frames) -> list[list[tuple[float, float, float]]]:
    """Return the buckets of each histogram."""
    rows = list(
        zip(frames.left.tolist(), frames.right.tolist(), frames.count.tolist(), strict=True)
    )
    starts, lengths = frames.starts().tolist(), frames.lengths.tolist()
    return [rows[at : at + length] for at, length in zip(starts, lengths, strict=True)]


def told(frames: Frames, at: int = 0) -> list[str]:
    """Return in words what is wrong with a histogram."""
    return [words for bit, words in enumerate(FAULTS) if frames.faults[at] >> bit & 1]


@given(st.lists(protos() | tensors(), max_size=6))
def test_buckets_are_those_that_tensorboard_reads(values: list[Histogram]) -> None:
    frames = frames_of([as_columns(tuple(values))])

    assert [tuple(rows) for rows in rows_of(frames)] == [buckets(value) for value in values]
    assert not frames.faults.any()


@given(st.lists(tensors(), min_size=1, max_size=6), st.data())
def test_any_of_them_are_had_in_any_order(values: list[TensorHistogram], data: Any) -> None:
    at = data.draw(st.permutations(range(len(values))))
    parts = [as_columns(tuple(values[:2])), tuple(values[2:])]

    frames = frames_in_order(parts, np.array(at, np.int64))

    assert [tuple(rows) for rows in rows_of(frames)] == [values[one].buckets for one in at]


@pytest.mark.parametrize(
    ("rows", "left", "words"),
    [
        ([(0, 1, 2), (math.nan, 2, 3)], [(0, 1, 2)], "an edge that is no number"),
        ([(0, 1, 2), (3, 2, 3)], [(0, 1, 2)], "edges that go back"),
        ([(0, 1, math.nan), (1, 2, 3)], [(1, 2, 3)], "a count that is no number"),
        ([(0, 1, -1), (1, 2, 3)], [(1, 2, 3)], "a negative count"),
        ([(-math.inf, 1, 4), (1, 2, 3)], [(1, 1, 4), (1, 2, 3)], "an infinite edge"),
    ],
)
def test_what_is_unsound_is_left_out_and_told(rows: Any, left: Any, words: str) -> None:
    frames = frames_of([(TensorHistogram("float64", tuple(rows)),)])

    assert rows_of(frames) == [left]
    assert told(frames) == [words]
    assert frames.left_out.tolist() == [len(rows) - len(left)]


@pytest.mark.parametrize(
    ("proto", "drawn", "words"),
    [
        (
            ProtoHistogram(0, 9, 3, 0, 0, (1, 2), (1, 1, 1)),
            [(0, 1, 1), (1, 9, 1)],
            {
                "not as many counts as edges",
            },
        ),
        (
            ProtoHistogram(0, 3, 9, 0, 0, (1, 3), (1, 2)),
            [(0, 1, 1), (1, 3, 2)],
            {"a total that its counts do not come to"},
        ),
        (
            # A writer that never set them.
            ProtoHistogram(0, 0, 3, 0, 0, (5, 6, 7), (0, 1, 2)),
            [(0, 6, 1), (6, 7, 2)],
            {"a least and greatest value that its buckets contradict"},
        ),
        (ProtoHistogram(0, 0, 0, 0, 0, (1, 2), (0, 0)), [], set()),
    ],
)
def test_an_old_histogram_is_drawn_as_far_as_it_is_sound(
    proto: ProtoHistogram, drawn: Any, words: set[str]
) -> None:
    frames = frames_of([(proto,)])

    assert rows_of(frames) == [drawn]
    assert set(told(frames)) == words


@given(tensors())
def test_percentiles_go_up_and_stay_inside(value: TensorHistogram) -> None:
    (found,) = bands(frames_of([(value,)]))

    assert (np.diff(found) >= -1e-9).all()
    assert found[0] >= value.buckets[0][0] - 1e-9
    assert found[-1] <= value.buckets[-1][1] + 1e-9


def test_a_histogram_without_buckets_has_bands_of_zeros_and_no_percentile() -> None:
    frames = frames_of([(TensorHistogram("float32", ()),)])

    assert bands(frames).tolist() == [[0.0] * 9]
    assert np.isnan(percentiles(frames, [50])).all()


def test_statistics_are_the_logged_sums_where_there_are_any() -> None:
    values = np.array([1.0, 2.0, 4.0, 9.0])
    proto = ProtoHistogram(
        *(1.0, 9.0, 4.0, values.sum(), (values**2).sum()), (1.0, 3.0, 9.0), (1.0, 1.0, 2.0)
    )
    frames = frames_of([(proto,)])

    assert statistic(frames, "mean")[0] == values.mean()
    assert statistic(frames, "std")[0] == pytest.approx(values.std())
    assert (statistic(frames, "min")[0], statistic(frames, "max")[0]) == (1.0, 9.0)
    assert statistic(frames, "num")[0] == 4


def test_statistics_of_buckets_are_those_of_evenly_spread_values() -> None:
    frames = frames_of([(TensorHistogram("float64", ((0.0, 1.0, 3.0), (1.0, 4.0, 1.0))),)])
    spread = np.concatenate(
        [np.tile(np.arange(0.5, 1000) / 1000, 3), 1 + 3 * np.arange(0.5, 1000) / 1000]
    )

    assert statistic(frames, "mean")[0] == pytest.approx(spread.mean())
    assert statistic(frames, "std")[0] == pytest.approx(spread.std(), rel=1e-6)
    assert statistic(frames, "p50")[0] == pytest.approx(2 / 3)


@given(tensors(), st.integers(1, 40), st.floats(0.1, 3))
def test_other_bins_hold_the_same_sum(value: TensorHistogram, n: int, wide: float) -> None:
    left, right, count = np.array(value.buckets).T
    low, high = left[0], right[-1]
    edges = np.linspace(low - wide, high + wide, n + 1)

    assert resample(left, right, count, edges).sum() == pytest.approx(count.sum(), rel=1e-12)


@given(tensors())
def test_bins_at_the_edges_of_the_buckets_are_the_buckets(value: TensorHistogram) -> None:
    left, right, count = np.array(value.buckets).T
    edges = np.unique(np.append(left, right))
    wide = right > left
    if len(edges) < 2:
        return

    bins = resample(left[wide], right[wide], count[wide], edges)

    expected = np.zeros(len(edges) - 1)
    np.add.at(expected, np.searchsorted(edges, left[wide]), count[wide])
    assert bins == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("case", read_vectors("histograms"), ids=lambda case: case["name"])
def test_bins_are_the_shared_ones(case: dict[str, Any]) -> None:
    columns = (np.array(case[name], np.float64) for name in ("left", "right", "count", "edges"))

    assert resample(*columns) == pytest.approx(case["bins"])


def test_a_part_of_a_bucket_goes_into_a_bin_by_its_share() -> None:
    one = np.array([0.0]), np.array([4.0]), np.array([8.0])

    assert resample(*one, np.array([0.0, 1.0, 3.0])).tolist() == [2.0, 4.0]


@given(tensors(), tensors())
def test_distances_are_those_of_plain_arithmetic(
    one: TensorHistogram, other: TensorHistogram
) -> None:
    if not all(sum(row[2] for row in value.buckets) for value in (one, other)):
        return
    shares = shares_of(frames_of([(one, other)]))
    pair = np.array([0]), np.array([1])

    assert wasserstein(shares, *pair)[0] == pytest.approx(
        _plain_wasserstein(one, other), rel=1e-3, abs=1e-3
    )
    divergence = jensen_shannon(shares, *pair)[0]
    assert 0 <= divergence <= 1
    assert divergence == pytest.approx(jensen_shannon(shares, *pair[::-1])[0], abs=1e-9)


def _plain_wasserstein(one: TensorHistogram, other: TensorHistogram) -> float:
    """Take many values of each in order, and the mean of what they differ by."""
    places = (np.arange(20_000) + 0.5) / 20_000

    def taken(value: TensorHistogram) -> Any:
        left, right, count = np.array(value.buckets).T
        kept = count > 0
        left, right, count = left[kept], right[kept], count[kept]
        reached = np.cumsum(count) / count.sum()
        at = np.minimum(np.searchsorted(reached, places), len(count) - 1)
        before = reached[at] - count[at] / count.sum()
        return left[at] + (places - before) / (count[at] / count.sum()) * (right[at] - left[at])

    return float(np.abs(taken(one) - taken(other)).mean())


def test_what_is_equal_is_not_apart_and_what_is_disjoint_is_wholly() -> None:
    here = TensorHistogram("float64", ((0.0, 1.0, 2.0), (1.0, 1.0, 5.0)))
    there = TensorHistogram("float64", ((10.0, 11.0, 2.0), (11.0, 11.0, 5.0)))
    nothing = TensorHistogram("float64", ())
    shares = shares_of(frames_of([(here, here, there, nothing)]))
    one, other = np.array([0, 0, 0]), np.array([1, 2, 3])

    assert wasserstein(shares, one, other)[:2].tolist() == pytest.approx([0.0, 10.0])
    assert jensen_shannon(shares, one, other)[:2].tolist() == pytest.approx([0.0, 1.0])
    assert np.isnan(wasserstein(shares, one, other)[2])
    assert np.isnan(jensen_shannon(shares, one, other)[2])


def test_a_histogram_of_many_buckets_keeps_logged_edges_and_is_about_as_far() -> None:
    rng = np.random.default_rng(1)
    edges = np.linspace(-8, 9, 1001)
    many = [np.histogram(rng.normal(mean, 1, 50_000), edges)[0] for mean in (0.0, 0.5)]
    values = tuple(
        TensorHistogram("float64", tuple(zip(edges[:-1], edges[1:], h.astype(float), strict=True)))
        for h in many
    )
    shares = shares_of(frames_of([values]))

    assert shares.edges.shape[1] == MOST_BUCKETS + 1
    assert np.isin(shares.edges, edges).all()
    assert wasserstein(shares, np.array([0]), np.array([1]))[0] == pytest.approx(0.5, rel=0.05)


def layer(value: Sequence[tuple[tuple[float, float, float], ...]], wall: float = 0.0) -> Layer:
    """Make a layer of one histogram a step."""
    n = len(value)
    parts = (as_columns(tuple(TensorHistogram("float64", rows) for rows in value)),)
    return Layer(np.arange(n), wall + np.arange(n, dtype=float), np.arange(n), parts)


def test_layers_stand_in_the_order_that_they_were_first_logged_in() -> None:
    layers = {1: layer([()], 3.0), 2: layer([()], 1.0), 3: layer([()], 2.0), 4: layer([()], 2.0)}

    names = {1: "a", 2: "z", 3: "layer10", 4: "layer9"}
    assert depth_order(layers, names) == (2, 4, 3, 1)


def test_the_map_shows_the_layer_that_leaps() -> None:
    calm = [((0.0, 1.0, 5.0),)] * 4
    leaps = [((0.0, 1.0, 5.0),), ((0.0, 1.0, 5.0),), ((100.0, 101.0, 5.0),), ((100.0, 101.0, 5.0),)]
    layers = {1: layer(calm), 2: layer(leaps)}

    drawn = layer_map(layers, None, {1: "a", 2: "b"}, "w1", 100)

    assert drawn.tags == (1, 2)
    assert np.isnan(drawn.values[:, 0]).all()
    assert drawn.values[:, 1:].tolist() == [[0, 0, 0], [0, 100, 0]]


def test_a_map_beside_another_run_compares_the_same_steps() -> None:
    mine = {1: layer([((0.0, 1.0, 5.0),)] * 3), 2: layer([((0.0, 1.0, 1.0),)])}
    theirs = {1: layer([((0.0, 1.0, 5.0),), ((2.0, 3.0, 5.0),)])}

    drawn = layer_map(mine, theirs, {}, "w1", 100)

    assert drawn.values[0, :2].tolist() == [0, 2]
    assert np.isnan(drawn.values[0, 2])
    assert np.isnan(drawn.values[1]).all()


def test_dead_saturated_and_lost_shares_are_shares_of_the_counts() -> None:
    rows = ((-1.0, 0.0, 1.0), (0.0, 0.5, 5.0), (0.5, 1.0, 2.0), (1.0, 2.0, 2.0))
    layers = {1: layer([rows])}

    shares = {of: float(layer_map(layers, None, {}, of, 9).values[0, 0]) for of in ("dead", "sat")}

    assert shares == {"dead": 0.5, "sat": pytest.approx(0.3)}
    proto = ProtoHistogram(0, 2, 8, 0, 0, (1, 2), (3, 3))
    lost = Layer(np.arange(1), np.zeros(1), np.arange(1), ((proto,),))
    assert layer_map({1: lost}, None, {}, "nan", 9).values.tolist() == [[0.25]]


def test_a_map_has_the_first_and_the_last_step_of_many() -> None:
    found = columns_of([np.arange(1000), np.arange(5000, 5010)], 20)

    assert len(found) == 20
    assert (found[0], found[-1]) == (0, 5009)
