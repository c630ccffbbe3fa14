"""Every method of `SummaryWriter` that logs: one good call of each, and what it may be given.

Methods are found by looking at the class. One that is not in the tables below fails a test, so
that whatever is added meets all the faults and hostile values that the others do.
"""

from __future__ import annotations

import inspect
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np

from orgboard import SummaryWriter
from orgboard._encoding import protobuf as pb

__all__ = ["GOOD_CALLS", "QUIET", "Call", "logging_methods", "public_methods"]

Call: TypeAlias = Callable[[SummaryWriter, int], None]
"""Logs something at a step, the same bytes whenever it is called with that step."""

QUIET: Final = frozenset({"close", "export_scalars_to_json", "flush", "get_logdir", "use_metadata"})
"""Public methods that put nothing into an event file."""


def public_methods() -> list[str]:
    """Name all public methods of the writer."""
    members = inspect.getmembers(SummaryWriter, inspect.isfunction)
    return [name for name, _ in members if not name.startswith("_")]


def logging_methods() -> list[str]:
    """Name the methods that log."""
    return [name for name in public_methods() if name not in QUIET]


def add_scalar(writer: SummaryWriter, step: int) -> None:
    """Log a float, which takes the short way."""
    writer.add_scalar("scalar", step / 4, step)


def add_scalars(writer: SummaryWriter, step: int) -> None:
    """Log to two sub-runs."""
    writer.add_scalars("scalars", {"a": 1.0, "b": step}, step)


def add_tensor(writer: SummaryWriter, step: int) -> None:
    """Log a small tensor."""
    writer.add_tensor("tensor", _floats(2, 3), step)


def add_histogram(writer: SummaryWriter, step: int) -> None:
    """Log more values than are a small record."""
    writer.add_histogram("histogram", _floats(2000), step)


def add_histogram_raw(writer: SummaryWriter, step: int) -> None:
    """Log a histogram that was counted elsewhere."""
    writer.add_histogram_raw("raw", 0, 2, 3, 3.0, 5.0, [1.0, 2.0], [1, 2], step)


def add_image(writer: SummaryWriter, step: int) -> None:
    """Log a picture larger than a small record, so that it gives way."""
    writer.add_image("image", _noise(3, 48, 48), step)


def add_images(writer: SummaryWriter, step: int) -> None:
    """Log two pictures as one."""
    writer.add_images("images", _noise(2, 3, 8, 8), step)


def add_image_with_boxes(writer: SummaryWriter, step: int) -> None:
    """Log a picture with a box and no label, which would need a font."""
    writer.add_image_with_boxes("boxes", _noise(3, 16, 16), np.array([[2, 2, 9, 9]]), step)


def add_figure(writer: SummaryWriter, step: int) -> None:
    """Log a plotly figure; matplotlib is not installed where these tests run."""
    from plotly.graph_objects import Figure  # type: ignore[import-untyped] # it ships no types

    writer.add_figure("figure", Figure(), step)


def add_video(writer: SummaryWriter, step: int) -> None:
    """Log a clip of three frames."""
    writer.add_video("video", _noise(1, 3, 3, 8, 8), step)


def add_audio(writer: SummaryWriter, step: int) -> None:
    """Log a hundred samples."""
    writer.add_audio("audio", np.sin(_floats(100)), step, 8000)


def add_text(writer: SummaryWriter, step: int) -> None:
    """Log a text."""
    writer.add_text("text", f"step {step}", step)


def add_graph(writer: SummaryWriter, step: int) -> None:
    """Log a GraphDef's bytes: one node."""
    node = pb.text(1, f"node{step}") + pb.text(2, "Placeholder")
    writer.add_graph(pb.blob(1, node))


def add_onnx_graph(writer: SummaryWriter, step: int) -> None:
    """Log an ONNX model of one node."""
    node = pb.text(1, "in") + pb.text(2, "out") + pb.text(3, f"node{step}") + pb.text(4, "Relu")
    writer.add_onnx_graph(pb.blob(7, pb.blob(1, node)))


def add_openvino_graph(writer: SummaryWriter, step: int) -> None:
    """Log an OpenVINO model of one layer."""
    writer.add_openvino_graph(_openvino_file(step))


def add_embedding(writer: SummaryWriter, step: int) -> None:
    """Log four points, into files of their own."""
    writer.add_embedding(_floats(4, 2), ["a", "b", "c", "d"], global_step=step)


def add_pr_curve(writer: SummaryWriter, step: int) -> None:
    """Log how well four guesses fit."""
    writer.add_pr_curve("pr", [0, 1, 1, 0], [0.1, 0.9, 0.6, 0.4], step)


def add_pr_curve_raw(writer: SummaryWriter, step: int) -> None:
    """Log a curve of two thresholds."""
    positives, negatives = ([2, 1], [2, 0]), ([0, 2], [0, 1])
    writer.add_pr_curve_raw("pr_raw", *positives, *negatives, [0.5, 1.0], [1.0, 0.5], step, 2)


def add_custom_scalars(writer: SummaryWriter, step: int) -> None:
    """Log a layout."""
    writer.add_custom_scalars({"losses": {f"chart {step}": ["Multiline", ["a", "b"]]}})


def add_custom_scalars_multilinechart(writer: SummaryWriter, step: int) -> None:
    """Log a layout of one chart."""
    writer.add_custom_scalars_multilinechart(["a", "b"], title=f"chart {step}")


def add_custom_scalars_marginchart(writer: SummaryWriter, step: int) -> None:
    """Log a layout of one chart with a band."""
    writer.add_custom_scalars_marginchart(["a", "b", "c"], title=f"chart {step}")


def add_mesh(writer: SummaryWriter, step: int) -> None:
    """Log five points."""
    writer.add_mesh("mesh", _floats(1, 5, 3), global_step=step)


def add_hparams(writer: SummaryWriter, step: int) -> None:
    """Log settings and one outcome, in a sub-run."""
    writer.add_hparams({"rate": 0.5, "wide": True}, {"loss": 1.0}, run_name=f"trial{step}")


def log(writer: SummaryWriter, step: int) -> None:
    """Log a dictionary of numbers, which takes the short way."""
    writer.log({"one": 1.0, "two": 2.0}, step)


def annotate(writer: SummaryWriter, step: int) -> None:
    """Log a remark."""
    writer.annotate("warm", step)


def watch(writer: SummaryWriter, step: int) -> None:
    """Log the weights of a model that has what Keras's have."""
    with writer.watch(_MODEL) as watched:
        watched.log(step)


GOOD_CALLS: Final[dict[str, Call]] = {
    call.__name__: call
    for call in (
        add_scalar,
        add_scalars,
        add_tensor,
        add_histogram,
        add_histogram_raw,
        add_image,
        add_images,
        add_image_with_boxes,
        add_figure,
        add_video,
        add_audio,
        add_text,
        add_graph,
        add_onnx_graph,
        add_openvino_graph,
        add_embedding,
        add_pr_curve,
        add_pr_curve_raw,
        add_custom_scalars,
        add_custom_scalars_multilinechart,
        add_custom_scalars_marginchart,
        add_mesh,
        add_hparams,
        log,
        annotate,
        watch,
    )
}


_files = tempfile.TemporaryDirectory(prefix="models")


def _openvino_file(step: int) -> Path:
    path = Path(_files.name, f"{step}.xml")
    if not path.exists():
        layers = f'<layer id="0" name="in"/><layer id="1" name="out{step}"/>'
        edges = '<edge from-layer="0" to-layer="1"/>'
        path.write_text(f"<net><layers>{layers}</layers><edges>{edges}</edges></net>")
    return path


class _Weight:
    path = "dense/kernel"
    shape = (2, 2)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return _floats(2, 2).astype(dtype or np.float32)


class _Model:
    def __init__(self) -> None:
        self.weights = [_Weight()]


_MODEL: Final = _Model()


@cache
def _floats(*shape: int) -> Any:
    return np.linspace(-1.0, 1.0, int(np.prod(shape)), dtype=np.float32).reshape(shape)


@cache
def _noise(*shape: int) -> Any:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
