"""Segments that are read again and again: kept as they were decoded, never at their cost."""

from __future__ import annotations

import numpy as np
import pytest

from orgboard_schema.blocks import Chunk, ScalarSeries, decode_segment, encode_segment
from orgboard_schema.blocks.series import Floats
from orgboard_schema.errors import CorruptBlock
from orgboard_schema.sql.recent import Recent
from support.points import bits


def segment(number: int, points: int = 3) -> bytes:
    steps = np.arange(points, dtype=np.int64) + number
    series = ScalarSeries(steps, steps.astype(np.float64), steps.astype(np.float32))
    return encode_segment([Chunk(1, "scalar", series), Chunk(2, "scalar", series)])


def column(recent: Recent, payload: bytes, tag_id: int = 1) -> Floats:
    (chunk,) = recent.decode([payload], {(tag_id, "scalar")})
    assert isinstance(chunk.series, ScalarSeries)
    return chunk.series.value


def test_a_segment_that_is_read_again_is_the_same() -> None:
    recent, payload = Recent(), segment(5)

    first = recent.decode([payload], {(2, "scalar")})
    again = recent.decode([bytes(bytearray(payload))], {(2, "scalar")})

    assert bits(first) == bits(again) == bits(decode_segment(payload, {(2, "scalar")}))
    assert np.shares_memory(column(recent, payload), column(recent, payload))


def test_segments_that_follow_one_another_are_one_series() -> None:
    recent = Recent()
    payloads = [segment(number) for number in (0, 3, 6)]

    (chunk,) = recent.decode(payloads, {(2, "scalar")})

    assert chunk.key == (2, "scalar")
    assert chunk.series.step.tolist() == list(range(9))


def test_a_series_that_changed_its_width_keeps_its_order() -> None:
    wide = ScalarSeries(np.arange(2), np.zeros(2), np.array([0.1, 0.2]))
    payloads = [segment(5), encode_segment([Chunk(1, "scalar", wide)]), segment(0)]

    read = Recent().decode(payloads, {(1, "scalar")})

    assert [chunk.series.step.tolist() for chunk in read] == [[5, 6, 7], [0, 1], [0, 1, 2]]


def test_nobody_can_write_into_what_others_read() -> None:
    value = column(Recent(), segment(5))

    with pytest.raises(ValueError, match="read-only"):
        value[0] = 1


def test_what_is_kept_is_bounded_and_the_oldest_goes_first() -> None:
    recent = Recent(most_bytes=20_000)
    first = column(recent, segment(0))
    for number in range(1, 50):
        column(recent, segment(number))

    assert not np.shares_memory(column(recent, segment(0)), first)
    newest = column(recent, segment(49))
    assert np.shares_memory(column(recent, segment(49)), newest)


def test_a_large_segment_is_decoded_and_not_kept() -> None:
    noise = np.random.default_rng(1).random(20_000)
    series = ScalarSeries(np.arange(20_000), noise, noise)
    payload = encode_segment([Chunk(1, "scalar", series)])
    recent = Recent()

    first, again = (column(recent, payload) for _ in range(2))

    assert first.tobytes() == again.tobytes()
    assert not np.shares_memory(first, again)


def test_a_damaged_segment_is_refused_each_time() -> None:
    recent = Recent()
    for _ in range(2):
        with pytest.raises(CorruptBlock):
            recent.decode([segment(1)[:-3]], {(1, "scalar")})
