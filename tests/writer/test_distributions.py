"""Precision-recall curves, and histograms that the caller counted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from orgboard import SummaryWriter
from orgboard._kinds.histogram import RawHistogram, raw_histogram_body
from orgboard._kinds.pr_curve import PrSample, compute_curve, pr_curve_body
from orgboard_schema.wire.event_pb2 import Event
from orgboard_schema.wire.plugins_pb2 import PrCurvePluginData
from orgboard_schema.wire.summary_pb2 import HistogramProto, Summary
from support.logged_runs import events


def value_of(body: bytes) -> Summary.Value:
    return Event.FromString(body).summary.value[0]


# Quarters are exact in each type, and lie on thresholds of 5.
quarters = st.integers(0, 4).map(lambda number: number / 4)


@given(
    st.integers(1, 30).flatmap(
        lambda size: st.tuples(
            npst.arrays(np.bool_, size),
            npst.arrays(np.float32, size, elements=quarters),
            npst.arrays(np.float64, size, elements=st.integers(0, 8).map(float)),
        )
    )
)
def test_a_curve_counts_what_each_threshold_lets_through(sample: tuple[Any, Any, Any]) -> None:
    labels, predictions, weights = sample

    curve = compute_curve(labels, predictions, weights, 5)

    for place, threshold in enumerate([0, 0.25, 0.5, 0.75, 1]):
        passes = predictions >= threshold
        found = [
            weights[chosen].sum()
            for chosen in (passes & labels, passes & ~labels, ~passes & ~labels, ~passes & labels)
        ]
        assert curve[:4, place].tolist() == found
        true_positives, false_positives, _, false_negatives = found
        assert curve[4, place] == true_positives / max(1e-7, true_positives + false_positives)
        assert curve[5, place] == true_positives / max(1e-7, true_positives + false_negatives)


@pytest.mark.parametrize(("asked", "made"), [(127, 127), (500, 127), (10, 10)])
def test_a_curve_has_at_most_127_thresholds(asked: int, made: int) -> None:
    sample = PrSample(np.array([0, 1]), np.array([0.2, 0.9]), None, asked)

    value = value_of(pr_curve_body("pr", sample))

    assert PrCurvePluginData.FromString(value.metadata.plugin_data.content).num_thresholds == made
    assert [dim.size for dim in value.tensor.tensor_shape.dim] == [6, made]
    assert len(value.tensor.float_val) == 6 * made
    assert value.metadata.plugin_data.plugin_name == b"pr_curves"


def test_predictions_that_are_none_are_at_no_threshold() -> None:
    curve = compute_curve(np.array([1, 1, 0, 1]), np.array([np.nan, 0.5, 2.0, -1.0]), 1.0, 3)

    assert curve[:2].tolist() == [[1, 1, 0], [0, 0, 0]]


def test_labels_and_predictions_may_be_lists(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path) as writer:
        writer.add_pr_curve("pr", [0, 1], [0.25, 0.75], 3, num_thresholds=2, weights=2)
        assert writer.dropped == 0

    (value,) = [value for event in events(tmp_path) for value in event.summary.value]
    assert list(value.tensor.float_val) == [2, 0, 2, 0, 0, 2, 0, 2, 0.5, 0, 1, 0]


@pytest.mark.parametrize(
    "arguments",
    [
        {"labels": [0, 1], "predictions": [0.5]},
        {"labels": "ab", "predictions": [0.5]},
        {"labels": [0], "predictions": [0.5], "num_thresholds": 0},
        {"labels": [0], "predictions": [0.5], "weights": [1.0, 2.0]},
    ],
)
def test_a_curve_that_makes_no_sense_is_dropped_or_when_strict_refused(
    tmp_path: Path, arguments: dict[str, Any]
) -> None:
    with SummaryWriter(tmp_path / "lenient") as writer:
        writer.add_pr_curve("pr", **arguments)
        writer.flush()
        assert writer.dropped == 1

    with (
        SummaryWriter(tmp_path / "strict", strict=True) as strict,
        pytest.raises((TypeError, ValueError)),
    ):
        strict.add_pr_curve("pr", **arguments)


def test_a_curve_s_labels_and_predictions_are_told_apart_by_their_shapes() -> None:
    sample = PrSample(np.array([0, 1, 1]), np.array([0.2, 0.9]), None, 5)

    with pytest.raises(ValueError, match=r"labels and predictions .* \(3,\) and \(2,\)"):
        pr_curve_body("pr", sample)


def test_rows_of_a_raw_curve_are_stored_as_they_are(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path) as writer:
        writer.add_pr_curve_raw("pr", [1, 2], [3, 4], [5, 6], [7, 8], [0.5, 1], [0, 1], 9, 200)
        writer.add_pr_curve_raw("pr", [1, 2], [3], [5, 6], [7, 8], [0.5, 1], [0, 1])
        assert writer.dropped == 1

    found = [(event, value) for event in events(tmp_path) for value in event.summary.value]
    ((event, value),) = [each for each in found if each[1].tag == b"pr"]
    assert event.step == 9
    assert list(value.tensor.float_val) == [1, 2, 3, 4, 5, 6, 7, 8, 0.5, 1, 0, 1]
    assert PrCurvePluginData.FromString(value.metadata.plugin_data.content).num_thresholds == 127


def test_a_raw_histogram_says_what_protobuf_would() -> None:
    statistics = (-1.5, np.float32(2.5), 3, np.array([4.0]), 5)
    limits, counts = np.array([1, 2, 3]), np.array([0, 1.5, 2])
    expected = Summary.Value(
        tag=b"h",
        histo=HistogramProto(
            min=-1.5, max=2.5, num=3, sum=4, sum_squares=5, bucket_limit=limits, bucket=counts
        ),
    )

    body = raw_histogram_body("h", RawHistogram(statistics, limits, counts))

    assert body == Event(summary=Summary(value=[expected])).SerializeToString()


def test_a_raw_histogram_has_as_many_counts_as_limits(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path / "lenient") as writer:
        writer.add_histogram_raw("h", 0, 1, 2, 3, 4, [1.0, 2.0], [1])
        assert writer.dropped == 1

    with (
        SummaryWriter(tmp_path / "strict", strict=True) as strict,
        pytest.raises(ValueError, match="as many counts as limits"),
    ):
        strict.add_histogram_raw("h", 0, 1, 2, 3, 4, [1.0, 2.0], [1])


def test_a_histogram_of_nothing_is_dropped(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path) as writer:
        writer.add_histogram("array", np.zeros((0, 3)))
        writer.add_histogram("list", [])
        writer.flush()
        assert writer.dropped == 2


def test_signalling_nans_are_counted_without_a_warning(
    tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    values = np.array([0x7F800001, 0x3F800000], np.uint32).view(np.float32)
    with SummaryWriter(tmp_path) as writer:
        writer.add_histogram("h", values)
        writer.flush()
        assert writer.dropped == 0

    assert [str(warning.message) for warning in recwarn] == []
