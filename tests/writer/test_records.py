"""Hand-encoded records are byte for byte what protobuf writes for the same message."""

from __future__ import annotations

import math
import struct

from google.protobuf import struct_pb2
from hypothesis import given
from hypothesis import strategies as st

from orgboard._encoding.protobuf import varint
from orgboard._encoding.records import (
    START,
    ScalarRecords,
    as_given,
    event,
    file_header,
    graph_body,
    record,
    scalar_body,
    session_body,
)
from orgboard._kinds.hparams import HParams, hparams_bodies
from orgboard._kinds.own import own_record_body
from orgboard._kinds.scalar import DescribedScalar, described_scalar_body
from orgboard._kinds.text import text_body
from orgboard_schema.wire.event_pb2 import Event, SessionLog, SourceMetadata
from orgboard_schema.wire.frames import encode_frame
from orgboard_schema.wire.hparams_pb2 import (
    Experiment,
    HParamInfo,
    HParamsPluginData,
    MetricInfo,
    MetricName,
    SessionEndInfo,
    SessionStartInfo,
)
from orgboard_schema.wire.summary_pb2 import Summary, SummaryMetadata
from orgboard_schema.wire.tensor_pb2 import TensorProto, TensorShapeProto

int64 = st.integers(-(1 << 63), (1 << 63) - 1)
steps = st.one_of(st.integers(0, 300), int64)
doubles = st.floats(allow_nan=True, allow_infinity=True)
names = st.text(st.characters(codec="utf-8"), max_size=300)
settings_values = st.one_of(st.booleans(), st.text(max_size=20), doubles)


def narrowed(value: float) -> float:
    """Narrow to float32 as C does."""
    try:
        packed = struct.pack("<f", value)
    except OverflowError:
        return math.copysign(math.inf, value)
    unpacked: float = struct.unpack("<f", packed)[0]
    return unpacked


def of(value: Summary.Value, step: int, wall_time: float) -> bytes:
    return Event(wall_time=wall_time, step=step, summary=Summary(value=[value])).SerializeToString()


@given(int64)
def test_a_varint_is_as_protobuf_writes_it(value: int) -> None:
    assert b"\x10" + varint(value) == (Event(step=value).SerializeToString() or b"\x10\x00")


@given(st.lists(st.tuples(names, doubles, steps, doubles), max_size=8))
def test_a_scalar_is_the_bytes_that_protobuf_writes(
    points: list[tuple[str, float, int, float]],
) -> None:
    # One encoder for all: what it remembers of a point must not leak into the next.
    encoder = ScalarRecords()

    for tag, value, step, wall_time in points:
        expected = of(
            Summary.Value(tag=tag.encode(), simple_value=narrowed(value)), step, wall_time
        )
        assert encoder.encode(tag, value, step, wall_time) == encode_frame(expected)
        assert event(scalar_body(tag, value), step, wall_time) == expected


@given(names, doubles, st.booleans(), st.booleans(), names, names)
def test_a_described_scalar_is_the_bytes_that_protobuf_writes(
    tag: str, value: float, as_tensor: bool, double: bool, name: str, description: str
) -> None:
    about = SummaryMetadata(display_name=name.encode(), summary_description=description.encode())
    expected = Summary.Value(tag=tag.encode(), metadata=about)
    if as_tensor or double:
        expected.metadata.plugin_data.plugin_name = b"scalars"
        expected.tensor.CopyFrom(
            TensorProto(dtype="DT_DOUBLE", double_val=[value])
            if double
            else TensorProto(dtype="DT_FLOAT", float_val=[narrowed(value)])
        )
    else:
        expected.simple_value = narrowed(value)

    body = described_scalar_body(tag, DescribedScalar(value, as_tensor, double, name, description))

    assert event(body, 3, 1.5) == of(expected, 3, 1.5)


@given(names, names)
def test_a_text_is_the_bytes_that_protobuf_writes(tag: str, content: str) -> None:
    expected = Summary.Value(
        tag=tag.encode(),
        metadata=SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name=b"text")),
        tensor=TensorProto(
            dtype="DT_STRING",
            string_val=[content.encode()],
            tensor_shape=TensorShapeProto(dim=[TensorShapeProto.Dim(size=1)]),
        ),
    )

    assert event(text_body(tag, content), 3, 1.5) == of(expected, 3, 1.5)


@given(names, st.text(st.characters(codec="utf-8"), min_size=1))
def test_a_record_of_ours_is_the_bytes_that_protobuf_writes(tag: str, content: str) -> None:
    expected = Summary.Value(
        tag=tag.encode(),
        metadata=SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name=b"orgboard")),
        tensor=TensorProto(
            dtype="DT_STRING", string_val=[content.encode()], tensor_shape=TensorShapeProto()
        ),
    )

    assert event(own_record_body(tag, content), 3, 1.5) == of(expected, 3, 1.5)


@given(
    st.dictionaries(names, settings_values, max_size=4),
    st.dictionaries(names, st.lists(settings_values, max_size=3), max_size=4),
    st.lists(names, max_size=3),
)
def test_hyperparameters_say_what_protobuf_would(
    settings: dict[str, float | str | bool],
    domains: dict[str, list[float | str | bool]],
    metrics: list[str],
) -> None:
    settings = {name: _without_nan(value) for name, value in settings.items()}
    domains = {name: [_without_nan(each) for each in values] for name, values in domains.items()}
    kinds = {bool: "HPARAM_TYPE_BOOL", str: "HPARAM_TYPE_STRING", float: "HPARAM_TYPE_FLOAT64"}
    infos = [
        HParamInfo(
            name=name,
            type=kinds[type(value)],
            domain_discrete=_list(domains[name]) if name in domains else None,
        )
        for name, value in settings.items()
    ]
    metric_infos = [MetricInfo(name=MetricName(tag=tag)) for tag in metrics]

    bodies = hparams_bodies(HParams(settings, domains, metrics))

    # Parsed and not compared as bytes: protobuf writes a map in any order.
    assert [_hparams(body) for body in bodies] == [
        HParamsPluginData(experiment=Experiment(hparam_infos=infos, metric_infos=metric_infos)),
        HParamsPluginData(
            session_start_info=SessionStartInfo(
                hparams={name: _value(value) for name, value in settings.items()}
            )
        ),
        HParamsPluginData(session_end_info=SessionEndInfo(status="SESSION_END_SUCCESS")),
    ]


@given(st.binary(max_size=200), steps, doubles)
def test_graphs_and_sessions_are_the_bytes_that_protobuf_writes(
    graph: bytes, step: int, wall_time: float
) -> None:
    graph_event = Event(wall_time=wall_time, step=step, graph_def=graph)
    start = Event(wall_time=wall_time, step=step, session_log=SessionLog(status="START"))

    assert event(graph_body("", graph), step, wall_time) == graph_event.SerializeToString()
    assert event(session_body(START), step, wall_time) == start.SerializeToString()
    assert record(as_given("", session_body(START)), step, wall_time) == encode_frame(
        start.SerializeToString()
    )


def test_a_file_begins_with_the_version_every_reader_looks_for() -> None:
    expected = Event(
        wall_time=1.5,
        file_version=b"brain.Event:2",
        source_metadata=SourceMetadata(writer=b"orgboard 1"),
    )

    assert file_header(1.5, "orgboard 1") == encode_frame(expected.SerializeToString())


def test_a_lone_surrogate_does_not_make_a_tag_unreadable() -> None:
    value = Event.FromString(event(scalar_body("a\ud800b", 1.0), 0, 1.0)).summary.value[0]

    assert value.tag == b"a?b"


def _hparams(body: bytes) -> HParamsPluginData:
    value = Event.FromString(body).summary.value[0]
    assert value.metadata.plugin_data.plugin_name == b"hparams"
    return HParamsPluginData.FromString(value.metadata.plugin_data.content)


def _value(value: float | str | bool) -> struct_pb2.Value:
    if isinstance(value, bool):
        return struct_pb2.Value(bool_value=value)
    if isinstance(value, str):
        return struct_pb2.Value(string_value=value)
    return struct_pb2.Value(number_value=value)


def _list(values: list[float | str | bool]) -> struct_pb2.ListValue:
    return struct_pb2.ListValue(values=[_value(value) for value in values])


def _without_nan(value: float | str | bool) -> float | str | bool:
    # Messages that hold a NaN are never equal.
    return 0.5 if isinstance(value, float) and math.isnan(value) else value
