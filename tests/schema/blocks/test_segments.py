from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orgboard_schema.blocks import (
    Chunk,
    ScalarSeries,
    decode_segment,
    encode_segment,
    pick_series,
    scalar_columns,
)
from orgboard_schema.blocks.frame import pack, unpack
from orgboard_schema.errors import CorruptBlock
from support.points import bits, scalar_series, value_series

chunks = st.lists(
    st.one_of(
        st.builds(Chunk, st.integers(1, 4), st.just("scalar"), scalar_series(max_size=4)),
        st.builds(
            Chunk,
            st.integers(1, 2**40),
            st.sampled_from(["histogram", "text", "image"]),
            value_series(max_size=2),
        ),
    ),
    max_size=4,
)


@settings(max_examples=40)
@given(chunks)
def test_every_chunk_comes_back_in_order(written: list[Chunk]) -> None:
    read = decode_segment(encode_segment(written))

    assert bits(read) == bits(written)


@settings(max_examples=40)
@given(chunks, st.data())
def test_only_the_series_asked_for_come_back(written: list[Chunk], data: st.DataObject) -> None:
    keys = [chunk.key for chunk in written]
    only = set(data.draw(st.lists(st.sampled_from(keys)))) if keys else set()

    read = decode_segment(encode_segment(written), only)

    assert bits(read) == bits([chunk for chunk in written if chunk.key in only])


@settings(max_examples=150)
@given(st.lists(chunks, max_size=3), st.sets(st.integers(1, 5)))
def test_series_are_picked_with_no_point_lost_or_moved(
    written: list[list[Chunk]], wanted: set[int]
) -> None:
    parts = [scalar_columns(encode_segment(each)) for each in written]
    picked = pick_series([each for part in parts for each in part or ()], wanted)

    scalars = [
        chunk
        for each in written
        for chunk in each
        if isinstance(chunk.series, ScalarSeries) and chunk.tag_id in wanted and len(chunk.series)
    ]
    widths = {
        (chunk.tag_id, chunk.series.value.dtype)
        for chunk in scalars
        if isinstance(chunk.series, ScalarSeries)
    }
    if len(widths) > len({tag_id for tag_id, _ in widths}):
        assert picked is None
    else:
        assert picked is not None
        assert _points(picked) == _points(scalars)
        assert len(picked) == len(_points(picked))


def test_what_has_a_width_and_is_no_scalar_is_told_apart_by_others() -> None:
    series = ScalarSeries(np.arange(2), np.zeros(2), np.zeros(2))

    assert scalar_columns(encode_segment([Chunk(1, "text", series)])) is None


def _points(chunks: list[Chunk]) -> dict[int, list[bytes]]:
    """Give each series' points in order, to the bit; what has none is left out."""
    found: dict[int, list[bytes]] = {}
    for chunk in chunks:
        assert isinstance(chunk.series, ScalarSeries)
        for step, wall, value in zip(
            chunk.series.step, chunk.series.wall, chunk.series.value, strict=True
        ):
            point = step.tobytes() + wall.tobytes() + value.tobytes()
            found.setdefault(chunk.tag_id, []).append(point)
    return found


@settings(max_examples=40)
@given(chunks, st.data())
def test_damage_below_the_checksum_never_crashes(written: list[Chunk], data: st.DataObject) -> None:
    raw = bytearray(unpack(encode_segment(written)))
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] = data.draw(st.integers(0, 255))

    for decode in (decode_segment, scalar_columns):
        try:
            decode(pack(bytes(raw)))
        except CorruptBlock:
            continue


def test_a_payload_with_something_behind_it_is_refused() -> None:
    payload = encode_segment([])

    with pytest.raises(CorruptBlock):
        decode_segment(payload + b"\0")
