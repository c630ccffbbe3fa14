"""Values of every kind, in their old and new forms, and those that do not fit their plugin."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from orgboard_schema.types import (
    Blob,
    Media,
    Metadata,
    Point,
    ProtoHistogram,
    Tensor,
    TensorHistogram,
)
from orgboard_schema.wire.event_pb2 import Event, TaggedRunMetadata
from orgboard_schema.wire.histograms import buckets
from orgboard_schema.wire.media import media_type
from orgboard_schema.wire.reader import Batch, Gap, read
from orgboard_schema.wire.summary_pb2 import HistogramProto, Summary, SummaryMetadata
from orgboard_schema.wire.tensor_pb2 import TensorProto, TensorShapeProto
from support.event_files import event_file, value_event

PNG = b"\x89PNG\r\n\x1a\n...."
WAV = b"RIFF\0\0\0\0WAVEfmt "


def tensor(dtype: int, *sizes: int, **fields: Any) -> TensorProto:
    shape = TensorShapeProto(dim=[TensorShapeProto.Dim(size=size) for size in sizes])
    return TensorProto(dtype=dtype, tensor_shape=shape, **fields)  # type: ignore[arg-type] # an enum's number


def point_of(plugin: str, value: TensorProto, content: bytes = b"") -> Point:
    ((_, point),) = batch_of(plugin, value, content).points
    return point


def batch_of(plugin: str, value: TensorProto, content: bytes = b"") -> Batch:
    data = SummaryMetadata.PluginData(plugin_name=plugin.encode(), content=content)
    sent = Summary.Value(tag=b"t", tensor=value, metadata=SummaryMetadata(plugin_data=data))
    return read(event_file(value_event(sent, step=3, wall=2.5)), 0, {})


def old(**fields: Any) -> Point:
    sent = Summary.Value(tag=b"t", **fields)
    ((_, point),) = read(event_file(value_event(sent)), 0, {}).points
    return point


FITTING: list[tuple[str, TensorProto, str]] = [
    ("histograms", tensor(2, 0, 3), "histogram"),
    ("images", tensor(7, 3, string_val=[b"2", b"1", PNG]), "image"),
    ("audio", tensor(7, 1, 2, string_val=[WAV, b"label"]), "audio"),
    ("text", tensor(7, string_val=[b"words"]), "text"),
    ("pr_curves", tensor(1, 6, 2), "pr_curve"),
    ("mesh", tensor(1, 1, 4, 3), "mesh"),
    ("custom_scalars", tensor(7, string_val=[b""]), "layout"),
    ("graph_keras_model", tensor(7, string_val=[b"{}"]), "graph"),
    ("orgboard_video", tensor(7, 2, string_val=[b"video/mp4", b"\0\0\0\0ftypisom"]), "video"),
    ("plugin_from_2040", tensor(1, 2), "tensor"),
    ("orgboard", tensor(7, string_val=[b"{}"]), "tensor"),
]


@pytest.mark.parametrize(("plugin", "value", "kind"), FITTING)
def test_the_plugin_tells_the_kind(plugin: str, value: TensorProto, kind: str) -> None:
    point = point_of(plugin, value)

    assert (point.kind, point.tag, point.step, point.wall_time) == (kind, "t", 3, 2.5)
    assert point.metadata == Metadata(plugin=plugin)


@pytest.mark.parametrize(
    ("plugin", "value"),
    [
        ("scalars", tensor(1, 2)),
        ("scalars", tensor(7, string_val=[b"1.5"])),
        ("histograms", tensor(2, 2)),
        ("histograms", tensor(7, 0, 3)),
        ("images", tensor(7, 2, string_val=[b"wide", b"1"])),
        ("images", tensor(7, 2, string_val=[b"9" * 5000, b"1"])),
        ("images", tensor(1, 2)),
        ("audio", tensor(7, 1, 1, 1, string_val=[WAV])),
        ("text", tensor(1, 2)),
        ("pr_curves", tensor(1, 5, 2)),
        ("mesh", tensor(1, 4, 3)),
        ("custom_scalars", tensor(7, 2)),
        ("graphs", tensor(1, 2)),
        ("orgboard_video", tensor(7, 3)),
    ],
)
def test_a_value_that_does_not_fit_its_plugin_is_kept_as_a_tensor(
    plugin: str, value: TensorProto
) -> None:
    point = point_of(plugin, value)

    assert point.kind == "tensor"
    assert isinstance(point.value, Tensor)
    assert point.metadata == Metadata(plugin=plugin)


def test_old_and_new_forms_come_out_the_same() -> None:
    image = Media((Blob(PNG, "image/png"),), width=2, height=1)

    new = point_of("images", tensor(7, 3, string_val=[b"2", b"1", PNG]))
    legacy = old(image=Summary.Image(width=2, height=1, encoded_image_string=PNG))

    assert new.value == legacy.value == image
    assert new.kind == legacy.kind == "image"


def test_clips_carry_their_labels_and_the_old_form_its_rate() -> None:
    rows = point_of("audio", tensor(7, 2, 2, string_val=[WAV, b"one", WAV, b"two"]))
    plain = point_of("audio", tensor(7, 1, string_val=[WAV]))
    legacy = old(audio=Summary.Audio(sample_rate=8000, encoded_audio_string=WAV))

    assert rows.value == Media((Blob(WAV, "audio/wav", "one"), Blob(WAV, "audio/wav", "two")))
    assert plain.value == Media((Blob(WAV, "audio/wav"),))
    assert legacy.value == Media((Blob(WAV, "audio/wav"),), sample_rate=8000.0)


def test_histograms_are_kept_exactly_as_logged() -> None:
    packed = struct.pack("<6f", 0, 0.1, 2, 0.1, 1, 3)

    new = point_of("histograms", tensor(1, 2, 3, tensor_content=packed))
    legacy = old(
        histo=HistogramProto(
            min=1, max=2, num=3, sum=4, sum_squares=6, bucket_limit=[1, 1e308], bucket=[1, 2]
        )
    )

    rows = struct.unpack("<6f", packed)
    assert new.value == TensorHistogram("float32", (rows[:3], rows[3:]))
    assert legacy.value == ProtoHistogram(1, 2, 3, 4, 6, (1, 1e308), (1, 2))


def test_a_proto_histogram_begins_at_its_minimum_and_ends_at_its_maximum() -> None:
    histogram = ProtoHistogram(
        min=0.5, max=3.5, num=6, sum=0, sum_squares=0,
        limits=(0.0, 1.0, 2.0, 3.0, 4.0, 1e308), counts=(0, 1, 0, 2, 3, 0),
    )  # fmt: skip
    empty = ProtoHistogram(0, 0, 0, 0, 0, (1.0,), (0.0,))

    assert buckets(histogram) == ((0.5, 1.0, 1), (1.0, 2.0, 0), (2.0, 3.0, 2), (3.0, 3.5, 3))
    assert buckets(empty) == ()
    assert buckets(TensorHistogram("float64", ((0, 1, 2),))) == ((0, 1, 2),)


def test_hyperparameters_are_their_content_whatever_stands_beside_it() -> None:
    data = SummaryMetadata.PluginData(plugin_name=b"hparams", content=b"\x08\x00")
    bare = Summary.Value(tag=b"t", metadata=SummaryMetadata(plugin_data=data))
    ((_, alone),) = read(event_file(value_event(bare)), 0, {}).points

    for point in (alone, point_of("hparams", tensor(1, 0), b"\x08\x00")):
        assert (point.kind, point.value) == ("hparams", Tensor("string", (), (b"\x08\x00",)))


def test_events_that_hold_graphs_become_graphs() -> None:
    run = TaggedRunMetadata(tag=b"step1", run_metadata=b"\x0a\x00")
    batch = read(
        event_file(
            Event(wall_time=1, graph_def=b"\x0a\x00"),
            Event(wall_time=1, step=2, meta_graph_def=b"\x12\x00"),
            Event(wall_time=1, step=3, tagged_run_metadata=run),
        ),
        0,
        {},
    )

    found = [
        (point.tag, point.kind, point.metadata and point.metadata.plugin, point.step)
        for _, point in batch.points
    ]

    assert found == [
        ("__run_graph__", "graph", "graphs", 0),
        ("__meta_graph__", "graph", "graph_meta", 2),
        ("step1", "graph", "graph_tagged_run_metadata", 3),
    ]


def test_a_tensor_that_contradicts_itself_is_a_gap_and_the_values_beside_it_are_read() -> None:
    bad = tensor(1, 1 << 40, float_val=[1.0])
    data = event_file(
        Event(
            wall_time=1.0,
            summary=Summary(
                value=[
                    Summary.Value(tag=b"bad", tensor=bad),
                    Summary.Value(tag=b"good", simple_value=2.0),
                ]
            ),
        )
    )

    batch = read(data, 0, {})

    assert batch.gaps == (Gap(0, len(data), "undecodable tensor"),)
    assert batch.scalars.tags == ("good",)


def test_tensors_of_one_record_share_what_they_may_claim_beyond_it() -> None:
    bomb = tensor(1, (1 << 20) - 1000, float_val=[1.0])
    values = [Summary.Value(tag=b"%d" % place, tensor=bomb) for place in range(100)]
    data = event_file(Event(wall_time=1.0, summary=Summary(value=values)))

    batch = read(data, 0, {})

    assert [gap.reason for gap in batch.gaps] == ["undecodable tensor"]
    assert len(batch.points) == 2


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (PNG, "image/png"),
        (WAV, "audio/wav"),
        (b"RIFF\0\0\0\0WEBP", "image/webp"),
        (b"GIF89a", "image/gif"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"\0\0\0\x18ftypmp42", "video/mp4"),
        (b"\0\0\0\x18ftypavif", "image/avif"),
        (b"\x1aE\xdf\xa3", "video/webm"),
        (b"<svg onload=alert(1)>", "application/octet-stream"),
        (b"", "application/octet-stream"),
    ],
)
def test_bytes_are_named_by_how_they_begin(data: bytes, expected: str) -> None:
    assert media_type(data) == expected
