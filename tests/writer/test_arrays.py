"""Histograms and images from arrays: what is counted, what is drawn."""

from __future__ import annotations

import io
import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from PIL import Image

from orgboard._kinds.counting import tally, tensorflow_edges
from orgboard._kinds.histogram import Sample, histogram_body, trim
from orgboard._kinds.image import Picture, check_layout, image_body, to_pixels
from orgboard._kinds.png import encode_png
from orgboard._values.arrays import snapshot, to_float
from orgboard_schema.wire.event_pb2 import Event
from orgboard_schema.wire.summary_pb2 import HistogramProto, Summary

samples = npst.arrays(
    np.float64, st.integers(1, 60), elements=st.floats(-1e19, 1e19, allow_nan=False)
)


def value_of(body: bytes) -> Summary.Value:
    return Event.FromString(body).summary.value[0]


@given(samples)
def test_every_value_is_counted_between_the_edges_around_it(values: Any) -> None:
    limits, counts = trim(tally(values).counts, tensorflow_edges(), None)

    # The slow way, edge by edge; a value on an edge belongs to the bucket on its right.
    assert counts[0] == 0
    assert counts[1] > 0
    assert counts[-1] > 0
    for (left, right), number in zip(pairwise(limits), counts[1:], strict=True):
        assert number == sum(1 for value in values if left <= value < right)
    assert sum(counts) == len(values)


@given(npst.arrays(np.float64, 40, elements=st.floats(-100, 100)), st.integers(1, 50))
def test_merged_buckets_hold_the_same_values_between_fewer_of_the_same_edges(
    values: Any, max_bins: int
) -> None:
    edges = np.arange(-100.0, 101.0)

    limits, counts = trim(np.histogram(values, edges)[0], edges, max_bins)

    assert sum(counts) == len(values)
    assert set(limits) <= set(edges.tolist())
    for (left, right), number in zip(pairwise(limits), counts[1:], strict=True):
        last = right == edges[-1]
        assert number == sum(1 for v in values if left <= v < right or (last and v == right))
    assert all(right - left >= 200 // max_bins for left, right in pairwise(limits[:-1]))


@given(samples)
def test_a_histogram_says_what_protobuf_would(values: Any) -> None:
    limits, counts = trim(tally(values).counts, tensorflow_edges(), None)
    expected = Summary.Value(
        tag=b"h",
        histo=HistogramProto(
            min=values.min(),
            max=values.max(),
            num=len(values),
            sum=values.sum(),
            sum_squares=values.dot(values),
            bucket_limit=limits,
            bucket=counts,
        ),
    )

    body = histogram_body("h", Sample(values, "tensorflow", None))

    assert body == Event(summary=Summary(value=[expected])).SerializeToString()


def test_the_edges_are_tensorflows() -> None:
    edges = tensorflow_edges()

    assert len(edges) == 1549
    assert edges[774] == 0
    assert edges[775] == 1e-12
    assert edges[776] == 1e-12 * 1.1
    assert edges[-1] < 1e20 <= edges[-1] * 1.1


def test_a_histogram_of_nan_only_is_kept_without_buckets() -> None:
    values = np.array([math.nan, math.nan])

    histogram = value_of(histogram_body("h", Sample(values, "tensorflow", None))).histo

    assert histogram.num == 2
    assert math.isnan(histogram.sum)
    assert list(histogram.bucket) == []


pictures = npst.array_shapes(min_dims=3, max_dims=3, max_side=12).flatmap(
    lambda shape: npst.arrays(np.uint8, (*shape[:2], 1 + shape[2] % 4))
)


@given(pictures)
def test_a_png_decodes_to_the_same_pixels(pixels: Any) -> None:
    with Image.open(io.BytesIO(encode_png(pixels))) as image:
        decoded = np.asarray(image).reshape(pixels.shape)

    assert np.array_equal(decoded, pixels)


@pytest.mark.parametrize("layout", ["CHW", "HWC", "WHC"])
def test_axes_are_arranged_as_the_layout_says(layout: str) -> None:
    pixels = np.arange(5 * 4 * 3, dtype=np.uint8).reshape(5, 4, 3)
    given_array = pixels.transpose(["HWC".index(axis) for axis in layout])

    arranged = to_pixels(check_layout(given_array, layout.lower()))

    assert np.array_equal(arranged, pixels)


def test_one_grey_channel_is_drawn_as_three() -> None:
    grey = np.array([[0, 100], [200, 255]], np.uint8)

    assert np.array_equal(to_pixels(Picture(grey, "HW")), np.stack([grey] * 3, axis=2))
    assert np.array_equal(to_pixels(Picture(grey[None], "CHW")), np.stack([grey] * 3, axis=2))


def test_floats_are_scaled_from_0_to_1_and_clipped() -> None:
    floats = np.array([[-1.0, 0.0, 0.5, 1.0, 7.0, math.nan, math.inf]])

    assert to_pixels(Picture(floats, "HW"))[0, :, 0].tolist() == [0, 0, 127, 255, 255, 0, 255]


def test_a_batch_becomes_rows_of_eight() -> None:
    batch = np.arange(10, dtype=np.uint8).reshape(10, 1, 1, 1)

    grid = to_pixels(Picture(batch, "NCHW"))

    assert grid[..., 0].tolist() == [[0, 1, 2, 3, 4, 5, 6, 7], [8, 9, 0, 0, 0, 0, 0, 0]]


def test_an_image_says_its_size_and_colours() -> None:
    value = value_of(image_body("i", Picture(np.zeros((4, 3, 5), np.uint8), "CHW")))

    assert (value.image.height, value.image.width, value.image.colorspace) == (3, 5, 4)


@pytest.mark.parametrize(
    ("shape", "layout"), [((3, 4), "CHW"), ((3, 4), "HH"), ((3, 0, 4), "CHW"), ((3, 4), "HC")]
)
def test_a_layout_that_does_not_fit_is_refused(shape: tuple[int, ...], layout: str) -> None:
    with pytest.raises(ValueError, match=r"dataformats|pixel"):
        check_layout(np.zeros(shape), layout)


@pytest.mark.parametrize(
    "value",
    [
        2,
        2.0,
        "2",
        True + 1,
        np.float32(2),
        np.float64(2),
        np.int8(2),
        np.array(2),
        np.array([[2.0]]),
    ],
)
def test_a_number_may_come_in_any_type(value: object) -> None:
    assert to_float(value) == 2.0


@pytest.mark.parametrize("value", ["two", b"2", None, [1, 2], np.zeros(2), {}, 1j])
def test_what_is_no_number_is_refused(value: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        to_float(value)


class Tensor:
    """What torch's tensors can do, as far as the SDK asks."""

    def __init__(self, array: Any, dtype: str) -> None:
        self.array, self.dtype = array, dtype

    def detach(self) -> Tensor:
        return self

    def cpu(self) -> Tensor:
        return self

    def float(self) -> Tensor:
        return Tensor(self.array.astype(np.float32), "torch.float32")

    def numpy(self) -> Any:
        if self.dtype == "torch.bfloat16":
            raise TypeError("numpy has no such type")
        return self.array


@pytest.mark.parametrize("dtype", ["torch.float64", "torch.bfloat16"])
def test_a_tensor_is_copied_by_what_it_can_do(dtype: str) -> None:
    array = np.array([1.0, 2.0])

    taken = snapshot(Tensor(array, dtype))
    array[:] = 0

    assert taken.tolist() == [1.0, 2.0]
