"""Records that are not parsed give what parsing gives, bit for bit."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgboard_schema.wire import scalars
from orgboard_schema.wire.batch import Batch
from orgboard_schema.wire.event_pb2 import Event
from orgboard_schema.wire.moulds import find_mould
from orgboard_schema.wire.reader import read
from orgboard_schema.wire.summary_pb2 import Summary, SummaryMetadata
from orgboard_schema.wire.tensor_pb2 import TensorProto, TensorShapeProto
from orgboard_schema.wire.varints import encode_varint, read_varint
from support.event_files import event_file, laid_out, payload_of, value_event

PLUGIN = SummaryMetadata.PluginData
FLOAT, DOUBLE, HALF = 1, 2, 19


def simple(tag: bytes, pattern: bytes) -> Summary.Value:
    return Summary.Value(tag=tag, simple_value=struct.unpack("<f", pattern)[0])


def in_content(tag: bytes, pattern: bytes) -> Summary.Value:
    return Summary.Value(
        tag=tag,
        tensor=TensorProto(
            dtype=FLOAT,  # type: ignore[arg-type] # an enum's number
            tensor_shape=TensorShapeProto(),
            tensor_content=pattern,
        ),
        metadata=SummaryMetadata(plugin_data=PLUGIN(plugin_name=b"scalars")),
    )


def in_list(tag: bytes, pattern: bytes) -> Summary.Value:
    return Summary.Value(
        tag=tag,
        tensor=TensorProto(dtype=FLOAT, float_val=struct.unpack("<f", pattern)),  # type: ignore[arg-type] # an enum's number
        metadata=SummaryMetadata(
            plugin_data=PLUGIN(plugin_name=b"scalars"),
            display_name=b"shown",
            data_class=1,  # type: ignore[arg-type] # an enum's number
        ),
    )


def as_double(tag: bytes, pattern: bytes) -> Summary.Value:
    number = struct.unpack("<f", pattern)[0]
    return Summary.Value(
        tag=tag,
        tensor=TensorProto(dtype=DOUBLE, double_val=[number]),  # type: ignore[arg-type] # an enum's number
        metadata=SummaryMetadata(plugin_data=PLUGIN(plugin_name=b"scalars")),
    )


def as_tensor(tag: bytes, pattern: bytes) -> Summary.Value:
    return Summary.Value(tag=tag, tensor=TensorProto(dtype=FLOAT, tensor_content=pattern))  # type: ignore[arg-type] # an enum's number


patterns = st.one_of(
    st.binary(min_size=4, max_size=4),
    st.floats(width=32).map(lambda value: struct.pack("<f", value)),
    st.sampled_from([b"loss", b"\0\0\0\0", b"\0\0\xa0\x7f"]),
)
makers = st.sampled_from([simple, in_content, in_list, as_double, as_tensor])
payloads = st.builds(
    lambda make, tag, pattern, step, wall: payload_of(value_event(make(tag, pattern), step, wall)),
    makers,
    st.sampled_from([b"a", b"loss", b"loss/loss"]),
    patterns,
    st.one_of(st.integers(0, 300), st.integers(-(2**63), 2**63 - 1)),
    st.floats(),
)


def read_by_protobuf(data: bytes) -> Batch:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scalars.ScalarGathering, "add_moulded", lambda *_: False)
        return read(data, 0, {})


@given(st.lists(payloads, max_size=40))
def test_moulds_change_nothing(some: list[bytes]) -> None:
    data = event_file(Event(wall_time=1.0, file_version=b"brain.Event:2"), *some)

    batch = read(data, 0, {})
    parsed = read_by_protobuf(data)

    assert laid_out([batch]) == laid_out([parsed])
    assert batch.scalars.tags == parsed.scalars.tags
    assert batch.scalars.metadata == parsed.scalars.metadata
    assert (batch.first_wall, batch.last_wall) == (parsed.first_wall, parsed.last_wall)
    assert (batch.records, batch.gaps, batch.end) == (parsed.records, parsed.gaps, parsed.end)


@given(st.lists(payloads, min_size=1, max_size=10), st.data())
def test_moulds_change_nothing_for_records_a_byte_away_from_fitting(
    some: list[bytes], data: st.DataObject
) -> None:
    """Damage before the checksum: a record that is sound and yet not what its writer meant."""
    victim = bytearray(data.draw(st.sampled_from(some)))
    at = data.draw(st.integers(0, len(victim) - 1))
    victim[at] ^= data.draw(st.integers(1, 255))
    whole = event_file(
        Event(wall_time=1.0, file_version=b"brain.Event:2"), *some, *some, bytes(victim)
    )

    assert laid_out([read(whole, 0, {})]) == laid_out([read_by_protobuf(whole)])
    assert read(whole, 0, {}).gaps == read_by_protobuf(whole).gaps


def test_most_records_of_a_tag_are_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[bytes] = []
    original = Event.FromString
    some = [
        value_event(make(b"loss", struct.pack("<f", step / 8)), step, 2.0 * step)
        for step in range(1, 101)
        for make in (simple, in_content, in_list)
    ]
    from orgboard_schema.wire import gathering, reader

    # The compiled core parses no more, but differently: it knows one metadata a tag.
    monkeypatch.setattr(reader, "load_core", lambda: None)

    class Counted:
        @staticmethod
        def FromString(payload: bytes) -> Event:  # noqa: N802 # protobuf's name
            parsed.append(payload)
            return original(payload)

    monkeypatch.setattr(gathering, "Event", Counted)

    batch = read(event_file(*some), 0, {})

    assert len(batch.scalars.value) == 300
    assert len(parsed) < 30


def test_a_record_that_says_its_time_twice_is_no_mould() -> None:
    """The last one counts for protobuf: the first eight bytes are not the time."""
    payload = payload_of(value_event(simple(b"loss", struct.pack("<f", 1.5)), 3, 2.0))
    twice = payload + struct.pack("<Bd", 0x09, 7.0)

    assert find_mould(payload, (2.0, 3, 1.5), _read) is not None
    assert find_mould(twice, (7.0, 3, 1.5), _read) is None


@given(st.integers(-(2**63), 2**64 - 1))
def test_a_varint_comes_back_as_its_64_bits(value: int) -> None:
    encoded = encode_varint(value)

    assert read_varint(b"x" + encoded + b"y", 1) == (value % 2**64, 1 + len(encoded))
    assert read_varint(encoded[:-1], 0) is None


def _read(payload: bytes) -> tuple[float, int, float] | None:
    event = Event.FromString(payload)
    return event.wall_time, event.step, event.summary.value[0].simple_value
