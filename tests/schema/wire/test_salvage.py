"""Damaged files: what is sound is recovered, what is lost is told, and nothing is made up."""

from __future__ import annotations

import gzip
import io
import struct
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgboard_schema.wire import reader, salvage
from orgboard_schema.wire.event_pb2 import Event
from orgboard_schema.wire.frames import HEADER, LENGTH, encode_frame, masked_crc
from orgboard_schema.wire.large import judge_large
from orgboard_schema.wire.reader import Gap, read, read_file
from orgboard_schema.wire.summary_pb2 import Summary
from orgboard_schema.wire.tensor_pb2 import TensorProto
from support.event_files import (
    event_file,
    laid_out,
    payload_of,
    read_whole,
    scalar_event,
    scalars_of,
    value_event,
)

RECORDS = [
    event_file(event)
    for event in (
        Event(wall_time=1.0, file_version=b"brain.Event:2"),
        *(scalar_event("loss", step, step / 2) for step in range(8)),
    )
]
WHOLE = b"".join(RECORDS)
SOUND = [(step, 1.5, step / 2) for step in range(8)]


def starts(at: int) -> int:
    return sum(map(len, RECORDS[:at]))


def with_flip(at: int, bit: int) -> bytes:
    return WHOLE[:at] + bytes([WHOLE[at] ^ 1 << bit]) + WHOLE[at + 1 :]


def without_step(step: int) -> list[tuple[int, float, float]]:
    return SOUND[:step] + SOUND[step + 1 :]


def test_every_flipped_bit_is_noticed_and_costs_at_most_its_record() -> None:
    for at in range(len(RECORDS[0]), len(WHOLE)):
        for bit in range(8):
            batch = read(with_flip(at, bit), 0, {}, final=True)

            found = scalars_of([batch], "loss")
            assert len(batch.gaps) == 1
            assert found == SOUND or found in [without_step(step) for step in range(8)]


def test_a_flipped_bit_in_a_header_loses_nothing() -> None:
    for at in range(starts(4), starts(4) + 12):
        batch = read(with_flip(at, 3), 0, {})

        assert batch.gaps == (Gap(starts(4), 12, "length crc"),)
        assert scalars_of([batch], "loss") == SOUND


def test_a_bad_payload_is_skipped_to_the_byte() -> None:
    batch = read(with_flip(starts(4) + 14, 0), 0, {})

    assert batch.gaps == (Gap(starts(4), len(RECORDS[4]), "payload crc"),)
    assert scalars_of([batch], "loss") == without_step(3)


def test_a_bad_last_payload_is_pending_until_something_follows_or_the_file_is_final() -> None:
    damaged = with_flip(starts(8) + 14, 0)

    live = read(damaged, 0, {})
    final = read(damaged, 0, {}, final=True)
    grown = read(damaged + RECORDS[8], 0, {})

    assert (live.pending, live.end, live.gaps) == ("payload crc", starts(8), ())
    assert final.gaps == grown.gaps == (Gap(starts(8), len(RECORDS[8]), "payload crc"),)
    assert final.end == len(damaged)
    assert final.pending is grown.pending is None


def test_records_inside_a_damaged_record_are_not_taken_for_records_of_the_file() -> None:
    """A text may hold an event file: searching in it would forge data."""
    forged = event_file(scalar_event("loss", 99, 99.0), scalar_event("loss", 98, 98.0))
    tensor = TensorProto(dtype=7, string_val=[forged])  # type: ignore[arg-type] # an enum's number
    carrier = encode_frame(payload_of(value_event(Summary.Value(tag=b"text", tensor=tensor))))
    spoiled = carrier[:20] + bytes([carrier[20] ^ 1]) + carrier[21:]
    mended = bytes([carrier[0] ^ 4]) + carrier[1:]

    for data in (spoiled + WHOLE, mended + WHOLE):
        assert scalars_of(read_whole(data, final=True), "loss") == SOUND


@given(st.binary(min_size=1, max_size=200), st.integers(0, len(RECORDS)))
def test_bytes_between_records_are_a_gap_and_cost_no_record(junk: bytes, at: int) -> None:
    data = b"".join((*RECORDS[:at], junk, *RECORDS[at:]))

    batches = read_whole(data, final=True)

    lost = sum(gap.length for batch in batches for gap in batch.gaps)
    left = len(data) - batches[-1].end
    assert lost + left == len(junk)
    assert scalars_of(batches, "loss") == SOUND


@given(st.integers(1, len(RECORDS) - 1), st.integers(1, len(WHOLE)), st.data())
def test_deleted_bytes_cost_only_the_records_they_were_of(
    at: int, size: int, data: st.DataObject
) -> None:
    start = starts(at) + data.draw(st.integers(0, len(RECORDS[at]) - 1))
    end = min(start + size, len(WHOLE))
    damaged = WHOLE[:start] + WHOLE[end:]
    touched = {
        step
        for step in range(8)
        if starts(step + 1) < end and start < starts(step + 1) + len(RECORDS[step + 1])
    }

    found = scalars_of(read_whole(damaged, final=True), "loss")

    assert {point for point in SOUND if point[0] not in touched} <= set(found)
    assert set(found) <= set(SOUND)


def test_zeros_are_pending_until_something_sound_follows() -> None:
    hole = bytes(5000)

    live = read(WHOLE + hole, 0, {})
    final = read(WHOLE + hole, 0, {}, final=True)
    written = read(WHOLE + hole + RECORDS[3], 0, {})

    assert (live.pending, live.end, live.gaps) == ("zero header", len(WHOLE), ())
    assert (final.pending, final.gaps) == ("zero header", ())
    assert written.gaps == (Gap(len(WHOLE), 5000, "zero header"),)
    assert scalars_of([written], "loss") == [*SOUND, SOUND[2]]


def test_zeros_in_place_of_a_payload_are_pending_until_something_sound_follows() -> None:
    """What a crash leaves of a file whose length was written before its bytes."""
    torn = WHOLE + RECORDS[3][:12] + bytes(len(RECORDS[3]) - 12 + 40)

    live = read(torn, 0, {})
    written = read(torn + RECORDS[5], 0, {})

    assert (live.pending, live.end) == ("payload crc", len(WHOLE))
    assert [gap.reason for gap in written.gaps] == ["payload crc", "zero header"]
    assert scalars_of([written], "loss") == [*SOUND, SOUND[4]]


def test_zeros_longer_than_any_window_end_where_something_is_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reader, "_MAX_WINDOW_BYTES", 4096)
    monkeypatch.setattr(reader, "GARBAGE_BYTES", 1024)

    for hole in (100, 3000, 50_000):
        data = WHOLE + bytes(hole) + RECORDS[3]
        batches = read_whole(data, max_bytes=64)

        assert sum(gap.length for batch in batches for gap in batch.gaps) == hole
        assert scalars_of(batches, "loss") == [*SOUND, SOUND[2]]
        assert read_whole(WHOLE + bytes(hole), max_bytes=64)[-1].pending == "zero header"


def test_garbage_is_pending_then_given_up_before_it_is_searched_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(salvage, "GARBAGE_BYTES", 1000)
    junk = bytes(range(1, 256)) * 10

    live = read(WHOLE + junk[:900], 0, {})
    long = read(WHOLE + junk, 0, {})
    final = read(WHOLE + junk[:900], 0, {}, final=True)

    assert (live.pending, live.gaps) == ("length crc", ())
    assert long.gaps == (Gap(len(WHOLE), len(junk) - 11, "length crc"),)
    assert final.gaps == (Gap(len(WHOLE), 900, "length crc"),)
    assert scalars_of([live], "loss") == scalars_of([final], "loss") == SOUND


def test_what_never_was_an_event_file_is_named_so() -> None:
    page = b"<!doctype html><title>404</title>" * 9

    live = read(page, 0, {})
    final = read(page, 0, {}, final=True)

    assert (live.pending, live.records) == ("not an event file", 0)
    assert final.gaps == (Gap(0, len(page), "not an event file"),)


def test_compressed_records_are_named_so() -> None:
    packed = gzip.compress(WHOLE)

    assert read(packed, 0, {}).pending == "compressed"
    assert read(packed, 0, {}, final=True).gaps == (Gap(0, len(packed), "compressed"),)


def test_an_absurd_length_is_never_believed() -> None:
    length = LENGTH.pack(2**60)
    header = length + struct.pack("<I", masked_crc(length))
    data = WHOLE + header + bytes(100)

    live = read(data, 0, {})
    final = read_whole(data, final=True)

    assert (live.pending, live.end) == ("declared length beyond the end", len(WHOLE))
    assert scalars_of([live], "loss") == scalars_of(final, "loss") == SOUND
    assert [gap.reason for batch in final for gap in batch.gaps] == ["too large"]


def test_a_record_over_the_limit_is_passed_over_without_being_read() -> None:
    large = encode_frame(bytes(1000))

    batch = read(WHOLE + large + RECORDS[3], 0, {}, limit=999)

    assert batch.gaps == (Gap(len(WHOLE), 1016, "too large"),)
    assert scalars_of([batch], "loss") == [*SOUND, SOUND[2]]


def test_a_sound_record_that_is_no_protobuf_is_a_gap_and_the_next_is_read() -> None:
    data = RECORDS[0] + encode_frame(b"\x2a\xff\x01") + RECORDS[1]

    batch = read(data, 0, {})

    assert batch.gaps == (Gap(len(RECORDS[0]), 19, "not a protobuf"),)
    assert batch.records == 3
    assert scalars_of([batch], "loss") == SOUND[:1]


@given(st.binary(max_size=300), st.booleans(), st.integers(1, 64))
def test_no_bytes_whatever_raise_or_hold_up_the_reader(
    junk: bytes, final: bool, window: int
) -> None:
    batches = read_whole(junk, final=final, max_bytes=window)

    assert batches[-1].end <= len(junk)


@given(st.binary(max_size=120))
def test_no_payload_whatever_raises(payload: bytes) -> None:
    batch = read(encode_frame(payload), 0, {})

    assert batch.records == 1
    assert batch.end == len(payload) + 16


@given(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), max_size=6))
def test_the_window_changes_nothing_of_a_damaged_file_either(
    damages: list[tuple[int, int]],
) -> None:
    damaged = bytearray(WHOLE)
    for at, byte in damages:
        damaged[at] = byte
    data = bytes(damaged)

    small = read_whole(data, max_bytes=16)
    large = [read(data, 0, {})]

    assert laid_out(small) == laid_out(large)
    assert [gap for batch in small for gap in batch.gaps] == list(large[0].gaps)


def test_a_header_is_found_wherever_it_stands() -> None:
    for length in (0, 1, 255, 256, 2**24, 2**28):
        packed = LENGTH.pack(length)
        header = HEADER.pack(length, masked_crc(packed))
        for before in (b"", b"\0", bytes(9), b"x", b"\0\0\0\0\0x", b"xyz"):
            assert salvage.find_header(b"\xff" + before + header + b"\1", 0) == len(before) + 1


def test_only_an_error_of_the_file_itself_is_raised() -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError(5, "Input/output error")

    with pytest.raises(OSError, match="Input/output"):
        read_file(Broken(WHOLE), 0, {})


@pytest.mark.parametrize("tail", [b"", b"\x07", b"elevenbytes", bytes(3)])
def test_a_large_damaged_record_at_the_end_of_a_file_that_grows_no_more_is_lost(
    tail: bytes,
) -> None:
    damaged = bytearray(encode_frame(bytes(1000)))
    damaged[500] ^= 1
    file = io.BytesIO(damaged + tail)

    lost = Gap(0, len(damaged), "payload crc")
    assert judge_large(file, 0, len(damaged), final=True) == lost
    assert judge_large(file, 0, len(damaged), final=False) == replace(lost, length=0)
