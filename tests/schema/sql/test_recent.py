"""Segments that are read again and again: kept as they were decoded, never at their cost."""

from __future__ import annotations

import numpy as np
import pytest

from orgboard_schema.blocks import Chunk, ScalarSeries, decode_segment, encode_segment
from orgboard_schema.errors import CorruptBlock
from orgboard_schema.sql.recent import Recent
from support.points import bits


def segment(number: int, points: int = 3) -> bytes:
    steps = np.arange(points, dtype=np.int64) + number
    series = ScalarSeries(steps, steps.astype(np.float64), steps.astype(np.float32))
    return encode_segment([Chunk(1, "scalar", series), Chunk(2, "scalar", series)])


def test_a_segment_that_is_read_again_is_the_same() -> None:
    recent, payload = Recent(), segment(5)

    first = recent.decode(payload, {(2, "scalar")})
    again = recent.decode(bytes(bytearray(payload)), {(2, "scalar")})

    assert bits(first) == bits(again) == bits(decode_segment(payload, {(2, "scalar")}))
    assert first[0] is again[0]


def test_nobody_can_write_into_what_others_read() -> None:
    chunk = Recent().decode(segment(5), {(1, "scalar")})[0]

    assert isinstance(chunk.series, ScalarSeries)
    with pytest.raises(ValueError, match="read-only"):
        chunk.series.value[0] = 1


def test_what_is_kept_is_bounded_and_the_oldest_goes_first() -> None:
    recent = Recent(most_bytes=20_000)
    first = recent.decode(segment(0), {(1, "scalar")})[0]
    for number in range(1, 50):
        recent.decode(segment(number), {(1, "scalar")})

    assert recent.decode(segment(0), {(1, "scalar")})[0] is not first
    newest = recent.decode(segment(49), {(1, "scalar")})[0]
    assert recent.decode(segment(49), {(1, "scalar")})[0] is newest


def test_a_large_segment_is_decoded_and_not_kept() -> None:
    noise = np.random.default_rng(1).random(20_000)
    series = ScalarSeries(np.arange(20_000), noise, noise)
    payload = encode_segment([Chunk(1, "scalar", series)])
    recent = Recent()

    first, again = (recent.decode(payload, {(1, "scalar")})[0] for _ in range(2))

    assert bits([first]) == bits([again])
    assert first is not again


def test_a_damaged_segment_is_refused_each_time() -> None:
    recent = Recent()
    for _ in range(2):
        with pytest.raises(CorruptBlock):
            recent.decode(segment(1)[:-3], {(1, "scalar")})
