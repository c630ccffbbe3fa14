"""Records that would take far more memory than their size are refused before they are parsed."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgboard_schema.wire import amplification
from orgboard_schema.wire.amplification import SMALL_RECORD_BYTES, is_bomb
from orgboard_schema.wire.event_pb2 import Event
from orgboard_schema.wire.reader import Gap, read
from orgboard_schema.wire.summary_pb2 import HistogramProto, Summary
from orgboard_schema.wire.varints import encode_varint
from support.event_files import event_file, payload_of, scalars_of, value_event

MIB = 1 << 20


def nested(content: bytes, *numbers: int) -> bytes:
    for number in reversed(numbers):
        content = encode_varint(number << 3 | 2) + encode_varint(len(content)) + content
    return content


BOMBS = {
    "empty values": nested(b"\x0a\x00" * 100_000, 5),
    "empty values inside a group": nested(b"\x63" + b"\x0a\x00" * 100_000 + b"\x64", 5),
    "empty dimensions": nested(b"\x12\x00" * 100_000, 5, 1, 8, 2),
    "empty strings": nested(b"\x42\x00" * 100_000, 5, 1, 8),
    "packed integers": nested(bytes(MIB), 5, 1, 8, 10),
    "metadata again and again": nested(b"\x4a\x00" * 100_000, 5, 1),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_a_gap_and_the_next_record_is_read(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A sixteenth of what is allowed, against a sixteenth of the bomb that would be refused.
    monkeypatch.setattr(amplification, "MAX_PARSED_BYTES", amplification.MAX_PARSED_BYTES // 16)
    bomb = event_file(BOMBS[name])
    after = value_event(Summary.Value(tag=b"loss", simple_value=1.0))

    batch = read(bomb + event_file(after), 0, {})

    assert batch.gaps == (Gap(0, len(bomb), "unfolds too far"),)
    assert scalars_of([batch], "loss") == [(0, 1.5, 1.0)]


def test_one_value_of_the_largest_size_that_the_core_takes_in_unasked_is_no_bomb() -> None:
    packed = [0.0] * (MIB - 100)
    histogram = HistogramProto(bucket_limit=packed, bucket=packed)
    payload = value_event(Summary.Value(tag=b"h", histo=histogram)).SerializeToString()

    assert 16 * MIB - 4096 < len(payload) < 16 * MIB
    assert not is_bomb(payload)


def test_large_records_of_honest_writers_are_read() -> None:
    limits = [float(place) for place in range(500_000)]
    image = Summary.Image(encoded_image_string=bytes(MIB))
    honest = [
        Event(graph_def=bytes(60 * MIB)),
        value_event(Summary.Value(tag=b"h", histo=HistogramProto(bucket=limits))),
        value_event(Summary.Value(tag=b"i", image=image)),
        Event(
            summary=Summary(
                value=[Summary.Value(tag=b"%d" % place, simple_value=1) for place in range(50_000)]
            )
        ),
    ]

    assert [is_bomb(payload_of(event)) for event in honest] == [False] * 4


@given(st.lists(st.binary(max_size=40), max_size=20))
def test_bytes_that_are_no_protobuf_are_left_to_the_parser(parts: list[bytes]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(amplification, "SMALL_RECORD_BYTES", 0)

        assert not is_bomb(nested(b"".join(parts), 5, 1))


def test_small_records_are_not_looked_at() -> None:
    assert not is_bomb(b"\x2a\x00" * (SMALL_RECORD_BYTES // 2))
    assert struct.calcsize("<Q") * 1000 < SMALL_RECORD_BYTES
