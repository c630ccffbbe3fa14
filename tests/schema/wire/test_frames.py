"""Framing: the format's own check values, and the round trip."""

from __future__ import annotations

import google_crc32c
from hypothesis import given
from hypothesis import strategies as st

from orgboard_schema.wire.event_pb2 import Event
from orgboard_schema.wire.frames import (
    FOOTER,
    HEADER,
    HEADER_BYTES,
    OVERHEAD_BYTES,
    encode_frame,
    masked_crc,
)
from support.event_files import payload_of, scalar_event


def test_checksums_are_castagnoli_masked() -> None:
    assert google_crc32c.value(b"123456789") == 0xE3069283
    assert masked_crc(b"123456789") == 0xC78AB0E5
    assert masked_crc(b"") == 0xA282EAD8


def test_a_file_version_record_is_written_as_tensorboard_writes_it() -> None:
    record = encode_frame(payload_of(Event(file_version=b"brain.Event:2")))

    assert record.hex() == "0f000000000000006d532b091a0d627261696e2e4576656e743a32fc985129"


def test_a_scalar_record_is_written_as_tensorboard_writes_it() -> None:
    record = encode_frame(payload_of(scalar_event("a", step=7, value=2.0, wall=1.5)))

    assert record.hex() == (
        "1700000000000000e7cef81e09000000000000f83f10072a0a0a080a01611500000040599f21dc"
    )


@given(st.binary())
def test_a_record_holds_its_payload_and_the_checksums_of_both_parts(payload: bytes) -> None:
    record = encode_frame(payload)

    length, length_crc = HEADER.unpack_from(record)
    assert length == len(payload)
    assert length_crc == masked_crc(record[:8])
    assert record[HEADER_BYTES:-4] == payload
    assert FOOTER.unpack(record[-4:]) == (masked_crc(payload),)
    assert len(record) == len(payload) + OVERHEAD_BYTES
