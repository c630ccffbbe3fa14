from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orgboard_schema.blocks import (
    Chunk,
    ScalarSeries,
    decode_scalars_of,
    decode_segment,
    encode_segment,
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


@settings(max_examples=100)
@given(chunks)
def test_scalars_come_series_by_series_with_no_point_lost_or_moved(written: list[Chunk]) -> None:
    read = decode_scalars_of(encode_segment(written))

    scalars = [chunk for chunk in written if isinstance(chunk.series, ScalarSeries)]
    assert _points(read) == _points(scalars)
    widths = {(chunk.tag_id, chunk.series.value.dtype) for chunk in scalars}
    if len(widths) == len({tag_id for tag_id, _ in widths}):
        assert len(read) == len(_points(read))


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

    for decode in (decode_segment, decode_scalars_of):
        try:
            decode(pack(bytes(raw)))
        except CorruptBlock:
            continue


def test_a_payload_with_something_behind_it_is_refused() -> None:
    payload = encode_segment([])

    with pytest.raises(CorruptBlock):
        decode_segment(payload + b"\0")
