"""Files of unmodified frameworks, value by value against what TensorBoard reads in them."""

from __future__ import annotations

import hashlib
import json
import math
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from orgboard_schema.types import (
    Kind,
    Media,
    Point,
    ProtoHistogram,
    Tensor,
    TensorHistogram,
)
from orgboard_schema.wire.batch import Batch
from orgboard_schema.wire.graph_pb2 import GraphDef
from orgboard_schema.wire.histograms import buckets
from orgboard_schema.wire.hparams import Experiment, SessionEnd, SessionStart, parse_hparams
from orgboard_schema.wire.kinds import META_GRAPH_TAG, PLUGIN_KINDS
from orgboard_schema.wire.paths import is_event_file
from orgboard_schema.wire.plugins_pb2 import Layout
from orgboard_schema.wire.run_metadata_pb2 import RunMetadata
from support.corpus import FRAMEWORK_CASES
from support.event_files import read_whole, scalars_of


def read_run(logs: Path, run: str) -> list[Batch]:
    """Read the files of a run in name order, each with what the ones before said of tags."""
    batches: list[Batch] = []
    known: dict[str, Any] = {}
    for path in sorted((logs / run).iterdir()):
        if path.is_file() and is_event_file(path.name):
            found = read_whole(path.read_bytes(), remembered=known)
            for batch in found:
                for tag, metadata in batch.scalars.metadata:
                    known.setdefault(tag, metadata)
                for _, point in batch.points:
                    if point.metadata is not None:
                        known.setdefault(point.tag, point.metadata)
            batches += found
    return batches


def others_of(batches: Sequence[Batch], tag: str) -> list[Point]:
    return [point for batch in batches for _, point in batch.points if point.tag == tag]


@pytest.mark.parametrize("case", FRAMEWORK_CASES)
def test_every_value_of_a_framework_is_read_as_tensorboard_reads_it(
    corpus: Path, case: str
) -> None:
    truth = json.loads((corpus / case / "truth.json").read_text())

    for run, expected in truth["runs"].items():
        batches = read_run(corpus / case / "logs", run)

        assert [gap for batch in batches for gap in batch.gaps] == []
        assert {batch.pending for batch in batches} <= {None}
        # TensorBoard looks at a meta graph only where there is no graph; we keep both.
        assert tags_of(batches) - {META_GRAPH_TAG} == set(expected["tags"])
        for tag, facts in expected["tags"].items():
            assert_tag(batches, tag, facts)


@pytest.mark.parametrize("case", FRAMEWORK_CASES)
def test_session_marks_and_writers_are_those_of_the_files(corpus: Path, case: str) -> None:
    truth = json.loads((corpus / case / "truth.json").read_text())

    for run, expected in truth["runs"].items():
        batches = read_run(corpus / case / "logs", run)

        marks = [[mark.step, mark.status.upper()] for b in batches for mark in b.sessions]
        assert marks == [list(entry) for entry in expected.get("session_log", [])]
        assert sum(batch.records for batch in batches) == sum(
            file["records"] for file in expected["files"]
        )


def tags_of(batches: Sequence[Batch]) -> set[str]:
    scalars = {tag for batch in batches for tag in batch.scalars.tags}
    return scalars | {point.tag for batch in batches for _, point in batch.points}


def assert_tag(batches: Sequence[Batch], tag: str, facts: dict[str, Any]) -> None:
    kind: Kind = PLUGIN_KINDS.get(facts["plugin"], "tensor")
    times: list[tuple[int, float]]
    if kind == "scalar":
        found = scalars_of(batches, tag)
        times = [(step, wall) for step, wall, _ in found]
        assert [float32(value) for *_, value in found] == [
            float32(float(point[2])) for point in facts["points"]
        ]
    else:
        points = others_of(batches, tag)
        times = [(point.step, point.wall_time) for point in points]
        assert {point.kind for point in points} == {kind}
        for point, expected in zip(points, facts["points"], strict=True):
            assert_value(point, expected[2])
        for point, expected in zip(points, facts.get("legacy_histo", ()), strict=False):
            assert_proto_histogram(point, expected)
    assert times == [(point[0], point[1]) for point in facts["points"]]
    assert_metadata(batches, tag, facts)


def assert_metadata(batches: Sequence[Batch], tag: str, facts: dict[str, Any]) -> None:
    sent = [m for batch in batches for name, m in batch.scalars.metadata if name == tag]
    sent += [point.metadata for point in others_of(batches, tag) if point.metadata is not None]
    if not sent:
        return
    assert sent[0].plugin == (facts["plugin"] or "")
    # TensorBoard shows the tag in place of a name it was not given.
    assert sent[0].display_name in (facts.get("display_name", ""), "")
    assert sent[0].description == facts.get("description", "")


def assert_value(point: Point, expected: dict[str, Any]) -> None:
    if "tensorboard_error" in expected or "no_tensor" in expected:
        return  # What TensorBoard makes nothing of is tested on its own.
    match point.kind:
        case "histogram":
            assert_buckets(point, expected)
        case "image":
            assert_media(point, expected["frames"])
            media = as_media(point)
            assert (str(media.width), str(media.height)) == (expected["width"], expected["height"])
        case "audio":
            assert_media(point, expected["clips"])
        case "graph":
            graphs = expected.get("graphs") or expected.get("run_metadata") or expected["models"]
            assert_media(point, graphs)
            assert_graphs(point, expected)
        case "text":
            tensor = as_tensor(point)
            assert list(tensor.shape) == expected["shape"]
            assert isinstance(tensor.data, tuple)
            assert len(tensor.data) == math.prod(tensor.shape)
            strings = [text.decode() for text in tensor.data]
            assert strings[: len(expected["strings"])] == expected["strings"]
        case "layout":
            assert_layout(point, expected["layout"])
        case "hparams":
            assert isinstance(as_tensor(point).data, tuple)
        case _:
            assert_tensor(as_tensor(point), expected)


def assert_tensor(tensor: Tensor, expected: dict[str, Any]) -> None:
    assert tensor.dtype == expected["dtype"]
    assert list(tensor.shape) == expected["shape"]
    if isinstance(tensor.data, tuple):
        found = [hashlib.sha256(item).hexdigest() for item in tensor.data]
        assert found == [item["sha256"] for item in expected["items"]]
        return
    assert hashlib.sha256(tensor.data).hexdigest() == expected["sha256"]


def assert_buckets(point: Point, expected: dict[str, Any]) -> None:
    assert isinstance(point.value, ProtoHistogram | TensorHistogram)
    rows = buckets(point.value)
    legacy = isinstance(point.value, ProtoHistogram)
    shown = [tuple(map(narrowed, row)) for row in rows] if legacy else rows
    packed = b"".join(struct.pack("<3d", *row) for row in shown)
    assert len(rows) == expected["buckets"]
    assert hashlib.sha256(packed).hexdigest() == expected["sha256_f8"]
    if not legacy:
        assert isinstance(point.value, TensorHistogram)
        assert point.value.dtype == expected["dtype"]


def assert_proto_histogram(point: Point, expected: dict[str, Any]) -> None:
    histogram = point.value
    assert isinstance(histogram, ProtoHistogram)
    for name in ("min", "max", "num", "sum", "sum_squares"):
        assert same(getattr(histogram, name), float(expected[name]))
    numbers = (*histogram.limits, *histogram.counts)
    packed = struct.pack(f"<{len(numbers)}d", *numbers)
    assert hashlib.sha256(packed).hexdigest() == expected["sha256_f8"]
    assert (len(histogram.limits), len(histogram.counts)) == (
        expected["limits"],
        expected["buckets"],
    )


def assert_media(point: Point, expected: list[dict[str, Any]]) -> None:
    blobs = as_media(point).blobs
    found = [(len(blob.data), hashlib.sha256(blob.data).hexdigest()) for blob in blobs]
    assert found == [(blob["bytes"], blob["sha256"]) for blob in expected]
    for blob, facts in zip(blobs, expected, strict=True):
        if "format" in facts:
            assert blob.media_type.endswith("/" + facts["format"])


def assert_graphs(point: Point, expected: dict[str, Any]) -> None:
    blobs = as_media(point).blobs
    for blob, facts in zip(blobs, expected.get("graphs", ()), strict=False):
        graph = GraphDef.FromString(blob.data)
        assert len(graph.node) == facts["nodes"]
        assert sum(len(node.input) for node in graph.node) == facts["edges"]
        assert [node.name for node in graph.node][:5] == facts["first_nodes"]
        assert len(graph.library.function) == facts["functions"]
    for blob, facts in zip(blobs, expected.get("run_metadata", ()), strict=False):
        metadata = RunMetadata.FromString(blob.data)
        assert [stats.device for stats in metadata.step_stats.dev_stats] == facts["devices"]
        assert len(metadata.partition_graphs) == facts["partition_graphs"]


def assert_layout(point: Point, expected: dict[str, Any]) -> None:
    (data,) = as_tensor(point).data
    assert isinstance(data, bytes)
    layout = Layout.FromString(data)
    assert [c.title for c in layout.category] == [c["title"] for c in expected["category"]]
    assert [len(c.chart) for c in layout.category] == [
        len(c.get("chart", ())) for c in expected["category"]
    ]


@pytest.mark.parametrize("case", FRAMEWORK_CASES)
def test_hyperparameters_are_read_as_tensorboard_reads_them(corpus: Path, case: str) -> None:
    truth = json.loads((corpus / case / "truth.json").read_text())

    for run, expected in truth["runs"].items():
        batches = read_run(corpus / case / "logs", run)
        for tag, facts in expected["tags"].items():
            if facts["plugin"] == "hparams":
                (content,) = as_tensor(others_of(batches, tag)[0]).data
                assert isinstance(content, bytes)
                digest = hashlib.sha256(content).hexdigest()
                assert digest == facts["plugin_content_sha256"]
                assert_hparams(parse_hparams(content), facts["plugin_content"])


def assert_hparams(
    found: Experiment | SessionStart | SessionEnd | None, expected: dict[str, Any]
) -> None:
    match found:
        case SessionStart():
            start = expected["session_start_info"]
            assert found.hparams == start.get("hparams", {})
            assert found.group == start.get("group_name", "")
        case SessionEnd():
            end = expected["session_end_info"]
            assert found.status == end["status"].removeprefix("STATUS_").lower()
        case Experiment():
            experiment = expected["experiment"]
            infos = experiment.get("hparam_infos", [])
            metrics = experiment.get("metric_infos", [])
            assert [hparam.name for hparam in found.hparams] == [info["name"] for info in infos]
            assert [metric.tag for metric in found.metrics] == [
                info["name"]["tag"] for info in metrics
            ]
        case _:
            pytest.fail(f"not read: {expected}")


def test_halves_that_torch_writes_as_floats_are_read(corpus: Path) -> None:
    """TensorBoard itself fails on these: torch puts a float's bits where half's belong."""
    batches = read_run(corpus / "torch_tb" / "logs", "all_methods")

    (point,) = others_of(batches, "raw_tensor/half")

    tensor = as_tensor(point)
    assert isinstance(tensor.data, bytes)
    assert tensor.dtype == "float16"
    values = struct.unpack(f"<{math.prod(tensor.shape)}e", tensor.data)
    assert all(value == round(value * 8) / 8 for value in values)
    assert any(values)


def test_a_value_that_came_without_one_still_tells_its_tag_and_step(corpus: Path) -> None:
    batches = read_run(corpus / "torch_tb" / "logs", "all_methods")

    (point,) = others_of(batches, "video/noise")

    assert (point.kind, point.value) == ("tensor", Tensor("float32", (0,), b""))


def as_tensor(point: Point) -> Tensor:
    assert isinstance(point.value, Tensor)
    return point.value


def as_media(point: Point) -> Media:
    assert isinstance(point.value, Media)
    return point.value


def float32(value: float) -> bytes:
    return struct.pack("<f", value)


def narrowed(value: float) -> float:
    """TensorBoard casts old histograms to float32; the doubles are compared apart."""
    number: float = struct.unpack("<f", float32(value))[0]
    return number


def same(left: float, right: float) -> bool:
    return left == right or (math.isnan(left) and math.isnan(right))
