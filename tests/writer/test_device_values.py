"""Values on a device: the training never waits for it, and only counts leave it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from orgboard import SummaryWriter
from orgboard._kinds.counting import tensorflow_edges
from orgboard_schema.wire.summary_pb2 import Summary
from support.devices import Device, lend_device
from support.logged_runs import Logged, events, scalars


@pytest.fixture
def device() -> Iterator[Device]:
    """A device for a test."""
    with lend_device() as lent:
        yield lent


def values_in(directory: Path) -> list[Summary.Value]:
    return [value for event in events(directory) for value in event.summary.value]


def waits_of_training(device: Device) -> list[str]:
    return [name for name in device.waits if name == threading.current_thread().name]


@pytest.mark.parametrize("kind", ["cuda", "mps"])
def test_a_devices_scalar_is_the_one_of_the_call_and_read_in_the_background(
    device: Device, tmp_path: Path, kind: str
) -> None:
    loss = device.tensor(0.5, kind=kind)
    with SummaryWriter(tmp_path) as writer:
        writer.add_scalar("loss", loss, 3)
        writer.add_scalars("both", {"a": loss}, 3)
        writer.log({"logged": loss}, 3)
        writer.add_scalar("double", loss, 3, double_precision=True)
        # What an optimizer does next: the tensor itself changes.
        loss.add_(1.0)

    assert scalars(tmp_path) == [Logged("loss", 3, 0.5), Logged("logged", 3, 0.5)]
    assert scalars(tmp_path / "both_a") == [Logged("both", 3, 0.5)]
    (double,) = [value for value in values_in(tmp_path) if value.tag == b"double"]
    assert list(double.tensor.double_val) == [0.5]
    assert len(device.waits) == 4
    assert waits_of_training(device) == []


@pytest.mark.parametrize("kind", ["cuda", "mps"])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_a_devices_histogram_is_counted_there_and_only_counts_are_sent(
    device: Device, tmp_path: Path, kind: str, dtype: str
) -> None:
    sample = np.random.default_rng(0).standard_normal(100_000).astype(dtype)
    with SummaryWriter(tmp_path) as writer:
        writer.add_histogram("there", device.tensor(sample, dtype, kind), 7)
        writer.add_histogram("here", sample, 7)

    there, here = (value.histo for value in values_in(tmp_path))
    assert list(there.bucket_limit) == list(here.bucket_limit)
    assert list(there.bucket) == list(here.bucket)
    assert (there.min, there.max, there.num) == (here.min, here.max, 100_000)
    assert there.sum == pytest.approx(here.sum, rel=1e-4)
    assert there.sum_squares == pytest.approx(here.sum_squares, rel=1e-4)
    assert device.sent == [(1, tensorflow_edges().size + 4)]
    assert waits_of_training(device) == []


def test_what_is_smaller_than_its_counts_is_sent_as_it_is(device: Device, tmp_path: Path) -> None:
    with SummaryWriter(tmp_path) as writer:
        writer.add_histogram("bias", device.tensor([1.0, 2.0, 3.0]))

    assert values_in(tmp_path)[0].histo.sum == 6.0
    assert device.sent == [(3,)]
    assert waits_of_training(device) == []


def test_bins_of_ones_own_are_counted_on_the_host(device: Device, tmp_path: Path) -> None:
    sample = np.arange(10_000.0)
    with SummaryWriter(tmp_path) as writer:
        writer.add_histogram("h", device.tensor(sample), bins=10)

    assert list(values_in(tmp_path)[0].histo.bucket) == [0.0] + [1000.0] * 10
    assert waits_of_training(device) == []


def test_a_devices_tensors_and_curves_are_read_in_the_background(
    device: Device, tmp_path: Path
) -> None:
    labels, predictions = device.tensor([0, 1], "int64"), device.tensor([0.1, 0.9])
    with SummaryWriter(tmp_path) as writer:
        writer.add_tensor("t", device.tensor([[1.5, 2.5]]))
        writer.add_pr_curve("pr", labels, predictions, num_thresholds=2)
        writer.add_pr_curve_raw("raw", *[device.tensor([1.0, 2.0])] * 6)
        limits, counts = device.tensor([1.0, 2.0]), device.tensor([0, 3], "int64")
        writer.add_histogram_raw("h", 1, 2, 3, device.tensor(4.0), 5, limits, counts)

    tensor, curve, raw, histogram = values_in(tmp_path)
    assert np.frombuffer(tensor.tensor.tensor_content, "<f4").tolist() == [1.5, 2.5]
    assert list(curve.tensor.float_val[:2]) == [1.0, 0.0]
    assert list(raw.tensor.float_val) == [1.0, 2.0] * 6
    assert (histogram.histo.sum, list(histogram.histo.bucket)) == (4.0, [0.0, 3.0])
    assert waits_of_training(device) == []


@pytest.mark.parametrize("kind", ["cuda", "mps"])
def test_a_devices_pictures_and_sounds_are_the_hosts_and_read_in_the_background(
    device: Device, tmp_path: Path, kind: str
) -> None:
    def log(name: str, put: Callable[..., Any]) -> None:
        rng = np.random.default_rng(0)
        picture = put(rng.random((3, 8, 8)))
        with SummaryWriter(tmp_path / name) as writer:
            writer.add_image("image", picture, 1)
            writer.add_images("list", [picture, picture], 1)
            writer.add_image_with_boxes("boxes", picture, put([[1.0, 1.0, 5.0, 5.0]]), 1)
            writer.add_video("video", put(rng.random((1, 2, 3, 4, 4))), 1)
            writer.add_audio("audio", put(rng.random((2, 100))), 1)
            writer.add_mesh("mesh", put(rng.random((1, 5, 3))), global_step=1)
            pictures = put(rng.random((4, 3, 2, 2)))
            writer.add_embedding(put(rng.random((4, 2))), ["a"] * 4, pictures, 1, "points")

    def put(values: Any) -> Any:
        return device.tensor(values, kind=kind)

    log("there", put)
    log("here", np.float32)

    there, here = tmp_path / "there", tmp_path / "here"
    assert values_in(there) == values_in(here)
    assert len(values_in(there)) == 6
    for name in ("tensors.tsv", "sprite.png"):
        place = Path("00001", "points", name)
        assert (there / place).read_bytes() == (here / place).read_bytes()
    assert waits_of_training(device) == []
    assert device.waits


def test_lists_of_a_devices_tensors_are_one_array_of_the_host(
    device: Device, tmp_path: Path
) -> None:
    parts = [device.tensor([1.0, 2.0]), device.tensor([3.0, 4.0])]
    with SummaryWriter(tmp_path) as writer:
        writer.add_histogram("h", parts)
        writer.add_histogram("h", [*parts, device.tensor([5.0])])
        assert writer.dropped == 1

    (value,) = (value for value in values_in(tmp_path) if value.HasField("histo"))
    assert (value.histo.num, value.histo.sum) == (4, 10.0)
    assert waits_of_training(device) == []


def test_a_writer_that_writes_nothing_asks_nothing_of_a_device(
    device: Device, tmp_path: Path
) -> None:
    writer = SummaryWriter(tmp_path, write_to_disk=False)
    log_device_values(writer, device)
    writer.close()

    assert device.sent == []
    assert device.waits == []
    assert writer.dropped == 0


def log_device_values(writer: SummaryWriter, device: Device) -> None:
    """Give values of a device to every method that takes some."""
    number, row = device.tensor(0.5), device.tensor([0.5, 0.5])
    picture = device.tensor(np.zeros((3, 4, 4)))
    writer.add_scalar("a", number)
    writer.add_scalar("a", number, double_precision=True)
    writer.add_scalars("a", {"b": number})
    writer.log({"a": number, "b": row, "c": {"d": picture}})
    writer.add_histogram("a", device.tensor(np.zeros(100_000)))
    writer.add_histogram_raw("a", number, number, 2, 1, 1, row, row)
    writer.add_pr_curve("a", row, row)
    writer.add_pr_curve_raw("a", row, row, row, row, row, row)
    writer.add_tensor("a", row)
    writer.add_image("a", picture)
    writer.add_images("a", [picture])
    writer.add_image_with_boxes("a", picture, device.tensor([[0, 0, 1, 1]]))
    writer.add_video("a", device.tensor(np.zeros((1, 1, 3, 4, 4))))
    writer.add_audio("a", row)
    writer.add_mesh("a", device.tensor(np.zeros((1, 1, 3))))
    writer.add_embedding(
        device.tensor(np.zeros((2, 2))), label_img=device.tensor(np.zeros((2, 3, 1, 1)))
    )
    writer.add_hparams({"a": number}, {"b": number})


def test_while_a_cuda_graph_is_captured_its_values_are_refused(
    device: Device, tmp_path: Path
) -> None:
    device.is_capturing = True
    with SummaryWriter(tmp_path) as writer:
        writer.add_scalar("loss", device.tensor(0.5))
        assert writer.dropped == 1

    assert device.sent == []
    with (
        SummaryWriter(tmp_path / "strict", strict=True) as strict,
        pytest.raises(ValueError, match="CUDA graph"),
    ):
        strict.add_scalar("loss", device.tensor(0.5))


def test_a_strict_writer_waits_so_that_errors_reach_the_caller(
    device: Device, tmp_path: Path
) -> None:
    with (
        SummaryWriter(tmp_path, strict=True) as writer,
        pytest.raises(ValueError, match="one element"),
    ):
        writer.add_scalar("loss", device.tensor([1.0, 2.0]))
