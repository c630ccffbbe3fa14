"""Logdirs of histograms, texts and images for benchmarks, as torch and tensorboardX write them.

A histogram counts normal values in buckets that grow by 1.1, empty ones inside included, as those
writers do; its spread shrinks while the training goes on. `histograms` gives what must be read.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from orgboard_schema.wire.event_pb2 import Event
from orgboard_schema.wire.frames import encode_frame
from orgboard_schema.wire.summary_pb2 import HistogramProto, Summary
from orgboard_schema.wire.tensor_pb2 import TensorProto
from support.logdirs import (
    BEGAN,
    STEP_S,
    Written,
    file_name,
    first_record,
    framed,
    run_name,
    smallest_step,
    tag_names,
    varint_width,
    varints,
)

__all__ = [
    "Distributions",
    "Histograms",
    "histograms",
    "limits",
    "write_histograms",
    "write_images",
    "write_texts",
]

FIRST_EDGE: Final = 1e-12
LAST_EDGE: Final = 1e20
GROWTH: Final = 1.1
"""TensorBoard's default buckets, on both sides of 0."""

IMAGE_BYTES: Final = 20_000
"""A small picture, compressed: nothing in it repeats."""

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Histograms:
    """What a logdir holds: every run the same tags, every tag the same steps."""

    runs: int
    tags: int
    steps: int
    samples: int = 100_000
    """Values that a histogram counts, give or take what its noise does to the buckets."""
    seed: int = 0

    @property
    def points(self) -> int:
        """Count the histograms of all runs."""
        return self.runs * self.tags * self.steps


@dataclass(frozen=True, slots=True)
class Distributions:
    """What all tags of a run log at one step, a row a tag."""

    step: int
    wall: Floats
    moments: Floats
    """A column each: min, max, num, sum, sum_squares."""
    counts: Floats
    """A column a bucket; their right edges are `limits`."""


def histograms(shape: Histograms, run: int) -> Iterator[Distributions]:
    """Make up what a run logs, step by step; the same for the same seed."""
    random = np.random.default_rng((shape.seed, run))
    edges = limits(shape)
    for step in range(shape.steps):
        scale = _scale(shape, step)
        expected = _expected(shape.samples, scale, edges)
        noise = random.standard_normal((shape.tags, len(edges)), dtype=np.float32)
        counts: Floats = np.maximum(np.rint(expected + np.sqrt(expected) * noise), 0.0)
        wall = BEGAN + run + STEP_S * step + 1e-4 * np.arange(1, shape.tags + 1, dtype=np.float64)
        few = random.standard_normal((shape.tags, 3))
        num = counts.sum(axis=1)
        low, high = -4 * scale - 0.1 * abs(few[:, 0]), 4 * scale + 0.1 * abs(few[:, 1])
        columns = [low, high, num, 300 * few[:, 2], num * scale**2]
        yield Distributions(step, wall, np.stack(columns, axis=1), counts)


@cache
def limits(shape: Histograms) -> Floats:
    """Give the right edges of the buckets, from the first to the last that any step may fill."""
    up = [FIRST_EDGE]
    while up[-1] < LAST_EDGE:
        up.append(up[-1] * GROWTH)
    positive = np.array(up[:-1])
    edges = np.concatenate([-positive[::-1], [0.0], positive])
    filled = np.flatnonzero(_expected(shape.samples, _scale(shape, 0), edges) >= 0.5)
    # One empty bucket before the first full one, as the writers have it.
    return edges[filled[0] - 1 : filled[-1] + 1]


def _scale(shape: Histograms, step: int) -> float:
    return 1.0 - 0.3 * step / shape.steps


def _expected(samples: int, scale: float, edges: Floats) -> Floats:
    below = np.array([0.5 * math.erfc(-edge / (scale * math.sqrt(2))) for edge in edges.tolist()])
    return samples * np.diff(below, prepend=below[0])


def write_histograms(logdir: Path, shape: Histograms) -> Written:
    """Write the logdir, a file a run."""
    octets = 0
    for run in range(shape.runs):
        folder = logdir / run_name(run)
        folder.mkdir(parents=True)
        with (folder / file_name(run)).open("wb") as file:
            octets += file.write(first_record(BEGAN + run))
            for logged in histograms(shape, run):
                octets += file.write(_records(logged, shape))
    return Written(shape.points, shape.points, octets, shape.runs)


def _records(logged: Distributions, shape: Histograms) -> memoryview:
    width = varint_width(logged.step)
    payloads, moments_at = _templates(shape, width)
    rows = payloads.copy()
    rows[:, 1:9] = logged.wall[:, None].view(np.uint8)
    if width:
        rows[:, 10 : 10 + width] = varints(np.array([logged.step]), width)
    moments = np.ascontiguousarray(logged.moments)[:, :, None].view(np.uint8)
    for number, at in enumerate(moments_at):
        rows[:, at : at + 8] = moments[:, number]
    counts = np.ascontiguousarray(logged.counts).view(np.uint8)
    rows[:, -counts.shape[1] :] = counts
    return framed(rows).data.cast("B")


@cache
def _templates(shape: Histograms, width: int) -> tuple[NDArray[np.uint8], list[int]]:
    """Give payloads with such a step, a row a tag, and where moments go; the counts come last."""
    step = smallest_step(width)
    edges = limits(shape)
    # Their bytes are not found in any edge.
    marks = [-1.5e-300, -2.5e-300, -3.5e-300, -4.5e-300, -5.5e-300]
    payloads = []
    for name in tag_names(shape.tags):
        proto = HistogramProto(
            **dict(zip(("min", "max", "num", "sum", "sum_squares"), marks, strict=True)),
            bucket_limit=edges.tolist(),
            bucket=[1.0] * len(edges),
        )
        summary = Summary(value=[Summary.Value(tag=name.encode(), histo=proto)])
        payloads.append(Event(wall_time=1.0, step=step, summary=summary).SerializeToString())
    places = [payloads[0].index(struct.pack("<d", mark)) for mark in marks]
    return np.stack([np.frombuffer(payload, np.uint8) for payload in payloads]), places


def write_texts(path: Path, count: int) -> None:
    """Write a file of texts of a few hundred characters, in torch's form."""
    random = np.random.default_rng(0)
    metadata = {"plugin_data": {"plugin_name": b"text"}}
    with path.open("wb") as file:
        file.write(first_record(BEGAN))
        for step in range(count):
            text = f"step {step}: **" + random.bytes(150).hex() + "**"
            tensor = TensorProto(dtype="DT_STRING", string_val=[text.encode()])
            tensor.tensor_shape.dim.add(size=1)
            value = Summary.Value(tag=b"note/text_summary", tensor=tensor, metadata=metadata)
            file.write(_event(step, value))


def write_images(path: Path, count: int) -> None:
    """Write a file of images in torch's form; the bytes of a picture are noise."""
    random = np.random.default_rng(0)
    with path.open("wb") as file:
        file.write(first_record(BEGAN))
        for step in range(count):
            image = Summary.Image(height=128, width=128, colorspace=3)
            image.encoded_image_string = b"\x89PNG\r\n\x1a\n" + random.bytes(IMAGE_BYTES)
            file.write(_event(step, Summary.Value(tag=b"sample", image=image)))


def _event(step: int, value: Summary.Value) -> bytes:
    event = Event(wall_time=BEGAN + STEP_S * step, step=step, summary=Summary(value=[value]))
    return encode_frame(event.SerializeToString())
