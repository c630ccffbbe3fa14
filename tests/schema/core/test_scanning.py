"""The compiled core and its twin in Python give the same batch, bit for bit, for any bytes."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgboard_schema.core.library import LIBRARY, load
from orgboard_schema.types import Metadata
from orgboard_schema.wire import gathering, reader
from orgboard_schema.wire.compiled import CompiledScalars
from orgboard_schema.wire.event_pb2 import Event
from orgboard_schema.wire.summary_pb2 import Summary, SummaryMetadata
from orgboard_schema.wire.tensor_pb2 import TensorProto, TensorShapeProto
from support.both_readers import need_core, read_by_both, read_counting
from support.event_files import event_file, scalar_event, value_event
from support.wire_values import other_values

PLUGIN = SummaryMetadata.PluginData
TAGS = [b"loss", b"acc", b"", b"\xff\xfe", b"a" * 300]

_floats = st.binary(min_size=4, max_size=4).map(lambda bits: struct.unpack("<f", bits)[0])
_doubles = st.binary(min_size=8, max_size=8).map(lambda bits: struct.unpack("<d", bits)[0])
_steps = st.integers(-(2**63), 2**63 - 1) | st.integers(-2, 300)
_shapes = st.sampled_from([None, [], [1], [1, 1], [2], [0]])
_metadata = st.sampled_from(
    [
        None,
        SummaryMetadata(plugin_data=PLUGIN(plugin_name=b"scalars")),
        SummaryMetadata(plugin_data=PLUGIN(plugin_name=b"scalars", content=b"\x08\x00")),
        SummaryMetadata(plugin_data=PLUGIN(plugin_name=b"text"), display_name=b"shown"),
        SummaryMetadata(display_name=b"no plugin"),
    ]
)


@st.composite
def _tensors(draw: st.DrawFn) -> TensorProto:
    tensor = TensorProto(dtype=draw(st.sampled_from([1, 2, 3, 19, 101])))  # type: ignore[arg-type] # an enum's number
    shape = draw(_shapes)
    if shape is not None:
        tensor.tensor_shape.CopyFrom(
            TensorShapeProto(dim=[TensorShapeProto.Dim(size=size) for size in shape])
        )
    for form in draw(st.lists(st.sampled_from("cfdv"), max_size=2)):
        match form:
            case "c":
                tensor.tensor_content = draw(st.binary(max_size=9))
            case "f":
                tensor.float_val.append(draw(_floats))
            case "d":
                tensor.double_val.append(draw(_doubles))
            case _:
                tensor.version_number = 1
    return tensor


@st.composite
def _values(draw: st.DrawFn) -> Summary.Value:
    value = Summary.Value(tag=draw(st.sampled_from(TAGS)))
    match draw(st.sampled_from("ssttnh")):
        case "s":
            value.simple_value = draw(_floats)
        case "t":
            value.tensor.CopyFrom(draw(_tensors()))
        case "h":
            value.histo.num = 1.0
        case _:
            value.node_name = b"node"
    metadata = draw(_metadata)
    if metadata is not None:
        value.metadata.CopyFrom(metadata)
    return value


_others = other_values(st.sampled_from([*TAGS, b"h"]))


@st.composite
def _events(draw: st.DrawFn) -> Event:
    event = Event(step=draw(_steps))
    event.wall_time = draw(_doubles | st.floats(0, 2e9))
    match draw(st.sampled_from("vvvvvooooommlg")):
        case "v":
            event.summary.value.append(draw(_values()))
        case "o":
            event.summary.value.append(draw(_others))
        case "m":
            event.summary.value.extend(draw(st.lists(_values() | _others, max_size=4)))
        case "l":
            event.session_log.status = 1  # type: ignore[assignment] # an enum's number
        case _:
            event.file_version = b"brain.Event:2"
    return event


@st.composite
def _payloads(draw: st.DrawFn) -> bytes:
    """Draw an event's bytes, mostly as they are, else changed, cut, doubled or joined."""
    payload = draw(_events()).SerializeToString()
    match draw(st.sampled_from("-------ccdj")):
        case "c" if payload:
            at = draw(st.integers(0, len(payload) - 1))
            return payload[:at] + draw(st.binary(max_size=3)) + payload[at + 1 :]
        case "d":
            return payload + payload
        case "j":
            return payload + draw(_events()).SerializeToString()
        case _:
            return payload


@given(st.lists(_payloads(), max_size=40), st.booleans())
def test_any_records_give_the_same_batch(payloads: list[bytes], know: bool) -> None:
    remembered = {"loss": Metadata(plugin="scalars")} if know else {}

    read_by_both(event_file(*payloads), remembered)


@given(
    st.lists(st.builds(value_event, other_values(st.sampled_from([b"a", b"b"]))), max_size=30),
    st.sampled_from([None, "text", "images", "histograms"]),
    st.integers(0, 20_000),
)
def test_any_values_give_the_same_batch(events: list[Event], plugin: str | None, most: int) -> None:
    """Whatever is remembered of a tag, and however little may be gathered before a batch ends."""
    remembered = {"a": Metadata(plugin=plugin)} if plugin is not None else {}

    read_by_both(event_file(*events), remembered)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gathering, "MAX_GATHERED_BYTES", most)
        patch.setattr(reader, "MAX_GATHERED_BYTES", most)
        read_by_both(event_file(*events), remembered)


@st.composite
def _alike(draw: st.DrawFn) -> list[bytes]:
    """Draw records in turns, as a training logs them: each like one before it, but for its step,
    wall time and values, and now and then an octet that is another one."""
    kinds = draw(st.lists(_events(), min_size=1, max_size=3))
    payloads = []
    for turn in draw(st.lists(st.integers(0, len(kinds) - 1), max_size=40)):
        event = Event()
        event.CopyFrom(kinds[turn])
        event.step = draw(st.sampled_from([0, 1, 2, 126, 127, 128, 129, -1, 2**63 - 1, -(2**63)]))
        event.wall_time = draw(_doubles | st.just(1.5))
        for value in event.summary.value:
            if value.WhichOneof("value") == "simple_value":
                value.simple_value = draw(_floats)
        payload = event.SerializeToString()
        if payload and draw(st.integers(0, 5)) == 5:
            at = draw(st.integers(0, len(payload) - 1))
            payload = payload[:at] + draw(st.binary(min_size=1, max_size=1)) + payload[at + 1 :]
        payloads.append(payload)
    return payloads


@given(_alike(), st.booleans())
def test_records_like_those_before_give_the_same_batch(payloads: list[bytes], know: bool) -> None:
    remembered = {"loss": Metadata(plugin="scalars")} if know else {}

    read_by_both(event_file(*payloads), remembered)


@given(st.lists(_payloads(), min_size=1, max_size=8), st.data())
def test_any_damage_gives_the_same_batch(payloads: list[bytes], data: st.DataObject) -> None:
    whole = event_file(*payloads)
    at = data.draw(st.integers(0, len(whole) - 1))
    damaged = whole[:at] + data.draw(st.binary(max_size=20)) + whole[at + 1 :]

    read_by_both(damaged, {})


def test_all_of_the_corpus_gives_the_same_batches(corpus: Path) -> None:
    files = sorted(path for path in corpus.rglob("*tfevents*") if path.is_file())

    assert len(files) > 50
    for path in files:
        read_by_both(path.read_bytes(), {})


@pytest.mark.parametrize("changed", range(60))
def test_a_record_that_differs_in_one_octet_from_the_one_before(changed: int) -> None:
    """Whichever octet it is: what is read is what stands there."""
    plain = [scalar_event("loss", 127, 1.0), scalar_event("loss", 100, 2.0)]
    first, second = (event.SerializeToString() for event in plain)
    at = changed % len(second)
    for octet in (0, 1, 0x7F, 0x80, 0xFF, second[at] ^ 1, second[at] ^ 0x80):
        other = second[:at] + bytes([octet]) + second[at + 1 :]
        read_by_both(event_file(first, first, second, other, second), {})


def test_a_step_that_takes_ten_octets_is_read_to_its_last() -> None:
    record = scalar_event("loss", -1, 1.0).SerializeToString()
    at = record.index(b"\xff" * 9 + b"\x01") + 9
    others = [record[:at] + bytes([last]) + record[at + 1 :] for last in (0, 1, 2, 0x81)]

    batch = read_by_both(event_file(record, record, *others, record), {})

    # What stands above the sixty-fourth bit counts for nothing; an eleventh octet makes no number.
    largest = 2**63 - 1
    assert list(batch.scalars.step) == [-1, -1, largest, -1, largest, -1]


def test_more_kinds_of_records_in_turn_than_there_are_moulds() -> None:
    names = [f"tag/{number:05}" for number in range(1500)]
    events = [scalar_event(name, step, step / 3) for step in range(3) for name in names]

    batch = read_by_both(event_file(*events), {})

    assert len(batch.scalars) == 4500


def test_a_tag_is_undone_with_its_record() -> None:
    """A record that ends in no protobuf leaves no trace, and neither do the tags it began with."""
    good = scalar_event("first", 1, 1.0).SerializeToString()
    torn = Summary(
        value=[
            Summary.Value(tag=f"new{number}".encode(), simple_value=1.0) for number in range(200)
        ]
    ).SerializeToString()
    bad = b"\x09" + bytes(8) + b"\x2a" + _size(torn) + torn + b"\x2a\x05"

    batch = read_by_both(event_file(good, bad, scalar_event("new7", 2, 2.0)), {})

    assert batch.scalars.tags == ("first", "new7")
    assert [gap.reason for gap in batch.gaps] == ["not a protobuf"]


def test_many_tags_in_turn_and_in_disorder() -> None:
    names = [f"layer/{number}" for number in range(5000)]
    order = [*names, *names[::-1], *names[::7], *names]

    batch = read_by_both(
        event_file(*(scalar_event(name, step, step) for step, name in enumerate(order))), {}
    )

    assert list(batch.scalars.tags) == names
    assert [names[tag] for tag in batch.scalars.tag] == order


def test_tensors_are_scalars_once_their_metadata_said_so() -> None:
    metadata = SummaryMetadata(plugin_data=PLUGIN(plugin_name=b"scalars"))
    first = Summary.Value(tag=b"t", tensor=_one(0.5), metadata=metadata)
    later = Summary.Value(tag=b"t", tensor=_one(1.5))

    batch, parsed = read_counting([first] + [first, later] * 50)

    assert len(batch.scalars.value) == 101
    assert parsed < 5


def test_a_batch_of_small_values_that_unfold_ends_where_it_does_without_the_core() -> None:
    """What is gathered counts the same, so that batches and their ends are the same."""
    value = Summary.Value(tag=b"i", image=Summary.Image(width=1))
    text = Summary.Value(tag=b"t", metadata=_plugin(b"text"))
    text.tensor.dtype, text.tensor.string_val[:] = 7, [b""]  # type: ignore[assignment] # an enum's number
    whole = event_file(*map(value_event, [value, text] * 31_000))

    batch = read_by_both(whole, {})

    assert 0 < batch.end < len(whole)


def test_checksums_are_the_same_without_the_processors_help() -> None:
    need_core()
    whole = event_file(*(scalar_event("a" * (1 + step % 70), step, step) for step in range(300)))
    core = load(LIBRARY, plain=True)
    try:
        assert core is not None
        slow = CompiledScalars(core)
        told = slow.scan(whole, 0, 1 << 20, 0)
    finally:
        # The choice is the whole process's.
        load(LIBRARY)

    fast = CompiledScalars(core)
    assert told == fast.scan(whole, 0, 1 << 20, 0)
    assert told[1] > len(whole) // 2


def test_a_library_that_is_none_is_left_alone(tmp_path: Path) -> None:

    junk = tmp_path / "_core.so"
    assert load(junk) is None
    junk.write_bytes(b"not a library")
    assert load(junk) is None


def _plugin(name: bytes) -> SummaryMetadata:
    return SummaryMetadata(plugin_data=PLUGIN(plugin_name=name))


def _one(value: float) -> TensorProto:
    return TensorProto(dtype=1, tensor_shape=TensorShapeProto(), float_val=[value])  # type: ignore[arg-type] # an enum's number


def _size(data: bytes) -> bytes:
    return bytes([len(data) & 0x7F | 0x80, len(data) >> 7])
