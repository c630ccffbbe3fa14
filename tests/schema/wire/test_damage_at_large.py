"""How much is read at a time, and where a growing file is cut, changes nothing of what is read.

Records and the bytes lost are the same. Only into how many gaps a run of more than
`GARBAGE_BYTES` without a sound header is cut is the window's doing.
"""

from __future__ import annotations

import random
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgboard_schema.wire.summary_pb2 import Summary
from support.damage import EMBEDDED, IN_PLACE, WRITERS, damaged
from support.event_files import (
    event_file,
    laid_out,
    read_grown,
    read_whole,
    scalar_event,
    spans_of,
    value_event,
)

MIB: Final = 1 << 20
BEFORE: Final = event_file(*(scalar_event("loss", step, step) for step in range(50)))
BEHIND: Final = event_file(*(scalar_event("loss", step, step) for step in range(50, 100)))


def noise(size: int) -> bytes:
    return random.Random(size).randbytes(size)


def image(size: int, flipped: int) -> bytes:
    """Make a record, one bit of it flipped."""
    value = Summary.Value(tag=b"image", image=Summary.Image(encoded_image_string=noise(size)))
    frame = event_file(value_event(value, 5))
    return frame[:flipped] + bytes([frame[flipped] ^ 1]) + frame[flipped + 1 :]


@pytest.mark.parametrize(
    ("middle", "records", "lost"),
    [
        (noise(9 * MIB), 100, (0, 9 * MIB)),
        (bytes(20 * MIB), 100, (0, 20 * MIB)),
        (noise(9 * MIB) + bytes(9 * MIB), 100, (0, 18 * MIB)),
        (image(10 * MIB, 5 * MIB), 100, (0, len(image(10 * MIB, 0)))),
        (image(10 * MIB, 1), 101, (0, 12)),
        (image(10 * MIB, 9), 101, (0, 12)),
        (image(40 * MIB, 5 * MIB), 100, (0, len(image(40 * MIB, 0)))),
    ],
    ids=["noise", "zeros", "noise and zeros", "payload", "length", "length crc", "40 MiB"],
)
def test_damage_larger_than_a_window_is_the_same_however_it_is_read(
    middle: bytes, records: int, lost: tuple[int, int]
) -> None:
    data = BEFORE + middle + BEHIND
    first, end = (len(BEFORE) + at for at in lost)
    wanted = laid_out(read_whole(data, final=True, max_bytes=64 * MIB))

    assert len(wanted) == records
    ways = [read_whole(data, final=True, max_bytes=window) for window in (1000, MIB, 8 * MIB)]
    ways += [read_grown(data, cuts) for cuts in ([len(data) // 2], [1000, 9 * MIB])]
    for way in ways:
        assert laid_out(way) == wanted
        assert spans_of(way) == [(first, end)]


@given(
    st.sampled_from(sorted(IN_PLACE)),
    st.integers(1, 8),
    st.integers(0, 1 << 30),
    st.integers(16, 5000),
)
def test_an_event_file_inside_a_text_whose_end_is_not_in_sight_is_not_searched(
    kind: str, size: int, seed: int, window: int
) -> None:
    data = damaged(kind, EMBEDDED[1], size, seed).data
    whole = read_whole(data, final=True)
    cuts = sorted(random.Random(seed).choices(range(len(data) + 1), k=3))

    for way in (read_whole(data, final=True, max_bytes=window), read_grown(data, cuts, window)):
        assert not {tag for batch in way for tag in batch.scalars.tags}
        assert (laid_out(way), spans_of(way)) == (laid_out(whole), spans_of(whole))


@pytest.mark.parametrize("flipped", [1, 9])
def test_a_record_with_a_damaged_header_is_not_searched_before_its_end_is_written(
    flipped: int,
) -> None:
    frame = event_file(EMBEDDED[1](3))
    data = frame[:flipped] + bytes([frame[flipped] ^ 1]) + frame[flipped + 1 :]

    for size in range(12, len(data)):
        (batch,) = read_whole(data[:size])
        assert (batch.end, batch.gaps) == (0, ())


def test_a_lone_record_whose_header_was_mended_is_an_event_file() -> None:
    frame = event_file(WRITERS["simple_value"](1))
    data = frame[:9] + bytes([frame[9] ^ 1]) + frame[10:]

    gaps = [gap for batch in read_whole(data, final=True) for gap in batch.gaps]

    assert [(gap.length, gap.reason) for gap in gaps] == [(12, "length crc")]
